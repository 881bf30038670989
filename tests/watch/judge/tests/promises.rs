//! What watchers are promised while nothing fails.

use revwatch::{Event, KeyRange, KeyValue};

use super::{
    STREAM, Story, WATCHER, delete, everything, everything_from, four_puts, put, response,
};
use crate::judge::Promise;
use crate::record::{Ask, Entry, Told, WRITER, Watch};

#[test]
fn a_history_that_keeps_every_promise_is_good() {
    let mut story = four_puts();
    story.tell_of(&[2]);
    story.tell_of(&[3, 4]);
    story.compact(5);
    story.tell_of(&[5]);
    story.drained();
    story.note(Entry::Progress {
        stream: STREAM,
        revision: 5,
    });
    story.put("c", "5");
    story.tell_of(&[6]);
    story.note(Entry::Cancel { watcher: WATCHER });
    story.tell(Told::Canceled);
    story.drained();
    story.is_good();
}

#[test]
fn events_out_of_order_are_seen() {
    let mut story = Story::new();
    story.watch(everything());
    story.write(&[put("a", "1"), put("b", "2")]);
    let (first, second) = (story.event(2, 0), story.event(2, 1));
    // A change that compaction may have taken is told after the one that took it.
    story.write(&[put("c", "3"), delete("c")]);
    story.compact(3);
    story.tell(response(vec![first, second]));
    let (first, second) = (story.event(3, 0), story.event(3, 1));
    story.tell(response(vec![second, first]));
    story.breaks(Promise::Ordered);
}

#[test]
fn an_event_that_comes_twice_is_seen() {
    let mut story = four_puts();
    story.tell_of(&[2, 3]);
    story.tell_of(&[3, 4]);
    story.breaks(Promise::Unique);
}

#[test]
fn a_gap_is_seen_when_the_next_event_comes_and_when_nothing_more_does() {
    let mut story = four_puts();
    story.tell_of(&[2, 4]);
    story.breaks(Promise::Reliable);
    let mut story = four_puts();
    story.tell_of(&[2, 3, 4]);
    story.drained();
    story.breaks(Promise::Reliable);
}

#[test]
fn a_revision_in_parts_is_seen_unless_that_was_asked_for_and_is_marked() {
    let begin = |asked, marked| {
        let mut story = Story::new();
        story.watch(Ask {
            fragment: asked,
            ..everything()
        });
        story.write(&[put("a", "1"), put("b", "2")]);
        let first = vec![story.event(2, 0)];
        story.tell(Told::Events {
            revision: 2,
            events: first,
            fragment: marked,
            max_events: 1,
        });
        story
    };
    let mut story = begin(true, true);
    let second = story.event(2, 1);
    story.tell(response(vec![second]));
    story.drained();
    story.is_good();
    begin(true, false).breaks(Promise::Atomic);
    begin(false, true).breaks(Promise::Atomic);
    let mut story = begin(true, true);
    story.drained();
    story.breaks(Promise::Atomic);
}

#[test]
fn who_goes_on_is_told_neither_less_nor_more() {
    for (start, told, promise) in [(3, 4, Promise::Resumable), (4, 3, Promise::Resumable)] {
        let mut story = Story::new();
        for value in ["1", "2", "3"] {
            story.put("a", value);
        }
        story.watch(everything_from(start));
        story.tell_of(&[told]);
        story.breaks(promise);
    }
}

#[test]
fn a_start_in_the_future_is_waited_for() {
    let mut story = Story::new();
    story.watch(everything_from(3));
    story.put("a", "1");
    story.drained();
    story.is_good();
    story.tell_of(&[2]);
    story.breaks(Promise::Filtered);
}

#[test]
fn progress_is_a_bookmark_and_true() {
    let mut story = Story::new();
    story.watch(everything());
    story.note(Entry::Progress {
        stream: STREAM,
        revision: 2,
    });
    story.put("a", "1");
    story.tell_of(&[2]);
    story.breaks(Promise::Bookmarked);
    let mut story = Story::new();
    story.watch(Ask {
        progress_notify: true,
        ..everything()
    });
    story.put("a", "1");
    story.put("a", "2");
    story.tell_of(&[2]);
    story.tell(Told::Progress { revision: 3 });
    story.breaks(Promise::ProgressIsTrue);
    let mut story = four_puts();
    story.tell_of(&[2, 3, 4, 5]);
    story.tell(Told::Progress { revision: 5 });
    story.breaks(Promise::Filtered);
    let mut story = four_puts();
    story.tell_of(&[2, 3, 4, 5]);
    story.note(Entry::AskProgress { stream: STREAM });
    story.drained();
    story.breaks(Promise::ProgressTold);
}

#[test]
fn who_conflates_is_told_the_newest_change_of_each_key() {
    let begin = || {
        let mut story = Story::new();
        story.watch(Ask {
            conflate: true,
            ..everything()
        });
        for (key, value) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")] {
            story.put(key, value);
        }
        story
    };
    let mut story = begin();
    story.tell_of(&[4, 5]);
    story.drained();
    story.is_good();
    let mut story = begin();
    story.tell_of(&[5]);
    story.breaks(Promise::Reliable);
    let mut story = begin();
    story.tell_of(&[4]);
    story.drained();
    story.breaks(Promise::Reliable);
}

#[test]
fn who_asks_for_keys_alone_is_shown_no_values() {
    let mut story = Story::new();
    story.watch(Ask {
        keys_only: true,
        ..everything()
    });
    story.put("a", "1");
    let mut event = story.event(2, 0);
    event.kv.value.clear();
    story.tell(response(vec![event]));
    story.is_good();
    story.put("a", "2");
    story.tell_of(&[3]);
    story.breaks(Promise::True);
}

