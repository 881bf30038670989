//! What followers are promised.

use revwatch::ResumeToken;

use super::Story;
use crate::judge::Promise;
use crate::record::{Entry, FollowTold};

#[test]
fn a_follower_has_the_state_in_its_hands_at_every_moment() {
    let begin = || {
        let mut story = Story::new();
        story.put("a", "1");
        story.put("b", "2");
        story.follow(None);
        story
    };
    let mut story = begin();
    let kvs = story.state(3);
    story.tell_follower(FollowTold::State { kvs });
    story.tell_follower(FollowTold::Synced { revision: 3 });
    story.put("a", "3");
    let events = vec![story.event(4, 0)];
    story.tell_follower(FollowTold::Events {
        revision: 4,
        events,
    });
    story.note(Entry::FollowDrained {
        follower: 0,
        published: 4,
    });
    story.is_good();
    story.put("a", "4");
    story.note(Entry::FollowDrained {
        follower: 0,
        published: 5,
    });
    story.breaks(Promise::Followed);

    let mut story = begin();
    let kvs = story.state(2);
    story.tell_follower(FollowTold::State { kvs });
    story.tell_follower(FollowTold::Synced { revision: 3 });
    story.breaks(Promise::Followed);

    let mut story = begin();
    story.tell_follower(FollowTold::Reset { revision: 3 });
    story.is_good();
    let kvs = story.state(3);
    story.tell_follower(FollowTold::State { kvs });
    story.tell_follower(FollowTold::Synced { revision: 3 });
    story.tell_follower(FollowTold::Reset { revision: 3 });
    story.breaks(Promise::Followed);

    let mut story = begin();
    story.tell_follower(FollowTold::Reset { revision: 3 });
    story.put("a", "3");
    let kvs = story.state(4);
    story.tell_follower(FollowTold::State { kvs });
    story.tell_follower(FollowTold::Synced { revision: 4 });
    story.breaks(Promise::Followed);
}

#[test]
fn a_follower_goes_on_from_what_still_stands_or_begins_anew() {
    let begin = |revision: i64| {
        let mut story = Story::new();
        story.put("a", "1");
        story.put("a", "2");
        let kvs = story.state(revision);
        story.open(2, 2);
        story.put("b", "other");
        story.follow(Some((ResumeToken { epoch: 1, revision }, kvs)));
        story
    };
    let mut story = begin(2);
    let events = vec![story.event(3, 0)];
    story.tell_follower(FollowTold::Events {
        revision: 3,
        events,
    });
    story.is_good();
    let mut story = begin(3);
    story.put("b", "3");
    let events = vec![story.event(4, 0)];
    story.tell_follower(FollowTold::Events {
        revision: 4,
        events,
    });
    story.breaks(Promise::Followed);
    let mut story = begin(3);
    story.tell_follower(FollowTold::Reset { revision: 3 });
    story.is_good();
}
