//! Many writers and many pollers, each in a thread of its own, and the judge.
//!
//! Threads have no order of time that could be written down. Each writer keeps what it was answered,
//! by revision; each poller keeps what its stream was told, in its order. Once all have ended, that is
//! put together to a record: everything that was written first, then each stream by itself. The
//! watchers start at revision 2, so that all of it is theirs whenever it came.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use revwatch::page::fault::FaultPages;
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Durability, KeyRange, Limits, Op, Options, PutRequest, SharedStore,
    StreamOptions, TxnRequest, WatchRequest, WatchResponse,
};
use revwatch_model::Random;

use crate::judge::judge;
use crate::record::{Ask, Entry, Record, Told, WRITER, Watch, WriteOp};

const WRITERS: usize = 4;
const POLLERS: usize = 4;
const WRITES: usize = 400;
const WATCHERS: usize = 6;
const FIRST_REVISION: i64 = 2;
const SOON: Duration = Duration::from_millis(20);

/// What a stream told.
struct Heard {
    /// What its watchers asked for, by their ids, which count from 1.
    asks: Vec<Ask>,
    /// Which of them was told what.
    told: Vec<(i64, Told)>,
    /// What was published when it had told all.
    published: i64,
}

#[test]
fn what_threads_write_and_poll_at_once_keeps_every_promise_in_memory() {
    let options = Options::default();
    all_at_once(
        &SharedStore::open(MemoryPages::new(4096), options).unwrap(),
        1,
        Compact::Never,
    );
}

#[test]
fn what_threads_write_poll_and_compact_at_once_keeps_every_promise() {
    for (seed, cache_bytes) in [(5, 0), (6, 1 << 20)] {
        let options = Options {
            durability: Durability::Never,
            cache_bytes,
            limits: Limits {
                stream_queue_responses: 2,
                catch_up_revisions: 20,
                ..Limits::default()
            },
            ..Options::default()
        };
        let store = SharedStore::open(FaultPages::new(512, seed), options).unwrap();
        all_at_once(&store, seed, Compact::NowAndThen);
    }
}

