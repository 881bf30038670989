//! What the paths work on.

use std::fs;
use std::path::{Path, PathBuf};

use revwatch::page::{FileOptions, FilePages, MemoryPages, PageStore};
use revwatch::{Durability, Options, Store};

use crate::data::{Key, Random, Seed, Values, numbered_keys};

pub(crate) const KEYS: u32 = 10_000;
/// Bytes that a step may work on.
const STEP_BYTES: usize = 1 << 20;

/// Keys, values, and the order in which keys are taken.
pub(crate) struct Data {
    pub(crate) keys: Vec<Key>,
    pub(crate) values: Values,
    pub(crate) order: Vec<u32>,
}

impl Data {
    /// So many keys, each of which comes once.
    pub(crate) fn of(keys: u32) -> Self {
        Self {
            keys: numbered_keys(keys),
            values: Values::new(),
            order: Random::new(Seed::Fill, 0).shuffled(keys),
        }
    }

    /// Every key with a value, in any order that is always the same.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.order
            .iter()
            .enumerate()
            .map(|(i, &pick)| (&self.keys[pick as usize][..], &self.values.of(i)[..]))
    }

    /// The keys in that order.
    pub(crate) fn picked(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.pairs().map(|(key, _)| key)
    }

    /// Puts every key once.
    pub(crate) fn put_into<P: PageStore>(&self, store: &mut Store<P>) {
        for (key, value) in self.pairs() {
            store.put(key, value).expect("a put succeeds");
        }
    }

    /// A store in memory that has every key.
    pub(crate) fn store(&self) -> Store<MemoryPages> {
        let mut store = in_memory();
        self.put_into(&mut store);
        store
    }
}

pub(crate) fn in_memory() -> Store<MemoryPages> {
    Store::in_memory(Options::default())
}

/// Steps at one and the same time until nothing is left to compact.
pub(crate) fn reclaim<P: PageStore>(store: &mut Store<P>) {
    while store.status().compacting {
        store.step(0, STEP_BYTES).expect("a step succeeds");
    }
}

/// A file that goes when this goes.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("revwatch-instructions.db");
        // One that a stopped run left behind.
        let _ = fs::remove_file(&path);
        Self(path)
    }

    pub(crate) fn pages(&self) -> FilePages {
        FilePages::open(&self.0, &FileOptions::default()).expect("the folder can be written to")
    }

    pub(crate) fn store(&self, durability: Durability) -> Store<FilePages> {
        let options = Options {
            durability,
            cache_bytes: 64 << 20,
            ..Options::default()
        };
        Store::open(self.pages(), options).expect("the file opens")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A file that is left behind spoils no figure.
        let _ = fs::remove_file(&self.0);
    }
}
