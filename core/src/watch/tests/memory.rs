//! What the hub holds for readers who do not come is bounded.

use super::super::listing::Listing;
use super::*;

/// Bytes that events take in memory.
fn bytes_of(events: &[Event]) -> usize {
    Listing::from(events.to_vec()).bytes()
}

fn limits(stream_queue_bytes: usize, watch_queue_bytes: usize) -> Limits {
    Limits {
        stream_queue_bytes,
        watch_queue_bytes,
        ..Limits::default()
    }
}

/// One batch of these tests, in bytes.
fn batch_bytes(past: &Past) -> usize {
    bytes_of(past.events.values().next().unwrap())
}

#[test]
fn a_stream_holds_no_more_than_its_bound_and_one_batch() {
    let mut past = Past::of_puts(1, 1);
    let one = batch_bytes(&past);
    let bound = 10 * one + 1;
    let mut hub = hub(&limits(bound, PLENTY));
    let stream = hub.open_stream();
    let mut watched = Vec::new();
    for number in 0..50 {
        let range = KeyRange::one(alloc::format!("{number:06}").as_bytes());
        watched.push(watch(&mut hub, stream, range, 0, &past));
    }
    for number in 0..1_000 {
        let key = alloc::format!("{:06}", number % 50);
        let events = past.put(key.as_bytes(), b"value");
        hub.publish(past.published(), events, 0);
        assert!(hub.streams[0].held_bytes <= bound + one);
        assert!(hub.batches.bytes() <= bound + one);
    }
    assert_eq!(hub.victim_count() + hub.unsynced_count(), 50);
    assert_eq!(
        drain(&mut hub, stream, &past).len(),
        1_000,
        "nothing is lost"
    );
    assert_eq!((hub.streams[0].held_bytes, hub.batches.bytes()), (0, 0));
}

#[test]
fn all_streams_hold_no_more_than_the_common_bound_and_one_batch_each() {
    let mut past = Past::of_puts(1, 1);
    let one = batch_bytes(&past);
    let bound = 20 * one;
    let mut hub = hub(&limits(PLENTY, bound));
    let streams: Vec<_> = (0..30).map(|_| hub.open_stream()).collect();
    for (number, &stream) in streams.iter().enumerate() {
        let range = KeyRange::one(alloc::format!("{number:06}").as_bytes());
        watch(&mut hub, stream, range, 0, &past);
        poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap();
    }
    let mut most = 0;
    for number in 0..3_000 {
        let key = alloc::format!("{:06}", number % 30);
        let events = past.put(key.as_bytes(), b"value");
        hub.publish(past.published(), events, 0);
        most = most.max(hub.batches.bytes());
    }
    assert!(most <= bound + 30 * one, "{most}");
    for stream in streams {
        assert_eq!(drain(&mut hub, stream, &past).len(), 100);
    }
    assert_eq!(hub.batches.bytes(), 0);
}

#[test]
fn what_a_thousand_watchers_share_is_held_once() {
    let mut past = Past::of_puts(1, 1);
    let mut hub = hub(&Limits::default());
    let streams: Vec<_> = (0..10).map(|_| hub.open_stream()).collect();
    for _ in 0..100 {
        for &stream in &streams {
            watch(&mut hub, stream, KeyRange::All, 0, &past);
        }
    }
    let events = past.put(b"key", &alloc::vec![0; 100_000]);
    let bytes = bytes_of(&events);
    hub.publish(past.published(), events, 0);
    assert_eq!(hub.batches.bytes(), bytes);
    assert!(
        hub.streams
            .iter()
            .all(|(_, stream)| stream.held_bytes == bytes)
    );
    for stream in streams {
        assert_eq!(drain(&mut hub, stream, &past).len(), 100);
    }
    assert_eq!(hub.batches.bytes(), 0);
}

#[test]
fn a_watcher_that_stalls_holds_the_same_however_far_it_falls_behind() {
    let mut past = Past::of_puts(1, 1);
    let mut hub = hub(&Limits::default());
    let stream = hub.open_stream();
    watch(&mut hub, stream, KeyRange::All, 0, &past);
    let mut held = Vec::new();
    for round in 1..=4 {
        for _ in 0..1_000 * round {
            let events = past.put(b"key", b"value");
            hub.publish(past.published(), events, 0);
            catch_up(&mut hub, 1_000, &past);
        }
        held.push(hub.batches.bytes());
    }
    assert!(held.iter().all(|&bytes| bytes == held[0]), "{held:?}");
}

#[test]
fn a_transaction_above_the_bound_reaches_all_watchers_of_a_stream() {
    let mut past = Past::of_puts(1, 1);
    let mut hub = hub(&limits(1, 1));
    let stream = hub.open_stream();
    for _ in 0..10 {
        watch(&mut hub, stream, KeyRange::All, 0, &past);
    }
    let events = past.put(b"key", &[0; 10_000]);
    hub.publish(past.published(), events, 0);
    assert_eq!(hub.unsynced_count(), 0);
    assert_eq!(drain(&mut hub, stream, &past).len(), 10);
}

#[test]
fn history_that_was_read_is_given_up_once_nobody_is_behind() {
    let past = Past::of_puts(5_000, 10);
    let mut hub = hub(&Limits::default());
    let stream = hub.open_stream();
    let first = watch(&mut hub, stream, KeyRange::one(b"000001"), 2, &past);
    while !matches!(
        poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap(),
        WatchResponse::Events { .. }
    ) {}
    assert!(hub.batches.bytes() > 0);
    hub.cancel(stream, first).unwrap();
    assert_eq!(hub.batches.bytes(), 0);

    watch(&mut hub, stream, KeyRange::one(b"000001"), 2, &past);
    assert_eq!(drain(&mut hub, stream, &past).len(), 500);
    assert_eq!(hub.batches.bytes(), 0);
    watch(&mut hub, stream, KeyRange::All, 2, &past);
    poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap();
    poll(&mut hub, stream, 10, PLENTY, &past).unwrap();
    hub.close_stream(stream);
    assert_eq!((hub.batches.bytes(), hub.watcher_count()), (0, 0));
    assert_eq!(hub.watchers.len(), 0);
}
