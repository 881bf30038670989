//! What survives, and what is said of what does not.

use crate::common::{PLENTY, drain, events, watch_from};
use revwatch::page::fault::{FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Durability, ErrorCode, FollowResponse, KeyRange, Op, Options, PutRequest,
    RangeRequest, Store, TxnRequest, WatchResponse,
};

fn open(pages: &MemoryPages, durability: Durability) -> Store {
    Store::open(
        pages.clone(),
        Options {
            durability,
            ..Options::default()
        },
    )
    .unwrap()
}

fn all_keys(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    let response = store.range(&RangeRequest::new(KeyRange::All)).unwrap();
    response
        .kvs
        .into_iter()
        .map(|kv| (kv.key, kv.value))
        .collect()
}

#[test]
fn history_versions_and_compaction_survive_a_close() {
    let pages = MemoryPages::new(512);
    let mut store = open(&pages, Durability::Commit);
    for round in 0..30_u8 {
        store.put(b"a", &[round; 40]).unwrap();
        store.put(&[b'k', round], &vec![round; 900]).unwrap();
        if round % 3 == 0 {
            store
                .delete_range(&DeleteRangeRequest::new(KeyRange::one(b"a")))
                .unwrap();
        }
    }
    store.compact(20).unwrap();
    let before = (
        store.status(),
        all_keys(&store),
        store.history(&KeyRange::All, 0, PLENTY).unwrap(),
    );
    store.close().unwrap();

    let store = open(&pages, Durability::Commit);
    let after = (
        store.status(),
        all_keys(&store),
        store.history(&KeyRange::All, 0, PLENTY).unwrap(),
    );
    assert_eq!(before, after);
    store.check().unwrap();
}

#[test]
fn acknowledged_changes_survive_a_crash_and_it_starts_a_new_epoch() {
    let pages = MemoryPages::new(4096);
    for epoch in 1..=5 {
        let mut store = open(&pages, Durability::Commit);
        assert_eq!(store.status().epoch, epoch);
        assert_eq!(store.revision(), epoch);
        store.put(b"k", &epoch.to_le_bytes()).unwrap();
    }
}

#[test]
fn closing_twice_or_without_a_change_writes_nothing_more() {
    let pages = MemoryPages::new(4096);
    let mut store = open(&pages, Durability::Commit);
    store.put(b"k", b"v").unwrap();
    store.close().unwrap();
    let image = pages.to_bytes();
    store.close().unwrap();
    open(&pages, Durability::Commit).close().unwrap();
    assert_eq!(pages.to_bytes(), image);
}

#[test]
fn a_transaction_is_there_whole_or_not_at_all() {
    let pages = MemoryPages::new(512);
    let mut store = open(&pages, Durability::Never);
    let success = (0..20_u8)
        .map(|i| Op::Put(PutRequest::new(&[b'k', i], &[i; 100])))
        .collect();
    let txn = TxnRequest {
        success,
        ..TxnRequest::default()
    };
    store.put(b"first", b"v").unwrap();
    store.flush().unwrap();
    // Its pages are written as they fill up, all but the last.
    store.txn(&txn).unwrap();
    drop(store);
    let mut store = open(&pages, Durability::Never);
    assert_eq!((store.status().keys, store.revision()), (1, 2));
    store.txn(&txn).unwrap();
    store.flush().unwrap();
    drop(store);
    assert_eq!(open(&pages, Durability::Never).status().keys, 21);
}

#[test]
fn a_reader_beside_the_writer_sees_what_is_committed_and_watches_it() {
    let pages = MemoryPages::new(512);
    let mut writer = open(&pages, Durability::Commit);
    writer.put(b"k", b"1").unwrap();
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let mut reader = Store::open(pages.clone(), read_only).unwrap();
    assert_eq!(reader.revision(), 2);
    let stream = watch_from(&mut reader, KeyRange::All, 0);
    for round in 0..200_i64 {
        writer
            .put(b"k", &vec![round as u8; 1 + (round as usize * 37) % 700])
            .unwrap();
        if round % 5 == 0 {
            reader.step(round, PLENTY).unwrap();
            let seen = events(&drain(&mut reader, stream));
            assert_eq!(seen.last().unwrap().kv.mod_revision, writer.revision());
        }
    }
    reader.step(1_000, PLENTY).unwrap();
    assert_eq!(all_keys(&reader), all_keys(&writer));
    let refused = reader.put(b"k", b"v").unwrap_err();
    assert_eq!(refused.code(), ErrorCode::ReadOnly);
}

