//! What checkpoints promise: a store that was closed opens by them, to the same state, and one that
//! is damaged, old or another store's is never believed.

use revwatch::page::fault::{FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Error, KeyRange, KeyValue, Op, Options, PutRequest, RangeRequest, Store,
    TxnRequest,
};

const PAGE_SIZE: usize = 512;
const PLENTY: usize = usize::MAX;

fn open(pages: &FaultPages) -> Store<FaultPages> {
    Store::open(pages.clone(), Options::default()).unwrap()
}

/// How many pages an opening reads.
fn reads_to_open(pages: &FaultPages) -> u64 {
    let before = pages.counts().reads;
    drop(open(pages));
    pages.counts().reads - before
}

/// The same store, opened by its pages alone.
fn without_checkpoint(pages: &FaultPages) -> FaultPages {
    let pages = pages.fork();
    if pages.len().unwrap() > 2 {
        pages.write(2, &[0; PAGE_SIZE]).unwrap();
    }
    pages
}

/// All that a store can be asked for.
#[derive(Debug, PartialEq)]
struct Picture {
    keys: Vec<KeyValue>,
    history: Vec<revwatch::Event>,
    hash: u32,
    compact_revision: i64,
    revision: i64,
    epoch: i64,
    live: u64,
    leases: Vec<(i64, i64, i64, Vec<Vec<u8>>)>,
    past: Vec<Vec<KeyValue>>,
}

fn picture(store: &Store<FaultPages>) -> Picture {
    let status = store.status();
    let at = |revision| {
        let request = RangeRequest {
            revision,
            ..RangeRequest::new(KeyRange::All)
        };
        store.range(&request).unwrap().kvs
    };
    let lease = |id| {
        let lease = store.lease_time_to_live(id, true);
        (id, lease.granted_ttl_ms, lease.ttl_ms, lease.keys)
    };
    store.check().unwrap();
    Picture {
        keys: at(0),
        history: store.history(&KeyRange::All, 0, PLENTY).unwrap().events,
        hash: store.hash_kv(0).unwrap().hash,
        compact_revision: status.compact_revision,
        revision: status.revision,
        epoch: status.epoch,
        live: status.keys,
        leases: store.leases().into_iter().map(lease).collect(),
        past: (status.compact_revision.max(1)..=status.revision)
            .map(at)
            .collect(),
    }
}

