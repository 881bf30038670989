//! History is read beside everything else that is done to a shared store, and what is done to it
//! meanwhile is seen when it is handed out.

use std::sync::{Arc, mpsc};
use std::thread;

use crate::common::PLENTY;
use crate::common::gated::{Gate, GatedPages, LONG, behind_a_gate};
use revwatch::{
    CursorRequest, CursorResponse, DeleteRangeRequest, Durability, Error, EventKind,
    FollowResponse, KeyRange, Limits, Op, Options, PutRequest, ResumeToken, SharedStore, StreamId,
    TxnRequest, WatchRequest, WatchResponse, WatchResponseRef,
};

const BACKLOG: i64 = 400;

/// A store whose pages are read whenever they are wanted, with a long past.
fn with_a_past() -> (SharedStore<GatedPages>, Arc<Gate>) {
    let (store, gate) = behind_a_gate(Options {
        durability: Durability::Never,
        cache_bytes: 0,
        limits: Limits {
            catch_up_revisions: 100,
            ..Limits::default()
        },
        ..Options::default()
    });
    for number in 0..BACKLOG {
        let key = [b'a' + (number % 20) as u8];
        store.put(&key, &[b'v'; 100]).unwrap();
    }
    (store, gate)
}

/// A watcher of a range that is behind, on a stream of its own.
fn watch(store: &SharedStore<GatedPages>, request: &WatchRequest) -> StreamId {
    let stream = store.watch_stream();
    store.watch(stream, request).unwrap();
    let created = store.poll(stream, PLENTY, PLENTY).unwrap();
    assert!(matches!(created, WatchResponse::Created { .. }));
    stream
}

fn from(start_revision: i64, range: KeyRange) -> WatchRequest {
    WatchRequest {
        start_revision,
        ..WatchRequest::new(range)
    }
}