#[test]
fn a_reader_that_outlives_a_loss_is_told_and_goes_on() {
    let pages = MemoryPages::new(512);
    let mut writer = open(&pages, Durability::Commit);
    writer.put(b"k", b"durable").unwrap();
    let durable = pages.to_bytes();
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let mut reader = Store::open(pages.clone(), read_only).unwrap();
    let stream = watch_from(&mut reader, KeyRange::All, 0);
    let patient = watch_from(&mut reader, KeyRange::All, 9);
    let follow = reader.follow(KeyRange::All, None).unwrap();
    writer.put(b"k", b"lost").unwrap();
    reader.step(0, PLENTY).unwrap();
    assert_eq!(events(&drain(&mut reader, stream)).len(), 1);

    // The writer's machine loses power; what the reader saw had not reached the disk.
    drop(writer);
    for (number, page) in durable.chunks(512).enumerate() {
        pages.write(number as u32, page).unwrap();
    }
    let mut writer = open(&pages, Durability::Commit);
    assert_eq!(writer.revision(), 2);
    writer.put(b"k", b"another").unwrap();
    for now_ms in 0..20 {
        reader.step(now_ms, PLENTY).unwrap();
    }
    assert_eq!(all_keys(&reader), all_keys(&writer));
    let told = drain(&mut reader, stream);
    assert_eq!(
        told,
        [WatchResponse::Rewound {
            watch_id: 0,
            revision: 2
        }]
    );
    assert_eq!(drain(&mut reader, patient), []);
    let state = reader.poll_follow(follow, PLENTY, PLENTY).unwrap();
    let FollowResponse::State { kvs } = state else {
        panic!("{state:?}")
    };
    assert_eq!(
        kvs[0].value, b"durable",
        "the state as of the revision that still stands"
    );
}

#[test]
fn a_damaged_page_is_named_and_nothing_is_changed() {
    let pages = MemoryPages::new(512);
    let mut store = open(&pages, Durability::Commit);
    for round in 0..40_u8 {
        store.put(b"k", &[round; 200]).unwrap();
    }
    store.close().unwrap();
    let damaged = 4;
    let mut bytes = [0; 512];
    pages.read(damaged, &mut bytes).unwrap();
    bytes[300] ^= 1;
    pages.write(damaged, &bytes).unwrap();
    let image = pages.to_bytes();
    let error = Store::open(pages.clone(), Options::default())
        .err()
        .unwrap();
    assert_eq!(error.code(), ErrorCode::Corrupt, "{error}");
    assert_eq!(pages.to_bytes(), image);
}

#[test]
fn an_image_of_another_program_is_refused_and_left_alone() {
    for byte in [0xff, b'x', 1] {
        let pages = MemoryPages::from_bytes(512, &vec![byte; 5 * 512]).unwrap();
        let image = pages.to_bytes();
        let error = Store::open(pages.clone(), Options::default())
            .err()
            .unwrap();
        assert_eq!(error.code(), ErrorCode::NotAStore, "{error}");
        assert_eq!(pages.to_bytes(), image);
    }
}

/// A store over pages whose syncs are counted.
fn counted(durability: Durability) -> (Store<FaultPages>, FaultPages) {
    let pages = FaultPages::new(4096, 1);
    let options = Options {
        durability,
        ..Options::default()
    };
    let mut store = Store::open(pages.clone(), options).unwrap();
    store.step(0, PLENTY).unwrap();
    store.put(b"first", b"v").unwrap();
    store.flush().unwrap();
    (store, pages)
}

const BATCH: Durability = Durability::Batch {
    max_ms: 100,
    max_writes: 3,
};

