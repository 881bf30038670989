//! What durable cursors are promised.

use std::time::Duration;

use crate::common::PLENTY;
use crate::common::cursors::{acked, drain, from_start, options, poll, puts};
use revwatch::page::MemoryPages;
use revwatch::{
    CursorRequest, CursorResponse, Durability, ErrorCode, KeyRange, Limits, Options, SharedStore,
    Store,
};

#[test]
fn delivery_goes_on_after_the_last_acknowledgement() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    puts(&mut store, 5);
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![2, 3, 4, 5, 6], 6));
    store.ack_cursor(cursor, 4).unwrap();

    let again = store.cursor(&from_start(b"c")).unwrap();
    assert_eq!(drain(&mut store, again), (vec![5, 6], 6));
    store.close().unwrap();
    let mut store = Store::open(pages, Options::default()).unwrap();
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![5, 6], 6));
    puts(&mut store, 1);
    assert_eq!(drain(&mut store, cursor), (vec![7], 7));
}

#[test]
fn an_acknowledgement_makes_no_revision_and_is_in_no_hash() {
    let mut store = Store::in_memory(Options::default());
    puts(&mut store, 3);
    let before = store.hash_kv(0).unwrap();
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 4).unwrap();
    store.seek_cursor(cursor, 2).unwrap();
    store.delete_cursor(b"c").unwrap();
    assert_eq!(store.hash_kv(0).unwrap(), before);
    assert_eq!(store.revision(), 4);
}

#[test]
fn an_acknowledgement_beyond_what_was_delivered_is_refused() {
    let mut store = Store::in_memory(Options::default());
    puts(&mut store, 3);
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    let CursorResponse::Events { revision, .. } = store.poll_cursor(cursor, 1, PLENTY).unwrap()
    else {
        panic!("there is history");
    };
    assert_eq!(revision, 2);
    let error = store.ack_cursor(cursor, 3).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AckNotDelivered);
    assert_eq!(acked(&store, b"c"), 0);
    store.ack_cursor(cursor, 2).unwrap();
    assert_eq!(acked(&store, b"c"), 2);
    store.ack_cursor(cursor, 1).unwrap();
    assert_eq!(acked(&store, b"c"), 2, "acknowledgements only move forward");
}

#[test]
fn where_nothing_was_for_the_cursor_can_be_acknowledged_too() {
    let mut store = Store::in_memory(Options::default());
    let request = CursorRequest::new(b"c", KeyRange::prefix(b"/mine/"));
    let cursor = store.cursor(&request).unwrap();
    puts(&mut store, 50);
    assert_eq!(
        poll(&mut store, cursor),
        CursorResponse::Idle { revision: 51 }
    );
    store.ack_cursor(cursor, 51).unwrap();
    assert_eq!(acked(&store, b"c"), 51);
}

#[test]
fn unpublished_changes_are_neither_delivered_nor_acknowledged() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages, options(Durability::ETCD)).unwrap();
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    puts(&mut store, 2);
    assert_eq!(drain(&mut store, cursor), (vec![], 1));
    assert!(store.ack_cursor(cursor, 3).is_err());
    store.flush().unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![2, 3], 3));
    store.ack_cursor(cursor, 3).unwrap();
}

#[test]
fn who_opens_a_cursor_takes_it_over() {
    let mut store = Store::in_memory(Options::default());
    puts(&mut store, 2);
    let first = store.cursor(&from_start(b"c")).unwrap();
    drain(&mut store, first);
    let second = store.cursor(&from_start(b"c")).unwrap();
    for error in [
        store.ack_cursor(first, 3).unwrap_err(),
        store.poll_cursor(first, 1, 1).unwrap_err(),
        store.seek_cursor(first, 1).unwrap_err(),
        store.has_cursor_response(first).unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::CursorNotFound);
    }
    assert_eq!(drain(&mut store, second), (vec![2, 3], 3));
    assert_eq!(store.status().watch_streams, 1);
    store.close_cursor(second);
    store.close_cursor(second);
    assert_eq!(store.status().watch_streams, 0);
    assert_eq!(store.cursors().len(), 1);
}

#[test]
fn a_consumer_in_another_thread_is_woken_and_sees_every_change_once() {
    const PUTS: i64 = 2_000;
    let store = SharedStore::in_memory(Options::default());
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    let writer = store.clone();
    let writing = std::thread::spawn(move || {
        for _ in 0..PUTS {
            writer.put(b"key", b"value").unwrap();
        }
    });
    let mut seen = Vec::new();
    while seen.len() < PUTS as usize {
        assert!(store.wait_cursor(cursor, Duration::from_secs(60)).unwrap());
        while let CursorResponse::Events { revision, events } =
            store.poll_cursor(cursor, 7, PLENTY).unwrap()
        {
            seen.extend(events.iter().map(|event| event.kv.mod_revision));
            store.ack_cursor(cursor, revision).unwrap();
        }
    }
    writing.join().unwrap();
    assert!(seen.into_iter().eq(2..PUTS + 2));
    assert_eq!(store.cursors()[0].acked_revision, PUTS + 1);
    store.delete_cursor(b"c").unwrap();
    let gone = store.wait_cursor(cursor, Duration::ZERO).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::CursorNotFound);
}

#[test]
fn a_deleted_cursor_is_forgotten_with_what_it_acknowledged() {
    let mut store = Store::in_memory(Options::default());
    puts(&mut store, 2);
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 3).unwrap();
    store.delete_cursor(b"c").unwrap();
    let gone = store.delete_cursor(b"c").unwrap_err();
    assert_eq!(gone.code(), ErrorCode::CursorNotFound);
    assert_eq!(store.status().watch_streams, 0);
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![2, 3], 3));
}

