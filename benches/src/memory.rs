//! What watchers take in memory, by an allocator that counts. One line of JSON for each figure.
//!
//! ```text
//! revwatch-memory --watchers 1000000
//! ```
//!
//! - Watchers of single keys, of prefixes and of spans, dealt out to 64 streams, each told that it was
//!   created: bytes for each watcher, beyond the bytes that name its key or its bounds.
//! - Streams without watchers: bytes for each.
//! - What a store holds for a watcher that never reads, beyond what it holds for one that does.

use std::alloc::System;
use std::env;

use revwatch::{KeyRange, Options, Store, StreamId, WatchRequest};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const STREAMS: usize = 64;
const PLENTY: usize = 1 << 20;
/// Single puts that a watcher falls behind.
const BACKLOG: u32 = 200_000;

/// A range of a key, and the bytes that name it.
type Watched = (&'static str, fn(&[u8]) -> (KeyRange, usize));

fn main() {
    let given = env::args().skip_while(|arg| arg != "--watchers").nth(1);
    let watchers = given.map_or(1_000_000, |text| {
        text.parse().expect("--watchers is a number")
    });
    let kinds: [Watched; 3] = [
        ("key", |key| (KeyRange::one(key), key.len())),
        ("prefix", |key| (KeyRange::prefix(key), key.len())),
        ("span", |key| {
            let end = [key, &b"~~"[..]].concat();
            (KeyRange::span(key, &end), key.len() + end.len())
        }),
    ];
    for (name, range) in kinds {
        let (held, text) = watchers_of(watchers, range);
        let beyond = held.saturating_sub(text) / watchers as usize;
        print(
            &format!("memory, {watchers} watchers of a {name} each"),
            held,
        );
        print(
            &format!("memory, a watcher of a {name}, beyond its text"),
            beyond,
        );
    }
    let (mut store, region) = (Store::in_memory(Options::default()), Region::new(GLOBAL));
    let streams: Vec<StreamId> = (0..10_000).map(|_| store.watch_stream()).collect();
    print("memory, a stream", held(&region) / streams.len());
    let [reads, stalls] = [true, false].map(with_backlog);
    let beyond = stalls.saturating_sub(reads);
    print(
        &format!("memory, a watcher {BACKLOG} revisions behind, beyond one that reads"),
        beyond,
    );
}

fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated)
}

/// Bytes held for so many watchers, and bytes that name what they watch.
fn watchers_of(watchers: u32, range: fn(&[u8]) -> (KeyRange, usize)) -> (usize, usize) {
    let mut store = Store::in_memory(Options::default());
    let region = Region::new(GLOBAL);
    let streams: Vec<StreamId> = (0..STREAMS).map(|_| store.watch_stream()).collect();
    let mut text = 0;
    for (number, &stream) in (0..watchers).zip(streams.iter().cycle()) {
        // In no order: a tree's nodes are as full as they are in use.
        let number = u64::from(number) * 1_000_003 % u64::from(watchers);
        let (range, bytes) = range(format!("k{number:015}").as_bytes());
        text += bytes;
        let request = WatchRequest::new(range);
        store.watch(stream, &request).expect("a watch succeeds");
        let created = store.poll(stream, 1, PLENTY);
        created.expect("a poll succeeds");
    }
    (held(&region), text)
}

/// Bytes that a store holds after puts that a watcher has read, or has not.
fn with_backlog(reads: bool) -> usize {
    let region = Region::new(GLOBAL);
    let mut store = Store::in_memory(Options::default());
    let stream = store.watch_stream();
    let request = WatchRequest::new(KeyRange::All);
    store.watch(stream, &request).expect("a watch succeeds");
    for number in 0..BACKLOG {
        let key = format!("k{:015}", number % 1_000);
        store.put(key.as_bytes(), &[0; 64]).expect("a put succeeds");
        if reads {
            let responses = store.poll_many(stream, PLENTY, PLENTY);
            responses.expect("a poll succeeds");
        }
    }
    held(&region)
}

/// In the shape of the other measurements, for the same report.
fn print(workload: &str, bytes: usize) {
    println!(
        r#"{{"subject":"revwatch-memory","workload":"{workload}","unit":"bytes","value":{bytes},"count":1,"digest":"","round":0}}"#
    );
}
