//! What changes between two revisions are promised to be, and what applying them is.

mod common;

use common::{PLENTY, Rng, drain, events, watch_from};
use revwatch::page::fault::{Fault, FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    Changes, DeleteRangeRequest, Durability, Error, ErrorCode, Event, KeyRange, Limits, Op,
    Options, PutRequest, RangeRequest, Store, TxnRequest,
};
use xxhash_rust::xxh3::xxh3_64;

const HEADER_BYTES: usize = 48;

fn all_chunks<P: PageStore>(store: &Store<P>, from: i64, max_bytes: usize) -> Vec<Vec<u8>> {
    let mut changes = store.changes(from, 0).unwrap();
    let mut chunks = Vec::new();
    loop {
        let chunk = store.next_changes_chunk(&mut changes, max_bytes).unwrap();
        if chunk.is_empty() {
            assert_eq!(changes.revision(), changes.to());
            return chunks;
        }
        chunks.push(chunk);
    }
}

/// The bytes of all changes from one revision on, at once.
fn bytes_from<P: PageStore>(store: &Store<P>, from: i64) -> Vec<u8> {
    all_chunks(store, from, PLENTY).concat()
}

fn put_delete_in_one(key: &[u8], value: &[u8]) -> TxnRequest {
    let put = TxnRequest {
        success: vec![Op::Put(PutRequest::new(key, value))],
        ..TxnRequest::default()
    };
    let delete = TxnRequest {
        success: vec![Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(key)))],
        ..TxnRequest::default()
    };
    TxnRequest {
        success: vec![Op::Txn(put), Op::Txn(delete)],
        ..TxnRequest::default()
    }
}

/// One random change of a store.
fn change<P: PageStore>(store: &mut Store<P>, rng: &mut Rng) {
    let key = [b'k', b'0' + rng.below(6) as u8];
    let value = vec![rng.below(256) as u8; rng.below(200) as usize];
    match rng.below(12) {
        0..6 => drop(store.put(&key, &value).unwrap()),
        6 => {
            let lease = store.lease_grant(0, 60_000).unwrap().id;
            let put = PutRequest {
                lease,
                ..PutRequest::new(&key, &value)
            };
            store.put_with(&put).unwrap();
        }
        7 => {
            if let Some(&lease) = store.leases().first() {
                store.lease_revoke(lease).unwrap();
            }
        }
        8 => drop(store.txn(&put_delete_in_one(&key, &value)).unwrap()),
        9 => {
            let several = (b'0'..b'6').map(|i| Op::Put(PutRequest::new(&[b'k', i], &value)));
            let txn = TxnRequest {
                success: several.collect(),
                ..TxnRequest::default()
            };
            store.txn(&txn).unwrap();
        }
        10 => {
            let some = DeleteRangeRequest::new(KeyRange::span(b"k1", &key));
            store.delete_range(&some).unwrap();
        }
        _ => {
            let all = DeleteRangeRequest::new(KeyRange::prefix(b"k"));
            store.delete_range(&all).unwrap();
        }
    }
}

fn assert_same<P: PageStore, Q: PageStore>(one: &Store<P>, other: &Store<Q>, what: &str) {
    assert_eq!(one.revision(), other.revision(), "{what}");
    assert_eq!(one.hash_kv(0).unwrap(), other.hash_kv(0).unwrap(), "{what}");
    for revision in 1..=one.revision() {
        let request = RangeRequest {
            revision,
            ..RangeRequest::new(KeyRange::All)
        };
        let (one, other) = (one.range(&request).unwrap(), other.range(&request).unwrap());
        assert_eq!(one, other, "{what}, at {revision}");
    }
    assert_eq!(
        one.history(&KeyRange::All, 0, PLENTY).unwrap(),
        other.history(&KeyRange::All, 0, PLENTY).unwrap(),
        "{what}"
    );
}

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

/// A chunk with contents of one's choice, and everything around them right.
fn sealed(header: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut chunk = header[..HEADER_BYTES].to_vec();
    chunk[40..48].copy_from_slice(&(contents.len() as u64).to_le_bytes());
    chunk.extend_from_slice(contents);
    let checksum = xxh3_64(&chunk);
    chunk.extend_from_slice(&checksum.to_le_bytes());
    chunk
}

#[test]
fn a_chunk_is_what_the_format_says() {
    let mut store = Store::in_memory(Options::default());
    let put = PutRequest::new(b"a", b"xyz");
    let txn = TxnRequest {
        success: vec![Op::Put(put), Op::Put(PutRequest::new(b"b", b""))],
        ..TxnRequest::default()
    };
    store.txn(&txn).unwrap();
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::one(b"a")))
        .unwrap();
    let bodies = [
        &b"\x02\x00\x00\x01a\x03xyz\x00\x01\x00"[..], // put 2.0
        b"\x02\x03\x00\x01b\x00\x00\x01\x00",         // put 2.1, the last
        b"\x03\x01\x01\x01a",                         // delete 3.0, the last
    ];
    let frame_of = |body: &&[u8]| [&[body.len() as u8], *body].concat();
    let frames: Vec<u8> = bodies.iter().flat_map(frame_of).collect();
    let mut header = b"rvchange\x0d\x0a\x1a\x0a\x01\0\0\0".to_vec();
    // From, to, the unknown fingerprint, and the length, which `sealed` fills in.
    for field in [1_u64, 3, 0, 0] {
        header.extend(field.to_le_bytes());
    }
    assert_eq!(bytes_from(&store, 1), sealed(&header, &frames));

    // The second transaction alone follows the first, whose frames its fingerprint is of.
    let (first, second) = frames.split_at(frames.len() - frame_of(&bodies[2]).len());
    header[16..24].copy_from_slice(&2_u64.to_le_bytes());
    header[32..40].copy_from_slice(&xxh3_64(first).to_le_bytes());
    assert_eq!(bytes_from(&store, 2), sealed(&header, second));
}