#[test]
fn a_small_durable_commit_costs_one_page_write_and_one_sync() {
    let (mut store, pages) = counted(Durability::Commit);
    for number in 0..20_u8 {
        let before = pages.counts();
        assert!(store.put(b"k", &[number]).unwrap().durable);
        let after = pages.counts();
        assert_eq!(
            (after.writes - before.writes, after.syncs - before.syncs),
            (1, 1)
        );
    }
}

#[test]
fn the_answer_says_whether_a_change_is_durable() {
    for (own, level, expected) in [
        (Durability::Commit, None, true),
        (Durability::Commit, Some(BATCH), false),
        (Durability::Commit, Some(Durability::Never), false),
        (BATCH, None, false),
        (BATCH, Some(Durability::Commit), true),
        (Durability::Never, None, false),
        (Durability::Never, Some(BATCH), false),
        (Durability::Never, Some(Durability::Commit), true),
    ] {
        type Change = fn(&mut Store<FaultPages>) -> revwatch::Result<bool>;
        let changes: [Change; 7] = [
            |store| store.put(b"k", b"v").map(|answer| answer.durable),
            |store| {
                let everything = DeleteRangeRequest::new(KeyRange::All);
                store.delete_range(&everything).map(|answer| answer.durable)
            },
            |store| {
                let txn = TxnRequest {
                    success: vec![Op::Put(PutRequest::new(b"k", b"v"))],
                    ..TxnRequest::default()
                };
                store.txn(&txn).map(|answer| answer.durable)
            },
            |store| store.compact(2).map(|answer| answer.durable),
            |store| store.lease_grant(7, 5_000).map(|answer| answer.durable),
            |store| {
                store.lease_grant(7, 60_000)?;
                // The log is told what it has left, and so of the keep-alive too.
                store.step(7_000, 0)?;
                store.lease_keep_alive(7).map(|answer| answer.durable)
            },
            |store| {
                store.lease_grant(7, 5_000)?;
                store.lease_revoke(7).map(|answer| answer.durable)
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let (mut store, _) = counted(own);
            let durable = match level {
                Some(level) => change(&mut store.with_durability(level)).unwrap(),
                None => change(&mut store).unwrap(),
            };
            assert_eq!(durable, expected, "{own:?} {level:?}: change {number}");
        }
    }
    let mut store = Store::in_memory(Options::default());
    let mut careful = store.with_durability(Durability::Commit);
    assert!(!careful.put(b"k", b"v").unwrap().durable, "memory is not");
}

#[test]
fn a_durable_change_makes_durable_and_shows_all_that_came_before_it_in_order() {
    let (mut store, pages) = counted(Durability::ETCD);
    let stream = watch_from(&mut store, KeyRange::All, 0);
    store.put(b"a", b"1").unwrap();
    store
        .with_durability(Durability::Never)
        .put(b"b", b"2")
        .unwrap();
    assert_eq!(drain(&mut store, stream), []);
    let status = store.status();
    assert_eq!((status.published_revision, status.revision), (2, 4));
    store
        .with_durability(Durability::Commit)
        .put(b"c", b"3")
        .unwrap();
    let shown = events(&drain(&mut store, stream));
    let keys: Vec<_> = shown.iter().map(|event| &event.kv.key[..]).collect();
    assert_eq!(keys, [b"a", b"b", b"c"]);
    for seed in 0..50 {
        let survivor = pages.crash(&mut Random::new(seed));
        let store = Store::open(survivor, Options::default()).unwrap();
        assert_eq!(store.revision(), 5);
    }
}

#[test]
fn what_watchers_see_follows_the_stores_own_durability_however_others_are_mixed_in() {
    // Shown at once though one of them is to be durable.
    let (mut store, _) = counted(Durability::Never);
    for level in [Durability::Never, BATCH, Durability::Commit] {
        store.with_durability(level).put(b"k", b"v").unwrap();
        assert_eq!(store.status().published_revision, store.revision());
    }
    // Shown when durable, also what nobody waits for; and that is not for ever.
    let (mut store, pages) = counted(Durability::Commit);
    let syncs = pages.counts().syncs;
    store
        .with_durability(Durability::Never)
        .put(b"k", b"v")
        .unwrap();
    assert_eq!(store.status().published_revision, 2);
    assert_eq!(store.step(50, PLENTY).unwrap().next_ms, Some(100));
    assert_eq!(
        (store.status().published_revision, pages.counts().syncs),
        (2, syncs)
    );
    store.step(100, PLENTY).unwrap();
    assert_eq!(
        (store.status().published_revision, pages.counts().syncs),
        (3, syncs + 1)
    );
}

#[test]
fn a_batch_is_durable_when_it_is_full_or_its_time_is_over() {
    let (mut store, pages) = counted(BATCH);
    let syncs = pages.counts().syncs;
    assert!(!store.put(b"a", b"1").unwrap().durable);
    assert!(!store.put(b"b", b"2").unwrap().durable);
    assert!(store.put(b"c", b"3").unwrap().durable, "it is full");
    assert!(!store.put(b"d", b"4").unwrap().durable);
    assert_eq!(store.step(99, PLENTY).unwrap().next_ms, Some(100));
    assert_eq!(pages.counts().syncs, syncs + 1);
    store.step(100, PLENTY).unwrap();
    assert_eq!(
        (store.status().published_revision, pages.counts().syncs),
        (6, syncs + 2)
    );
    // The most urgent of those that wait says when.
    store.put(b"e", b"5").unwrap();
    let urgent = Durability::Batch {
        max_ms: 10,
        max_writes: 100,
    };
    store.with_durability(urgent).put(b"f", b"6").unwrap();
    assert_eq!(store.step(105, PLENTY).unwrap().next_ms, Some(110));
}

#[test]
fn leases_that_run_out_together_share_a_sync() {
    let (mut store, pages) = counted(Durability::Commit);
    for id in 1..=50_u8 {
        store.lease_grant(id.into(), 5_000).unwrap();
        let attached = PutRequest {
            lease: id.into(),
            ..PutRequest::new(&[id], b"")
        };
        store.put_with(&attached).unwrap();
    }
    let (revision, syncs) = (store.revision(), pages.counts().syncs);
    store.step(5_000, PLENTY).unwrap();
    assert_eq!(store.revision(), revision + 50);
    assert_eq!(store.status().published_revision, store.revision());
    let grew_at_most = 1;
    assert!(pages.counts().syncs - syncs <= 1 + grew_at_most);
}

#[test]
fn compaction_makes_durable_first_what_it_makes_the_oldest_history() {
    let (mut store, pages) = counted(Durability::ETCD);
    for value in [b"1", b"2", b"3"] {
        store.put(b"k", value).unwrap();
    }
    assert_eq!(store.status().published_revision, 2);
    store.compact(4).unwrap();
    assert_eq!(store.status().published_revision, 5);
    for seed in 0..50 {
        let survivor = pages.crash(&mut Random::new(seed));
        let store = Store::open(survivor, Options::default()).unwrap();
        assert_eq!(store.revision(), 5);
    }
}

#[test]
fn what_was_seen_before_its_first_sync_and_lost_begins_an_epoch() {
    let pages = FaultPages::new(4096, 1);
    let open = |pages: &FaultPages, read_only| {
        let options = Options {
            durability: Durability::ETCD,
            read_only,
            ..Options::default()
        };
        Store::open(pages.clone(), options).unwrap()
    };
    let mut store = open(&pages, false);
    store.put(b"k", b"old").unwrap();
    store.close().unwrap();
    let mut store = open(&pages, false);
    store.put(b"k", b"seen").unwrap();
    let ticket = store.begin_sync().unwrap().unwrap();
    let reader = open(&pages, true);
    assert_eq!(reader.revision(), 3);

    let mut lost = 0;
    for seed in 0..100 {
        let survivor = open(&pages.crash(&mut Random::new(seed)), false);
        if survivor.revision() == 2 {
            lost += 1;
            assert_eq!(survivor.status().epoch, 2, "seed {seed}");
        }
    }
    assert!(lost > 0, "the power can take what was not synced");
    let outcome = ticket.sync();
    store.finish_sync(ticket, outcome).unwrap();
}
