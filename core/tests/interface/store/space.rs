//! What bounds a store: quota, retention, the page store's own limit; and walks that outlast it.

use crate::common::{PLENTY, drain, poll, watch_from};
use revwatch::page::MemoryPages;
use revwatch::{
    DeleteRangeRequest, ErrorCode, KeyRange, Limits, Op, Options, PutRequest, Retention, Store,
    TxnRequest, WatchResponse,
};

fn fill(store: &mut Store) -> usize {
    for round in 0..10_000_usize {
        if let Err(error) = store.put(b"key", &[round as u8; 300]) {
            assert_eq!(error.code(), ErrorCode::NoSpace, "{error}");
            return round;
        }
    }
    panic!("nothing bounded the store");
}

#[test]
fn a_store_beyond_its_quota_still_deletes_and_compacts() {
    let limits = Limits {
        quota_bytes: 64 * 1024,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    let mut store = Store::open(MemoryPages::new(512), options).unwrap();
    assert!(fill(&mut store) > 100);
    let before = store.status();
    let put_and_delete = TxnRequest {
        success: vec![
            Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(b"key"))),
            Op::Put(PutRequest::new(b"other", b"value")),
        ],
        ..TxnRequest::default()
    };
    assert_eq!(
        store.txn(&put_and_delete).unwrap_err().code(),
        ErrorCode::NoSpace
    );
    assert_eq!(store.status(), before, "what fails changes nothing");
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::All))
        .unwrap();
    store.compact(store.revision()).unwrap();
}

#[test]
fn a_full_page_store_refuses_by_name_and_keeps_what_it_has() {
    let pages = MemoryPages::new(512).with_capacity_limit(200);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    let rounds = fill(&mut store);
    let before = (store.status(), store.get(b"key").unwrap());
    assert_eq!(before.0.revision, 1 + rounds as i64);
    assert_eq!(
        store.put(b"key", &[0; 300]).unwrap_err().code(),
        ErrorCode::NoSpace
    );
    assert_eq!((store.status(), store.get(b"key").unwrap()), before);
    store.close().unwrap();
    let store = Store::open(pages, Options::default()).unwrap();
    assert_eq!(store.get(b"key").unwrap(), before.1);
}

#[test]
fn retention_by_count_slides_along_and_tells_who_is_left_behind() {
    let retention = Retention {
        revisions: 32,
        ..Retention::default()
    };
    let limits = Limits {
        stream_queue_responses: 1,
        ..Limits::default()
    };
    let mut store = Store::in_memory(Options {
        retention,
        limits,
        ..Options::default()
    });
    let stalled = watch_from(&mut store, KeyRange::All, 0);
    for _ in 0..500 {
        store.put(b"key", b"value").unwrap();
        store.step(0, PLENTY).unwrap();
        let kept = store.revision() - store.status().compact_revision.max(1);
        assert!(kept <= 32 + 2, "{kept} revisions are kept");
    }
    let last = drain(&mut store, stalled).pop().unwrap();
    assert!(matches!(last, WatchResponse::Compacted { .. }), "{last:?}");
}

#[test]
fn retention_by_time_keeps_what_is_young() {
    let retention = Retention {
        ms: 1_600,
        ..Retention::default()
    };
    let mut store = Store::in_memory(Options {
        retention,
        ..Options::default()
    });
    for now_ms in (0..10_000).step_by(10) {
        store.step(now_ms, PLENTY).unwrap();
        store.put(b"key", b"value").unwrap();
        // A put every 10 ms: 160 revisions are young, and up to a sixteenth more are kept.
        let kept = store.revision() - store.status().compact_revision.max(1);
        let young = (now_ms / 10 + 1).min(160);
        assert!(
            (young..=young + 12).contains(&kept),
            "{kept} at {now_ms} ms"
        );
    }
}

#[test]
fn a_walk_overtaken_by_compaction_ends_with_compacted() {
    let mut store = Store::in_memory(Options::default());
    for key in [b"a", b"b", b"c"] {
        store.put(key, b"v").unwrap();
    }
    let mut stream = store.range_stream(KeyRange::All, 0).unwrap();
    assert_eq!(store.next_kvs(&mut stream, 1, PLENTY).unwrap().len(), 1);
    store.put(b"a", b"w").unwrap();
    store.compact(4).unwrap();
    assert_eq!(store.next_kvs(&mut stream, 1, PLENTY).unwrap().len(), 1);
    store.compact(5).unwrap();
    let error = store.next_kvs(&mut stream, 1, PLENTY).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Compacted);
}

#[test]
fn a_walk_finds_the_state_of_its_revision_whatever_is_written_meanwhile() {
    let mut store = Store::in_memory(Options::default());
    for key in 0..100_u8 {
        store.put(&[key, 1], &[key]).unwrap();
    }
    let range = KeyRange::span(&[10], &[90]);
    let mut stream = store.range_stream(range, 0).unwrap();
    let mut found = Vec::new();
    for round in 0..100_u8 {
        found.extend(store.next_kvs(&mut stream, 3, PLENTY).unwrap());
        store.put(&[round, 0], b"new").unwrap();
        store
            .delete_range(&DeleteRangeRequest::new(KeyRange::one(&[round, 1])))
            .unwrap();
    }
    let keys: Vec<u8> = found.iter().map(|kv| kv.key[0]).collect();
    assert_eq!(keys, (10..90).collect::<Vec<u8>>());
}

#[test]
fn a_watcher_that_keeps_up_does_not_notice_retention() {
    let retention = Retention {
        revisions: 4,
        ..Retention::default()
    };
    let mut store = Store::in_memory(Options {
        retention,
        ..Options::default()
    });
    let stream = watch_from(&mut store, KeyRange::All, 0);
    for _ in 0..100 {
        store.put(b"key", b"value").unwrap();
        store.step(0, PLENTY).unwrap();
        assert!(matches!(
            poll(&mut store, stream),
            WatchResponse::Events { .. }
        ));
    }
}
