//! What durable cursors are promised.

mod common;

use std::collections::BTreeMap;

use common::{PLENTY, Rng};
use revwatch::page::fault::{FaultPages, Random};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    CursorId, CursorRequest, CursorResponse, DeleteRangeRequest, Durability, ErrorCode, KeyRange,
    Limits, Options, RangeRequest, Retention, Store,
};

fn options(durability: Durability) -> Options {
    Options {
        durability,
        ..Options::default()
    }
}

fn from_start(name: &[u8]) -> CursorRequest {
    CursorRequest {
        start_revision: 1,
        ..CursorRequest::new(name, KeyRange::All)
    }
}

fn holding(name: &[u8]) -> CursorRequest {
    CursorRequest {
        hold: true,
        ..from_start(name)
    }
}

fn poll<P: PageStore>(store: &mut Store<P>, cursor: CursorId) -> CursorResponse {
    store.poll_cursor(cursor, PLENTY, PLENTY).unwrap()
}

/// The revisions of the events that are there now, and how far delivery has come with them.
fn drain<P: PageStore>(store: &mut Store<P>, cursor: CursorId) -> (Vec<i64>, i64) {
    let mut revisions = Vec::new();
    loop {
        match store.poll_cursor(cursor, 3, PLENTY).unwrap() {
            CursorResponse::Events { events, .. } => {
                revisions.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            CursorResponse::Idle { revision } => return (revisions, revision),
            told => panic!("nothing was lost: {told:?}"),
        }
    }
}

fn acked<P: PageStore>(store: &Store<P>, name: &[u8]) -> i64 {
    let reports = store.cursors().into_iter();
    let mut found = reports.filter(|report| report.name == name);
    found.next().expect("the cursor is there").acked_revision
}

fn puts<P: PageStore>(store: &mut Store<P>, count: usize) {
    for _ in 0..count {
        store.put(b"key", b"value").unwrap();
    }
}

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
