//! fjall: a log-structured merge tree, its compression not built in.

use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{CACHE_BYTES, Pair, Peer, Writer};

const PUTS_PER_BATCH: usize = 1_000;

pub(crate) struct Fjall {
    database: Database,
    pairs: Keyspace,
}

impl Fjall {
    fn apply(&self, pairs: &[Pair<'_>], mode: Option<PersistMode>) {
        let mut batch = self.database.batch().durability(mode);
        for &(key, value) in pairs {
            batch.insert(&self.pairs, key, value);
        }
        batch.commit().expect("a batch succeeds");
    }
}

fn put(database: &Database, pairs: &Keyspace, (key, value): Pair<'_>) {
    pairs.insert(key, value).expect("a put succeeds");
    let persisted = database.persist(PersistMode::SyncData);
    persisted.expect("a sync succeeds");
}

impl Peer for Fjall {
    fn open(folder: &Path) -> Self {
        let builder = Database::builder(folder.join("store"));
        let database = builder.cache_size(CACHE_BYTES as u64).open();
        let database = database.expect("the database opens");
        let pairs = database.keyspace("pairs", KeyspaceCreateOptions::default);
        Self {
            pairs: pairs.expect("the keyspace opens"),
            database,
        }
    }

    fn put(&mut self, pair: Pair<'_>) {
        put(&self.database, &self.pairs, pair);
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        self.apply(pairs, Some(PersistMode::SyncData));
    }

    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>) {
        let pairs: Vec<_> = pairs.collect();
        for pairs in pairs.chunks(PUTS_PER_BATCH) {
            self.apply(pairs, None);
        }
        let persisted = self.database.persist(PersistMode::SyncData);
        persisted.expect("a sync succeeds");
    }

    fn writers(self, count: usize) -> Vec<Writer> {
        let writer = || {
            let (database, pairs) = (self.database.clone(), self.pairs.clone());
            Box::new(move |pair: Pair<'_>| put(&database, &pairs, pair)) as Writer
        };
        (0..count).map(|_| writer()).collect()
    }

    fn get_each<'a>(
        &self,
        keys: impl Iterator<Item = &'a [u8]>,
        mut read: impl FnMut(&'a [u8], &[u8]),
    ) {
        for key in keys {
            let value = self.pairs.get(key).expect("a get succeeds");
            read(key, &value.expect("all keys were put"));
        }
    }

    fn scan(&self, mut read: impl FnMut(&[u8], &[u8])) {
        for entry in self.pairs.iter() {
            let (key, value) = entry.into_inner().expect("a scan succeeds");
            read(&key, &value);
        }
    }

    fn compact(&mut self) {
        let flushed = self.pairs.rotate_memtable_and_wait();
        flushed.expect("the memtable is written");
        self.pairs.major_compact().expect("a compaction succeeds");
    }

    fn close(self) {}
}
