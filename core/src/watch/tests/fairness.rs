//! Nobody starves, nothing is read twice without need, and no turn is longer than its budget.

use super::super::catch_up::{MOST_WATCHERS, ROUND_STREAMS};
use super::*;

#[test]
fn many_streams_that_are_equally_far_behind_read_history_once() {
    const REVISIONS: i64 = 20_000;
    let past = Past::of_puts(REVISIONS, 100);
    let mut hub = hub(&Limits::default());
    let streams: Vec<_> = (0..50).map(|_| hub.open_stream()).collect();
    for _ in 0..4 {
        for &stream in &streams {
            watch(&mut hub, stream, KeyRange::All, 2, &past);
        }
    }
    for &stream in &streams {
        assert_eq!(drain(&mut hub, stream, &past).len() as i64, 4 * REVISIONS);
    }
    let read = past.events_read.get() as i64;
    assert!(read <= REVISIONS * 11 / 10, "{read} events were read");
}

#[test]
fn who_comes_later_finds_its_own_in_what_others_have_read() {
    let past = Past::of_puts(5_000, 10);
    let mut hub = hub(&Limits::default());
    let reader = hub.open_stream();
    watch(&mut hub, reader, KeyRange::All, 2, &past);
    while !matches!(
        poll(&mut hub, reader, PLENTY, PLENTY, &past).unwrap(),
        WatchResponse::Events { .. }
    ) {}
    // Each of these has the place of the one before it in all tables.
    for digit in [1, 4, 7] {
        let stream = hub.open_stream();
        let range = KeyRange::one(alloc::format!("{digit:06}").as_bytes());
        watch(&mut hub, stream, range, 3, &past);
        let seen = drain(&mut hub, stream, &past);
        assert_eq!(seen.len(), 500);
        assert!(
            seen.iter().all(|revision| revision % 10 == digit),
            "{digit}"
        );
        hub.close_stream(stream);
    }
}

#[test]
fn a_stream_is_served_although_others_with_older_starts_keep_coming() {
    let past = Past::of_puts(5_000, 10);
    let mut hub = hub(&Limits::default());
    let waits = hub.open_stream();
    watch(&mut hub, waits, KeyRange::All, 4_000, &past);
    poll(&mut hub, waits, PLENTY, PLENTY, &past).unwrap();
    let mut turns = 0;
    while hub.streams[hub.find(waits).unwrap() as usize]
        .queue
        .is_empty()
    {
        let newcomer = hub.open_stream();
        watch(&mut hub, newcomer, KeyRange::All, 2, &past);
        poll(&mut hub, newcomer, PLENTY, PLENTY, &past).unwrap();
        catch_up(&mut hub, 1, &past);
        turns += 1;
        assert!(turns <= ROUND_STREAMS, "it waits for more than a round");
    }
}

#[test]
fn a_watcher_is_served_although_others_with_older_starts_keep_coming_to_its_stream() {
    let past = Past::of_puts(20_000, 10);
    let mut hub = hub(&Limits::default());
    let stream = hub.open_stream();
    let waits = watch(&mut hub, stream, KeyRange::one(b"000001"), 10_000, &past);
    // Each poll may take one part of history; the sweep has so many on its way.
    let parts = 20;
    for polls in 0.. {
        assert!(polls < 10 * parts, "it waits for ever");
        let newcomer = watch(&mut hub, stream, KeyRange::one(b"000002"), 2, &past);
        loop {
            match poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap() {
                WatchResponse::Events { watch_id, .. } if watch_id == waits => return,
                WatchResponse::Events { .. } => break,
                _ => assert!(newcomer > waits),
            }
        }
    }
}

#[test]
fn a_turn_costs_by_its_budget_not_by_the_backlog() {
    let past = Past::of_puts(30_000, 10);
    let mut hub = hub(&Limits::default());
    for start in 0..100 {
        let stream = hub.open_stream();
        watch(&mut hub, stream, KeyRange::All, 2 + 300 * start, &past);
        poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap();
    }
    let event_bytes = 11;
    for budget in [1, 1_000, 10_000] {
        past.events_read.set(0);
        catch_up(&mut hub, budget, &past);
        let read = past.events_read.get();
        // Of one part what exceeds the budget is less than a revision.
        assert!(
            read <= budget / event_bytes + 1,
            "{read} events for {budget} bytes"
        );
    }
}

#[test]
fn a_stream_whose_history_cannot_be_read_keeps_no_other_from_its_turn() {
    let past = Past::of_puts(100, 10);
    let mut hub = hub(&Limits::default());
    for start in [2, 50] {
        let stream = hub.open_stream();
        watch(&mut hub, stream, KeyRange::All, start, &past);
        poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap();
    }
    for wanted_from in [2, 50, 2, 50] {
        let mut left = PLENTY;
        let Turn::Read(wanted) = hub.catch_up(&mut left, &past) else {
            panic!("history is wanted");
        };
        assert_eq!(wanted.from, wanted_from);
        hub.give_up(wanted.stream);
    }
}

#[test]
fn a_turn_serves_a_bounded_number_of_watchers_and_the_others_later() {
    let past = Past::of_puts(10, 10);
    let mut hub = hub(&Limits::default());
    let stream = hub.open_stream();
    let many = MOST_WATCHERS + 10;
    for _ in 0..many {
        watch(&mut hub, stream, KeyRange::All, 2, &past);
    }
    while !hub.streams[0].queue.is_empty() {
        hub.pop(0, PLENTY, PLENTY, past.published());
    }
    hub.feed(0);
    catch_up(&mut hub, 1, &past);
    assert_eq!(hub.streams[0].queue.len(), MOST_WATCHERS);
    assert_eq!(drain(&mut hub, stream, &past).len(), 10 * many);
}

#[test]
fn who_has_seen_all_there_is_costs_no_turn_until_there_is_more() {
    let mut past = Past::of_puts(100, 10);
    let mut hub = hub(&Limits::default());
    let stream = hub.open_stream();
    watch(&mut hub, stream, KeyRange::All, 2, &past);
    assert_eq!(drain(&mut hub, stream, &past).len(), 100);
    assert!(!hub.is_behind());
    let events = past.put(b"k", b"v");
    hub.publish(past.published(), events, 0);
    assert!(!hub.is_behind());
    assert_eq!(drain(&mut hub, stream, &past), [102]);
}
