//! What threads that share a store are promised.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::PLENTY;
use revwatch::{Event, KeyRange, Options, SharedStore, StreamId, WatchRequest, WatchResponse};

const LONG: Duration = Duration::from_secs(60);

/// Polls, waiting in between, until so many events have come.
fn receive(store: &SharedStore, stream: StreamId, count: usize) -> Vec<Event> {
    let mut received = Vec::new();
    while received.len() < count {
        match store.poll(stream, PLENTY, PLENTY).unwrap() {
            WatchResponse::Events { events, .. } => {
                received.extend(events.iter().map(|event| event.to_owned()));
            }
            WatchResponse::Idle => assert!(store.wait(stream, LONG).unwrap(), "nobody woke us"),
            _ => {}
        }
    }
    received
}

#[test]
fn pollers_in_many_threads_are_woken_and_miss_nothing_of_many_writers() {
    const WRITERS: usize = 4;
    const POLLERS: usize = 4;
    const PUTS: usize = 500;
    let store = SharedStore::in_memory(Options::default());
    let streams: Vec<StreamId> = (0..POLLERS)
        .map(|_| {
            let stream = store.watch_stream();
            store
                .watch(stream, &WatchRequest::new(KeyRange::All))
                .unwrap();
            stream
        })
        .collect();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for put in 0..PUTS {
                    store.put(&[writer as u8], &put.to_le_bytes()).unwrap();
                }
            });
        }
        for stream in streams {
            let store = &store;
            scope.spawn(move || {
                let received = receive(store, stream, WRITERS * PUTS);
                let revisions: Vec<i64> =
                    received.iter().map(|event| event.kv.mod_revision).collect();
                let all: Vec<i64> = (2..).take(WRITERS * PUTS).collect();
                assert_eq!(revisions, all);
            });
        }
    });
}

#[test]
fn a_wait_ends_without_a_change_when_its_time_is_over() {
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    let began = Instant::now();
    assert!(!store.wait(stream, Duration::from_millis(20)).unwrap());
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[test]
fn a_step_that_ends_a_lease_wakes_who_waits_for_its_key() {
    let store = SharedStore::in_memory(Options::default());
    store.step(0, PLENTY).unwrap();
    let lease = store.lease_grant(0, 5_000).unwrap();
    let request = revwatch::PutRequest {
        lease: lease.id,
        ..revwatch::PutRequest::new(b"k", b"")
    };
    store.put_with(&request).unwrap();
    let stream = store.watch_stream();
    store
        .watch(stream, &WatchRequest::new(KeyRange::one(b"k")))
        .unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| receive(&store, stream, 1));
        store.step(5_000, PLENTY).unwrap();
        assert_eq!(waiter.join().unwrap()[0].kv.mod_revision, 3);
    });
}

#[test]
fn a_closed_stream_does_not_keep_its_waiter_for_ever() {
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| store.wait(stream, LONG));
        thread::sleep(Duration::from_millis(10));
        store.close_stream(stream);
        let error = waiter.join().unwrap().unwrap_err();
        assert_eq!(error.code(), revwatch::ErrorCode::StreamNotFound);
    });
}
