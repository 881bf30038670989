//! What changes between two revisions are promised to be, and what applying them is.

use crate::common::changes::{all_chunks, assert_same, bytes_from, change};
use crate::common::{PLENTY, Rng, drain, events, watch_from};
use revwatch::page::MemoryPages;
use revwatch::page::fault::{Fault, FaultPages, Random};
use revwatch::{
    Changes, DeleteRangeRequest, Durability, Error, ErrorCode, Event, KeyRange, Limits, Options,
    PutRequest, RangeRequest, Store,
};

#[test]
fn a_store_that_applied_all_changes_is_the_same_store() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut source = Store::in_memory(Options::default());
        let pages = MemoryPages::new(512);
        let mut copy = Store::open(pages.clone(), Options::default()).unwrap();
        for _ in 0..=rng.below(8) {
            for _ in 0..rng.below(20) {
                change(&mut source, &mut rng);
            }
            let max_bytes = rng.below(1_000) as usize;
            for chunk in all_chunks(&source, copy.revision(), max_bytes) {
                let before = copy.revision();
                let response = copy.apply_changes(&chunk).unwrap();
                assert_eq!(response.revision, copy.revision());
                assert!(copy.revision() > before);
            }
            assert_same(&source, &copy, &format!("seed {seed}"));
        }
        copy.check().unwrap();
        copy.close().unwrap();
        let again = Store::open(pages, Options::default()).unwrap();
        assert_same(&source, &again, &format!("seed {seed}, opened again"));
    }
}

#[test]
fn a_walk_shows_every_event_once_in_whole_revisions() {
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let mut store = Store::in_memory(Options::default());
        for _ in 0..60 {
            change(&mut store, &mut rng);
        }
        let all = store.history(&KeyRange::All, 0, PLENTY).unwrap().events;
        let from = 1 + rng.below(store.revision() as u64) as i64;
        let to = from + rng.below((store.revision() - from + 1) as u64) as i64;
        for (max_events, max_bytes) in [(1, PLENTY), (5, PLENTY), (PLENTY, 300), (0, 0)] {
            let mut changes = store.changes(from, to).unwrap();
            let mut seen: Vec<Event> = Vec::new();
            loop {
                let part = store
                    .next_changes(&mut changes, max_events, max_bytes)
                    .unwrap();
                let (Some(first), Some(last)) = (part.first(), part.last()) else {
                    break;
                };
                assert!(
                    seen.last()
                        .is_none_or(|before| before.kv.mod_revision < first.kv.mod_revision)
                );
                assert_eq!(changes.revision(), last.kv.mod_revision);
                seen.extend(part);
            }
            let expected = all
                .iter()
                .filter(|event| (from + 1..=to).contains(&event.kv.mod_revision));
            assert!(seen.iter().eq(expected), "seed {seed}: {from} to {to}");
        }
    }
}

#[test]
fn changes_that_are_not_there_are_refused_by_name() {
    let mut store = Store::in_memory(Options::default());
    for _ in 0..9 {
        store.put(b"k", b"v").unwrap();
    }
    store.compact(5).unwrap();
    let refused = [
        ((4, 0), ErrorCode::Compacted),
        ((11, 0), ErrorCode::FutureRevision),
        ((5, 11), ErrorCode::FutureRevision),
        ((7, 6), ErrorCode::InvalidOption),
        ((0, 0), ErrorCode::InvalidOption),
        ((-1, 0), ErrorCode::InvalidOption),
    ];
    for ((from, to), code) in refused {
        let error = store.changes(from, to).unwrap_err();
        assert_eq!(error.code(), code, "{from} to {to}: {error}");
    }
    let mut none: Changes = store.changes(10, 10).unwrap();
    assert_eq!(store.next_changes(&mut none, 1, 1).unwrap(), []);
    assert!(store.next_changes_chunk(&mut none, 1).unwrap().is_empty());

    let mut overtaken = store.changes(5, 0).unwrap();
    store.next_changes(&mut overtaken, 1, 1).unwrap();
    store.compact(8).unwrap();
    let error = store.next_changes(&mut overtaken, 1, 1).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Compacted);
}

#[test]
fn unpublished_changes_are_no_changes_yet() {
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    let mut store = Store::open(MemoryPages::new(4096), options).unwrap();
    store.put(b"k", b"v").unwrap();
    assert!(bytes_from(&store, 1).is_empty());
    assert!(store.changes(1, 2).is_err());
    store.flush().unwrap();
    assert!(!bytes_from(&store, 1).is_empty());
}

