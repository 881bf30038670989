//! What a store takes under steady overwriting: how long it gets, how much it writes, how often it syncs.
//! All of it is counted by the page store, so that it is the same wherever this runs.

#![expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]

use crate::common::Rng;
use revwatch::page::PageStore;
use revwatch::page::fault::{FaultPages, OperationCounts};
use revwatch::{Durability, Options, Retention, Store};

const PAGE_SIZE: usize = 4096;
/// What a put of a few million revisions takes in the log besides its key and value.
const FRAME_BYTES: u64 = 12;
/// The header, the root of checkpoints, what a store keeps back, and slots that wait for a mark.
const A_FEW_PAGES: u64 = 40;
/// The work that a host gives each step: enough for a sweep that reads and writes all for the eighth of
/// it that is dead.
const BUDGET_PER_BYTE: usize = 2 * 8;
const LEAST_BUDGET: usize = 64 * 1024;

/// Keys that are overwritten in no order, and what of it is kept.
#[derive(Clone, Copy, Debug)]
struct Workload {
    value_bytes: usize,
    keys: usize,
    kept_revisions: i64,
    puts_per_step: usize,
    durability: Durability,
}

/// What came of it.
#[derive(Debug)]
struct Taken {
    /// The most bytes that the store had, less a few pages, for each byte of the records that it kept.
    space: f64,
    /// Bytes written for each byte of keys and values, and syncs for each change.
    written: f64,
    syncs: f64,
}

struct Overwriting {
    workload: Workload,
    store: Store<FaultPages>,
    pages: FaultPages,
    /// How often each key was put.
    rounds: Vec<u8>,
    rng: Rng,
    now_ms: i64,
}

impl Overwriting {
    fn begin(workload: Workload) -> Self {
        let pages = FaultPages::new(PAGE_SIZE, 1).gaining_zeros();
        let options = Options {
            durability: workload.durability,
            retention: Retention {
                revisions: workload.kept_revisions,
                ..Retention::default()
            },
            ..Options::default()
        };
        let store = Store::open(pages.clone(), options).unwrap();
        let mut overwriting = Self {
            workload,
            store,
            pages,
            rounds: vec![0; workload.keys],
            rng: Rng::new(3),
            now_ms: 0,
        };
        for key in 0..workload.keys {
            overwriting.put(key);
        }
        overwriting
    }

    fn put(&mut self, key: usize) {
        self.rounds[key] = self.rounds[key].wrapping_add(1);
        let value = vec![self.rounds[key]; self.workload.value_bytes];
        self.store.put(&Self::key(key), &value).unwrap();
    }

    fn key(key: usize) -> [u8; 8] {
        (key as u64).to_be_bytes()
    }

    fn overwrite(&mut self, puts: usize) {
        for number in 0..puts {
            let key = self.rng.below(self.workload.keys as u64) as usize;
            self.put(key);
            if number % self.workload.puts_per_step == 0 {
                self.now_ms += 1;
                let written = self.workload.puts_per_step as u64 * self.put_bytes();
                let budget = LEAST_BUDGET.max(BUDGET_PER_BYTE * written as usize);
                self.store.step(self.now_ms, budget).unwrap();
            }
        }
    }

    fn put_bytes(&self) -> u64 {
        (Self::key(0).len() + self.workload.value_bytes) as u64
    }

    /// Bytes of all records that can still be asked for: what each key was at the compact revision, and
    /// all changes since.
    fn kept_bytes(&self) -> u64 {
        let status = self.store.status();
        let compacted = status.compact_revision.max(1);
        let keys = (compacted - 1).min(self.workload.keys as i64);
        let kept = keys + status.revision - compacted;
        kept as u64 * (self.put_bytes() + FRAME_BYTES)
    }

    fn space(&self) -> f64 {
        let allocated = u64::from(self.pages.len().unwrap());
        let bytes = allocated.saturating_sub(A_FEW_PAGES) * PAGE_SIZE as u64;
        bytes as f64 / self.kept_bytes() as f64
    }
}

fn measure(workload: Workload) -> Taken {
    let mut overwriting = Overwriting::begin(workload);
    let changes = workload.keys + workload.kept_revisions as usize;
    overwriting.overwrite(3 * changes);
    let before = overwriting.pages.counts();
    let mut space: f64 = 0.0;
    let rounds = 30;
    let puts = changes / 10;
    for _ in 0..rounds {
        overwriting.overwrite(puts);
        space = space.max(overwriting.space());
    }
    let OperationCounts { writes, syncs, .. } = overwriting.pages.counts();
    let done = (rounds * puts) as f64;
    let written = (writes - before.writes) as f64 * PAGE_SIZE as f64;
    assert_eq!(overwriting.store.status().keys, workload.keys as u64);
    overwriting.store.check().unwrap();
    Taken {
        space,
        written: written / (done * overwriting.put_bytes() as f64),
        syncs: (syncs - before.syncs) as f64 / done,
    }
}

#[test]
fn a_store_that_is_overwritten_stays_within_half_more_than_its_kept_records() {
    let mut exceeded = Vec::new();
    println!("value  keys  kept step durability          space written syncs");
    for (value_bytes, keys, kept_revisions) in [
        (100, 10_000, 10_000),
        (100, 2_000, 20_000),
        (100, 20_000, 1_000),
        (1_000, 1_500, 500),
        (4_000, 400, 400),
        (40_000, 40, 40),
        (40_000, 80, 5),
    ] {
        // What is written between two steps comes on top.
        let at_once = if value_bytes > PAGE_SIZE { 1 } else { 5 };
        for (durability, puts_per_step) in [
            (Durability::Commit, 1),
            (Durability::ETCD, 1),
            (Durability::Never, at_once),
        ] {
            let workload = Workload {
                value_bytes,
                keys,
                kept_revisions,
                puts_per_step,
                durability,
            };
            let taken = measure(workload);
            println!(
                "{value_bytes:5} {keys:5} {kept_revisions:5} {puts_per_step:4} {:18.18} {:6.2} {:6.2} {:6.3}",
                format!("{durability:?}"),
                taken.space,
                taken.written,
                taken.syncs
            );
            if taken.space > 1.5 {
                exceeded.push(workload);
            }
        }
    }
    assert!(exceeded.is_empty(), "{exceeded:#?}");
}
