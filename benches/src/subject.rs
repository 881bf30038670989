//! revwatch as a subject: a store in memory, or in a file with etcd's durability.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use revwatch::page::{FileOptions, FilePages, MemoryPages, PageStore};
use revwatch::{
    Durability, KeyRange, Op, Options, PutRequest, RangeRequest, SharedStore, Store, TxnRequest,
};

use crate::data::{Key, Value, kv_sum};
use crate::table::Table;

/// etcd's: a sync every 100 ms or 10,000 writes.
const DURABILITY: Durability = Durability::Batch {
    max_ms: 100,
    max_writes: 10_000,
};
/// How many files there were: each has a name of its own.
static OPENED: AtomicU32 = AtomicU32::new(0);
/// How many writes pass between two looks at the clock.
const WRITES_PER_STEP: u32 = 32;
const STEP_BYTES: usize = 1 << 20;

/// A store and what a host does for it: it tells the time now and then.
pub(crate) struct Subject<P: PageStore> {
    pub(crate) store: Store<P>,
    opened: Instant,
    writes_until_step: u32,
    scratch: Option<Scratch>,
}

impl Subject<MemoryPages> {
    pub(crate) fn in_memory() -> Self {
        Self::new(Store::in_memory(Options::default()), None)
    }
}

impl Subject<FilePages> {
    /// In a new file in `folder`, deleted at the end.
    pub(crate) fn in_file(folder: &Path) -> Self {
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("revwatch-{}-{number}.db", std::process::id()));
        let pages =
            FilePages::open(&path, &FileOptions::default()).expect("the folder can be written to");
        let options = Options {
            durability: DURABILITY,
            ..Options::default()
        };
        let store = Store::open(pages, options).expect("an empty file opens");
        Self::new(store, Some(Scratch(path)))
    }
}

impl<P: PageStore> Subject<P> {
    fn new(store: Store<P>, scratch: Option<Scratch>) -> Self {
        Self {
            store,
            opened: Instant::now(),
            writes_until_step: WRITES_PER_STEP,
            scratch,
        }
    }

    /// Lets the store do its background work, as of now.
    pub(crate) fn step(&mut self) {
        let now_ms = self.opened.elapsed().as_millis() as i64;
        self.store
            .step(now_ms, STEP_BYTES)
            .expect("a step succeeds");
    }

    /// Compacts at the current revision, and reclaims until there is nothing left to do.
    pub(crate) fn compact(&mut self) {
        let revision = self.store.revision();
        self.store.compact(revision).expect("a compaction succeeds");
        while self.store.status().compacting {
            self.step();
        }
    }

    /// The store for many threads, and what must outlive it.
    pub(crate) fn share(self) -> (SharedStore<P>, Option<Scratch>) {
        (SharedStore::new(self.store), self.scratch)
    }

    fn wrote(&mut self) {
        self.writes_until_step -= 1;
        if self.writes_until_step == 0 {
            self.writes_until_step = WRITES_PER_STEP;
            self.step();
        }
    }
}

impl<P: PageStore> Table for Subject<P> {
    fn put(&mut self, key: &Key, value: &Value) {
        self.store.put(key, value).expect("a put succeeds");
        self.wrote();
    }

    fn put_together(&mut self, pairs: &[(&Key, &Value)]) {
        let put = |(key, value): &(&Key, &Value)| Op::Put(PutRequest::new(*key, *value));
        let request = TxnRequest {
            success: pairs.iter().map(put).collect(),
            ..TxnRequest::default()
        };
        self.store.txn(&request).expect("a transaction succeeds");
        self.wrote();
    }

    fn flush(&mut self) {
        self.store.flush().expect("a flush succeeds");
    }

    fn get(&self, key: &Key) -> u64 {
        let pinned = self
            .store
            .get_pinned(key)
            .expect("a get succeeds")
            .expect("all keys were put");
        let kv = pinned.as_ref();
        kv_sum(kv.key, kv.value)
    }

    fn prefix(&self, prefix: &[u8]) -> (u32, u64) {
        let range = KeyRange::prefix(prefix);
        let pinned = self
            .store
            .range_pinned(&range, 0)
            .expect("a range succeeds");
        pinned.fold((0, 0), |(count, sum), pinned| {
            let pinned = pinned.expect("a range succeeds");
            let kv = pinned.as_ref();
            (count + 1, sum.wrapping_add(kv_sum(kv.key, kv.value)))
        })
    }

    fn prefix_copied(&self, prefix: &[u8]) -> (u32, u64) {
        let request = RangeRequest::new(KeyRange::prefix(prefix));
        let response = self.store.range(&request).expect("a range succeeds");
        let add = |sum: u64, kv: &revwatch::KeyValue| sum.wrapping_add(kv_sum(&kv.key, &kv.value));
        (response.kvs.len() as u32, response.kvs.iter().fold(0, add))
    }
}

/// A file that goes when this goes.
pub(crate) struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that is left behind spoils no figure.
        let _ = fs::remove_file(&self.0);
    }
}