#[test]
fn a_chunk_that_is_cut_short_or_damaged_changes_nothing() {
    let mut source = Store::in_memory(Options::default());
    for key in [b"a", b"b"] {
        source.put(key, b"value").unwrap();
    }
    let mut store = Store::in_memory(Options::default());
    let first = all_chunks(&source, 1, 1);
    let chunks = [first[0].clone(), first.concat()];
    for bytes in &chunks {
        for cut in 0..bytes.len() {
            if cut == first[0].len() {
                continue; // one whole chunk
            }
            let error = store.apply_changes(&bytes[..cut]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidChanges, "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let error = store.apply_changes(&damaged).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidChanges, "bit {bit}");
        }
    }
    assert_eq!((store.revision(), store.status().keys), (1, 0));
    let swapped = [first[1].clone(), first[0].clone()].concat();
    assert_eq!(
        store.apply_changes(&swapped).unwrap_err().code(),
        ErrorCode::InvalidChanges
    );
    store.apply_changes(&first.concat()).unwrap();
    assert_same(&source, &store, "at last");
}

#[test]
fn a_chunk_that_does_not_end_as_it_says_is_refused() {
    let mut source = Store::in_memory(Options::default());
    source.put(b"a", b"").unwrap();
    let both = [b"b", b"c"].map(|key| Op::Put(PutRequest::new(key, b"")));
    let txn = TxnRequest {
        success: both.into(),
        ..TxnRequest::default()
    };
    source.txn(&txn).unwrap();
    let good = bytes_from(&source, 1);
    let contents = &good[HEADER_BYTES..good.len() - 8];
    let with_to = |to: i64| {
        let mut header = good[..HEADER_BYTES].to_vec();
        header[24..32].copy_from_slice(&to.to_le_bytes());
        header
    };
    let frame_bytes = contents.len() / 3;
    let wrong = [
        sealed(&with_to(2), contents),
        sealed(&with_to(4), contents),
        sealed(&with_to(1), &[]),
        // Its last transaction is half there, and half the first.
        sealed(&with_to(3), &contents[..2 * frame_bytes]),
        sealed(&with_to(2), &contents[..2 * frame_bytes]),
        sealed(&with_to(3), &contents[frame_bytes..]),
        sealed(
            &with_to(3),
            &[&contents[..frame_bytes], &contents[2 * frame_bytes..]].concat(),
        ),
    ];
    let mut store = Store::in_memory(Options::default());
    for bytes in wrong {
        let error = store.apply_changes(&bytes).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidChanges, "{error}");
        assert_eq!(store.revision(), 1);
    }
    store
        .apply_changes(&sealed(&with_to(2), &contents[..frame_bytes]))
        .unwrap();
    assert_eq!(store.revision(), 2);
}

#[test]
fn hostile_bytes_with_a_right_checksum_are_refused_or_harmless() {
    let mut rng = Rng::new(11);
    let mut source = Store::in_memory(Options::default());
    for _ in 0..12 {
        change(&mut source, &mut rng);
    }
    let good = bytes_from(&source, 1);
    let contents = &good[HEADER_BYTES..good.len() - 8];
    let (mut refused, mut applied) = (0, 0);
    for _ in 0..20_000 {
        let mut header = good[..HEADER_BYTES].to_vec();
        let mut contents = contents.to_vec();
        for _ in 0..=rng.below(2) {
            match rng.below(6) {
                0 => header[16 + rng.below(24) as usize] = rng.below(256) as u8,
                1 => contents.truncate(rng.below(contents.len() as u64 + 1) as usize),
                _ => {
                    if let Some(last) = contents.len().checked_sub(1) {
                        let at = rng.below(last as u64 + 1) as usize;
                        contents[at] = rng.below(256) as u8;
                    }
                }
            }
        }
        let mut store = Store::in_memory(Options::default());
        match store.apply_changes(&sealed(&header, &contents)) {
            Ok(response) => {
                applied += 1;
                assert_eq!(response.revision, store.revision());
                store.hash_kv(0).unwrap();
            }
            Err(_) => refused += 1,
        }
        assert!(!store.status().poisoned);
        store.put(b"next", b"").unwrap();
    }
    assert!(
        refused > 1_000 && applied > 1_000,
        "{refused} and {applied}"
    );

    let mut greedy = good[..HEADER_BYTES].to_vec();
    greedy[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut store = Store::in_memory(Options::default());
    let error = store.apply_changes(&greedy).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidChanges);
    let endless = sealed(&good, b"\xff\xff\xff\xff\x07");
    assert!(store.apply_changes(&endless).is_err());
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
    let before = disk.counts().syncs;
    copy.apply_changes(&bytes_from(&source, 1)).unwrap();
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
fn where_there_is_no_room_whole_transactions_are_applied_up_to_there() {
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
    assert!(!status.poisoned && status.revision > 1 && status.revision < 61);
    assert_eq!(status.published_revision, status.revision);
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
