//! Physical compaction: space is used again, and nothing that can be asked depends on it.

use crate::common::{PLENTY, Rng, drain, events, watch_from};
use revwatch::page::fault::{FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    CursorRequest, DeleteRangeRequest, Durability, ErrorCode, Event, FollowResponse,
    HashKvResponse, HistoryPage, KeyRange, KeyValue, Op, Options, PutRequest, RangeRequest, Store,
    TxnRequest, WatchResponse,
};

fn open<P: PageStore>(pages: P) -> Store<P> {
    Store::open(pages, Options::default()).unwrap()
}

/// Steps until nothing is due; answers how many steps that took.
fn settle<P: PageStore>(store: &mut Store<P>, budget_bytes: usize) -> usize {
    let mut steps = 0;
    while store.status().compacting {
        let step = store.step(0, budget_bytes).unwrap();
        assert!(step.next_ms == Some(0) || !store.status().compacting);
        steps += 1;
        assert!(steps < 1_000_000, "it ends");
    }
    steps
}

/// All that can be asked of a store.
#[derive(Debug, PartialEq)]
struct Answers {
    history: HistoryPage,
    with_prev: Vec<Event>,
    states: Vec<Vec<KeyValue>>,
    hashes: Vec<HashKvResponse>,
}

fn answers<P: PageStore>(store: &mut Store<P>) -> Answers {
    let oldest = store.status().compact_revision.max(1);
    let revisions = oldest..=store.revision();
    let stream = store.watch_stream();
    let request = revwatch::WatchRequest {
        start_revision: oldest,
        prev_kv: true,
        ..revwatch::WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &request).unwrap();
    let with_prev = events(&drain(store, stream));
    store.close_stream(stream);
    Answers {
        history: store.history(&KeyRange::All, 0, PLENTY).unwrap(),
        with_prev,
        states: revisions
            .clone()
            .map(|revision| {
                let request = RangeRequest {
                    revision,
                    ..RangeRequest::new(KeyRange::All)
                };
                store.range(&request).unwrap().kvs
            })
            .collect(),
        hashes: revisions
            .map(|revision| store.hash_kv(revision).unwrap())
            .collect(),
    }
}

fn change<P: PageStore>(store: &mut Store<P>, rng: &mut Rng) {
    let key = |rng: &mut Rng| vec![b'a' + rng.below(8) as u8];
    let value = vec![rng.below(256) as u8; rng.below(120) as usize];
    match rng.below(8) {
        0 => {
            let range = KeyRange::one(&key(rng));
            store.delete_range(&DeleteRangeRequest::new(range)).unwrap();
        }
        1 => {
            let success = (0..4)
                .map(|_| match rng.below(3) {
                    0 => Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(&key(rng)))),
                    _ => Op::Put(PutRequest::new(&[key(rng), vec![b'x']].concat(), &value)),
                })
                .collect();
            let txn = TxnRequest {
                success,
                ..TxnRequest::default()
            };
            // The same key twice is refused.
            drop(store.txn(&txn));
        }
        _ => drop(store.put(&key(rng), &value).unwrap()),
    }
}

#[test]
fn no_answer_depends_on_how_far_physical_compaction_has_come() {
    for seed in 1..20 {
        let mut rng = Rng::new(seed);
        let pages = MemoryPages::new(512);
        let mut store = open(pages.clone());
        for _ in 0..6 {
            for _ in 0..150 {
                change(&mut store, &mut rng);
            }
            let span = (store.revision() - store.status().compact_revision.max(1)) as u64;
            let revision = store.status().compact_revision.max(1) + 1 + rng.below(span) as i64;
            store.compact(revision).unwrap();
            let before = answers(&mut store);
            for _ in 0..rng.below(30) {
                store.step(0, 600).unwrap();
            }
            assert_eq!(answers(&mut store), before, "seed {seed}");
            if rng.below(3) == 0 {
                // In the middle of it, by a crash or not.
                if rng.below(2) == 0 {
                    store.close().unwrap();
                }
                drop(store);
                store = open(pages.clone());
                assert_eq!(answers(&mut store), before, "seed {seed}, opened again");
            }
            settle(&mut store, 600);
            assert_eq!(answers(&mut store), before, "seed {seed}, complete");
            store.check().unwrap();
        }
    }
}

#[test]
fn a_delete_at_exactly_the_compact_revision_is_still_an_event() {
    let pages = MemoryPages::new(512);
    let mut store = open(pages.clone());
    for round in 0..60_u8 {
        store.put(b"k", &[round; 100]).unwrap();
    }
    let all = DeleteRangeRequest::new(KeyRange::All);
    let deleted_at = store.delete_range(&all).unwrap().revision;
    store.put(b"other", b"v").unwrap();
    store.compact(deleted_at).unwrap();
    settle(&mut store, 4096);
    store.close().unwrap();
    let mut store = open(pages);
    let stream = watch_from(&mut store, KeyRange::All, deleted_at);
    let told = events(&drain(&mut store, stream));
    assert_eq!(told.len(), 2);
    assert_eq!(
        (told[0].kv.mod_revision, &told[0].kv.key[..]),
        (deleted_at, &b"k"[..])
    );
}

