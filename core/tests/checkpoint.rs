//! What checkpoints promise: a store that was closed opens by them, to the same state, and one that
//! is damaged, old or another store's is never believed.

use revwatch::page::PageStore;
use revwatch::page::fault::{FaultPages, Random};
use revwatch::{
    DeleteRangeRequest, KeyRange, KeyValue, Op, Options, PutRequest, RangeRequest, Store,
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
    for seed in 0..30 {
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
        many_scanned > 7 * few_scanned,
        "{few_scanned} {many_scanned}"
    );
    assert!(many * 5 < many_scanned, "{many} of {many_scanned}");
    assert!(few * 5 < few_scanned, "{few} of {few_scanned}");
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
