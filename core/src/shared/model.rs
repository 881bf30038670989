//! Every way in which the threads of a shared store can come in each other's way, up to a bound on how
//! often one is interrupted: loom runs a test again and again, with all its threads interleaved
//! differently, and finds a wait that nobody ends.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p revwatch --lib shared::model`

extern crate std;

use core::time::Duration;
use std::vec::Vec;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use super::SharedStore;
use crate::engine::{Durability, Options};
use crate::error::{Error, Result};
use crate::page::fault::{Call, Hook, HookedPages};
use crate::page::{MemoryPages, PageError};
use crate::range::KeyRange;
use crate::store::PutResponse;
use crate::watch::{StreamId, WatchRequest, WatchResponse};

const PLENTY: usize = 1 << 20;

/// Pages in memory whose syncs take as long as any other thread likes.
type SlowPages = HookedPages<MemoryPages, Arc<Disk>>;

struct Disk {
    is_syncing: AtomicBool,
    syncs: AtomicUsize,
    fails: AtomicBool,
}

impl Hook for Arc<Disk> {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        if call != Call::Sync {
            return Ok(());
        }
        let overlaps = self.is_syncing.swap(true, Ordering::SeqCst);
        assert!(!overlaps, "one sync at a time");
        self.syncs.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        self.is_syncing.store(false, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(PageError::other("the disk has gone"));
        }
        Ok(())
    }
}

/// A store with a key in it, and its disk.
fn store(durability: Durability) -> (SharedStore<SlowPages>, Arc<Disk>) {
    let disk = Arc::new(Disk {
        is_syncing: AtomicBool::new(false),
        syncs: AtomicUsize::new(0),
        fails: AtomicBool::new(false),
    });
    let pages = HookedPages::new(MemoryPages::new(512), Arc::clone(&disk)).promising_no_zeros();
    let options = Options {
        durability,
        cache_bytes: 0,
        ..Options::default()
    };
    let store = SharedStore::open(pages, options).unwrap();
    store.put(b"k", b"v").unwrap();
    store.flush().unwrap();
    (store, disk)
}

/// Runs it with its threads interleaved in all ways with at most so many interruptions.
fn in_every_way(interruptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions);
    model.check(run);
}

fn put_in_threads(
    store: &SharedStore<SlowPages>,
    threads: u8,
) -> Vec<thread::JoinHandle<Result<PutResponse>>> {
    let put = |number: u8| {
        let store = store.clone();
        thread::spawn(move || {
            let response = store.put(&[number], b"v")?;
            assert!(response.durable);
            assert!(store.status().published_revision >= response.revision);
            Ok(response)
        })
    };
    (0..threads).map(put).collect()
}

#[test]
fn committers_return_when_their_change_is_durable_and_share_syncs() {
    in_every_way(2, || {
        let (store, disk) = store(Durability::Commit);
        let before = disk.syncs.load(Ordering::SeqCst);
        let committers = put_in_threads(&store, 2);
        let here = store.put(b"here", b"v").unwrap();
        assert!(here.durable);
        let mut revisions = Vec::from([here.revision]);
        for committer in committers {
            revisions.push(committer.join().unwrap().unwrap().revision);
        }
        revisions.sort_unstable();
        assert_eq!(revisions, [3, 4, 5]);
        assert!(disk.syncs.load(Ordering::SeqCst) - before <= 3);
        assert_eq!(store.status().published_revision, 5);
    });
}

