//! What survives, and what is said of what does not.

mod common;

use common::{PLENTY, drain, events, watch_from};
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
