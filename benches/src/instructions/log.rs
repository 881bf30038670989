//! What goes through the log: files, opening, compaction, changes. What the system does for its calls is
//! not counted.

use std::hint::black_box;
use std::path::Path;

use revwatch::page::PageStore;
use revwatch::{Durability, Store};

use crate::data::kv_sum;
use crate::fixture::{Data, KEYS, Scratch, in_memory, reclaim};
use crate::path;

/// Puts that are synced one by one.
const SYNCED: u32 = 500;
/// Revisions of each key in a long history.
const CHANGES: u32 = 4;
/// Where the root of a checkpoint lies: without it, all pages are read.
const ROOT_SLOT: u32 = 2;
const CHUNK_BYTES: usize = 64 << 10;

pub(crate) fn all(folder: &Path) {
    let data = Data::of(KEYS);
    files(folder, &data);
    openings(folder, &data);
    compaction(&data);
    changes(&data);
}

fn files(folder: &Path, data: &Data) {
    let scratch = Scratch::new(folder);
    let mut store = scratch.store(Durability::Never);
    path("put in a file, without a sync", KEYS, || {
        data.put_into(&mut store);
    });
    store.flush().expect("a flush succeeds");
    let get_all = || {
        for key in data.picked() {
            let found = store.get_pinned(key).expect("a get succeeds");
            let found = found.expect("every key was put");
            let kv = found.as_ref();
            black_box(kv_sum(kv.key, kv.value));
        }
    };
    get_all(); // fills the cache
    path("get from a file, cached", KEYS, get_all);

    let few = Data::of(SYNCED);
    path("put in a file, synced", SYNCED, || {
        for (key, value) in few.pairs() {
            let mut durable = store.with_durability(Durability::Commit);
            black_box(durable.put(key, value)).expect("a put succeeds");
        }
    });
}

fn put_history<P: PageStore>(data: &Data, store: &mut Store<P>) {
    for _ in 0..CHANGES {
        data.put_into(store);
    }
}

fn openings(folder: &Path, data: &Data) {
    let scratch = Scratch::new(folder);
    let mut store = scratch.store(Durability::Never);
    put_history(data, &mut store);
    path("close, each key", KEYS, || {
        store.close().expect("a close succeeds");
    });
    drop(store);
    let open = |name, count| {
        path(name, count, || {
            black_box(scratch.store(Durability::Never));
        });
    };
    open("opening by the checkpoint, each key", KEYS);
    let pages = scratch.pages();
    let blank = vec![0; pages.page_size()];
    pages.write(ROOT_SLOT, &blank).expect("the root is there");
    drop(pages);
    open("opening without it, each revision", KEYS * CHANGES);
}

fn compaction(data: &Data) {
    let mut store = in_memory();
    put_history(data, &mut store);
    let revision = store.revision();
    path(
        "compaction and reclaiming, each revision",
        KEYS * CHANGES,
        || {
            store.compact(revision).expect("a compaction succeeds");
            reclaim(&mut store);
        },
    );
}

fn changes(data: &Data) {
    let store = data.store();
    let mut chunks = Vec::new();
    path("changes as bytes, each revision", KEYS, || {
        let mut walk = store.changes(1, 0).expect("nothing is compacted");
        while let chunk = store.next_changes_chunk(&mut walk, CHUNK_BYTES)
            && let chunk = chunk.expect("nothing is compacted")
            && !chunk.is_empty()
        {
            chunks.push(chunk);
        }
    });
    let mut copy = in_memory();
    path("changes applied, each revision", KEYS, || {
        for chunk in &chunks {
            black_box(copy.apply_changes(chunk)).expect("they follow one another");
        }
    });
    assert_eq!(copy.revision(), store.revision());
}
