//! What threads that share a store are promised.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::PLENTY;
use crate::common::gated::{LONG, Then, gated};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Durability, ErrorCode, Event, FollowResponse, KeyRange, Limits, Options,
    PutRequest, SharedStore, StreamId, WatchRequest, WatchResponse,
};

/// Until something that other threads do has come about.
fn wait_until(come_about: impl Fn() -> bool) {
    let began = Instant::now();
    while !come_about() {
        assert!(began.elapsed() < LONG, "it did not come about");
        thread::yield_now();
    }
}

fn watch_all<P: PageStore>(store: &SharedStore<P>) -> StreamId {
    let stream = store.watch_stream();
    store
        .watch(stream, &WatchRequest::new(KeyRange::All))
        .unwrap();
    stream
}

/// Polls, waiting in between, until so many events have come.
fn receive<P: PageStore>(store: &SharedStore<P>, stream: StreamId, count: usize) -> Vec<Event> {
    let mut received = Vec::new();
    while received.len() < count {
        match store.poll(stream, PLENTY, PLENTY).unwrap() {
            WatchResponse::Events { events, .. } => {
                received.extend(events.iter().map(|event| event.to_owned()));
            }
            WatchResponse::Idle => assert!(store.wait(stream, LONG).unwrap(), "nobody woke us"),
            WatchResponse::Created { .. } => {}
            told => panic!("{told:?}"),
        }
    }
    received
}

fn is_idle<P: PageStore>(store: &SharedStore<P>, stream: StreamId) -> bool {
    loop {
        match store.poll(stream, PLENTY, PLENTY).unwrap() {
            WatchResponse::Created { .. } => {}
            told => return told == WatchResponse::Idle,
        }
    }
}

#[test]
fn nobody_reads_behind_a_sync_and_a_change_is_shown_and_answered_only_after_it() {
    let (store, gate) = gated(Durability::Commit);
    let stream = watch_all(&store);
    let answered = AtomicBool::new(false);
    gate.shut();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let response = store.put(b"k", b"new").unwrap();
            answered.store(true, Ordering::SeqCst);
            response
        });
        gate.wait_for_a_sync();

        // Would any of these wait for the sync, the gate would never open.
        assert_eq!(store.get(b"k").unwrap().unwrap().value, b"new", "applied");
        assert_eq!(
            store
                .history(&KeyRange::All, 0, PLENTY)
                .unwrap()
                .events
                .len(),
            1,
            "history is what is published"
        );
        assert!(is_idle(&store, stream));
        let follow = store.follow(KeyRange::All, None).unwrap();
        let state = store.poll_follow(follow, PLENTY, PLENTY).unwrap();
        assert!(
            matches!(&state, FollowResponse::State { kvs } if kvs[0].value == b"old"),
            "{state:?}"
        );
        let status = store.status();
        assert_eq!((status.published_revision, status.revision), (2, 3));
        let unhurried = store.with_durability(Durability::ETCD);
        let response = unhurried.put(b"other", b"value").unwrap();
        assert_eq!((response.revision, response.durable), (4, false));
        // The batch is due: a step leaves that to a later one.
        store.step(0, PLENTY).unwrap();
        assert_eq!(store.step(200, PLENTY).unwrap().next_ms, Some(200));
        assert!(!answered.load(Ordering::SeqCst));

        gate.open(Then::Succeed);
        let response = writer.join().unwrap();
        assert_eq!((response.revision, response.durable), (3, true));
    });
    assert_eq!(receive(&store, stream, 1)[0].kv.value, b"new");
    assert!(is_idle(&store, stream), "the other is not durable yet");
    assert!(store.put(b"k", b"newer").unwrap().durable);
    assert_eq!(receive(&store, stream, 2)[0].kv.key, b"other");
}

#[test]
fn committers_share_a_sync() {
    const COMMITTERS: i64 = 16;
    let (store, gate) = gated(Durability::Commit);
    let (before, syncs) = (store.revision(), gate.state().syncs);
    gate.shut();
    thread::scope(|scope| {
        for number in 0..COMMITTERS {
            let store = &store;
            scope.spawn(move || {
                let key = number.to_le_bytes();
                assert!(store.put(&key, b"value").unwrap().durable);
            });
        }
        // All are applied while the first sync runs.
        wait_until(|| store.revision() == before + COMMITTERS);
        gate.wait_for_a_sync();
        gate.open(Then::Succeed);
    });
    let shared = gate.state().syncs - syncs;
    assert!(shared <= 2, "{COMMITTERS} commits cost {shared} syncs");
    assert_eq!(store.status().published_revision, before + COMMITTERS);
}

