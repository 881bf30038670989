//! What of durable cursors survives, and what it costs.

use std::collections::BTreeMap;

use crate::common::cursors::{acked, drain, from_start, holding, options, poll, puts};
use crate::common::{PLENTY, Rng};
use revwatch::page::MemoryPages;
use revwatch::page::fault::{FaultPages, Random};
use revwatch::{
    CursorRequest, CursorResponse, DeleteRangeRequest, Durability, KeyRange, Options, RangeRequest,
    Retention, Store,
};

#[test]
fn an_acknowledgement_waits_for_no_sync_and_step_makes_it_durable_soon() {
    for durability in [Durability::Commit, Durability::ETCD] {
        let disk = FaultPages::new(4096, 1);
        let mut store = Store::open(disk.clone(), options(durability)).unwrap();
        store.step(0, 0).unwrap();
        puts(&mut store, 3);
        store.flush().unwrap();
        let cursor = store.cursor(&from_start(b"c")).unwrap();
        drain(&mut store, cursor);
        store.flush().unwrap();
        let before = disk.counts().syncs;
        store.ack_cursor(cursor, 4).unwrap();
        assert_eq!(disk.counts().syncs, before);
        let recovered = |disk: &FaultPages| {
            let disk = disk.crash(&mut Random::new(7));
            acked(&Store::open(disk, options(durability)).unwrap(), b"c")
        };
        assert_eq!(recovered(&disk), 0, "it was not written yet");
        let due = store.step(1, 0).unwrap().next_ms.unwrap();
        assert!(due <= 100, "{durability:?}: due at {due}");
        store.step(due, 0).unwrap();
        assert_eq!(recovered(&disk), 4, "{durability:?}");
    }
}

#[test]
fn an_acknowledgement_rides_with_the_next_change() {
    let disk = FaultPages::new(4096, 1);
    let mut store = Store::open(disk.clone(), options(Durability::Commit)).unwrap();
    puts(&mut store, 3);
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 3).unwrap();
    let before = disk.counts().syncs;
    puts(&mut store, 1);
    assert_eq!(disk.counts().syncs, before + 1);
    let disk = disk.crash(&mut Random::new(3));
    let mut store = Store::open(disk, options(Durability::Commit)).unwrap();
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![4, 5], 5));
}

#[test]
fn a_cursor_is_as_durable_as_a_put() {
    let disk = FaultPages::new(512, 1);
    let mut store = Store::open(disk.clone(), options(Durability::Commit)).unwrap();
    puts(&mut store, 3);
    let after_crash = |disk: &FaultPages| {
        let disk = disk.crash(&mut Random::new(5));
        Store::open(disk, options(Durability::Commit)).unwrap()
    };
    let request = CursorRequest {
        hold: true,
        ..CursorRequest::new(b"c", KeyRange::prefix(b"k"))
    };
    let cursor = store.cursor(&request).unwrap();
    let found = after_crash(&disk).cursors();
    assert_eq!((found.len(), found[0].acked_revision), (1, 4));
    assert!(found[0].hold && !found[0].open);
    assert_eq!(found[0].range.end(), KeyRange::prefix(b"k").end());
    store.seek_cursor(cursor, 2).unwrap();
    assert_eq!(acked(&after_crash(&disk), b"c"), 1);
    store.delete_cursor(b"c").unwrap();
    assert_eq!(after_crash(&disk).cursors(), []);
}

#[test]
fn a_million_acknowledgements_keep_the_store_small() {
    const ACKS: i64 = 1_000_000;
    let pages = MemoryPages::new(4096);
    let retention = Retention {
        revisions: 1_000,
        ms: 0,
    };
    let mut store = Store::open(
        pages.clone(),
        Options {
            retention,
            ..options(Durability::Never)
        },
    )
    .unwrap();
    let cursor = store.cursor(&holding(b"busy")).unwrap();
    let mut most_bytes = 0;
    for now_ms in 0..ACKS {
        puts(&mut store, 1);
        let CursorResponse::Events { revision, .. } = poll(&mut store, cursor) else {
            panic!("every put is told");
        };
        store.ack_cursor(cursor, revision).unwrap();
        if now_ms % 64 == 0 {
            store.step(now_ms, 64 * 1024).unwrap();
            most_bytes = most_bytes.max(store.status().size_in_use);
        }
    }
    assert!(most_bytes < 512 * 1024, "{most_bytes} bytes in use");
    store.flush().unwrap();
    drop(store);
    let store = Store::open(pages, Options::default()).unwrap();
    assert_eq!(acked(&store, b"busy"), ACKS + 1);
}

#[test]
fn the_newest_acknowledgement_outlives_every_sweep() {
    let pages = MemoryPages::new(512);
    let mut store = Store::open(pages.clone(), options(Durability::Never)).unwrap();
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    puts(&mut store, 5);
    drain(&mut store, cursor);
    for revision in 2..=4 {
        store.ack_cursor(cursor, revision).unwrap();
    }
    let swept = CursorRequest::new(b"d", KeyRange::All);
    for round in 0..40 {
        store.cursor(&swept).unwrap();
        store.delete_cursor(b"d").unwrap();
        puts(&mut store, 50);
        store.compact(store.revision()).unwrap();
        while store.step(round, PLENTY).unwrap().next_ms == Some(round) {}
    }
    let bytes = store.status().size_in_use;
    assert!(bytes < 40 * 512, "nothing was swept: {bytes} bytes");
    store.flush().unwrap();
    drop(store);
    let store = Store::open(pages, Options::default()).unwrap();
    assert_eq!((store.cursors().len(), acked(&store, b"c")), (1, 4));
}