#[test]
fn what_threads_write_and_poll_at_once_keeps_every_promise_with_every_durability() {
    let batch = Durability::Batch {
        max_ms: 1,
        max_writes: 7,
    };
    for (seed, durability) in [Durability::Commit, batch, Durability::Never]
        .into_iter()
        .enumerate()
    {
        let options = Options {
            durability,
            limits: Limits {
                stream_queue_responses: 2,
                catch_up_revisions: 5,
                ..Limits::default()
            },
            ..Options::default()
        };
        let store = SharedStore::open(FaultPages::new(1024, 1), options).unwrap();
        all_at_once(&store, seed as u64, Compact::Never);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compact {
    Never,
    NowAndThen,
}

fn all_at_once<P: PageStore + Send + Sync>(store: &SharedStore<P>, seed: u64, compact: Compact) {
    let writing = AtomicUsize::new(WRITERS);
    let mut compacted = Vec::new();
    let (written, heard) = thread::scope(|scope| {
        let pollers: Vec<_> = (0..POLLERS)
            .map(|poller| {
                let writing = &writing;
                scope.spawn(move || listen(store, is_early(poller), writing))
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let random = Random::new(seed * 1_000 + writer as u64);
                let writing = &writing;
                scope.spawn(move || {
                    let written = write(store, writer, random);
                    writing.fetch_sub(1, Ordering::SeqCst);
                    written
                })
            })
            .collect();
        let mut now_ms = 0;
        while writing.load(Ordering::SeqCst) > 0 {
            now_ms += 1;
            store.step(now_ms, 1 << 16).unwrap();
            if compact == Compact::NowAndThen && now_ms % 32 == 0 {
                compacted.extend(compact_behind(store));
            }
            thread::yield_now();
        }
        store.flush().unwrap();
        let written: BTreeMap<i64, Vec<WriteOp>> = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect();
        let heard: Vec<Heard> = pollers
            .into_iter()
            .map(|poller| poller.join().unwrap())
            .collect();
        (written, heard)
    });
    let events = judge_all(written, compacted, heard);
    if compact == Compact::Never {
        assert!(events >= POLLERS * WRITERS * WRITES, "only {events} events");
    }
}

/// Gives up what lies a little behind; answers which revision that was.
fn compact_behind<P: PageStore>(store: &SharedStore<P>) -> Option<i64> {
    let status = store.status();
    let revision = status.published_revision - 30;
    if revision <= status.compact_revision.max(FIRST_REVISION) {
        return None;
    }
    store.compact(revision).unwrap();
    Some(revision)
}

/// Every other poller is told of what is applied.
fn is_early(poller: usize) -> bool {
    poller % 2 == 1
}

/// Writes a number of transactions; answers each by the revision that it made.
fn write<P: PageStore>(
    store: &SharedStore<P>,
    writer: usize,
    mut random: Random,
) -> Vec<(i64, Vec<WriteOp>)> {
    let mut written = Vec::new();
    for number in 0..WRITES {
        let key = [b'a' + random.below(6) as u8];
        let value = format!("{writer}.{number}").into_bytes();
        let put = PutRequest::new(&key, &value);
        let put_op = WriteOp::Put {
            key: key.to_vec(),
            value,
            lease: 0,
        };
        let (revision, ops) = match random.below(10) {
            0..7 => (store.put_with(&put).unwrap().revision, vec![put_op]),
            7..9 => {
                let other = KeyRange::one(&[key[0] + 1]);
                let delete = DeleteRangeRequest::new(other.clone());
                let txn = TxnRequest {
                    success: vec![Op::Put(put), Op::DeleteRange(delete)],
                    ..TxnRequest::default()
                };
                let ops = vec![put_op, WriteOp::Delete { range: other }];
                (store.txn(&txn).unwrap().revision, ops)
            }
            _ => {
                let range = KeyRange::one(&key);
                let response = store
                    .delete_range(&DeleteRangeRequest::new(range.clone()))
                    .unwrap();
                if response.deleted == 0 {
                    continue;
                }
                (response.revision, vec![WriteOp::Delete { range }])
            }
        };
        written.push((revision, ops));
    }
    written
}

/// Watches in a stream of its own until everything is written and told. Who lost something to a
/// compaction begins again with what there is.
fn listen<P: PageStore>(store: &SharedStore<P>, early: bool, writing: &AtomicUsize) -> Heard {
    let stream = store.watch_stream_with(StreamOptions { early });
    let mut asks: Vec<Ask> = (0..WATCHERS).map(ask).collect();
    for (place, ask) in asks.iter().enumerate() {
        store.watch(stream, &request(place, ask)).unwrap();
    }
    let mut heard = Vec::new();
    loop {
        // Asked before polling: what is written later is not yet due.
        let all_is_written = writing.load(Ordering::SeqCst) == 0;
        let status = store.status();
        match store.poll(stream, 10, usize::MAX).unwrap() {
            WatchResponse::Idle => {
                let all_is_published = status.published_revision == status.revision;
                if all_is_written && all_is_published && !store.has_response(stream).unwrap() {
                    return Heard {
                        asks,
                        told: heard,
                        published: status.published_revision,
                    };
                }
                store.wait(stream, SOON).unwrap();
            }
            WatchResponse::Created { watch_id, revision } => {
                heard.push((watch_id, Told::Created { revision }));
            }
            WatchResponse::Events {
                watch_id,
                revision,
                events,
                fragment,
            } => {
                let events = events.iter().map(|event| event.to_owned()).collect();
                let told = Told::Events {
                    revision,
                    events,
                    fragment,
                    max_events: 10,
                };
                heard.push((watch_id, told));
            }
            WatchResponse::Compacted {
                watch_id,
                compact_revision,
            } => {
                heard.push((watch_id, Told::Compacted { compact_revision }));
                let again = Ask {
                    start_revision: compact_revision,
                    ..asks[watch_id as usize - 1].clone()
                };
                store.watch(stream, &request(asks.len(), &again)).unwrap();
                asks.push(again);
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }
}

fn ask(watcher: usize) -> Ask {
    let range = match watcher {
        0 => KeyRange::one(b"a"),
        1 => KeyRange::span(b"b", b"e"),
        _ => KeyRange::All,
    };
    Ask {
        start_revision: FIRST_REVISION,
        prev_kv: watcher.is_multiple_of(2),
        no_delete: watcher == 3,
        ..Ask::new(range)
    }
}

fn request(place: usize, ask: &Ask) -> WatchRequest {
    WatchRequest {
        start_revision: ask.start_revision,
        watch_id: 1 + place as i64,
        prev_kv: ask.prev_kv,
        no_delete: ask.no_delete,
        ..WatchRequest::of_ranges(ask.ranges.clone())
    }
}

/// Puts the record together and judges it; answers how many events were told.
fn judge_all(
    written: BTreeMap<i64, Vec<WriteOp>>,
    compacted: Vec<i64>,
    heard: Vec<Heard>,
) -> usize {
    let revisions: Vec<i64> = written.keys().copied().collect();
    let expected: Vec<i64> = (FIRST_REVISION..).take(revisions.len()).collect();
    assert_eq!(
        revisions, expected,
        "each write was answered with a revision of its own"
    );
    let mut record = Record::default();
    record.entries.push(Entry::Open {
        epoch: 1,
        revision: 1,
        compact_revision: -1,
    });
    record
        .entries
        .extend(written.into_values().map(|ops| Entry::Write { ops }));
    let compactions = compacted
        .into_iter()
        .map(|revision| Entry::Compact { revision });
    record.entries.extend(compactions);
    let (mut events_told, mut watchers) = (0, 0);
    for (stream, heard) in heard.into_iter().enumerate() {
        let Heard {
            asks,
            told,
            published,
        } = heard;
        let first = watchers;
        watchers += asks.len();
        for (watch_id, told) in told {
            let place = watch_id as usize - 1;
            let watcher = first + place;
            if let Told::Created { revision } = told {
                record.entries.push(Entry::Watch(Watch {
                    watcher,
                    stream,
                    place: WRITER,
                    early: is_early(stream),
                    revision,
                    epoch: 1,
                    ask: asks[place].clone(),
                    resumes: None,
                }));
            }
            if let Told::Events { events, .. } = &told {
                events_told += events.len();
            }
            record.entries.push(Entry::Told { watcher, told });
        }
        record.entries.push(Entry::Drained { stream, published });
    }
    if let Err(broken) = judge(&record) {
        panic!("{}{broken}", record.story(broken.watcher, broken.entry));
    }
    events_told
}