/// The revisions that a stream tells until it has nothing more to say.
fn drain(store: &SharedStore<GatedPages>, stream: StreamId) -> Vec<i64> {
    let mut told = Vec::new();
    loop {
        match store.poll(stream, PLENTY, PLENTY).unwrap() {
            WatchResponse::Events { events, .. } => {
                told.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            WatchResponse::Idle if !store.has_response(stream).unwrap() => return told,
            WatchResponse::Idle => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Has `read` come to read a page, does something else to the store meanwhile, and lets it go on. Fails
/// if that does not come to its end while the reader is held up.
fn while_it_reads<T: Send, U: Send>(
    gate: &Gate,
    read: impl FnOnce() -> T + Send,
    meanwhile: impl FnOnce() -> U + Send,
) -> (T, U) {
    while_it_does_a_read(gate, 0, read, meanwhile)
}

/// The same after so many reads.
fn while_it_does_a_read<T: Send, U: Send>(
    gate: &Gate,
    after: usize,
    read: impl FnOnce() -> T + Send,
    meanwhile: impl FnOnce() -> U + Send,
) -> (T, U) {
    gate.hold_a_read_after(after);
    thread::scope(|scope| {
        let reader = scope.spawn(read);
        gate.wait_for_a_read();
        let (done, is_done) = mpsc::channel();
        scope.spawn(move || done.send(meanwhile()));
        let outcome = is_done.recv_timeout(LONG);
        gate.let_reads_pass();
        let outcome = outcome.expect("it waits for a reader of history");
        (reader.join().unwrap(), outcome)
    })
}

/// What everybody may do while somebody reads history.
fn do_everything(store: &SharedStore<GatedPages>) {
    assert_eq!(store.put(b"new", b"value").unwrap().revision, 2 + BACKLOG);
    assert_eq!(store.get(b"new").unwrap().unwrap().value, b"value");
    let stream = watch(store, &WatchRequest::new(KeyRange::one(b"other")));
    store.put(b"other", b"value").unwrap();
    assert_eq!(drain(store, stream), [3 + BACKLOG]);
    store.step(0, PLENTY).unwrap();
    store.watchers();
    store.close_stream(stream);
}

/// The revisions of what one call takes from a stream.
type Take = fn(&SharedStore<GatedPages>, StreamId) -> Vec<i64>;

fn take_one(store: &SharedStore<GatedPages>, stream: StreamId) -> Vec<i64> {
    match store.poll(stream, PLENTY, PLENTY).unwrap() {
        WatchResponse::Events { events, .. } => {
            events.iter().map(|event| event.kv.mod_revision).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn take_many(store: &SharedStore<GatedPages>, stream: StreamId) -> Vec<i64> {
    let mut told = Vec::new();
    for response in &store.poll_many(stream, PLENTY, PLENTY).unwrap() {
        let WatchResponseRef::Events { events, .. } = response else {
            panic!("{response:?}");
        };
        told.extend(events.iter().map(|event| event.kv.mod_revision));
    }
    told
}

fn step(store: &SharedStore<GatedPages>, _: StreamId) -> Vec<i64> {
    store.step(0, PLENTY).unwrap();
    Vec::new()
}

#[test]
fn everything_goes_on_while_a_poll_or_a_step_is_in_the_middle_of_reading_history() {
    let ways: [(&str, Take); 3] = [("poll", take_one), ("poll_many", take_many), ("step", step)];
    for (way, take) in ways {
        for prev_kv in [false, true] {
            let (store, gate) = with_a_past();
            let request = WatchRequest {
                prev_kv,
                ..from(2, KeyRange::All)
            };
            let stream = watch(&store, &request);
            let (mut told, ()) =
                while_it_reads(&gate, || take(&store, stream), || do_everything(&store));
            told.extend(drain(&store, stream));
            assert_eq!(told, (2..=3 + BACKLOG).collect::<Vec<_>>(), "{way}");
        }
    }
}

#[test]
fn everything_goes_on_at_whichever_page_a_poll_is() {
    let behind = || {
        let (store, gate) = with_a_past();
        let request = WatchRequest {
            prev_kv: true,
            ..from(BACKLOG - 3, KeyRange::All)
        };
        let stream = watch(&store, &request);
        (store, gate, stream)
    };
    let (store, gate, stream) = behind();
    let before = gate.state().read_count;
    take_one(&store, stream);
    let reads = gate.state().read_count - before;
    assert!(reads > 2, "what keys were before lies elsewhere");
    for after in 0..reads {
        let (store, gate, stream) = behind();
        let poll = || take_one(&store, stream);
        let (mut told, ()) = while_it_does_a_read(&gate, after, poll, || do_everything(&store));
        told.extend(drain(&store, stream));
        assert_eq!(
            told,
            (BACKLOG - 3..=3 + BACKLOG).collect::<Vec<_>>(),
            "{after}"
        );
    }
}

#[test]
fn everything_goes_on_while_a_follower_or_a_cursor_reads_history() {
    let (store, gate) = with_a_past();
    let token = ResumeToken {
        revision: 1,
        ..store.resume_token()
    };
    let follow = store.follow(KeyRange::All, Some(token)).unwrap();
    let poll = || match store.poll_follow(follow, PLENTY, PLENTY).unwrap() {
        FollowResponse::Events { revision, .. } => revision,
        other => panic!("{other:?}"),
    };
    let (mut reached, ()) = while_it_reads(&gate, poll, || do_everything(&store));
    while reached < 3 + BACKLOG {
        reached = poll();
    }

    let (store, gate) = with_a_past();
    let request = CursorRequest {
        start_revision: 2,
        ..CursorRequest::new(b"cursor", KeyRange::All)
    };
    let cursor = store.cursor(&request).unwrap();
    let poll = || match store.poll_cursor(cursor, PLENTY, PLENTY).unwrap() {
        CursorResponse::Events { revision, .. } => revision,
        other => panic!("{other:?}"),
    };
    let (mut reached, ()) = while_it_reads(&gate, poll, || do_everything(&store));
    while reached < 3 + BACKLOG {
        reached = poll();
    }
}

#[test]
fn a_compaction_that_overtakes_a_reader_is_seen_by_it() {
    let (store, gate) = with_a_past();
    // Beyond what the reader wants: it is told so.
    let stream = watch(&store, &from(2, KeyRange::All));
    let compact = |revision| {
        store.compact(revision).unwrap();
    };
    let (told, ()) = while_it_reads(
        &gate,
        || store.poll(stream, PLENTY, PLENTY).unwrap(),
        || compact(100),
    );
    assert_eq!(
        told,
        WatchResponse::Compacted {
            watch_id: 0,
            compact_revision: 100
        }
    );
    // Behind it: nothing changes.
    let stream = watch(&store, &from(250, KeyRange::All));
    let (mut told, ()) = while_it_reads(&gate, || take_one(&store, stream), || compact(200));
    told.extend(drain(&store, stream));
    assert_eq!(told, (250..=1 + BACKLOG).collect::<Vec<_>>());
    // Exactly there: what keys were before is gone, and of each key only the last change is left.
    let child = |op| {
        Op::Txn(TxnRequest {
            success: vec![op],
            ..TxnRequest::default()
        })
    };
    let twice = TxnRequest {
        success: vec![
            child(Op::Put(PutRequest::new(b"a", b"passing"))),
            child(Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(
                b"a",
            )))),
        ],
        ..TxnRequest::default()
    };
    let at = store.txn(&twice).unwrap().revision;
    let request = WatchRequest {
        prev_kv: true,
        ..from(at, KeyRange::All)
    };
    let stream = watch(&store, &request);
    // Away from the page that is being filled.
    for _ in 0..100 {
        store.put(b"b", &[b'v'; 100]).unwrap();
    }
    let (told, ()) = while_it_reads(
        &gate,
        || store.poll(stream, 1, PLENTY).unwrap(),
        || compact(at),
    );
    let WatchResponse::Events { events, .. } = told else {
        panic!("{told:?}");
    };
    let events: Vec<_> = events.iter().map(|event| event.to_owned()).collect();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].kind, EventKind::Delete);
    assert_eq!(events[0].prev_kv, None);
}

#[test]
fn what_a_reader_wanted_for_a_watcher_that_is_gone_is_not_told_to_the_next_one() {
    let (store, gate) = with_a_past();
    let stream = watch(&store, &from(2, KeyRange::one(b"a")));
    let (told, other) = while_it_reads(
        &gate,
        || store.poll(stream, PLENTY, PLENTY).unwrap(),
        || {
            store.cancel_watch(stream, 0).unwrap();
            let told = store.poll(stream, PLENTY, PLENTY).unwrap();
            assert_eq!(told, WatchResponse::Canceled { watch_id: 0 });
            // It has the place of the one before it in all tables.
            let other = store.watch_stream();
            store.watch(other, &from(2, KeyRange::one(b"b"))).unwrap();
            other
        },
    );
    assert_eq!(told, WatchResponse::Idle);
    let created = store.poll(other, PLENTY, PLENTY).unwrap();
    assert!(matches!(created, WatchResponse::Created { .. }));
    let of_b = (0..BACKLOG).filter(|number| number % 20 == 1);
    assert_eq!(
        drain(&store, other),
        of_b.map(|number| number + 2).collect::<Vec<_>>()
    );
}

#[test]
fn a_stream_that_is_closed_while_history_is_read_for_it_is_not_found() {
    let (store, gate) = with_a_past();
    let stream = watch(&store, &from(2, KeyRange::All));
    let (told, ()) = while_it_reads(
        &gate,
        || store.poll(stream, PLENTY, PLENTY),
        || store.close_stream(stream),
    );
    assert!(matches!(told, Err(Error::StreamNotFound)), "{told:?}");
}

#[test]
fn pages_that_are_moved_while_they_are_read_are_found_again() {
    let (store, gate) = with_a_past();
    let stream = watch(&store, &from(BACKLOG / 2, KeyRange::All));
    let (mut told, ()) = while_it_reads(
        &gate,
        || take_one(&store, stream),
        || {
            // Each round moves pages and writes others over where they were.
            for round in 0..20 {
                store.compact(BACKLOG / 2 - 21 + round).unwrap();
                for _ in 0..100 {
                    store.step(0, PLENTY).unwrap();
                }
                for _ in 0..40 {
                    store.put(b"later", &[b'w'; 100]).unwrap();
                }
                store.flush().unwrap();
            }
        },
    );
    told.extend(drain(&store, stream));
    let newest = store.revision();
    assert_eq!(told, (BACKLOG / 2..=newest).collect::<Vec<_>>());
}