#[test]
fn under_steady_overwriting_a_store_stays_within_half_more_than_what_it_keeps() {
    for (page_size, value) in [(1024, 100), (4096, 100), (4096, 1000)] {
        let pages = MemoryPages::new(page_size);
        let mut store = open(pages.clone());
        let mut rng = Rng::new(7);
        let keys = 2_000_u64;
        let window = 100;
        let mut worst = 0;
        for round in 0..keys * 12 {
            let key = (rng.below(keys) as u32).to_be_bytes();
            store.put(&key, &vec![round as u8; value]).unwrap();
            if round % 50 == 0 {
                let target = store.revision() - window;
                if target > store.status().compact_revision.max(1) {
                    store.compact(target).unwrap();
                }
                settle(&mut store, 8 * page_size);
            }
            if round > keys * 5 {
                // Each key has a record, and so have the revisions of the window.
                let kept = (keys + window as u64) as usize * (value + 4 + 12);
                let allowed = kept * 3 / 2 + 64 * 1024 + 16 * page_size;
                let size = store.status().size_allocated as usize;
                worst = worst.max(size * 100 / kept);
                assert!(
                    size <= allowed,
                    "{size} for {kept}, {allowed} allowed, round {round}"
                );
            }
        }
        println!("pages of {page_size}, values of {value}: at most {worst} % of what is kept");
    }
}

#[test]
fn after_a_compaction_the_store_becomes_smaller() {
    let pages = MemoryPages::new(4096);
    let mut store = open(pages.clone());
    for round in 0..2_000_u32 {
        store
            .put(&[(round % 20) as u8], &[round as u8; 1000])
            .unwrap();
    }
    let before = pages.len().unwrap();
    store.compact(store.revision()).unwrap();
    let steps = settle(&mut store, 16 * 1024);
    assert!(steps > 20, "in slices");
    let after = pages.len().unwrap();
    assert!(after < before / 8, "{before} pages became {after}");
    assert_eq!(u64::from(after) * 4096, store.status().size_allocated);
    store.close().unwrap();
    assert_eq!(open(pages).status().keys, 20);
}

#[test]
fn watchers_that_catch_up_during_a_sweep_miss_nothing_and_those_behind_it_are_told() {
    let mut store = open(MemoryPages::new(512));
    let mut rng = Rng::new(3);
    for _ in 0..600 {
        change(&mut store, &mut rng);
    }
    let compact_revision = store.revision() - 200;
    let expected = store
        .history(&KeyRange::All, compact_revision + 1, PLENTY)
        .unwrap();
    let behind = watch_from(&mut store, KeyRange::All, 2);
    let within = watch_from(&mut store, KeyRange::All, compact_revision + 1);
    store.compact(compact_revision).unwrap();
    let mut told = Vec::new();
    while store.status().compacting {
        store.step(0, 300).unwrap();
        if let response @ WatchResponse::Events { .. } = store.poll(within, 3, PLENTY).unwrap() {
            told.extend(events(&[response]));
        }
    }
    told.extend(events(&drain(&mut store, within)));
    assert_eq!(told, expected.events);
    let last = drain(&mut store, behind).pop().unwrap();
    assert_eq!(
        last,
        WatchResponse::Compacted {
            watch_id: 0,
            compact_revision
        }
    );
}

