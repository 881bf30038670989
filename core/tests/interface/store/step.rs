//! A step reads and writes within a bound that its budget sets, whatever there is to reclaim.

use std::cell::Cell;
use std::rc::Rc;

use crate::common::Rng;
use revwatch::page::fault::{Call, Hook, HookedPages};
use revwatch::page::{MemoryPages, PageError};
use revwatch::{DeleteRangeRequest, Durability, KeyRange, Options, Store};

const PAGE_SIZE: usize = 4096;

/// Bytes and syncs that a page store was asked for.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    read: usize,
    written: usize,
    syncs: usize,
}

/// What was asked for since this was looked at.
#[derive(Default)]
struct Meter(Cell<Cost>);

impl Hook for Meter {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        let mut cost = self.0.get();
        match call {
            Call::Read { .. } => cost.read += PAGE_SIZE,
            Call::Write { .. } => cost.written += PAGE_SIZE,
            Call::Sync => cost.syncs += 1,
            Call::SetLen { .. } => {}
        }
        self.0.set(cost);
        Ok(())
    }
}

type Counted = HookedPages<MemoryPages, Rc<Meter>>;

/// A store with so many revisions of so many keys, in entries of up to `longest` bytes.
fn store_with_history(
    revisions: u32,
    keys: u64,
    longest: usize,
    durability: Durability,
    meter: &Rc<Meter>,
) -> Store<Counted> {
    let pages =
        HookedPages::new(MemoryPages::new(PAGE_SIZE), Rc::clone(meter)).promising_no_zeros();
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
    meter.0.take();
    store
}

/// Compacts at the newest revision and holds every step to its bound. Answers how many steps there
/// were, and whether the store had to grow.
fn compact(
    store: &mut Store<Counted>,
    budget: usize,
    longest: usize,
    meter: &Meter,
) -> (usize, bool) {
    let allocated = store.status().size_allocated;
    store.compact(store.revision()).unwrap();
    let cost = meter.0.take();
    assert!(cost.read + cost.written <= PAGE_SIZE, "{cost:?}");
    let (mut steps, mut grew) = (0, false);
    while store.status().compacting {
        store.step(0, budget).unwrap();
        let cost = meter.0.take();
        assert!(
            cost.read <= 3 * (budget + longest) + 24 * PAGE_SIZE,
            "{budget}: {cost:?}"
        );
        assert!(
            cost.written <= budget + longest + 14 * PAGE_SIZE,
            "{budget}: {cost:?}"
        );
        assert!(cost.syncs <= 5, "{budget}: {cost:?}");
        steps += 1;
        grew |= store.status().size_allocated > allocated;
    }
    store.check().unwrap();
    (steps, grew)
}

#[test]
fn no_step_of_a_compaction_reads_or_writes_beyond_its_bound() {
    let meter = Rc::new(Meter::default());
    for budget in [1, PAGE_SIZE, 64 * 1024, 512 * 1024] {
        for (revisions, longest) in [(30_000, 200), (3_000, 20_000)] {
            let mut store = store_with_history(revisions, 2_000, longest, Durability::ETCD, &meter);
            let size = store.status().size_in_use as usize;
            let (steps, _) = compact(&mut store, budget, longest, &meter);
            assert!(
                steps > size / (3 * (budget + longest) + 24 * PAGE_SIZE),
                "in slices"
            );
        }
    }
}

#[test]
fn a_step_that_has_to_make_the_store_grow_keeps_to_its_bound_too() {
    let meter = Rc::new(Meter::default());
    // A fifth is dead, so that the slots of what is gathered are not free before new ones are needed.
    let mut store = store_with_history(30_000, 60_000, 200, Durability::Commit, &meter);
    let free = |store: &Store<Counted>| store.status().size_allocated - store.status().size_in_use;
    let mut added = 0_u32;
    while free(&store) > 16 * PAGE_SIZE as u64 {
        store.put(&added.to_le_bytes(), &[0; 100]).unwrap();
        added += 1;
    }
    meter.0.take();
    let (_, grew) = compact(&mut store, 128 * 1024, 200, &meter);
    assert!(grew);
}
