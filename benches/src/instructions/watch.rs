//! Watchers: being told, catching up, coming and going. Every byte of an event is read.

use std::hint::black_box;

use revwatch::{CursorRequest, CursorResponse, FollowResponse, KeyRange, MeasuredMatcher};

use crate::data::{Key, Random, Seed, WATCH_STREAMS};
use crate::fixture::{Data, KEYS, in_memory};
use crate::path;
use crate::streams::{POLL_BYTES, POLL_EVENTS, drain, streams, watch};

/// Watchers and keys.
const WATCHERS: u32 = 1_000;
const PREFIX_PUTS: u32 = 100;

pub(crate) fn all() {
    one_of_many();
    one_prefix();
    catching_up();
    coming_and_going();
    matching();
    following();
}

fn one_of_many() {
    one_of("keys", |key| KeyRange::one(key));
    one_of("prefixes", |key| KeyRange::prefix(key));
    one_of("spans", |key| {
        KeyRange::span(key, &[key, &b"~"[..]].concat())
    });
}

/// A put concerns one watcher of many, and its stream is polled.
fn one_of(kind: &str, range: impl Fn(&Key) -> KeyRange) {
    let data = Data::of(WATCHERS);
    let mut store = data.store();
    let streams = streams(&mut store);
    for (key, &stream) in data.keys.iter().zip(streams.iter().cycle()) {
        watch(&mut store, stream, range(key), 0);
    }
    drain(&mut store, &streams);
    path(
        &format!("put delivered to 1 of 1000 {kind}"),
        WATCHERS,
        || {
            for (i, (key, value)) in data.pairs().enumerate() {
                store.put(key, value).expect("a put succeeds");
                let stream = streams[data.order[i] as usize % WATCH_STREAMS];
                assert_eq!(drain(&mut store, &[stream]), 1);
            }
        },
    );
}

/// A put concerns all watchers.
fn one_prefix() {
    let data = Data::of(PREFIX_PUTS);
    for (name, streams_used) in [
        ("event to 1000 watchers of a prefix, one stream", 1),
        (
            "event to 1000 watchers of a prefix, 64 streams",
            WATCH_STREAMS,
        ),
    ] {
        let mut store = in_memory();
        let streams = &streams(&mut store)[..streams_used];
        for (_, &stream) in (0..WATCHERS).zip(streams.iter().cycle()) {
            watch(&mut store, stream, KeyRange::prefix(b"k"), 0);
        }
        drain(&mut store, streams);
        path(name, PREFIX_PUTS * WATCHERS, || {
            for (key, value) in data.pairs() {
                store.put(key, value).expect("a put succeeds");
                assert_eq!(drain(&mut store, streams), WATCHERS);
            }
        });
    }
}

fn catching_up() {
    let data = Data::of(KEYS);
    for (name, watchers) in [
        ("catch-up, each event", 1),
        ("catch-up of 64 watchers, each event", 64),
    ] {
        let mut store = data.store();
        let streams = &streams(&mut store)[..watchers as usize];
        path(name, KEYS * watchers, || {
            for &stream in streams {
                watch(&mut store, stream, KeyRange::All, 1);
            }
            assert_eq!(drain(&mut store, streams), KEYS * watchers);
        });
    }

    // The stream is full long before the last put, and is read only then.
    let mut store = in_memory();
    let stream = [store.watch_stream()];
    watch(&mut store, stream[0], KeyRange::All, 0);
    path("put that a stalled watcher waits for", KEYS, || {
        data.put_into(&mut store);
    });
    path("catch-up of a stalled watcher, each event", KEYS, || {
        assert_eq!(drain(&mut store, &stream), KEYS);
    });
}

fn coming_and_going() {
    come_and_go("key", KeyRange::one);
    come_and_go("prefix", KeyRange::prefix);
    come_and_go("span", |key| KeyRange::span(key, &[key, b"~"].concat()));
}

fn come_and_go(kind: &str, range: impl Fn(&[u8]) -> KeyRange) {
    let data = Data::of(KEYS);
    let mut store = in_memory();
    let streams = streams(&mut store);
    let mut watchers = Vec::new();
    path(&format!("watch of a {kind} registered"), KEYS, || {
        for (key, &stream) in data.picked().zip(streams.iter().cycle()) {
            let id = watch(&mut store, stream, range(key), 0);
            watchers.push((stream, id));
        }
    });
    path(&format!("watch of a {kind} cancelled"), KEYS, || {
        for &(stream, id) in &watchers {
            store.cancel_watch(stream, id).expect("it is there");
        }
    });
}

/// The matcher by itself.
fn matching() {
    let span = |start: u32, end: u32| {
        let key = |number| format!("k{number:015}");
        KeyRange::span(key(start).as_bytes(), key(end).as_bytes())
    };
    find("disjoint spans", KEYS, |number| {
        span(10 * number, 10 * number + 8)
    });
    // Only the first of them hold the keys that are asked for.
    find("spans with one end", 10, |number| {
        span(10 * number, 10 * KEYS)
    });
}

fn find(kind: &str, asked: u32, range: impl Fn(u32) -> KeyRange) {
    let mut random = Random::new(Seed::Match, 0);
    let ranges: Vec<_> = random.shuffled(KEYS).into_iter().map(range).collect();
    let keys: Vec<_> = (0..KEYS)
        .map(|_| format!("k{:015}", 10 * random.below(asked)))
        .collect();
    let mut matcher = MeasuredMatcher::new(0);
    path(&format!("{kind}: register"), KEYS, || {
        for range in &ranges {
            matcher.register(range);
        }
    });
    path(&format!("{kind}: find"), KEYS, || {
        for key in &keys {
            matcher.matching(key.as_bytes(), |watcher| {
                black_box(watcher);
            });
        }
    });
    let order = random.shuffled(KEYS);
    path(&format!("{kind}: cancel"), KEYS, || {
        for &watcher in &order {
            matcher.cancel(watcher as usize);
        }
    });
}

fn following() {
    let data = Data::of(KEYS);
    let mut store = data.store();
    path("follow of a state, each key", KEYS, || {
        let follow = store.follow(KeyRange::All, None);
        let follow = follow.expect("a follow succeeds");
        let mut told = 0;
        while let response = store.poll_follow(follow, POLL_EVENTS, POLL_BYTES)
            && let FollowResponse::State { kvs } = response.expect("a poll succeeds")
        {
            told += kvs.len();
        }
        assert_eq!(told, data.keys.len());
    });
    let request = CursorRequest {
        start_revision: 1,
        ..CursorRequest::new(b"indexer", KeyRange::All)
    };
    let cursor = store.cursor(&request).expect("there is room for one");
    let mut told = 0;
    path(
        "cursor, ten events and their acknowledgement, each event",
        KEYS,
        || {
            while let response = store.poll_cursor(cursor, 10, POLL_BYTES)
                && let CursorResponse::Events { revision, events } =
                    response.expect("a poll succeeds")
            {
                told += events.len();
                store.ack_cursor(cursor, revision).expect("it was told");
            }
        },
    );
    assert_eq!(told, data.keys.len());
}