#[test]
fn what_was_not_asked_for_is_seen() {
    let asks = [
        Ask::new(KeyRange::one(b"b")),
        Ask {
            no_put: true,
            ..everything()
        },
    ];
    for ask in asks {
        let mut story = Story::new();
        story.watch(ask);
        story.put("a", "1");
        story.tell_of(&[2]);
        story.breaks(Promise::Filtered);
    }
}

#[test]
fn an_event_that_was_not_written_is_seen() {
    let changes: [fn(&mut Event); 4] = [
        |event| event.kv.value = b"other".to_vec(),
        |event| event.kv.version += 1,
        |event| event.kv.mod_revision += 1,
        |event| event.kv.key = b"x".to_vec(),
    ];
    for change in changes {
        let mut story = Story::new();
        story.watch(everything());
        story.put("a", "1");
        let mut event = story.event(2, 0);
        change(&mut event);
        story.tell(response(vec![event]));
        story.breaks(Promise::True);
    }
}

#[test]
fn what_a_key_was_before_is_judged_next_to_a_compaction_too() {
    let asked = Ask {
        prev_kv: true,
        ..everything()
    };
    let told_after = |compacted, ask: &Ask, prev_kv: fn(&Story) -> Option<KeyValue>| {
        let mut story = Story::new();
        story.put("a", "1");
        story.watch(ask.clone());
        story.put("a", "2");
        story.compact(compacted);
        let prev_kv = prev_kv(&story);
        let event = Event {
            prev_kv,
            ..story.event(3, 0)
        };
        story.tell(response(vec![event]));
        story
    };
    told_after(-1, &asked, |story| Some(story.event(2, 0).kv)).is_good();
    // Compaction at the revision before keeps what the key was then; one later may not.
    told_after(3, &asked, |_| None).is_good();
    told_after(2, &asked, |_| None).breaks(Promise::PrevKvRight);
    told_after(3, &asked, |story| Some(story.event(3, 0).kv)).breaks(Promise::PrevKvRight);
    told_after(-1, &everything(), |story| Some(story.event(2, 0).kv)).breaks(Promise::PrevKvRight);
}

#[test]
fn silence_about_lost_history_is_seen() {
    let mut story = four_puts();
    story.tell_of(&[2]);
    story.compact(5);
    story.tell_of(&[5]);
    story.breaks(Promise::CompactionTold);
    let mut story = four_puts();
    story.tell_of(&[2]);
    story.compact(5);
    story.drained();
    story.breaks(Promise::CompactionTold);
}

#[test]
fn compaction_is_told_once_and_only_to_who_lost_something() {
    let compacted = |compact_revision| Told::Compacted { compact_revision };
    let mut story = four_puts();
    story.tell_of(&[2]);
    story.compact(5);
    story.tell(compacted(5));
    story.is_good();
    story.tell(compacted(5));
    story.breaks(Promise::LastWordOnce);
    let mut story = four_puts();
    story.tell_of(&[2, 3, 4]);
    story.compact(5);
    story.tell(compacted(5));
    story.breaks(Promise::CompactionMeant);
    let mut story = four_puts();
    story.tell(compacted(5));
    story.breaks(Promise::CompactionMeant);
}

#[test]
fn a_canceled_watcher_is_told_so_and_nothing_later() {
    let mut story = four_puts();
    story.tell(Told::Canceled);
    story.breaks(Promise::Canceled);
    let mut story = four_puts();
    story.tell_of(&[2]);
    story.note(Entry::Cancel { watcher: WATCHER });
    story.drained();
    story.breaks(Promise::Canceled);
    let mut story = four_puts();
    story.tell_of(&[2, 3, 4, 5]);
    story.note(Entry::Cancel { watcher: WATCHER });
    story.put("a", "5");
    story.tell_of(&[6]);
    story.breaks(Promise::Canceled);
    let mut story = four_puts();
    story.note(Entry::Cancel { watcher: WATCHER });
    story.tell(Told::Canceled);
    story.tell_of(&[2]);
    story.breaks(Promise::LastWordOnce);
}

#[test]
fn a_watcher_is_created_once_at_the_revision_of_its_store() {
    let mut story = four_puts();
    story.tell(Told::Created { revision: 1 });
    story.breaks(Promise::Created);
    let mut story = Story::new();
    story.note(Entry::Watch(Watch {
        watcher: WATCHER,
        stream: STREAM,
        place: WRITER,
        early: false,
        revision: 1,
        epoch: 1,
        ask: everything(),
        resumes: None,
    }));
    story.drained();
    story.breaks(Promise::Created);
    let mut story = Story::new();
    story.note(Entry::Refused {
        stream: STREAM,
        error: "no".into(),
    });
    story.breaks(Promise::Created);
}

#[test]
fn a_response_is_bounded_and_says_where_the_store_was() {
    let mut story = four_puts();
    let events = vec![story.event(2, 0), story.event(3, 0)];
    story.tell(Told::Events {
        revision: 3,
        events,
        fragment: false,
        max_events: 1,
    });
    story.breaks(Promise::Bounded);
    for revision in [1, 6] {
        let mut story = four_puts();
        let events = vec![story.event(2, 0)];
        story.tell(Told::Events {
            revision,
            events,
            fragment: false,
            max_events: 1,
        });
        story.breaks(Promise::HeaderRight);
    }
}

#[test]
fn who_never_comes_to_an_end_is_starved() {
    let mut story = four_puts();
    story.note(Entry::Starved { stream: STREAM });
    story.breaks(Promise::NotStarved);
    let mut story = Story::new();
    story.follow(None);
    story.note(Entry::FollowStarved { follower: 0 });
    story.breaks(Promise::NotStarved);
}
