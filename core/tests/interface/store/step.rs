//! A step reads and writes within a bound that its budget sets, whatever there is to reclaim.

use std::cell::Cell;
use std::rc::Rc;

use crate::common::Rng;
use revwatch::page::{MemoryPages, PageError, PageStore};
use revwatch::{DeleteRangeRequest, Durability, KeyRange, Options, Store};

const PAGE_SIZE: usize = 4096;

/// Bytes and syncs that a page store was asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    read: usize,
    written: usize,
    syncs: usize,
}

/// Pages that can be had as copies only, as those of a file, and are counted.
struct Counted {
    pages: MemoryPages,
    cost: Rc<Cell<Cost>>,
}

impl Counted {
    fn count(&self, change: impl FnOnce(&mut Cost)) {
        let mut cost = self.cost.get();
        change(&mut cost);
        self.cost.set(cost);
    }
}

impl PageStore for Counted {
    fn page_size(&self) -> usize {
        self.pages.page_size()
    }
    fn len(&self) -> Result<u32, PageError> {
        self.pages.len()
    }
    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.pages.set_len(len)
    }
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        self.count(|cost| cost.read += buffer.len());
        self.pages.read(page, buffer)
    }
    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.count(|cost| cost.written += bytes.len());
        self.pages.write(page, bytes)
    }
    fn sync(&self) -> Result<(), PageError> {
        self.count(|cost| cost.syncs += 1);
        self.pages.sync()
    }
}

/// A store with so many revisions of so many keys, in entries of up to `longest` bytes.
fn store_with_history(
    revisions: u32,
    keys: u64,
    longest: usize,
    durability: Durability,
    cost: &Rc<Cell<Cost>>,
) -> Store<Counted> {
    let pages = Counted {
        pages: MemoryPages::new(PAGE_SIZE),
        cost: Rc::clone(cost),
    };
    let options = Options {
        durability,
        // Too small to spare the sweep any reading.
        cache_bytes: 4 * PAGE_SIZE,
        ..Options::default()
    };
    let mut store = Store::open(pages, options).unwrap();
    let mut rng = Rng::new(5);
    for round in 0..revisions {
        let key = (rng.below(keys) as u32).to_be_bytes();
        if rng.below(10) == 0 {
            let range = KeyRange::one(&key);
            store.delete_range(&DeleteRangeRequest::new(range)).unwrap();
        } else {
            // Less than the longest entry by what an entry takes besides its value.
            let value = vec![round as u8; rng.below(longest as u64 - 32) as usize];
            store.put(&key, &value).unwrap();
        }
    }
    store.flush().unwrap();
    cost.set(Cost::default());
    store
}

/// Compacts at the newest revision and holds every step to its bound. Answers how many steps there
/// were, and whether the store had to grow.
fn compact(
    store: &mut Store<Counted>,
    budget: usize,
    longest: usize,
    cost: &Cell<Cost>,
) -> (usize, bool) {
    let allocated = store.status().size_allocated;
    store.compact(store.revision()).unwrap();
    assert!(
        cost.get().read + cost.get().written <= PAGE_SIZE,
        "{cost:?}"
    );
    let (mut steps, mut grew) = (0, false);
    while store.status().compacting {
        cost.set(Cost::default());
        store.step(0, budget).unwrap();
        let Cost {
            read,
            written,
            syncs,
        } = cost.get();
        assert!(
            read <= 3 * (budget + longest) + 24 * PAGE_SIZE,
            "{budget}: {cost:?}"
        );
        assert!(
            written <= budget + longest + 14 * PAGE_SIZE,
            "{budget}: {cost:?}"
        );
        assert!(syncs <= 5, "{budget}: {cost:?}");
        steps += 1;
        grew |= store.status().size_allocated > allocated;
    }
    store.check().unwrap();
    (steps, grew)
}

#[test]
fn no_step_of_a_compaction_reads_or_writes_beyond_its_bound() {
    let cost = Rc::new(Cell::new(Cost::default()));
    for budget in [1, PAGE_SIZE, 64 * 1024, 512 * 1024] {
        for (revisions, longest) in [(30_000, 200), (3_000, 20_000)] {
            let mut store = store_with_history(revisions, 2_000, longest, Durability::ETCD, &cost);
            let size = store.status().size_in_use as usize;
            let (steps, _) = compact(&mut store, budget, longest, &cost);
            assert!(
                steps > size / (3 * (budget + longest) + 24 * PAGE_SIZE),
                "in slices"
            );
        }
    }
}

#[test]
fn a_step_that_has_to_make_the_store_grow_keeps_to_its_bound_too() {
    let cost = Rc::new(Cell::new(Cost::default()));
    // A fifth is dead, so that the slots of what is gathered are not free before new ones are needed.
    let mut store = store_with_history(30_000, 60_000, 200, Durability::Commit, &cost);
    let free = |store: &Store<Counted>| store.status().size_allocated - store.status().size_in_use;
    let mut added = 0_u32;
    while free(&store) > 16 * PAGE_SIZE as u64 {
        store.put(&added.to_le_bytes(), &[0; 100]).unwrap();
        added += 1;
    }
    cost.set(Cost::default());
    let (_, grew) = compact(&mut store, 128 * 1024, 200, &cost);
    assert!(grew);
}