#[test]
fn a_cursor_keeps_its_range() {
    let mut store = Store::in_memory(Options::default());
    let request = CursorRequest::new(b"c", KeyRange::prefix(b"a"));
    store.cursor(&request).unwrap();
    let same = CursorRequest::new(b"c", KeyRange::span(b"a", b"b"));
    store.cursor(&same).unwrap();
    let other = CursorRequest::new(b"c", KeyRange::prefix(b"b"));
    let error = store.cursor(&other).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CursorExists);
    assert_eq!(store.cursors().len(), 1);
}

#[test]
fn what_cannot_be_a_cursor_is_refused_and_changes_nothing() {
    let limits = Limits {
        cursors: 2,
        cursor_name_bytes: 4,
        request_bytes: 100,
        ..Limits::default()
    };
    let mut store = Store::in_memory(Options {
        limits,
        ..Options::default()
    });
    puts(&mut store, 5);
    store.compact(4).unwrap();
    let with_start = |start_revision| CursorRequest {
        start_revision,
        ..CursorRequest::new(b"c", KeyRange::All)
    };
    let of = |range| CursorRequest::new(b"c", range);
    let refused = [
        (
            CursorRequest::new(b"", KeyRange::All),
            ErrorCode::InvalidOption,
        ),
        (
            CursorRequest::new(b"12345", KeyRange::All),
            ErrorCode::InvalidOption,
        ),
        (of(KeyRange::one(b"")), ErrorCode::EmptyKey),
        (of(KeyRange::span(b"b", b"a")), ErrorCode::EmptyWatchRange),
        (of(KeyRange::one(&[b'k'; 101])), ErrorCode::RequestTooLarge),
        (with_start(-1), ErrorCode::Compacted),
        (with_start(3), ErrorCode::Compacted),
        (with_start(8), ErrorCode::FutureRevision),
    ];
    for (request, code) in refused {
        assert_eq!(
            store.cursor(&request).unwrap_err().code(),
            code,
            "{request:?}"
        );
    }
    assert_eq!(store.cursors(), []);
    for name in [b"a", b"b"] {
        store
            .cursor(&CursorRequest::new(name, KeyRange::All))
            .unwrap();
    }
    let error = store.cursor(&with_start(0)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TooManyCursors);
    // One that is there is not one more.
    store
        .cursor(&CursorRequest::new(b"a", KeyRange::All))
        .unwrap();
}

#[test]
fn a_cursor_that_lost_history_can_begin_elsewhere() {
    let mut store = Store::in_memory(Options::default());
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    puts(&mut store, 9);
    store.compact(8).unwrap();
    assert!(matches!(
        poll(&mut store, cursor),
        CursorResponse::Compacted { .. }
    ));
    let too_far = store.seek_cursor(cursor, 12).unwrap_err();
    assert_eq!(too_far.code(), ErrorCode::FutureRevision);
    let gone = store.seek_cursor(cursor, 7).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::Compacted);
    store.seek_cursor(cursor, 10).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![10], 10));
    store.seek_cursor(cursor, 0).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![], 10));
    store.seek_cursor(cursor, 9).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![9, 10], 10));
}

#[test]
fn a_consumer_that_saw_what_a_crash_took_is_told() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages.clone(), options(Durability::Never)).unwrap();
    let cursor = store.cursor(&from_start(b"c")).unwrap();
    puts(&mut store, 3);
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 3).unwrap();
    store.flush().unwrap();
    let kept = store.resume_token();
    puts(&mut store, 2);
    assert_eq!(drain(&mut store, cursor), (vec![5, 6], 6));
    store.ack_cursor(cursor, 6).unwrap();
    let lost = store.resume_token();
    drop(store);

    let mut store = Store::open(pages, options(Durability::Never)).unwrap();
    assert_eq!(acked(&store, b"c"), 3);
    puts(&mut store, 1);
    let seen = |token| CursorRequest {
        seen: Some(token),
        ..from_start(b"c")
    };
    let cursor = store.cursor(&seen(lost)).unwrap();
    assert_eq!(
        poll(&mut store, cursor),
        CursorResponse::Rewound { revision: 4 }
    );
    assert_eq!(drain(&mut store, cursor), (vec![4, 5], 5));
    let cursor = store.cursor(&seen(kept)).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![4, 5], 5));
}

#[test]
fn a_store_opened_read_only_lists_cursors_and_changes_none() {
    let pages = MemoryPages::new(512);
    let mut writer = Store::open(pages.clone(), Options::default()).unwrap();
    let cursor = writer.cursor(&from_start(b"c")).unwrap();
    puts(&mut writer, 3);
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let mut reader = Store::open(pages, read_only).unwrap();
    assert_eq!(acked(&reader, b"c"), 0);
    drain(&mut writer, cursor);
    writer.ack_cursor(cursor, 3).unwrap();
    writer.cursor(&from_start(b"d")).unwrap();
    reader.step(0, PLENTY).unwrap();
    assert_eq!(acked(&reader, b"c"), 3);
    assert_eq!(reader.cursors().len(), 2);
    let refused = [
        reader.cursor(&from_start(b"c")).map(drop).unwrap_err(),
        reader.delete_cursor(b"c").unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.code(), ErrorCode::ReadOnly);
    }
}