#[test]
fn changes_apply_only_where_they_begin() {
    let mut source = Store::in_memory(Options::default());
    for _ in 0..5 {
        source.put(b"k", b"v").unwrap();
    }
    let mut copy = Store::in_memory(Options::default());
    let later = bytes_from(&source, 3);
    let error = copy.apply_changes(&later).unwrap_err();
    assert!(
        matches!(
            error,
            Error::ChangesOutOfPlace {
                from: 3,
                current: 1
            }
        ),
        "{error}"
    );
    copy.apply_changes(&bytes_from(&source, 1)).unwrap();
    let again = copy.apply_changes(&bytes_from(&source, 1)).unwrap_err();
    assert_eq!(again.code(), ErrorCode::ChangesOutOfPlace);
    assert_same(&source, &copy, "after refusals");
}

#[test]
fn a_store_with_another_history_refuses_changes() {
    // The transaction before tells, although the keys that change are the same.
    let mut source = Store::in_memory(Options::default());
    let mut other = Store::in_memory(Options::default());
    source.put(b"a", b"1").unwrap();
    other.put(b"a", b"2").unwrap();
    source.put(b"b", b"").unwrap();
    let error = other.apply_changes(&bytes_from(&source, 2)).unwrap_err();
    assert!(
        matches!(error, Error::ChangesDiverge { revision: 2, .. }),
        "{error}"
    );
    assert_eq!(other.revision(), 2);

    // Where that is compacted, the keys tell.
    for (theirs, ours) in [(&b"a"[..], &b"z"[..]), (b"z", b"a")] {
        let mut source = Store::in_memory(Options::default());
        let mut other = Store::in_memory(Options::default());
        source.put(theirs, b"").unwrap();
        source.compact(2).unwrap();
        other.put(ours, b"").unwrap();
        source.put(b"fits", b"").unwrap();
        source.put(b"a", b"").unwrap();
        let error = other.apply_changes(&bytes_from(&source, 2)).unwrap_err();
        assert!(
            matches!(error, Error::ChangesDiverge { revision: 4, .. }),
            "{error}"
        );
        assert_eq!(other.revision(), 3, "what fits was applied");
    }
    let mut source = Store::in_memory(Options::default());
    source.put(b"a", b"").unwrap();
    source.compact(2).unwrap();
    source
        .delete_range(&DeleteRangeRequest::new(KeyRange::one(b"a")))
        .unwrap();
    let mut other = Store::in_memory(Options::default());
    other.put(b"b", b"").unwrap();
    let error = other.apply_changes(&bytes_from(&source, 2)).unwrap_err();
    assert!(
        matches!(error, Error::ChangesDiverge { revision: 3, .. }),
        "{error}"
    );
}

#[test]
fn changes_pass_through_stores_that_were_compacted_differently() {
    let mut rng = Rng::new(5);
    let mut source = Store::in_memory(Options::default());
    let mut copy = Store::in_memory(Options::default());
    for round in 0..30 {
        for _ in 0..5 {
            change(&mut source, &mut rng);
        }
        copy.apply_changes(&bytes_from(&source, copy.revision()))
            .unwrap();
        match round % 3 {
            0 => drop(copy.compact(copy.revision())),
            1 => drop(source.compact(source.revision())),
            _ => {}
        }
        for store in [&mut source, &mut copy] {
            while store.step(round, PLENTY).unwrap().next_ms == Some(round) {}
        }
    }
    let state = |store: &Store| store.range(&RangeRequest::new(KeyRange::All)).unwrap();
    assert_eq!(state(&copy), state(&source));
}

#[test]
fn keys_carry_their_lease_but_nothing_expires_where_changes_are_applied() {
    let mut source = Store::in_memory(Options::default());
    source.step(0, 0).unwrap();
    let lease = source.lease_grant(7, 2_000).unwrap().id;
    let put = PutRequest {
        lease,
        ..PutRequest::new(b"alive", b"")
    };
    source.put_with(&put).unwrap();
    let mut copy = Store::in_memory(Options::default());
    copy.step(0, 0).unwrap();
    copy.apply_changes(&bytes_from(&source, 1)).unwrap();
    assert_eq!(copy.get(b"alive").unwrap().unwrap().lease, 7);
    assert_eq!(copy.leases(), []);
    copy.step(1_000_000, 0).unwrap();
    assert!(copy.get(b"alive").unwrap().is_some());
    source.step(1_000_000, 0).unwrap();
    copy.apply_changes(&bytes_from(&source, copy.revision()))
        .unwrap();
    assert_same(&source, &copy, "after the lease ended");
    assert!(copy.get(b"alive").unwrap().is_none());
}