#[test]
fn acknowledgements_alone_do_not_grow_the_store_without_bound() {
    let pages = MemoryPages::new(512);
    let mut store = Store::open(pages.clone(), options(Durability::Never)).unwrap();
    puts(&mut store, 2_000);
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    let mut most_bytes = 0;
    let before = store.status().size_in_use;
    for round in 0..20 {
        store.seek_cursor(cursor, 1).unwrap();
        for revision in 2..=2_000 {
            store.poll_cursor(cursor, 1, 1).unwrap();
            store.ack_cursor(cursor, revision).unwrap();
            if revision % 16 == 0 {
                store.step(round, 64 * 1024).unwrap();
                most_bytes = most_bytes.max(store.status().size_in_use);
            }
        }
    }
    let bound = before + before / 2;
    assert!(most_bytes < bound, "{before} became {most_bytes}");
    store.check().unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(
        acked(&Store::open(pages, Options::default()).unwrap(), b"c"),
        2_000
    );
}

/// What a crash may leave of a cursor.
#[derive(Clone, Copy, Default)]
struct Bounds {
    /// Acknowledged when something was last made durable.
    durable: i64,
    acked: i64,
}

/// After a crash a cursor is at what was acknowledged, at most, and not before what was durable; and
/// from there every event comes that the store has kept.
#[test]
fn whatever_a_crash_takes_delivery_is_at_least_once() {
    let mut lost_acks = 0;
    for seed in 0..150 {
        let mut rng = Rng::new(seed);
        let mut disk = FaultPages::new(512, seed);
        let durability =
            [Durability::Commit, Durability::ETCD, Durability::Never][rng.below(3) as usize];
        let mut store = Store::open(disk.clone(), options(durability)).unwrap();
        store.cursor(&holding(b"c")).unwrap();
        store.flush().unwrap();
        let mut bounds = Bounds::default();
        let mut processed = BTreeMap::new();
        for _ in 0..3 {
            let cursor = store.cursor(&holding(b"c")).unwrap();
            let mut now_ms = 0;
            for _ in 0..40 {
                let syncs = disk.counts().syncs;
                let acked_before = bounds.acked;
                match rng.below(10) {
                    0..4 => puts(&mut store, 1),
                    4 => {
                        let everything = DeleteRangeRequest::new(KeyRange::All);
                        store.delete_range(&everything).unwrap();
                    }
                    5 => {
                        now_ms += 60;
                        store.step(now_ms, PLENTY).unwrap();
                    }
                    6 => drop(store.compact(store.revision() - rng.below(5) as i64)),
                    7 if rng.below(4) == 0 => store.flush().unwrap(),
                    _ => {
                        if let CursorResponse::Events { revision, events } =
                            store.poll_cursor(cursor, 1, PLENTY).unwrap()
                        {
                            for event in events.iter() {
                                processed.insert(event.kv.mod_revision, event.to_owned());
                            }
                            store.ack_cursor(cursor, revision).unwrap();
                            bounds.acked = revision;
                            continue;
                        }
                    }
                }
                bounds.acked = bounds.acked.max(acked(&store, b"c"));
                // A sync within an operation covers what was acknowledged before it.
                if disk.counts().syncs > syncs && durability == Durability::Commit {
                    bounds.durable = acked_before;
                }
            }
            if rng.below(2) == 0 {
                store.flush().unwrap();
                bounds.durable = bounds.acked;
            }
            drop(store);
            disk = disk.crash(&mut Random::new(seed));
            store = Store::open(disk.clone(), options(durability)).unwrap();
            let found = acked(&store, b"c");
            assert!(
                (bounds.durable..=bounds.acked).contains(&found),
                "seed {seed}: {found} is not between {} and {}",
                bounds.durable,
                bounds.acked
            );
            lost_acks += u32::from(found < bounds.acked);
            assert!(found <= store.revision());
            bounds = Bounds {
                durable: found,
                acked: found,
            };
            processed.split_off(&(found + 1));
        }
        let cursor = store.cursor(&holding(b"c")).unwrap();
        loop {
            match poll(&mut store, cursor) {
                CursorResponse::Events { events, .. } => {
                    for event in events.iter() {
                        processed.insert(event.kv.mod_revision, event.to_owned());
                    }
                }
                CursorResponse::Idle { .. } => break,
                told => panic!("seed {seed}: held history was lost: {told:?}"),
            }
        }
        let kept = store.history(&KeyRange::All, 0, PLENTY).unwrap().events;
        for event in kept {
            if event.kv.mod_revision > store.status().compact_revision {
                let seen = processed.get(&event.kv.mod_revision);
                assert_eq!(seen, Some(&event), "seed {seed}");
            }
        }
        assert_eq!(
            store
                .range(&RangeRequest::new(KeyRange::All))
                .unwrap()
                .count as u64,
            store.status().keys
        );
    }
    assert!(
        lost_acks > 20,
        "only {lost_acks} acknowledgements were lost"
    );
}
