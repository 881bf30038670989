//! Opening a store with a long history: by its checkpoint, and by all its pages.

use std::fs;
use std::path::Path;
use std::time::Instant;

use revwatch::page::{FileOptions, FilePages, PageStore};
use revwatch::{Durability, Options, Store};

use crate::data::Values;
use crate::measure::{Run, Work};

const REVISIONS: u32 = 1_000_000;
/// Where the root of a checkpoint lies: without it, all pages are read.
const ROOT_SLOT: u32 = 2;

/// Opens stores of 1,000,000 revisions over few keys and over many.
pub(crate) fn opens(run: &Run, folder: &Path) {
    for keys in [10_000, 100_000] {
        let path = folder.join(format!("revwatch-open-{}.db", std::process::id()));
        fill(&path, keys);
        open(run, &path, &format!("open, {keys} keys"));
        let pages = pages(&path);
        let blank = vec![0; pages.page_size()];
        pages.write(ROOT_SLOT, &blank).expect("the root is there");
        drop(pages);
        open(run, &path, &format!("open without checkpoint, {keys} keys"));
        fs::remove_file(&path).expect("the store was there");
    }
}

fn pages(path: &Path) -> FilePages {
    FilePages::open(path, &FileOptions::default()).expect("the folder can be written to")
}

fn fill(path: &Path, keys: u32) {
    let options = Options {
        durability: Durability::Never,
        ..Options::default()
    };
    let values = Values::new();
    let mut store = Store::open(pages(path), options).expect("an empty file opens");
    for number in 0..REVISIONS {
        // In another order than that of the keys.
        let key = format!("k{:015}", u64::from(number) * 7_919 % u64::from(keys));
        let value = values.of(number as usize);
        store
            .put(key.as_bytes(), value)
            .expect("there is room for it");
    }
    store.close().expect("there is room for it");
}

fn open(run: &Run, path: &Path, workload: &str) {
    let pages = pages(path);
    let start = Instant::now();
    let store = Store::open(pages, Options::default()).expect("the store was closed");
    let seconds = start.elapsed().as_secs_f64();
    let status = store.status();
    assert_eq!(status.revision, i64::from(REVISIONS) + 1);
    let work = Work {
        count: REVISIONS,
        digest: status.keys,
    };
    run.print(workload, "revisions/s", seconds, work);
}
