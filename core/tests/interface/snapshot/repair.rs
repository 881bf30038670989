//! What repair is promised to be: everything that it saves was so, and what it lacks is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::snapshots::{Portrait, chunks_since, happen};
use crate::common::{PLENTY, Rng};
use revwatch::page::fault::Random;
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    ErrorCode, Event, EventKind, KeyRange, KeyValue, Options, RangeRequest, RepairReport, Store,
};

const PAGE_SIZE: usize = 512;

fn options(store_id: u8) -> Options {
    Options {
        store_id: [store_id; 16],
        ..Options::default()
    }
}

fn repair(image: &[u8]) -> revwatch::Result<(Store, RepairReport)> {
    let damaged = MemoryPages::from_bytes(PAGE_SIZE, image).unwrap();
    let outcome = Store::repair(&damaged, MemoryPages::new(1024), options(2));
    assert_eq!(damaged.to_bytes(), image, "the damaged image is only read");
    outcome
}

/// A store and all that was ever true of it.
struct Lived {
    image: Vec<u8>,
    store: Store,
    kvs: BTreeSet<Vec<u8>>,
    deletes: BTreeSet<(Vec<u8>, i64)>,
    /// The revisions at which each key was changed.
    changed: BTreeMap<Vec<u8>, Vec<i64>>,
}

fn bytes_of(kv: &KeyValue) -> Vec<u8> {
    format!("{kv:?}").into_bytes()
}

impl Lived {
    fn new(seed: u64, steps: u64) -> Self {
        let mut rng = Rng::new(seed);
        let pages = MemoryPages::new(PAGE_SIZE);
        let mut store = Store::open(pages.clone(), options(1)).unwrap();
        let mut now_ms = 0;
        let (mut kvs, mut deletes) = (BTreeSet::new(), BTreeSet::new());
        let mut changed: BTreeMap<Vec<u8>, Vec<i64>> = BTreeMap::new();
        store.step(0, 0).unwrap();
        for _ in 0..steps {
            let before = store.revision();
            happen(&mut store, &mut rng, &mut now_ms);
            if rng.below(50) == 0 {
                drop(store);
                store = Store::open(pages.clone(), options(1)).unwrap();
                store.step(now_ms, 0).unwrap();
            }
            for event in history(&store, before + 1) {
                let revisions = changed.entry(event.kv.key.clone()).or_default();
                revisions.push(event.kv.mod_revision);
                match event.kind {
                    EventKind::Put => drop(kvs.insert(bytes_of(&event.kv))),
                    EventKind::Delete => {
                        deletes.insert((event.kv.key.clone(), event.kv.mod_revision));
                    }
                }
            }
        }
        if rng.below(2) == 0 {
            store.close().unwrap();
        }
        Self {
            image: pages.to_bytes(),
            store,
            kvs,
            deletes,
            changed,
        }
    }

    fn was(&self, event: &Event) -> bool {
        match event.kind {
            EventKind::Put => self.kvs.contains(&bytes_of(&event.kv)),
            EventKind::Delete => {
                let delete = (event.kv.key.clone(), event.kv.mod_revision);
                self.deletes.contains(&delete)
            }
        }
    }

    /// Whether a key was changed in what is said to be lost, at `revision` or before.
    fn is_excused(&self, report: &RepairReport, key: &[u8], revision: i64) -> bool {
        let is_named = |keys: &[Vec<u8>]| keys.iter().any(|named| named == key);
        let in_lost = |at: i64| {
            at <= revision
                && report
                    .lost_between
                    .iter()
                    .any(|&(after, before)| after < at && at < before)
        };
        is_named(&report.uncertain_keys)
            || is_named(&report.affected_keys)
            || self.changed[key].iter().any(|&at| in_lost(at))
    }

