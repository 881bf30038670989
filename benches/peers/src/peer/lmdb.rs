//! LMDB, through heed: a copy-on-write tree in a memory map, written with write calls.

use std::fs;
use std::path::{Path, PathBuf};

use heed::types::Bytes;
use heed::{CommitOrAbort, CompactionOption, Database, Env, EnvOpenOptions};

use super::{Pair, Peer, Writer};

/// The map's length; the file grows as it is needed.
const MAP_BYTES: usize = 8 << 30;

type Table = Database<'static, Bytes, Bytes>;

pub(crate) struct Lmdb {
    env: Env,
    table: Table,
    folder: PathBuf,
}

fn connect(folder: &Path) -> (Env, Table) {
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP_BYTES);
    // SAFETY: no other process has the file open, and this one opens it once at a time.
    let env = unsafe { options.open(folder) }.expect("the environment opens");
    let txn = env.write_txn().expect("a transaction begins");
    let created = env.create_databases_and_commit(txn, |opener, txn| {
        let table = opener.create_database(txn, None)?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(table))
    });
    let table = created.expect("the table opens").unwrap_commit();
    (env, table)
}

fn put_all<'a>(env: &Env, table: Table, pairs: impl Iterator<Item = Pair<'a>>) {
    let mut txn = env.write_txn().expect("a transaction begins");
    for (key, value) in pairs {
        table.put(&mut txn, key, value).expect("a put succeeds");
    }
    txn.commit().expect("a commit succeeds");
}

impl Peer for Lmdb {
    fn open(folder: &Path) -> Self {
        let (env, table) = connect(folder);
        Self {
            env,
            table,
            folder: folder.to_owned(),
        }
    }

    fn put(&mut self, pair: Pair<'_>) {
        put_all(&self.env, self.table, [pair].into_iter());
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        put_all(&self.env, self.table, pairs.iter().copied());
    }

    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>) {
        put_all(&self.env, self.table, pairs);
    }

    fn writers(self, count: usize) -> Vec<Writer> {
        let writer = || {
            let (env, table) = (self.env.clone(), self.table);
            Box::new(move |pair: Pair<'_>| put_all(&env, table, [pair].into_iter())) as Writer
        };
        (0..count).map(|_| writer()).collect()
    }

    fn get_each<'a>(
        &self,
        keys: impl Iterator<Item = &'a [u8]>,
        mut read: impl FnMut(&'a [u8], &[u8]),
    ) {
        let txn = self.env.read_txn().expect("a transaction begins");
        for key in keys {
            let value = self.table.get(&txn, key).expect("a get succeeds");
            read(key, value.expect("all keys were put"));
        }
    }

    fn scan(&self, mut read: impl FnMut(&[u8], &[u8])) {
        let txn = self.env.read_txn().expect("a transaction begins");
        for entry in self.table.iter(&txn).expect("a scan succeeds") {
            let (key, value) = entry.expect("a scan succeeds");
            read(key, value);
        }
    }

    /// A compacted copy takes the place of the file: LMDB has no other way.
    fn compact(&mut self) {
        let copy = self.folder.join("copy");
        let copied = self.env.copy_to_path(&copy, CompactionOption::Enabled);
        drop(copied.expect("a copy succeeds"));
        fs::rename(copy, self.folder.join("data.mdb")).expect("the file can be replaced");
    }

    fn close(self) {
        self.env.prepare_for_closing().wait();
    }
}
