//! revwatch, in a file with a sync for each commit, behind a page store that counts.

use std::path::Path;
use std::time::Instant;

use revwatch::page::{FileOptions, FilePages};
use revwatch::{
    Durability, KeyRange, Op, Options, PutRequest, Retention, SharedStore, Store, TxnRequest,
};

use super::{CACHE_BYTES, Pair, Peer, Writer};

const STEP_BYTES: usize = 1 << 20;

pub(crate) struct Revwatch {
    pub(crate) store: Store<FilePages>,
    opened: Instant,
}

impl Revwatch {
    pub(crate) fn open_with(folder: &Path, retention: Retention) -> Self {
        let path = folder.join("store");
        let pages =
            FilePages::open(&path, &FileOptions::default()).expect("the folder can be written to");
        let options = Options {
            retention,
            cache_bytes: CACHE_BYTES,
            ..Options::default()
        };
        Self {
            store: Store::open(pages, options).expect("the store opens"),
            opened: Instant::now(),
        }
    }

    pub(crate) fn put_unsynced(&mut self, pairs: &[Pair<'_>]) {
        let mut store = self.store.with_durability(Durability::Never);
        store.txn(&of_puts(pairs)).expect("a transaction succeeds");
    }

    pub(crate) fn flush(&mut self) {
        self.store.flush().expect("a flush succeeds");
    }
}

impl Peer for Revwatch {
    fn open(folder: &Path) -> Self {
        Self::open_with(folder, Retention::default())
    }

    fn put(&mut self, (key, value): Pair<'_>) {
        self.store.put(key, value).expect("a put succeeds");
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        self.store
            .txn(&of_puts(pairs))
            .expect("a transaction succeeds");
    }

    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>) {
        for (key, value) in pairs {
            let mut store = self.store.with_durability(Durability::Never);
            store.put(key, value).expect("a put succeeds");
        }
        self.flush();
    }

    fn tend(&mut self) {
        let now_ms = self.opened.elapsed().as_millis() as i64;
        self.store
            .step(now_ms, STEP_BYTES)
            .expect("a step succeeds");
    }

    fn writers(self, count: usize) -> Vec<Writer> {
        let shared = SharedStore::new(self.store);
        let writer = || {
            let store = shared.clone();
            let put = move |(key, value): Pair<'_>| {
                store.put(key, value).expect("a put succeeds");
            };
            Box::new(put) as Writer
        };
        (0..count).map(|_| writer()).collect()
    }

    fn get_each<'a>(
        &self,
        keys: impl Iterator<Item = &'a [u8]>,
        mut read: impl FnMut(&'a [u8], &[u8]),
    ) {
        for key in keys {
            let pinned = self.store.get_pinned(key).expect("a get succeeds");
            let pinned = pinned.expect("all keys were put");
            read(key, pinned.as_ref().value);
        }
    }

    fn scan(&self, mut read: impl FnMut(&[u8], &[u8])) {
        let all = self.store.range_pinned(&KeyRange::All, 0);
        for pinned in all.expect("a range succeeds") {
            let pinned = pinned.expect("a range succeeds");
            let kv = pinned.as_ref();
            read(kv.key, kv.value);
        }
    }

    fn compact(&mut self) {
        let revision = self.store.revision();
        self.store.compact(revision).expect("a compaction succeeds");
        while self.store.status().compacting {
            self.tend();
        }
    }

    fn close(mut self) {
        self.store.close().expect("a close succeeds");
    }
}

fn of_puts(pairs: &[Pair<'_>]) -> TxnRequest {
    let put = |(key, value): &Pair<'_>| Op::Put(PutRequest::new(key, value));
    TxnRequest {
        success: pairs.iter().map(put).collect(),
        ..TxnRequest::default()
    }
}
