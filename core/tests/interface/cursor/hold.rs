//! What durable cursors hold back, and for how long.

use crate::common::PLENTY;
use crate::common::cursors::{acked, drain, from_start, holding, poll, puts};
use revwatch::page::MemoryPages;
use revwatch::{
    CursorRequest, CursorResponse, ErrorCode, KeyRange, Limits, Options, Retention, Store,
};

#[test]
fn a_hold_refuses_compaction_of_what_is_yet_to_be_acknowledged() {
    let mut store = Store::in_memory(Options::default());
    puts(&mut store, 9);
    let cursor = store.cursor(&holding(b"slow")).unwrap();
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 4).unwrap();
    let error = store.compact(6).unwrap_err();
    assert_eq!(error.code(), ErrorCode::HeldByCursor);
    let text = error.to_string();
    for said in ["slow", "6", "4", "5"] {
        assert!(text.contains(said), "{text}");
    }
    assert_eq!(store.status().compact_revision, -1);
    store.compact(5).unwrap();
    let cursor = store.cursor(&holding(b"slow")).unwrap();
    assert_eq!(drain(&mut store, cursor), ((5..=10).collect(), 10));

    // Without the hold, and without the cursor, nothing is in the way.
    store.compact(6).unwrap_err();
    store.cursor(&from_start(b"slow")).unwrap();
    store.compact(6).unwrap();
    store.cursor(&holding(b"slow")).unwrap();
    store.compact(7).unwrap_err();
    store.delete_cursor(b"slow").unwrap();
    store.compact(7).unwrap();
}

#[test]
fn a_hold_survives_reopening() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    store.cursor(&holding(b"c")).unwrap();
    puts(&mut store, 5);
    drop(store);
    let mut store = Store::open(pages, Options::default()).unwrap();
    let error = store.compact(4).unwrap_err();
    assert_eq!(error.code(), ErrorCode::HeldByCursor);
}

#[test]
fn a_hold_keeps_no_more_than_its_limit_and_the_loss_is_told_once() {
    let limits = Limits {
        max_hold_revisions: 10,
        ..Limits::default()
    };
    let mut store = Store::in_memory(Options {
        limits,
        ..Options::default()
    });
    let cursor = store.cursor(&holding(b"c")).unwrap();
    puts(&mut store, 10);
    assert!(store.compact(2).is_err());
    puts(&mut store, 20);
    assert!(store.compact(22).is_err());
    store.compact(21).unwrap();

    let lost = CursorResponse::Compacted {
        compact_revision: 21,
    };
    assert_eq!(poll(&mut store, cursor), lost);
    // The next opening is told too, because nobody has acknowledged the loss.
    let cursor = store.cursor(&holding(b"c")).unwrap();
    assert_eq!(poll(&mut store, cursor), lost);
    assert!(store.compact(22).is_err(), "nor does a compaction");
    assert_eq!(acked(&store, b"c"), 0);
    assert_eq!(drain(&mut store, cursor), ((21..=31).collect(), 31));
    store.ack_cursor(cursor, 21).unwrap();
    let cursor = store.cursor(&holding(b"c")).unwrap();
    assert_eq!(drain(&mut store, cursor), ((22..=31).collect(), 31));
}

#[test]
fn a_quiet_cursor_does_not_hold_what_is_not_for_it() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    let request = CursorRequest {
        range: KeyRange::prefix(b"/mine/"),
        ..holding(b"quiet")
    };
    let cursor = store.cursor(&request).unwrap();
    poll(&mut store, cursor);
    puts(&mut store, 9);
    store.compact(10).unwrap();
    assert_eq!(acked(&store, b"quiet"), 10);

    // What is for it, and not acknowledged, is held, seen or not.
    store.put(b"/mine/1", b"").unwrap();
    puts(&mut store, 1);
    assert!(store.compact(12).is_err());
    assert_eq!(drain(&mut store, cursor), (vec![11], 12));
    assert!(store.compact(12).is_err());
    drop(store);
    let mut store = Store::open(pages, Options::default()).unwrap();
    let cursor = store.cursor(&request).unwrap();
    assert_eq!(drain(&mut store, cursor), (vec![11], 12));
}

#[test]
fn what_retention_by_time_lets_go_waits_for_a_hold() {
    let retention = Retention {
        revisions: 0,
        ms: 1_000,
    };
    let mut store = Store::in_memory(Options {
        retention,
        ..Options::default()
    });
    store.step(0, PLENTY).unwrap();
    let cursor = store.cursor(&holding(b"c")).unwrap();
    puts(&mut store, 10);
    store.step(100, PLENTY).unwrap();
    store.step(5_000, PLENTY).unwrap();
    assert_eq!(store.status().compact_revision, -1);
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 11).unwrap();
    store.step(5_001, PLENTY).unwrap();
    assert_eq!(store.status().compact_revision, 11);
}

#[test]
fn retention_respects_holds_within_their_limit() {
    let limits = Limits {
        max_hold_revisions: 500,
        ..Limits::default()
    };
    let retention = Retention {
        revisions: 100,
        ms: 0,
    };
    let mut store = Store::in_memory(Options {
        limits,
        retention,
        ..Options::default()
    });
    let cursor = store.cursor(&holding(b"c")).unwrap();
    puts(&mut store, 300);
    store.step(0, PLENTY).unwrap();
    assert_eq!(store.status().compact_revision, -1);
    drain(&mut store, cursor);
    store.ack_cursor(cursor, 150).unwrap();
    store.step(1, PLENTY).unwrap();
    assert_eq!(store.status().compact_revision, 151);
    puts(&mut store, 700);
    store.step(2, PLENTY).unwrap();
    assert_eq!(store.status().compact_revision, store.revision() - 500);
}