/// Does a bit of everything.
fn work(store: &mut Store<FaultPages>, random: &mut Random, steps: usize) {
    for _ in 0..steps {
        let key = format!("key/{:03}", random.below(60)).into_bytes();
        let value = vec![b'v'; random.below(200)];
        match random.below(20) {
            0..12 => drop(store.put(&key, &value).unwrap()),
            12..14 => drop(
                store
                    .delete_range(&DeleteRangeRequest::new(KeyRange::one(&key)))
                    .unwrap(),
            ),
            14 => {
                let success =
                    (0..5).map(|n| Op::Put(PutRequest::new(format!("t/{n}").as_bytes(), &value)));
                let success = success.collect();
                store
                    .txn(&TxnRequest {
                        success,
                        ..TxnRequest::default()
                    })
                    .unwrap();
            }
            15 => {
                let id = 1 + random.below(5) as i64;
                if !store.leases().contains(&id) {
                    store.lease_grant(id, 60_000).unwrap();
                }
                store
                    .put_with(&PutRequest {
                        lease: id,
                        ..PutRequest::new(&key, b"leased")
                    })
                    .unwrap();
            }
            16 => {
                if let Some(&id) = store.leases().first() {
                    store.lease_revoke(id).unwrap();
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_store_opens_by_its_checkpoint_to_what_its_log_says() {
    for seed in 0..12 {
        let mut random = Random::new(seed);
        let pages = FaultPages::new(PAGE_SIZE, seed);
        let mut store = open(&pages);
        let mut now_ms = 0;
        let mut opened_by_checkpoint = 0;
        for session in 0..12 {
            let steps = [0, 3, 300][random.below(3)];
            work(&mut store, &mut random, steps);
            if random.percent(30) {
                let revision = store.revision();
                let _ = store.compact(revision - random.below(20) as i64);
                for _ in 0..random.below(60) {
                    now_ms += 10;
                    store.step(now_ms, 4096).unwrap();
                }
            }
            let before = picture(&store);
            store.close().unwrap();
            let scanned = open(&without_checkpoint(&pages));
            let opened = open(&pages);
            assert_eq!(
                picture(&opened),
                picture(&scanned),
                "seed {seed}, session {session}"
            );
            assert_eq!(picture(&opened).history, before.history);
            let all = u64::from(pages.len().unwrap());
            opened_by_checkpoint += u64::from(reads_to_open(&pages) < all);
            store = opened;
        }
        assert!(
            opened_by_checkpoint > 3,
            "seed {seed}: {opened_by_checkpoint}"
        );
    }
}

#[test]
fn opening_after_a_clean_close_costs_by_keys_and_not_by_history() {
    let reads_with = |changes: usize| {
        let pages = FaultPages::new(PAGE_SIZE, 1);
        let mut store = open(&pages);
        for change in 0..changes {
            let key = format!("{:02}", change % 20);
            store.put(key.as_bytes(), &[7; 100]).unwrap();
        }
        store.compact(store.revision() - 10).unwrap();
        store.close().unwrap();
        (
            reads_to_open(&pages),
            reads_to_open(&without_checkpoint(&pages)),
        )
    };
    let (few, few_scanned) = reads_with(500);
    let (many, many_scanned) = reads_with(5_000);
    assert!(
        many_scanned > 6 * few_scanned,
        "{few_scanned} {many_scanned}"
    );
    assert!(many * 5 < many_scanned, "{many} of {many_scanned}");
    assert!(few * 5 < few_scanned, "{few} of {few_scanned}");
}

#[test]
fn a_checkpoint_takes_a_quarter_of_the_log_at_most_and_a_store_little_more_than_both() {
    // A short key and the numbers of an entry, at most.
    const BESIDE_THE_VALUE: u64 = 16 + 13;
    let (mut with, mut without) = (0, 0);
    for (keys, value_bytes) in [(30_000, 20), (30_000, 60), (10_000, 200), (1_000, 20)] {
        let pages = FaultPages::new(4096, 1);
        let mut store = open(&pages);
        let mut entries = 0;
        for n in 0..30_000 {
            let key = format!("{:016}", n * 7_919 % keys);
            store.put(key.as_bytes(), &vec![7; value_bytes]).unwrap();
            entries += BESIDE_THE_VALUE + value_bytes as u64;
        }
        store.close().unwrap();
        let length = u64::from(pages.len().unwrap());
        let body = (3..length as u32).filter(|&slot| {
            let mut page = [0; 4096];
            pages.read(slot, &mut page).unwrap();
            page[8..20] == *b"\0\0\0\0\0\0\0\0bod2"
        });
        let (log, body) = (entries.div_ceil(4000), body.count() as u64);
        assert!(4 * body <= log, "{keys} keys: {body} pages beside {log}");
        assert!(
            length <= (log + body) * 33 / 32 + 40,
            "{keys} keys: {length} pages for {log} and {body}"
        );
        with += u64::from(body > 0);
        without += u64::from(body == 0);
    }
    assert!(with > 1 && without > 0, "{with} with, {without} without");
}

#[test]
fn a_small_session_pays_neither_for_the_whole_index_nor_with_a_scan() {
    let pages = FaultPages::new(PAGE_SIZE, 1);
    let mut store = open(&pages);
    for n in 0..2_000 {
        store.put(format!("{n:05}").as_bytes(), &[7; 100]).unwrap();
    }
    store.close().unwrap();
    for n in 0..20 {
        let before = pages.counts();
        let mut store = open(&pages);
        store
            .put(format!("small {n}").as_bytes(), b"value")
            .unwrap();
        store.close().unwrap();
        let after = pages.counts();
        // The root and the page that the close left, both again; the put; the close, and its root.
        // A put that fills its page takes one page more, and one sync before it.
        assert!(after.writes - before.writes <= 7, "{before:?} {after:?}");
        assert!(after.syncs - before.syncs <= 3, "{before:?} {after:?}");
        assert!(after.reads - before.reads < u64::from(pages.len().unwrap()) / 2);
    }
    assert_eq!(open(&pages).status().keys, 2_020);
}

#[test]
fn a_reader_opens_by_the_checkpoint_and_follows_the_next_writer() {
    let (pages, _) = store_with_checkpoint([0; 16], 3);
    let options = Options {
        read_only: true,
        ..Options::default()
    };
    let before = pages.counts();
    let mut reader = Store::open(pages.clone(), options).unwrap();
    let after = pages.counts();
    assert!(after.reads - before.reads < u64::from(pages.len().unwrap()));
    assert_eq!((after.writes, after.syncs), (before.writes, before.syncs));
    let mut writer = open(&pages);
    assert_eq!(picture(&reader), picture(&writer));
    for round in 0..30 {
        work(&mut writer, &mut Random::new(round), 5);
        if round % 10 == 9 {
            writer.compact(writer.revision()).unwrap();
        }
        writer.step(round as i64, 4096).unwrap();
        // A page that was moved is noticed some polls late.
        for now_ms in 0..20 {
            reader.step(now_ms, PLENTY).unwrap();
        }
        assert_eq!(reader.revision(), writer.revision(), "round {round}");
        let keys = |store: &Store<FaultPages>| {
            let all = store.range(&RangeRequest::new(KeyRange::All)).unwrap();
            all.kvs
        };
        assert!(keys(&reader) == keys(&writer), "round {round}");
    }
}

#[test]
fn an_opening_in_slices_comes_to_the_same_and_shows_how_far_it_is() {
    let (pages, _) = store_with_checkpoint([0; 16], 4);
    let expected = picture(&open(&pages));
    let scanned = without_checkpoint(&pages);
    let mut opening = Store::begin_open(scanned, Options::default()).unwrap();
    let mut steps = 0;
    let mut done = 0;
    while !opening.step(3 * PAGE_SIZE).unwrap() {
        let progress = opening.progress();
        assert!(
            progress.done >= done && progress.done <= progress.total,
            "{progress:?}"
        );
        done = progress.done;
        steps += 1;
    }
    let progress = opening.progress();
    assert!(progress.done == progress.total && progress.done >= done);
    assert!(steps > 40 && done > 0, "{steps} {done}");
    assert_eq!(picture(&opening.finish().unwrap()), expected);

    let mut opening = Store::begin_open(pages, Options::default()).unwrap();
    assert!(opening.step(1).unwrap(), "a checkpoint takes one step");
    assert_eq!(picture(&opening.finish().unwrap()), expected);
}

#[test]
fn a_check_in_slices_reads_all_while_the_store_is_used_and_finds_the_damaged_page() {
    let (pages, _) = store_with_checkpoint([0; 16], 5);
    let mut store = open(&pages);
    let mut check = store.begin_check();
    let (mut steps, mut done) = (0, 0);
    while !store.check_step(&mut check, 2 * PAGE_SIZE).unwrap() {
        let progress = store.check_progress(&check);
        assert!(progress.done >= done && progress.done <= progress.total);
        done = progress.done;
        steps += 1;
        if steps % 20 == 0 {
            work(&mut store, &mut Random::new(steps), 3);
            store.compact(store.revision()).unwrap();
            store.step(steps as i64, 4096).unwrap();
        }
    }
    assert!(steps > 40, "{steps}");
    let progress = store.check_progress(&check);
    assert_eq!(progress.done, progress.total);

    let (pages, _) = store_with_checkpoint([0; 16], 6);
    let mut found = 0;
    for slot in 3..pages.len().unwrap() {
        let damaged = pages.fork();
        damaged.flip_bit(slot, 5_000);
        let Ok(store) = Store::open(damaged, Options::default()) else {
            continue;
        };
        match store.check() {
            Ok(()) => {}
            Err(Error::Corrupt { page, .. }) => {
                assert_eq!(page, slot);
                found += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(found > 20, "{found}");
}

/// A closed store with a checkpoint, and the slots that this lies in: the root's, and the body's.
fn store_with_checkpoint(store_id: [u8; 16], seed: u64) -> (FaultPages, Vec<u32>) {
    let pages = FaultPages::new(PAGE_SIZE, seed);
    let options = Options {
        store_id,
        ..Options::default()
    };
    let mut store = Store::open(pages.clone(), options).unwrap();
    work(&mut store, &mut Random::new(seed), 200);
    store.compact(store.revision() - 10).unwrap();
    work(&mut store, &mut Random::new(seed + 1), 20);
    store.close().unwrap();
    let is_of_it = |slot: &u32| {
        let mut page = [0; PAGE_SIZE];
        pages.read(*slot, &mut page).unwrap();
        [&b"root"[..], b"bod2"].contains(&&page[16..20]) && page[8..16] == [0; 8]
    };
    let slots: Vec<u32> = (0..pages.len().unwrap()).filter(is_of_it).collect();
    assert!(slots[0] == 2 && slots.len() > 3, "{slots:?}");
    (pages, slots)
}

#[test]
fn a_damaged_checkpoint_is_not_believed() {
    let (pages, slots) = store_with_checkpoint([1; 16], 1);
    let expected = picture(&open(&pages));
    let mut random = Random::new(2);
    for slot in slots {
        for _ in 0..20 {
            let damaged = pages.fork();
            damaged.flip_bit(slot, random.below(8 * PAGE_SIZE));
            let reads = reads_to_open(&damaged.fork());
            assert!(reads >= u64::from(pages.len().unwrap()), "slot {slot}");
            assert_eq!(picture(&open(&damaged)), expected);
        }
    }
}

#[test]
fn a_checkpoint_of_another_store_or_another_time_is_not_believed() {
    let (pages, slots) = store_with_checkpoint([1; 16], 1);
    let (other, _) = store_with_checkpoint([2; 16], 1);
    let take_from = |from: &FaultPages, slots: &[u32]| {
        let mut page = [0; PAGE_SIZE];
        for &slot in slots {
            from.read(slot, &mut page).unwrap();
            pages.write(slot, &page).unwrap();
        }
    };
    let mut expected = picture(&open(&pages));
    take_from(&other, &slots);
    assert_eq!(picture(&open(&pages)), expected);
    // Its own, from before each of a few sessions.
    for session in 0..20 {
        let before = pages.fork();
        let mut store = open(&pages);
        work(
            &mut store,
            &mut Random::new(session),
            1 + session as usize % 7,
        );
        if session % 3 > 0 {
            store.close().unwrap();
        }
        drop(store);
        expected = picture(&open(&pages.fork()));
        let stale = pages.fork();
        take_from(&before, &[2]);
        assert_eq!(picture(&open(&pages)), expected, "session {session}");
        // As it was, but for the root.
        assert!(stale.len().unwrap() >= before.len().unwrap());
    }
}

/// Seals a page of a checkpoint of the store [1; 16] again.
fn seal(page: &mut [u8], slot: u32) -> u64 {
    use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};
    let mut seed = [1; 20];
    seed[16..].copy_from_slice(&slot.to_le_bytes());
    let checksum = xxh3_64_with_seed(&page[8..], xxh3_64(&seed));
    page[..8].copy_from_slice(&checksum.to_le_bytes());
    checksum
}

#[test]
fn whatever_a_checkpoint_says_opening_and_using_the_store_is_safe() {
    let (pages, slots) = store_with_checkpoint([1; 16], 1);
    let original = pages.to_bytes();
    let at = |slot: u32| slot as usize * PAGE_SIZE;
    let mut believed = 0;
    for seed in 0..3_000 {
        let mut random = Random::new(seed);
        let mut image = original.clone();
        for _ in 0..=random.below(3) {
            // Mostly small numbers, as all fields and most numbers of the body are.
            let slot = slots[random.below(slots.len())];
            let byte = at(slot) + 20 + random.below(if slot == 2 { 70 } else { PAGE_SIZE - 20 });
            image[byte] = [random.below(256), random.below(4), 0x7f][random.below(3)] as u8;
        }
        let mut digest = 0;
        let mut slot = u32::from_le_bytes(image[at(2) + 72..][..4].try_into().unwrap());
        while slots[1..].contains(&slot) && random.percent(99) {
            let page = &mut image[at(slot)..][..PAGE_SIZE];
            let checksum = seal(page, slot);
            digest = xxhash_rust::xxh3::xxh3_64_with_seed(&checksum.to_le_bytes(), digest);
            slot = u32::from_le_bytes(page[28..32].try_into().unwrap());
        }
        image[at(2) + 64..][..8].copy_from_slice(&digest.to_le_bytes());
        seal(&mut image[at(2)..][..PAGE_SIZE], 2);
        for read_only in [true, false] {
            let pages = MemoryPages::from_bytes(PAGE_SIZE, &image).unwrap();
            let options = Options {
                read_only,
                ..Options::default()
            };
            let Ok(mut store) = Store::open(pages, options) else {
                continue;
            };
            believed += 1;
            let _ = store.check();
            let _ = store.history(&KeyRange::All, 0, PLENTY);
            let _ = store.hash_kv(0);
            let _ = store.range(&RangeRequest::new(KeyRange::All));
            for _ in 0..5 {
                let _ = store.put(b"key/001", &[7; 300]);
                let _ = store.delete_range(&DeleteRangeRequest::new(KeyRange::prefix(b"t/")));
            }
            let _ = store.compact(store.revision());
            for now_ms in 0..5 {
                let _ = store.step(now_ms, 4096);
            }
            let _ = store.close();
        }
    }
    assert!(believed > 1_000, "{believed}");
}