#[test]
fn who_waits_for_a_change_is_woken_once_it_is_durable() {
    in_every_way(2, || {
        let (store, _) = store(Durability::Commit);
        let stream = store.watch_stream();
        store
            .watch(stream, &WatchRequest::new(KeyRange::All))
            .unwrap();
        let committers = put_in_threads(&store, 2);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            match store.poll(stream, PLENTY, PLENTY).unwrap() {
                WatchResponse::Events { events, .. } => {
                    seen.extend(events.iter().map(|event| event.kv.mod_revision));
                }
                WatchResponse::Idle => assert!(store.wait(stream, Duration::MAX).unwrap()),
                _ => {}
            }
        }
        assert_eq!(seen, [3, 4]);
        for committer in committers {
            committer.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_sync_that_fails_leaves_nobody_waiting_and_nothing_shown() {
    in_every_way(2, || {
        let (store, disk) = store(Durability::Commit);
        disk.fails.store(true, Ordering::SeqCst);
        let committers = put_in_threads(&store, 2);
        let here = store.put(b"here", b"v").unwrap_err();
        let mut outcomes = Vec::from([here]);
        for committer in committers {
            outcomes.push(committer.join().unwrap().unwrap_err());
        }
        let is_own = |error: &&Error| !matches!(error, Error::Poisoned);
        assert_eq!(outcomes.iter().filter(is_own).count(), 1);
        let status = store.status();
        assert_eq!((status.published_revision, status.revision), (2, 2));
    });
}

#[test]
fn a_batch_a_flush_and_a_close_find_their_way_between_each_other() {
    in_every_way(2, || {
        let (store, _) = store(Durability::ETCD);
        store.step(0, 0).unwrap();
        assert!(!store.put(b"batched", b"v").unwrap().durable);
        let stepper = {
            let store = store.clone();
            thread::spawn(move || store.step(100, 0).map(drop))
        };
        let flusher = {
            let store = store.clone();
            thread::spawn(move || store.flush())
        };
        store.close().unwrap();
        stepper.join().unwrap().unwrap();
        flusher.join().unwrap().unwrap();
        let status = store.status();
        assert_eq!(status.published_revision, status.revision);
    });
}

/// What a stream is told now, up to its end or until there is nothing more to say.
fn drain(store: &SharedStore<SlowPages>, stream: StreamId, told: &mut Vec<i64>) -> Option<i64> {
    loop {
        match store.poll(stream, PLENTY, PLENTY).unwrap() {
            WatchResponse::Events { events, .. } => {
                told.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            WatchResponse::Compacted {
                compact_revision, ..
            } => return Some(compact_revision),
            WatchResponse::Idle if !store.has_response(stream).unwrap() => return None,
            _ => {}
        }
    }
}

#[test]
fn who_reads_history_beside_a_writer_and_a_compaction_misses_nothing_untold() {
    in_every_way(2, || {
        let (store, _) = store(Durability::Never);
        store.put(b"k", b"v").unwrap();
        store.put(b"other", b"v").unwrap();
        let stream = store.watch_stream();
        let request = WatchRequest {
            start_revision: 2,
            ..WatchRequest::new(KeyRange::All)
        };
        store.watch(stream, &request).unwrap();
        let writer = {
            let store = store.clone();
            thread::spawn(move || {
                store.put(b"k", b"v").unwrap();
                store.compact(4).unwrap();
            })
        };
        let mut told = Vec::new();
        let mut compacted = drain(&store, stream, &mut told);
        writer.join().unwrap();
        if compacted.is_none() {
            compacted = drain(&store, stream, &mut told);
        }
        match compacted {
            // It was overtaken before anything was handed out to it.
            Some(revision) => assert_eq!((revision, told), (4, Vec::new())),
            None => assert_eq!(told, [2, 3, 4, 5]),
        }
    });
}

#[test]
fn two_who_poll_a_stream_that_is_behind_are_told_everything_once() {
    in_every_way(2, || {
        let (store, _) = store(Durability::Never);
        store.put(b"k", b"v").unwrap();
        let stream = store.watch_stream();
        let request = WatchRequest {
            start_revision: 2,
            ..WatchRequest::new(KeyRange::All)
        };
        store.watch(stream, &request).unwrap();
        let other = {
            let store = store.clone();
            thread::spawn(move || {
                let mut told = Vec::new();
                drain(&store, stream, &mut told);
                told
            })
        };
        let mut told = Vec::new();
        drain(&store, stream, &mut told);
        told.extend(other.join().unwrap());
        told.sort_unstable();
        assert_eq!(told, [2, 3]);
    });
}