#[test]
fn a_full_store_can_be_emptied_and_written_again() {
    for durability in [Durability::Commit, Durability::ETCD] {
        let pages = MemoryPages::new(512).with_capacity_limit(120);
        let options = Options {
            durability,
            ..Options::default()
        };
        let mut store = Store::open(pages, options).unwrap();
        for filling in 0..4_u8 {
            let mut puts = 0_u32;
            let refused = loop {
                match store.put(&puts.to_be_bytes(), &[filling; 60]) {
                    Ok(_) => puts += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!(refused.code(), ErrorCode::NoSpace);
            assert!(puts > 200, "{puts} in filling {filling}");
            let range = KeyRange::span(&0_u32.to_be_bytes(), &5_u32.to_be_bytes());
            store.delete_range(&DeleteRangeRequest::new(range)).unwrap();
            store.compact(store.revision()).unwrap();
            settle(&mut store, 2048);
            store.flush().unwrap();
            let mut left = puts;
            while left > 5 {
                let from = left.saturating_sub(5).max(5);
                let range = KeyRange::span(&from.to_be_bytes(), &left.to_be_bytes());
                store.delete_range(&DeleteRangeRequest::new(range)).unwrap();
                left = from;
                store.compact(store.revision()).unwrap();
                settle(&mut store, 2048);
                store.flush().unwrap();
            }
            assert_eq!(store.status().keys, 0);
        }
    }
}

#[test]
fn leases_survive_sweeps_and_a_store_that_only_keeps_them_alive_does_not_grow() {
    let pages = MemoryPages::new(512);
    let mut store = open(pages.clone());
    store.step(0, PLENTY).unwrap();
    let lease = store.lease_grant(7, 60_000).unwrap();
    let put = PutRequest {
        lease: lease.id,
        ..PutRequest::new(b"alive", b"")
    };
    store.put_with(&put).unwrap();
    let mut largest = 0;
    for now_ms in (0..40_000_000).step_by(10_000) {
        store.step(now_ms, 4096).unwrap();
        store.lease_keep_alive(7).unwrap();
        let other = store.lease_grant(0, 5_000).unwrap();
        store.lease_revoke(other.id).unwrap();
        largest = largest.max(store.status().size_in_use);
    }
    assert!(largest < 40 * 512, "{largest}");
    settle(&mut store, 4096);
    drop(store);
    let store = open(pages);
    assert_eq!(store.leases(), [7]);
    let left = store.lease_time_to_live(7, true);
    assert_eq!(
        (left.granted_ttl_ms, left.keys),
        (60_000, vec![b"alive".to_vec()])
    );
}

#[test]
fn a_crash_during_physical_compaction_changes_no_answer() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let mut rng = Rng::new(seed);
        let mut pages = FaultPages::new(512, seed);
        let mut store = open(pages.clone());
        for _ in 0..200 {
            change(&mut store, &mut rng);
        }
        let compact_revision = store.revision() / 2;
        store.compact(compact_revision).unwrap();
        let before = answers(&mut store);
        for _ in 0..5 {
            pages.fail_after(
                random.below(40) as u64,
                revwatch::page::fault::Fault::PowerCut,
            );
            while store.status().compacting {
                if store.step(0, 700).is_err() {
                    break;
                }
            }
            drop(store);
            pages.forget_faults();
            pages = pages.crash(&mut random);
            store = open(pages.clone());
            assert_eq!(answers(&mut store), before, "seed {seed}");
        }
    }
}

/// A reader in another process, and all that its watcher was told.
struct Reader {
    store: Store<FaultPages>,
    stream: revwatch::StreamId,
    /// The watcher has been told everything before this revision, or that it is gone.
    next: i64,
    told: usize,
    compacted: usize,
}

impl Reader {
    fn open(pages: &FaultPages) -> Self {
        let options = Options {
            read_only: true,
            // Every read goes to the pages.
            cache_bytes: 0,
            ..Options::default()
        };
        let mut store = Store::open(pages.clone(), options).unwrap();
        let next = store.revision() + 1;
        let stream = watch_from(&mut store, KeyRange::All, next);
        Self {
            store,
            stream,
            next,
            told: 0,
            compacted: 0,
        }
    }