    fn judge(&self, saved: &Store, report: &RepairReport, what: &str) {
        saved.check().unwrap();
        assert!(saved.revision() <= self.store.revision(), "{what}");
        let first = report.compact_revision.max(1);
        for event in history(saved, first) {
            assert!(self.was(&event), "{what}: {event:?} never was");
        }
        for revision in [
            first,
            i64::midpoint(first, saved.revision()),
            saved.revision(),
        ] {
            let now = state(saved, revision);
            for kv in now.values() {
                assert!(self.kvs.contains(&bytes_of(kv)), "{what}: {kv:?} never was");
            }
            if revision < self.store.status().compact_revision {
                continue;
            }
            let then = state(&self.store, revision);
            let keys: BTreeSet<&Vec<u8>> = now.keys().chain(then.keys()).collect();
            for key in keys {
                if now.get(key) != then.get(key) {
                    let excused = self.is_excused(report, key, revision);
                    assert!(excused, "{what}: {key:?} at {revision}: {report:?}");
                }
            }
        }
    }
}

fn history(store: &Store, first: i64) -> Vec<Event> {
    if first > store.revision() {
        return Vec::new();
    }
    store.history(&KeyRange::All, first, PLENTY).unwrap().events
}

fn state(store: &Store, revision: i64) -> BTreeMap<Vec<u8>, KeyValue> {
    let request = RangeRequest {
        revision,
        ..RangeRequest::new(KeyRange::All)
    };
    let kvs = store.range(&request).unwrap().kvs;
    kvs.into_iter().map(|kv| (kv.key.clone(), kv)).collect()
}

#[test]
fn a_store_without_damage_is_saved_as_it_is() {
    for seed in 0..30 {
        let lived = Lived::new(seed, 150);
        let (saved, report) = repair(&lived.image).unwrap();
        assert!(
            report.is_whole() && report.uncertain_leases.is_empty(),
            "{report:?}"
        );
        assert_eq!(saved.revision(), lived.store.revision());
        assert_eq!(
            saved.hash_kv(0).unwrap().hash,
            lived.store.hash_kv(0).unwrap().hash
        );
        assert_eq!(saved.leases(), lived.store.leases());
        assert_eq!(saved.cursors().len(), lived.store.cursors().len());
    }
}

#[test]
fn everything_that_is_saved_was_so_and_what_is_lacking_is_named() {
    let (mut lost_middles, mut openable) = (0, 0);
    for seed in 0..150 {
        let lived = Lived::new(seed % 25, 200);
        let mut rng = Random::new(seed);
        let mut image = lived.image.clone();
        let pages = image.len() / PAGE_SIZE;
        for _ in 0..=rng.below(3) {
            let page = 2 + rng.below(pages - 2);
            let page = &mut image[page * PAGE_SIZE..][..PAGE_SIZE];
            match rng.below(4) {
                0 => page.fill(0),
                1 => rng.fill(page),
                2 => page[rng.below(PAGE_SIZE)] ^= 1 << rng.below(8),
                _ => {
                    let half = rng.below(PAGE_SIZE);
                    page[half..].fill(0xa5);
                }
            }
        }
        let opened = Store::open(
            MemoryPages::from_bytes(PAGE_SIZE, &image).unwrap(),
            options(1),
        );
        openable += u32::from(opened.is_ok());
        let (saved, report) = repair(&image).unwrap();
        lived.judge(&saved, &report, &format!("seed {seed}"));
        lost_middles += u32::from(!report.lost_between.is_empty());
        // What was saved is a store like any other.
        let mut saved = saved;
        let chunks = chunks_since(&mut saved, 0, 2_000);
        let copy = Store::restore(MemoryPages::new(512), options(3), &chunks).unwrap();
        assert_eq!(Portrait::of(&copy), Portrait::of(&saved));
    }
    assert!(
        lost_middles > 30 && openable > 5,
        "{lost_middles} {openable}"
    );
}

