//! What watchers take in memory: bytes by an allocator that counts, and what the system says is resident. One
//! line of JSON for each figure.
//!
//! ```text
//! revwatch-memory --of key --watchers 1000000 --backlog 1000000
//! ```
//!
//! - `key`, `prefix`, `span`: watchers of those, dealt out to 64 streams, each told that it was created:
//!   bytes for each, beyond the bytes that name its key or its bounds.
//! - `stream`: streams without watchers, bytes for each.
//! - `backlog`: what a store holds for a watcher that never reads, beyond what it holds for one that does.
//!
//! - `index`: what a store in a file (`--dir`) holds of each key, beyond the key's bytes, and of each further
//!   revision. Values are of one byte, so that the log's directory, which costs by the page, has a small
//!   part in it.
//!
//! One process measures one of them: memory that another gave back would not count as resident again.

use std::alloc::System;
use std::path::Path;
use std::{env, fs};

use revwatch::page::{FileOptions, FilePages};
use revwatch::{Durability, KeyRange, Options, Store, StreamId, WatchRequest};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const STREAMS: usize = 64;
const PLENTY: usize = 1 << 20;
/// So many events fill the queue of a stream: what comes after them is to cost nothing more.
const FULL_QUEUE_PUTS: u32 = 10_000;
const INDEX_KEYS: u32 = 100_000;
const INDEX_CHANGES: u32 = 8;
const INDEX_CACHE_BYTES: usize = 64 << 10;
/// Of the system, as Linux has it on the machines that this is measured on.
const RESIDENT_PAGE_BYTES: usize = 4096;

fn main() {
    let option = |name| env::args().skip_while(move |arg| arg != name).nth(1);
    let number = |name| {
        let given: Option<u32> = option(name).map(|text| text.parse().expect("it is a number"));
        given.unwrap_or(1_000_000)
    };
    let watchers = || number("--watchers");
    match option("--of").as_deref() {
        Some("key") => measure_watchers(watchers(), "key", |key| (KeyRange::one(key), key.len())),
        Some("prefix") => measure_watchers(watchers(), "prefix", |key| {
            (KeyRange::prefix(key), key.len())
        }),
        Some("span") => measure_watchers(watchers(), "span", |key| {
            let end = [key, &b"~~"[..]].concat();
            (KeyRange::span(key, &end), key.len() + end.len())
        }),
        Some("stream") => measure_streams(),
        Some("backlog") => measure_backlog(number("--backlog")),
        Some("index") => measure_index(&option("--dir").expect("--dir is given")),
        _ => panic!("give --of with key, prefix, span, stream, backlog or index"),
    }
}

/// `range`: a range of a key, and the bytes that name it.
fn measure_watchers(watchers: u32, name: &str, range: fn(&[u8]) -> (KeyRange, usize)) {
    let (held, resident, text) = watchers_of(watchers, range);
    let all = format!("memory, {watchers} watchers of a {name} each");
    print(&all, held);
    print(&format!("{all}, resident"), resident);
    let beyond = held.saturating_sub(text) / watchers as usize;
    print(
        &format!("memory, a watcher of a {name}, beyond its text"),
        beyond,
    );
}

fn measure_streams() {
    let (mut store, region) = (Store::in_memory(Options::default()), Region::new(GLOBAL));
    let streams: Vec<StreamId> = (0..10_000).map(|_| store.watch_stream()).collect();
    print("memory, a stream", held(&region) / streams.len());
}

fn measure_backlog(puts: u32) {
    for behind in [FULL_QUEUE_PUTS, puts] {
        let [reads, stalls] = [true, false].map(|reads| with_backlog(behind, reads));
        print(
            &format!("memory, a watcher {behind} revisions behind, beyond one that reads"),
            stalls.saturating_sub(reads),
        );
    }
}

fn measure_index(folder: &str) {
    let path = Path::new(folder).join(format!("revwatch-index-{}.db", std::process::id()));
    let region = Region::new(GLOBAL);
    let pages = FilePages::open(&path, &FileOptions::default());
    let options = Options {
        durability: Durability::Never,
        cache_bytes: INDEX_CACHE_BYTES,
        ..Options::default()
    };
    let pages = pages.expect("the folder can be written to");
    let mut store = Store::open(pages, options).expect("an empty file opens");
    let mut put_all = |times| {
        for _ in 0..times {
            for number in 0..INDEX_KEYS {
                // In no order: a tree's nodes are as full as they are in use.
                let key = format!(
                    "k{:015}",
                    u64::from(number) * 1_000_003 % u64::from(INDEX_KEYS)
                );
                store.put(key.as_bytes(), &[0]).expect("a put succeeds");
            }
        }
        store.flush().expect("a flush succeeds");
        let bytes = u32::try_from(held(&region)).expect("it is less than 4 GiB");
        f64::from(bytes) / f64::from(INDEX_KEYS)
    };
    let first = put_all(1);
    print_each(
        "memory, a key with one revision, beyond its text",
        first - 16.0,
    );
    let further = (put_all(INDEX_CHANGES) - first) / f64::from(INDEX_CHANGES);
    print_each("memory, a further revision of a key", further);
    fs::remove_file(&path).expect("the store is there");
}

/// Bytes of this process that lie in memory.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/statm").expect("Linux says what is resident");
    let pages = text.split(' ').nth(1).and_then(|field| field.parse().ok());
    RESIDENT_PAGE_BYTES * pages.unwrap_or(0_usize)
}

fn held(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated)
}

/// For so many watchers: bytes held, bytes resident, and bytes that name what they watch.
fn watchers_of(watchers: u32, range: fn(&[u8]) -> (KeyRange, usize)) -> (usize, usize, usize) {
    let mut store = Store::in_memory(Options::default());
    let before = resident();
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
    (held(&region), resident().saturating_sub(before), text)
}

/// Bytes that a store holds after puts that a watcher has read, or has not.
fn with_backlog(puts: u32, reads: bool) -> usize {
    let region = Region::new(GLOBAL);
    let mut store = Store::in_memory(Options::default());
    let stream = store.watch_stream();
    let request = WatchRequest::new(KeyRange::All);
    store.watch(stream, &request).expect("a watch succeeds");
    for number in 0..puts {
        let key = format!("k{:015}", number % 1_000);
        store.put(key.as_bytes(), &[0; 64]).expect("a put succeeds");
        if reads {
            let responses = store.poll_many(stream, PLENTY, PLENTY);
            responses.expect("a poll succeeds");
        }
    }
    held(&region)
}

fn print(workload: &str, bytes: usize) {
    line(workload, &bytes.to_string());
}

/// Prints bytes for each of many things, whose parts count.
fn print_each(workload: &str, bytes: f64) {
    line(workload, &format!("{bytes:.1}"));
}

/// In the shape of the other measurements, for the same report.
fn line(workload: &str, bytes: &str) {
    println!(
        r#"{{"subject":"revwatch-memory","workload":"{workload}","unit":"bytes","value":{bytes},"count":1,"digest":"","round":0}}"#
    );
}