    fn look(&mut self, all: &[Event], rng: &mut Rng) {
        self.store.step(0, 500).unwrap();
        for _ in 0..rng.below(4) {
            match self.store.poll(self.stream, 5, PLENTY).unwrap() {
                response @ WatchResponse::Events { .. } => {
                    let some = events(&[response]);
                    let last = some.last().unwrap().kv.mod_revision;
                    let begin = all.partition_point(|event| event.kv.mod_revision < self.next);
                    let end = all.partition_point(|event| event.kv.mod_revision <= last);
                    assert_eq!(some, all[begin..end]);
                    self.told += some.len();
                    self.next = last + 1;
                }
                WatchResponse::Compacted {
                    compact_revision, ..
                } => {
                    assert!(compact_revision > self.next);
                    self.compacted += 1;
                    self.store.close_stream(self.stream);
                    self.next = compact_revision;
                    self.stream = watch_from(&mut self.store, KeyRange::All, compact_revision);
                }
                WatchResponse::Idle => break,
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn readers_in_other_processes_see_true_states_and_every_event_or_that_it_was_compacted() {
    let (mut states_seen, mut overtaken, mut told, mut compacted) = (0, 0, 0, 0);
    for seed in 1..40 {
        let mut rng = Rng::new(seed);
        let pages = FaultPages::new(512, seed);
        let mut writer = open(pages.clone());
        let stream = watch_from(&mut writer, KeyRange::All, 0);
        let mut all: Vec<Event> = Vec::new();
        let mut states = std::collections::BTreeMap::new();
        let everything = RangeRequest::new(KeyRange::All);
        let mut readers: Vec<Reader> = (0..3).map(|_| Reader::open(&pages)).collect();
        for _ in 0..1500 {
            change(&mut writer, &mut rng);
            all.extend(events(&drain(&mut writer, stream)));
            states.insert(writer.revision(), writer.range(&everything).unwrap().kvs);
            if rng.below(100) == 0 {
                let revision = writer.revision() - rng.below(60) as i64;
                drop(writer.compact(revision));
            }
            if rng.below(3) == 0 {
                writer.step(0, 300 + rng.below(3000) as usize).unwrap();
            }
            for (number, reader) in readers.iter_mut().enumerate() {
                // One is eager, one is slow, one is hardly there.
                if rng.below([1, 12, 200][number]) == 0 {
                    reader.look(&all, &mut rng);
                }
                if rng.below(10) == 0 && states.contains_key(&reader.store.revision()) {
                    match reader.store.range(&everything) {
                        Ok(response) => {
                            assert_eq!(response.kvs, states[&reader.store.revision()]);
                            states_seen += 1;
                        }
                        Err(error) => {
                            assert_eq!(error.code(), ErrorCode::Compacted, "{error}");
                            overtaken += 1;
                        }
                    }
                }
            }
        }
        settle(&mut writer, 4096);
        for reader in &mut readers {
            for _ in 0..400 {
                reader.look(&all, &mut rng);
            }
            assert_eq!(reader.next, writer.revision() + 1, "seed {seed}");
            // It may have to be told first where the pages are now.
            if reader.store.hash_kv(0).is_err() {
                reader.look(&all, &mut rng);
            }
            let hash = reader.store.hash_kv(0).unwrap();
            assert_eq!(hash, writer.hash_kv(0).unwrap(), "seed {seed}");
            told += reader.told;
            compacted += reader.compacted;
        }
    }
    println!("{states_seen} states, {overtaken} overtaken, {told} told, {compacted} compacted");
    assert!(states_seen > 1000 && compacted > 20 && told > 1000);
}

#[test]
fn a_reader_that_follows_is_told_anew_when_its_state_is_reclaimed_while_it_is_told() {
    let pages = FaultPages::new(512, 1);
    let mut writer = open(pages.clone());
    let write_all = |writer: &mut Store<FaultPages>| {
        for key in 0..50u8 {
            writer.put(&[key], &[b'v'; 100]).unwrap();
        }
        writer.revision()
    };
    write_all(&mut writer);
    let mut reader = Reader::open(&pages).store;
    let follow = reader.follow(KeyRange::All, None).unwrap();
    let first = reader.poll_follow(follow, 1, PLENTY).unwrap();
    assert!(matches!(first, FollowResponse::State { .. }), "{first:?}");
    for _ in 0..5 {
        let revision = write_all(&mut writer);
        writer.compact(revision).unwrap();
        settle(&mut writer, PLENTY);
    }

    let mut told = Vec::new();
    loop {
        match reader.poll_follow(follow, 1, PLENTY).unwrap() {
            FollowResponse::State { kvs } => told.extend(kvs),
            FollowResponse::Reset { .. } => told.clear(),
            FollowResponse::Synced { revision } => {
                assert_eq!(revision, writer.revision());
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let everything = RangeRequest::new(KeyRange::All);
    assert_eq!(told, writer.range(&everything).unwrap().kvs);
}

#[test]
fn a_check_in_slices_is_not_misled_by_what_is_reclaimed_meanwhile() {
    let mut reclaimed = 0;
    for slices in 1..40 {
        let mut store = open(MemoryPages::new(512));
        store.lease_grant(7, 60_000).unwrap();
        let leased = PutRequest {
            lease: 7,
            ..PutRequest::new(b"leased", b"")
        };
        store.put_with(&leased).unwrap();
        let cursor = CursorRequest::new(b"cursor", KeyRange::All);
        store.cursor(&cursor).unwrap();
        for i in 0..60_u8 {
            store.put(&[i % 5], &[i; 100]).unwrap();
        }
        let mut check = store.begin_check();
        for _ in 0..slices {
            assert!(!store.check_step(&mut check, 512).unwrap() || slices > 20);
        }
        let before = store.status().size_in_use;
        store.lease_revoke(7).unwrap();
        store.delete_cursor(b"cursor").unwrap();
        let all = DeleteRangeRequest::new(KeyRange::All);
        store.delete_range(&all).unwrap();
        store.put(b"one", b"is left").unwrap();
        store.compact(store.revision()).unwrap();
        settle(&mut store, PLENTY);
        reclaimed += u32::from(store.status().size_in_use < before / 4);
        while !store.check_step(&mut check, 512).unwrap() {}
        store.check().unwrap();
    }
    assert_eq!(reclaimed, 39);
}