#[test]
fn an_older_page_in_the_place_of_a_newer_one_makes_up_nothing() {
    let (mut lost_middles, mut lost_ends) = (0, 0);
    for seed in 0..100 {
        let lived = Lived::new(500 + seed % 12, 200);
        let mut rng = Random::new(seed);
        let mut image = lived.image.clone();
        let pages = image.len() / PAGE_SIZE;
        // Many pages go, so that older ones answer for their positions.
        for page in 2..pages {
            if rng.percent(25) {
                image[page * PAGE_SIZE..][..PAGE_SIZE].fill(0);
            }
        }
        let (saved, report) = repair(&image).unwrap();
        lived.judge(&saved, &report, &format!("seed {seed}"));
        lost_middles += u32::from(!report.lost_between.is_empty());
        lost_ends += u32::from(report.lost_the_newest);
    }
    assert!(
        lost_middles > 30 && lost_ends > 0,
        "{lost_middles} {lost_ends}"
    );
}

#[test]
fn a_checkpoint_is_no_damage_and_damage_to_it_takes_nothing() {
    let pages = MemoryPages::new(PAGE_SIZE);
    let mut store = Store::open(pages.clone(), options(1)).unwrap();
    for i in 0..200_u8 {
        store.put(&[i], &[i; 40]).unwrap();
    }
    store.close().unwrap();
    let image = pages.to_bytes();
    let of_kind = |page: &[u8], kind: &[u8]| page[8..16] == [0; 8] && &page[16..20] == kind;
    let slots = || image.chunks(PAGE_SIZE).enumerate();
    let root = slots().position(|(_, page)| of_kind(page, b"root"));
    let body: Vec<usize> = slots()
        .filter(|(_, page)| of_kind(page, b"bod2"))
        .map(|(slot, _)| slot)
        .collect();
    assert!(root == Some(2) && body.len() > 2);

    let (saved, report) = repair(&image).unwrap();
    assert!(report.is_whole() && report.damaged_pages.is_empty());
    assert_eq!(
        report.valid_pages as usize + 2 + 1 + body.len(),
        slots()
            .filter(|(_, page)| page.iter().any(|&byte| byte != 0))
            .count()
    );
    let mut damaged = image.clone();
    for slot in [2, body[1]] {
        damaged[slot * PAGE_SIZE + 100] ^= 1;
    }
    let (again, report) = repair(&damaged).unwrap();
    assert!(report.is_whole());
    assert_eq!(report.damaged_pages, [2, body[1] as u32]);
    assert_eq!(Portrait::of(&again), Portrait::of(&saved));
    assert_eq!(Portrait::of(&again), Portrait::of(&store));
}

#[test]
fn one_copy_of_the_header_is_enough_and_without_any_nothing_is_saved() {
    let lived = Lived::new(3, 60);
    let mut image = lived.image.clone();
    image[..PAGE_SIZE].fill(7);
    let (saved, report) = repair(&image).unwrap();
    assert_eq!(
        (saved.revision(), &report.damaged_pages[..]),
        (lived.store.revision(), &[0][..])
    );
    image[PAGE_SIZE..2 * PAGE_SIZE].fill(7);
    assert_eq!(repair(&image).err().unwrap().code(), ErrorCode::NotAStore);
}

#[test]
fn no_bytes_make_repair_panic() {
    let mut saved = 0;
    for seed in 0..400 {
        let lived = Lived::new(seed % 5, 40);
        let mut rng = Random::new(seed);
        let mut image = lived.image.clone();
        for _ in 0..rng.below(200) {
            let at = rng.below(image.len());
            image[at] = rng.below(256) as u8;
        }
        image[..PAGE_SIZE].copy_from_slice(&lived.image[..PAGE_SIZE]);
        saved += u32::from(repair(&image).is_ok());
    }
    assert!(saved > 100);
}

#[test]
fn repair_goes_to_a_new_place_only() {
    let lived = Lived::new(1, 40);
    let damaged = MemoryPages::from_bytes(PAGE_SIZE, &lived.image).unwrap();
    let there = MemoryPages::new(512);
    drop(Store::open(there.clone(), options(4)).unwrap());
    let error = Store::repair(&damaged, there, options(2)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::StoreExists);
    assert!(damaged.len().unwrap() > 2);
}