#[test]
fn watchers_see_what_is_applied_and_one_sync_makes_it_durable() {
    let mut source = Store::in_memory(Options::default());
    for i in 0..50_u8 {
        source.put(&[b'k', i], b"v").unwrap();
    }
    let disk = FaultPages::new(4096, 1);
    let mut copy = Store::open(disk.clone(), Options::default()).unwrap();
    let stream = watch_from(&mut copy, KeyRange::All, 0);
    // The first change of all also says, durably, that the store is in use.
    copy.apply_changes(&all_chunks(&source, 1, 1)[0]).unwrap();
    let before = disk.counts().syncs;
    copy.apply_changes(&bytes_from(&source, copy.revision()))
        .unwrap();
    assert!(
        disk.counts().syncs <= before + 2,
        "one, and perhaps one for growth"
    );
    assert_eq!(events(&drain(&mut copy, stream)).len(), 50);
    let disk = disk.crash(&mut Random::new(1));
    let again = Store::open(disk, Options::default()).unwrap();
    assert_same(&source, &again, "after a crash");
    // The store's own durability is what it was.
    copy.put(b"own", b"").unwrap();
    assert_eq!(copy.status().published_revision, copy.revision());
}

#[test]
fn a_crash_while_changes_are_applied_leaves_whole_transactions_to_go_on_from() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut source = Store::in_memory(Options::default());
        for _ in 0..40 {
            change(&mut source, &mut rng);
        }
        let disk = FaultPages::new(512, seed);
        let durability =
            [Durability::Commit, Durability::ETCD, Durability::Never][rng.below(3) as usize];
        let options = Options {
            durability,
            ..Options::default()
        };
        let mut copy = Store::open(disk.clone(), options.clone()).unwrap();
        let chunks = all_chunks(&source, 1, 600);
        let crash_after = rng.below(chunks.len() as u64) as usize;
        let mut acknowledged = 1;
        for chunk in &chunks[..=crash_after] {
            acknowledged = copy.apply_changes(chunk).unwrap().revision;
        }
        drop(copy);
        let disk = disk.crash(&mut Random::new(seed));
        let mut copy = Store::open(disk, options).unwrap();
        if durability == Durability::Commit {
            assert_eq!(copy.revision(), acknowledged);
        }
        let rest = bytes_from(&source, copy.revision());
        if !rest.is_empty() {
            copy.apply_changes(&rest).unwrap();
        }
        copy.flush().unwrap();
        assert_same(&source, &copy, &format!("seed {seed}"));
    }
}

#[test]
fn where_there_is_no_room_for_all_changes_none_is_applied() {
    let mut source = Store::in_memory(Options::default());
    for i in 0..60_u8 {
        source.put(&[b'k', i], &[i; 400]).unwrap();
    }
    let disk = FaultPages::new(512, 1);
    disk.set_capacity_limit(60);
    let mut copy = Store::open(disk.clone(), Options::default()).unwrap();
    let error = copy.apply_changes(&bytes_from(&source, 1)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoSpace);
    let status = copy.status();
    assert!(!status.poisoned && status.revision == 1);
    disk.set_capacity_limit(u32::MAX);
    copy.apply_changes(&bytes_from(&source, copy.revision()))
        .unwrap();
    assert_same(&source, &copy, "with more room");
}

#[test]
fn when_the_sync_fails_nothing_that_was_applied_is_shown() {
    let mut source = Store::in_memory(Options::default());
    for i in 0..5_u8 {
        source.put(&[b'k', i], b"").unwrap();
    }
    let disk = FaultPages::new(4096, 1);
    let mut copy = Store::open(disk.clone(), Options::default()).unwrap();
    let first = all_chunks(&source, 1, 1);
    copy.apply_changes(&first[0]).unwrap();
    disk.fail_after(0, Fault::SyncFails);
    let error = copy.apply_changes(&first[1..].concat()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io);
    let status = copy.status();
    assert!(status.poisoned);
    assert_eq!(
        (status.revision, status.published_revision, status.keys),
        (2, 2, 1)
    );
}

#[test]
fn a_store_opened_read_only_gives_changes_and_takes_none() {
    let pages = MemoryPages::new(512);
    let mut writer = Store::open(pages.clone(), Options::default()).unwrap();
    writer.put(b"k", b"v").unwrap();
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let mut reader = Store::open(pages, read_only).unwrap();
    let bytes = bytes_from(&reader, 1);
    assert_eq!(
        reader.apply_changes(&bytes).unwrap_err().code(),
        ErrorCode::ReadOnly
    );
    let mut copy = Store::in_memory(Options::default());
    copy.apply_changes(&bytes).unwrap();
    assert_same(&writer, &copy, "from a reader");
}

#[test]
fn a_quota_refuses_changes_as_it_refuses_puts() {
    let mut source = Store::in_memory(Options::default());
    source.put(b"k", b"v").unwrap();
    let limits = Limits {
        quota_bytes: 1,
        ..Limits::default()
    };
    let mut copy = Store::in_memory(Options {
        limits,
        ..Options::default()
    });
    let error = copy.apply_changes(&bytes_from(&source, 1)).unwrap_err();
    assert_eq!((error.code(), copy.revision()), (ErrorCode::NoSpace, 1));
}
