//! SQLite: write-ahead log, `synchronous=FULL`, a table without row ids.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::{CACHE_BYTES, Pair, Peer, Writer};

const PUT: &str = "INSERT OR REPLACE INTO pairs VALUES (?1, ?2)";

pub(crate) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the database opens");
    let settings = format!(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-{};
         PRAGMA busy_timeout=60000;
         CREATE TABLE IF NOT EXISTS pairs(key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID",
        CACHE_BYTES >> 10
    );
    connection
        .execute_batch(&settings)
        .expect("the settings are known");
    connection
}

fn put(connection: &Connection, (key, value): Pair<'_>) {
    let mut statement = connection
        .prepare_cached(PUT)
        .expect("the statement is right");
    statement
        .execute(params![key, value])
        .expect("a put succeeds");
}

impl Peer for Sqlite {
    fn open(folder: &Path) -> Self {
        let path = folder.join("store");
        Self {
            connection: connect(&path),
            path,
        }
    }

    fn put(&mut self, pair: Pair<'_>) {
        put(&self.connection, pair);
    }

    fn put_together(&mut self, pairs: &[Pair<'_>]) {
        self.load(pairs.iter().copied());
    }

    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>) {
        let txn = self.connection.transaction().expect("a transaction begins");
        pairs.for_each(|pair| put(&txn, pair));
        txn.commit().expect("a commit succeeds");
    }

    fn writers(self, count: usize) -> Vec<Writer> {
        let writer = || {
            let connection = connect(&self.path);
            Box::new(move |pair: Pair<'_>| put(&connection, pair)) as Writer
        };
        (0..count).map(|_| writer()).collect()
    }

    fn get_each<'a>(
        &self,
        keys: impl Iterator<Item = &'a [u8]>,
        mut read: impl FnMut(&'a [u8], &[u8]),
    ) {
        let txn = self.connection.unchecked_transaction();
        let txn = txn.expect("a transaction begins");
        let mut statement = txn
            .prepare("SELECT value FROM pairs WHERE key = ?1")
            .expect("the statement is right");
        for key in keys {
            let mut rows = statement.query(params![key]).expect("a get succeeds");
            let row = rows.next().expect("a get succeeds");
            let value = row.expect("all keys were put").get_ref(0);
            read(
                key,
                value
                    .and_then(|value| Ok(value.as_blob()?))
                    .expect("a blob"),
            );
        }
    }

    fn scan(&self, mut read: impl FnMut(&[u8], &[u8])) {
        let mut statement = self
            .connection
            .prepare("SELECT key, value FROM pairs ORDER BY key")
            .expect("the statement is right");
        let mut rows = statement.query([]).expect("a scan succeeds");
        while let Some(row) = rows.next().expect("a scan succeeds") {
            let blob = |column| row.get_ref(column).expect("there are two columns");
            let (key, value) = (blob(0), blob(1));
            read(
                key.as_blob().expect("a blob"),
                value.as_blob().expect("a blob"),
            );
        }
    }

    fn compact(&mut self) {
        let all = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection
            .execute_batch(all)
            .expect("a vacuum succeeds");
    }

    fn close(self) {
        self.connection.close().expect("a close succeeds");
    }
}