#[test]
fn what_waits_for_a_sync_that_fails_is_told_and_goes_out_of_sight() {
    let (store, gate) = gated(Durability::Commit);
    let stream = watch_all(&store);
    gate.shut();
    let outcomes: Vec<ErrorCode> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u8)
            .map(|number| {
                scope.spawn({
                    let store = &store;
                    move || store.put(&[number], b"lost")
                })
            })
            .collect();
        wait_until(|| store.revision() == 6);
        gate.wait_for_a_sync();
        gate.open(Then::Fail);
        let outcomes = writers.into_iter().map(|writer| writer.join().unwrap());
        outcomes
            .map(|outcome| outcome.unwrap_err().code())
            .collect()
    });
    let told = |code| outcomes.iter().filter(|told| **told == code).count();
    assert_eq!((told(ErrorCode::Io), told(ErrorCode::Poisoned)), (1, 3));

    let status = store.status();
    assert!(status.poisoned);
    assert_eq!((status.published_revision, status.revision), (2, 2));
    assert_eq!(store.get(b"k").unwrap().unwrap().value, b"old");
    assert_eq!(store.get(&[0]).unwrap(), None);
    assert!(is_idle(&store, stream));
    let refused = store.put(b"k", b"later").unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Poisoned);
    assert!(
        store.close().is_ok(),
        "nothing was answered that may be lost"
    );
}

#[test]
fn what_was_answered_without_waiting_stays_in_sight_when_a_sync_fails() {
    let (store, gate) = gated(Durability::Commit);
    gate.shut();
    thread::scope(|scope| {
        let writer = scope.spawn(|| store.put(b"k", b"waits"));
        gate.wait_for_a_sync();
        let unhurried = store.with_durability(Durability::Never);
        unhurried.put(b"other", b"answered").unwrap();
        gate.open(Then::Fail);
        assert_eq!(writer.join().unwrap().unwrap_err().code(), ErrorCode::Io);
    });
    assert!(store.get(b"other").unwrap().is_some());
    assert_eq!(store.status().published_revision, 2);
    let refused = store.close().unwrap_err();
    assert_eq!(
        refused.code(),
        ErrorCode::Poisoned,
        "closing must tell that an answered change may be lost"
    );
}

#[test]
fn a_page_store_that_panics_in_a_sync_leaves_nobody_waiting() {
    let (store, gate) = gated(Durability::Commit);
    gate.shut();
    let (ended, ends) = mpsc::channel();
    for number in 0..3_u8 {
        let (store, ended) = (store.clone(), ended.clone());
        thread::spawn(move || {
            let put = || store.put(&[number], b"lost").unwrap_err().code();
            let outcome = panic::catch_unwind(AssertUnwindSafe(put)).ok();
            ended.send(outcome).unwrap();
        });
    }
    wait_until(|| store.revision() == 5);
    gate.wait_for_a_sync();
    gate.open(Then::Panic);
    let outcome = || ends.recv_timeout(LONG).expect("somebody waits for ever");
    let outcomes = [outcome(), outcome(), outcome()];
    let told = |wanted| outcomes.iter().filter(|told| **told == wanted).count();
    assert_eq!((told(None), told(Some(ErrorCode::Poisoned))), (1, 2));
    assert_eq!(store.get(b"k").unwrap().unwrap().value, b"old");
}

#[test]
fn all_that_needs_a_sync_of_its_own_waits_for_the_one_that_runs() {
    let (store, gate) = gated(Durability::Commit);
    store.step(0, PLENTY).unwrap();
    let lease = store.lease_grant(0, 5_000).unwrap();
    for number in 0..100_u8 {
        store.put(b"k", &[number; 1_000]).unwrap();
    }
    gate.shut();
    thread::scope(|scope| {
        let store = &store;
        let writer = scope.spawn(|| store.put(b"a", b"1").unwrap().durable);
        gate.wait_for_a_sync();
        let revision = store.revision();
        let flusher = scope.spawn(|| store.flush());
        let compacter = scope.spawn(move || store.compact(revision).unwrap().durable);
        // Expires the lease, and then reclaims.
        let stepper = scope.spawn(|| {
            for now_ms in 5_000..5_050 {
                store.step(now_ms, 4_096).unwrap();
            }
        });
        let grower = scope.spawn(|| store.put(b"b", &vec![1; 1_000_000]).unwrap().durable);
        gate.open(Then::Succeed);
        assert!(writer.join().unwrap() && compacter.join().unwrap() && grower.join().unwrap());
        flusher.join().unwrap().unwrap();
        stepper.join().unwrap();
        assert_eq!(store.lease_time_to_live(lease.id, false).ttl_ms, -1);
    });
    store.check().unwrap();
    store.close().unwrap();
    store.close().unwrap();
}

