//! redb: one commit, one sync, a copy-on-write tree.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use super::{CACHE_BYTES, Pair, Peer, Writer};

const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("pairs");

pub(crate) struct Redb(Database);

fn put_all<'a>(database: &Database, pairs: impl Iterator<Item = Pair<'a>>) {
    let txn = database.begin_write().expect("a transaction begins");
    {
        let mut table = txn.open_table(TABLE).expect("the table opens");
        for (key, value) in pairs {
            table.insert(key, value).expect("a put succeeds");
        }
    }
    txn.commit().expect("a commit succeeds");
}

impl Peer for Redb {
    fn open(folder: &Path) -> Self {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(folder.join("store"));
        Self(database.expect("the database opens"))
    }

    fn put(&mut self, pair: Pair<'_>) {
        put_all(&self.0, [pair].into_iter());
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        put_all(&self.0, pairs.iter().copied());
    }

    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>) {
        put_all(&self.0, pairs);
    }

    fn writers(self, count: usize) -> Vec<Writer> {
        let database = Arc::new(self.0);
        let writer = || {
            let database = Arc::clone(&database);
            let put = move |pair: Pair<'_>| put_all(&database, [pair].into_iter());
            Box::new(put) as Writer
        };
        (0..count).map(|_| writer()).collect()
    }

    fn get_each<'a>(
        &self,
        keys: impl Iterator<Item = &'a [u8]>,
        mut read: impl FnMut(&'a [u8], &[u8]),
    ) {
        let txn = self.0.begin_read().expect("a transaction begins");
        let table = txn.open_table(TABLE).expect("the table opens");
        for key in keys {
            let value = table.get(key).expect("a get succeeds");
            read(key, value.expect("all keys were put").value());
        }
    }

    fn scan(&self, mut read: impl FnMut(&[u8], &[u8])) {
        let txn = self.0.begin_read().expect("a transaction begins");
        let table = txn.open_table(TABLE).expect("the table opens");
        for entry in table.iter().expect("a scan succeeds") {
            let (key, value) = entry.expect("a scan succeeds");
            read(key.value(), value.value());
        }
    }

    fn compact(&mut self) {
        self.0.compact().expect("a compaction succeeds");
    }

    fn close(self) {}
}
