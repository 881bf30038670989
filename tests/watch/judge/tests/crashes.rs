//! What watchers are promised across crashes.

use super::{
    READER, STREAM, Story, WATCHER, everything, everything_from, four_puts, four_puts_told,
    response,
};
use crate::judge::Promise;
use crate::record::{Ask, Entry, Told, WRITER};

#[test]
fn what_was_shown_as_durable_must_outlive_a_crash() {
    let mut story = four_puts();
    story.tell_of(&[2, 3]);
    story.open(2, 3);
    story.is_good();
    let mut story = four_puts();
    story.tell_of(&[2, 3]);
    story.open(2, 2);
    story.breaks(Promise::Durable);
    story.record.shown_is_durable = false;
    story.is_good();
}

/// A crash has taken the revisions 4 and 5 of who was told of 2 to `told`, and who then goes on.
fn resumed_after_a_crash(told: i64) -> Story {
    let mut story = four_puts();
    story.record.shown_is_durable = false;
    story.tell_of(&(2..=told).collect::<Vec<i64>>());
    story.note(Entry::Closed { stream: STREAM });
    story.open(2, 3);
    story.put("x", "other");
    let ask = Ask {
        epoch: 1,
        ..everything_from(told + 1)
    };
    story.watch_at(WRITER, 1, 2, ask, Some(WATCHER));
    story
}

#[test]
fn who_has_seen_what_a_crash_took_is_told_and_nobody_else() {
    let rewound = |revision| Told::Rewound { revision };
    let mut story = resumed_after_a_crash(4);
    story.tell_to(1, rewound(3));
    story.is_good();
    let mut story = resumed_after_a_crash(4);
    story.drained();
    story.breaks(Promise::RewindTold);
    let mut story = resumed_after_a_crash(3);
    story.tell_to(1, rewound(3));
    story.breaks(Promise::RewindMeant);
    let mut story = resumed_after_a_crash(3);
    let event = story.event(4, 0);
    story.tell_to(1, response(vec![event]));
    story.drained();
    story.is_good();
}

#[test]
fn a_reader_that_outlives_the_writer_is_judged_by_what_stands() {
    let begin = |told: &[i64]| {
        let mut story = Story::new();
        story.record.shown_is_durable = false;
        story.note(Entry::Refresh {
            place: READER,
            epoch: 1,
        });
        story.watch_at(READER, WATCHER, 1, everything(), None);
        for value in ["1", "2", "3"] {
            story.put("a", value);
        }
        story.tell_of(told);
        story.open(2, 2);
        story.put("a", "other");
        story.note(Entry::Refresh {
            place: READER,
            epoch: 2,
        });
        story
    };
    let mut story = begin(&[2]);
    story.tell_of(&[3]);
    story.drained();
    story.is_good();
    let mut story = begin(&[2, 3]);
    story.tell(Told::Rewound { revision: 2 });
    story.is_good();
    let mut story = begin(&[2, 3]);
    story.drained();
    story.breaks(Promise::RewindTold);
}

#[test]
fn what_was_told_early_need_not_outlive_a_crash() {
    let mut story = four_puts_told(true);
    story.tell_of(&[2, 3]);
    story.open(2, 2);
    story.is_good();
}

/// A failed sync has taken the revisions 4 and 5 out of sight of who was told of 2 to `told`.
fn hidden(early: bool, told: i64) -> Story {
    let mut story = four_puts_told(early);
    story.tell_of(&(2..=told).collect::<Vec<i64>>());
    story.note(Entry::Hidden { revision: 3 });
    story
}

fn drained_at(story: &mut Story, published: i64) {
    let stream = STREAM;
    story.note(Entry::Drained { stream, published });
}

#[test]
fn who_was_told_early_what_a_failed_sync_takes_is_told_so() {
    let rewound = || Told::Rewound { revision: 3 };
    let mut story = hidden(true, 4);
    story.tell(rewound());
    drained_at(&mut story, 3);
    story.is_good();
    let mut story = hidden(true, 4);
    // It was queued before.
    story.tell_of(&[5]);
    story.tell(rewound());
    story.is_good();
    let mut story = hidden(true, 4);
    drained_at(&mut story, 3);
    story.breaks(Promise::RewindTold);
    let mut story = hidden(true, 3);
    drained_at(&mut story, 3);
    story.is_good();
    let mut story = hidden(true, 4);
    story.tell(Told::Rewound { revision: 2 });
    story.breaks(Promise::RewindMeant);
    let mut story = hidden(false, 3);
    story.tell(rewound());
    story.breaks(Promise::RewindMeant);
}

#[test]
fn who_starts_beyond_what_a_failed_sync_takes_is_not_told_of_it() {
    let mut story = Story::new();
    story.early = true;
    story.watch(everything_from(9));
    story.put("a", "1");
    story.note(Entry::Hidden { revision: 1 });
    story.tell(Told::Rewound { revision: 1 });
    story.breaks(Promise::RewindMeant);
}