#[test]
fn a_shared_store_reclaims_and_shrinks_while_others_write() {
    let pages = MemoryPages::new(512);
    let store = SharedStore::open(pages.clone(), Options::default()).unwrap();
    for number in 0..2_000_u32 {
        store
            .put(&[number as u8 % 8], &number.to_le_bytes().repeat(50))
            .unwrap();
    }
    let full = store.status().size_allocated;
    thread::scope(|scope| {
        // Little enough that it does not take the place of what is reclaimed.
        scope.spawn(|| {
            for _ in 0..200 {
                store.put(b"busy", b"value").unwrap();
            }
        });
        store.compact(store.revision()).unwrap();
        for now_ms in 0.. {
            store.step(now_ms, 4 * 1024).unwrap();
            if !store.status().compacting {
                break;
            }
        }
    });
    let left = store.status().size_allocated;
    assert!(left < full / 2, "{left} of {full} bytes are left");
    store.check().unwrap();
    let hash = store.hash_kv(0).unwrap();
    store.close().unwrap();
    drop(store);
    let reopened = SharedStore::open(pages, Options::default()).unwrap();
    assert_eq!(reopened.hash_kv(0).unwrap(), hash);
}

/// What a poller was told must be what the writers were answered: every change once, in order.
fn check_received(received: &[Event], answered: &BTreeMap<i64, Vec<u8>>) {
    let received = received
        .iter()
        .map(|event| (event.kv.mod_revision, &event.kv.value));
    let answered = answered.iter().map(|(revision, value)| (*revision, value));
    assert!(received.eq(answered));
}

#[test]
fn pollers_in_many_threads_are_told_every_change_of_many_writers_once_and_in_order() {
    const WRITERS: usize = 4;
    const POLLERS: usize = 4;
    const PUTS: usize = 300;
    for durability in [Durability::Commit, Durability::ETCD, Durability::Never] {
        let options = Options {
            durability,
            // Some of the pollers' watchers become victims and catch up from history.
            limits: Limits {
                stream_queue_responses: 3,
                ..Limits::default()
            },
            ..Options::default()
        };
        let store = SharedStore::open(MemoryPages::new(512), options).unwrap();
        let streams: Vec<StreamId> = (0..POLLERS).map(|_| watch_all(&store)).collect();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let store = &store;
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn(move || {
                        let levels = [Durability::Commit, Durability::ETCD, Durability::Never];
                        let mut answered = Vec::new();
                        for put in 0..PUTS {
                            let value = format!("{writer}/{put}").into_bytes();
                            let store = store.with_durability(levels[(put / 7) % 3]);
                            let response = store.put(&[writer as u8], &value).unwrap();
                            answered.push((response.revision, value));
                        }
                        answered
                    })
                })
                .collect();
            let pollers: Vec<_> = streams
                .into_iter()
                .map(|stream| scope.spawn(move || receive(store, stream, WRITERS * PUTS)))
                .collect();
            let is_done = &is_done;
            scope.spawn(move || {
                for now_ms in 0.. {
                    store.step(now_ms, 4_096).unwrap();
                    if is_done.load(Ordering::SeqCst) {
                        break;
                    }
                    thread::yield_now();
                }
            });
            let answered: Vec<Vec<_>> = writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect();
            for of_one in &answered {
                assert!(of_one.is_sorted(), "a writer's changes keep their order");
            }
            let answered: BTreeMap<_, _> = answered.into_iter().flatten().collect();
            assert_eq!(
                answered.len(),
                WRITERS * PUTS,
                "no revision was answered twice"
            );
            for poller in pollers {
                check_received(&poller.join().unwrap(), &answered);
            }
            is_done.store(true, Ordering::SeqCst);
        });
        store.check().unwrap();
    }
}

#[test]
fn a_wait_ends_without_a_change_when_its_time_is_over() {
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    let began = Instant::now();
    assert!(!store.wait(stream, Duration::from_millis(20)).unwrap());
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[test]
fn a_step_that_ends_a_lease_wakes_who_waits_for_its_key() {
    let store = SharedStore::in_memory(Options::default());
    store.step(0, PLENTY).unwrap();
    let lease = store.lease_grant(0, 5_000).unwrap();
    let request = PutRequest {
        lease: lease.id,
        ..PutRequest::new(b"k", b"")
    };
    store.put_with(&request).unwrap();
    let stream = store.watch_stream();
    store
        .watch(stream, &WatchRequest::new(KeyRange::one(b"k")))
        .unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| receive(&store, stream, 1));
        store.step(5_000, PLENTY).unwrap();
        assert_eq!(waiter.join().unwrap()[0].kv.mod_revision, 3);
    });
}

#[test]
fn a_handle_with_a_durability_of_its_own_changes_nothing_for_the_others() {
    let (store, gate) = gated(Durability::Never);
    let careful = store.with_durability(Durability::Commit);
    assert!(careful.put(b"k", b"1").unwrap().durable);
    let syncs = gate.state().syncs;
    assert!(!store.put(b"k", b"2").unwrap().durable);
    assert_eq!(gate.state().syncs, syncs);
    let everything = DeleteRangeRequest::new(KeyRange::All);
    assert!(careful.clone().delete_range(&everything).unwrap().durable);
    assert_eq!(gate.state().syncs, syncs + 1);
}

#[test]
fn a_closed_stream_does_not_keep_its_waiter_for_ever() {
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| store.wait(stream, LONG));
        thread::sleep(Duration::from_millis(10));
        store.close_stream(stream);
        let error = waiter.join().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::StreamNotFound);
    });
}
