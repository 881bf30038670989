//! A writer that is really killed, at any moment, loses nothing that it acknowledged and leaves no
//! transaction in part.
//!
//! The writer is this very test binary, run again with a path in its environment. It says on its
//! standard output what it was promised, and is killed after a time that a seed chooses: replay one
//! with `REVWATCH_SEED`, as far as the system lets a time be replayed.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, fs, process, thread};

use revwatch::page::fault::Random;
use revwatch::page::{FileOptions, FilePages};
use revwatch::{
    DeleteRangeRequest, Durability, KeyRange, Op, Options, PutRequest, RangeRequest, Store,
    TxnRequest,
};

const PATH: &str = "REVWATCH_KILL_PATH";
const ROUNDS: u64 = 40;
/// Each transaction writes the same value to so many keys.
const KEYS: usize = 6;
const ACKNOWLEDGED: &str = "acknowledged ";

fn open(path: &Path) -> Store<FilePages> {
    let options = FileOptions {
        page_size: 512,
        ..FileOptions::default()
    };
    let pages = FilePages::open(path, &options).expect("the file can be opened");
    Store::open(pages, options_of_the_store()).expect("the store can be opened")
}

fn options_of_the_store() -> Options {
    Options {
        durability: Durability::Commit,
        store_id: [9; 16],
        ..Options::default()
    }
}

fn put_all(value: &[u8]) -> TxnRequest {
    let key = |number| format!("key/{number}").into_bytes();
    let puts = (0..KEYS).map(|number| Op::Put(PutRequest::new(&key(number), value)));
    TxnRequest {
        success: puts.collect(),
        ..TxnRequest::default()
    }
}

/// Not a test but the writer, when the environment says so.
#[test]
fn the_writer_that_is_killed() {
    let Some(path) = env::var_os(PATH) else {
        return;
    };
    let mut store = open(Path::new(&path));
    let mut random = Random::new(store.revision() as u64);
    loop {
        let revision = store.revision() + 1;
        // The value tells the revision, and reaches over a page or several now and then.
        let mut value = format!("{revision} ").into_bytes();
        value.resize(value.len() + [0, 30, 200, 1_500][random.below(4)], b'.');
        store.txn(&put_all(&value)).unwrap();
        let mut out = stdout().lock();
        writeln!(out, "{ACKNOWLEDGED}{revision}").unwrap();
        out.flush().unwrap();
        drop(out);
        match random.below(12) {
            0 => drop(store.compact(store.revision()).unwrap()),
            1 => {
                let everything = DeleteRangeRequest::new(KeyRange::All);
                let deleted = store.delete_range(&everything).unwrap();
                writeln!(stdout(), "{ACKNOWLEDGED}{}", deleted.revision).unwrap();
            }
            2 => {
                store.close().unwrap();
                drop(store);
                store = open(Path::new(&path));
            }
            _ => drop(store.step(store.revision(), 10_000).unwrap()),
        }
    }
}

fn start_writer(path: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "the_writer_that_is_killed", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the test binary can be run again")
}

/// Lets a writer acknowledge so much, and a while more, and kills it. Answers the newest revision
/// that it acknowledged.
fn write_and_kill(path: &Path, acknowledgements: usize, delay: Duration) -> i64 {
    let mut writer = start_writer(path);
    let output = writer.stdout.take().expect("it is piped");
    let (heard, hearing) = mpsc::channel();
    let listener = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if let Some((_, revision)) = line.rsplit_once(ACKNOWLEDGED) {
                heard.send(revision.parse().expect("a revision")).unwrap();
            }
        }
    });
    let mut newest: i64 = 1;
    for _ in 0..acknowledgements {
        newest = hearing.recv().expect("it writes until it is killed");
    }
    thread::sleep(delay);
    writer.kill().expect("it runs until it is killed");
    writer.wait().unwrap();
    newest = hearing.iter().last().unwrap_or(newest);
    listener.join().unwrap();
    newest
}

/// All keys were written, or deleted, by one transaction.
fn check_whole(store: &Store<FilePages>, revision: i64) {
    let request = RangeRequest {
        revision,
        ..RangeRequest::new(KeyRange::All)
    };
    let kvs = store.range(&request).unwrap().kvs;
    assert!(
        kvs.is_empty() || kvs.len() == KEYS,
        "{} keys are left",
        kvs.len()
    );
    for kv in &kvs {
        assert_eq!(
            (kv.mod_revision, &kv.value),
            (kvs[0].mod_revision, &kvs[0].value)
        );
        let told = format!("{} ", kv.mod_revision);
        assert!(
            kv.value.starts_with(told.as_bytes()),
            "a value of another revision"
        );
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("revwatch-kill-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_writer_that_is_killed_loses_nothing_that_it_acknowledged() {
    let seed = env::var("REVWATCH_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let mut random = Random::new(seed);
    let folder = Folder::new();
    let mut survived = 1;
    let mut acknowledged_in_all = 0;
    for round in 0..ROUNDS {
        // A new file now and then, so that creating one is interrupted too.
        let path = folder.0.join(format!("store-{}", round / 8));
        if round % 8 == 0 {
            survived = 1;
        }
        let delay = Duration::from_micros(random.below(5_000) as u64);
        let acknowledgements = random.below(30);
        let acknowledged = write_and_kill(&path, acknowledgements, delay).max(survived);
        let store = open(&path);
        let what = format!("REVWATCH_SEED={seed}, round {round}");
        let now = store.revision();
        assert!(
            now >= acknowledged,
            "{what}: {acknowledged} was acknowledged, the store is at {now}"
        );
        for revision in store.status().compact_revision.max(1)..=now {
            check_whole(&store, revision);
        }
        store.check().unwrap();
        acknowledged_in_all += acknowledged - survived;
        survived = now;
    }
    println!("{ROUNDS} writers were killed, {acknowledged_in_all} revisions acknowledged");
}
