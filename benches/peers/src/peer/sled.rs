//! sled: values are compressed on disk, by zstd.

use std::path::Path;

use sled::{Batch, Config, Db};

use super::{CACHE_BYTES, Pair, Peer, Writer};

const PUTS_PER_BATCH: usize = 1_000;

pub(crate) struct Sled(Db);

impl Sled {
    fn apply(&self, pairs: &[Pair<'_>]) {
        let mut batch = Batch::default();
        for &(key, value) in pairs {
            batch.insert(key, value);
        }
        self.0.apply_batch(batch).expect("a batch succeeds");
    }

    fn flush(&self) {
        self.0.flush().expect("a flush succeeds");
    }
}

impl Peer for Sled {
    fn open(folder: &Path) -> Self {
        let config = Config::new()
            .path(folder.join("store"))
            .cache_capacity_bytes(CACHE_BYTES)
            .flush_every_ms(None);
        Self(config.open().expect("the database opens"))
    }

    fn put(&mut self, (key, value): Pair<'_>) {
        self.0.insert(key, value).expect("a put succeeds");
        self.flush();
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        self.apply(pairs);
        self.flush();
    }

    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>) {
        let pairs: Vec<_> = pairs.collect();
        pairs
            .chunks(PUTS_PER_BATCH)
            .for_each(|pairs| self.apply(pairs));
        self.flush();
    }

    fn writers(self, count: usize) -> Vec<Writer> {
        let writer = || {
            let database = self.0.clone();
            let put = move |(key, value): Pair<'_>| {
                database.insert(key, value).expect("a put succeeds");
                database.flush().expect("a flush succeeds");
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
            let value = self.0.get(key).expect("a get succeeds");
            read(key, &value.expect("all keys were put"));
        }
    }

    fn scan(&self, mut read: impl FnMut(&[u8], &[u8])) {
        for entry in &*self.0 {
            let (key, value) = entry.expect("a scan succeeds");
            read(&key, &value);
        }
    }

    fn compact(&mut self) {
        self.flush();
    }

    fn close(self) {
        self.flush();
    }
}
