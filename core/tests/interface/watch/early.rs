//! What streams are promised that are told early: what is applied, before it is durable, and that
//! they are told when it is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread;

use crate::common::gated::{Gate, GatedPages, LONG, Then, gated};
use crate::common::{PLENTY, drain, events, outline, poll};
use revwatch::page::{MemoryPages, PageError, PageStore};
use revwatch::{
    Durability, ErrorCode, FollowResponse, KeyRange, Limits, Options, PROGRESS_OF_STREAM,
    SharedStore, Store, StreamId, StreamOptions, WatchRequest, WatchResponse, WatcherState,
};

const EARLY: StreamOptions = StreamOptions { early: true };

/// A store whose changes wait for a step or a flush.
fn batched(limits: Limits) -> Store {
    let options = Options {
        durability: Durability::ETCD,
        limits,
        ..Options::default()
    };
    Store::open(MemoryPages::new(4096), options).unwrap()
}

/// A stream with one watcher of all keys, that was created.
fn watch_all<P: PageStore>(
    store: &mut Store<P>,
    options: StreamOptions,
    start_revision: i64,
) -> StreamId {
    let stream = store.watch_stream_with(options);
    let request = WatchRequest {
        start_revision,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &request).unwrap();
    assert!(matches!(poll(store, stream), WatchResponse::Created { .. }));
    stream
}

/// The revisions of the events among what a stream still has to say.
fn revisions<P: PageStore>(store: &mut Store<P>, stream: StreamId) -> Vec<i64> {
    let told = events(&drain(store, stream));
    told.iter().map(|event| event.kv.mod_revision).collect()
}

/// The same in a shared store; what is no event is asserted to be what is expected at the end.
fn shared_revisions<P: PageStore>(
    store: &SharedStore<P>,
    stream: StreamId,
    last_word: Option<&WatchResponse>,
) -> Vec<i64> {
    let mut told = Vec::new();
    let mut ended = None;
    loop {
        match store.poll(stream, PLENTY, PLENTY).unwrap() {
            WatchResponse::Events { events, .. } => {
                assert_eq!(ended, None, "nothing comes after the last word");
                told.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            WatchResponse::Idle => break,
            WatchResponse::Created { .. } => {}
            other => assert_eq!(ended.replace(other), None, "the last word comes once"),
        }
    }
    assert_eq!(ended.as_ref(), last_word);
    told
}

fn shared_watch<P: PageStore>(store: &SharedStore<P>, options: StreamOptions) -> StreamId {
    let stream = store.watch_stream_with(options);
    let request = WatchRequest::new(KeyRange::All);
    store.watch(stream, &request).unwrap();
    assert_eq!(shared_revisions(store, stream, None), []);
    stream
}

#[test]
fn a_commit_is_told_early_before_its_sync_and_to_the_others_after_it() {
    let (store, gate) = gated(Durability::Commit);
    let early = shared_watch(&store, EARLY);
    let other = shared_watch(&store, StreamOptions::default());
    gate.shut();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| store.wait(early, LONG).unwrap());
        let writer = scope.spawn(|| store.put(b"k", b"new").unwrap());
        gate.wait_for_a_sync();
        assert!(waiter.join().unwrap(), "who waits is told that it came");
        assert_eq!(shared_revisions(&store, early, None), [3]);
        assert_eq!(shared_revisions(&store, other, None), []);
        gate.open(Then::Succeed);
        assert!(writer.join().unwrap().durable);
    });
    assert_eq!(shared_revisions(&store, other, None), [3]);
    assert_eq!(shared_revisions(&store, early, None), [], "it is told once");
}

#[test]
fn who_waits_for_early_news_is_woken_by_each_change_that_is_applied() {
    const PUTS: i64 = 200;
    let (store, _) = gated(Durability::Batch {
        max_ms: i64::MAX,
        max_writes: u32::MAX,
    });
    let early = shared_watch(&store, EARLY);
    let told = AtomicI64::new(2);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            while told.load(Ordering::SeqCst) < 2 + PUTS {
                assert!(store.wait(early, LONG).unwrap(), "nobody woke us");
                let revisions = shared_revisions(&store, early, None);
                let newest = revisions.last().copied().unwrap_or(0);
                told.fetch_max(newest, Ordering::SeqCst);
            }
        });
        for revision in 3..3 + PUTS {
            // So that most often it waits already when this comes.
            while told.load(Ordering::SeqCst) < revision - 1 && !waiter.is_finished() {
                thread::yield_now();
            }
            store.put(b"k", b"v").unwrap();
        }
    });
    assert_eq!(store.status().published_revision, 2);
}

#[test]
fn a_batch_is_told_early_before_the_step_that_makes_it_durable() {
    let mut store = batched(Limits::default());
    store.step(0, PLENTY).unwrap();
    let early = watch_all(&mut store, EARLY, 0);
    let other = watch_all(&mut store, StreamOptions::default(), 0);
    let mut told_early = Vec::new();
    for number in 0..3_u8 {
        store.put(b"k", &[number]).unwrap();
        let told = events(&drain(&mut store, early));
        assert_eq!(told.len(), 1);
        told_early.extend(told);
        assert_eq!(drain(&mut store, other), []);
    }
    store.step(100, PLENTY).unwrap();
    assert_eq!(events(&drain(&mut store, other)), told_early);
    assert_eq!(drain(&mut store, early), []);
}

#[test]
fn what_keys_were_before_is_told_early_too() {
    let mut store = batched(Limits::default());
    let early = store.watch_stream_with(EARLY);
    let request = WatchRequest {
        prev_kv: true,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(early, &request).unwrap();
    store.put(b"k", b"1").unwrap();
    store.put(b"k", b"2").unwrap();
    let told = events(&drain(&mut store, early));
    let before = told.iter().map(|event| event.prev_kv.as_ref());
    let before: Vec<Option<&[u8]>> = before.map(|kv| kv.map(|kv| kv.value.as_slice())).collect();
    assert_eq!(before, [None, Some(b"1".as_slice())]);
}

#[test]
fn who_comes_late_reads_up_to_what_is_applied_and_goes_on_from_there() {
    let mut store = batched(Limits::default());
    store.put(b"a", b"durable").unwrap();
    store.flush().unwrap();
    store.put(b"b", b"applied").unwrap();
    let early = watch_all(&mut store, EARLY, 1);
    let other = watch_all(&mut store, StreamOptions::default(), 1);
    assert_eq!(revisions(&mut store, early), [2, 3]);
    assert_eq!(revisions(&mut store, other), [2]);
    let [first, second] = &store.watchers()[..] else {
        panic!("there are two watchers")
    };
    let mut states = [first, second].map(|report| (report.stream, report.state, report.lag));
    states.sort_unstable_by_key(|&(stream, ..)| stream != early);
    assert_eq!(states[0], (early, WatcherState::Synced, 0));
    assert_eq!(states[1].0, other);
    store.put(b"c", b"live").unwrap();
    assert_eq!(revisions(&mut store, early), [4]);
    store.flush().unwrap();
    assert_eq!(revisions(&mut store, other), [3, 4]);
}

#[test]
fn a_step_reads_history_for_those_who_are_told_early_as_for_the_others() {
    let mut store = batched(Limits::default());
    for number in 0..200_u8 {
        store.put(&[number], &[0; 100]).unwrap();
    }
    store.flush().unwrap();
    for options in [EARLY, StreamOptions::default()] {
        watch_all(&mut store, options, 1);
    }
    assert_eq!(store.status().unsynced_watchers, 2);
    store.step(0, PLENTY).unwrap();
    let queued = store.watchers().into_iter().map(|one| one.queued_responses);
    assert_eq!(queued.collect::<Vec<usize>>(), [1, 1]);
}

#[test]
fn progress_is_what_is_applied() {
    let mut store = batched(Limits::default());
    let early = watch_all(&mut store, EARLY, 0);
    let other = watch_all(&mut store, StreamOptions::default(), 0);
    store.put(b"k", b"v").unwrap();
    for (stream, revision) in [(early, 2), (other, 1)] {
        assert!(store.request_progress(stream).unwrap());
        let told = drain(&mut store, stream).pop();
        let watch_id = PROGRESS_OF_STREAM;
        assert_eq!(told, Some(WatchResponse::Progress { watch_id, revision }));
    }
}

#[test]
fn progress_by_interval_is_what_is_applied() {
    let limits = Limits {
        progress_notify_ms: 50,
        ..Limits::default()
    };
    let mut store = batched(limits);
    store.step(0, PLENTY).unwrap();
    let early = store.watch_stream_with(EARLY);
    let request = WatchRequest {
        progress_notify: true,
        ..WatchRequest::new(KeyRange::one(b"quiet"))
    };
    let watch_id = store.watch(early, &request).unwrap();
    store.put(b"k", b"v").unwrap();
    assert_eq!(store.step(1, PLENTY).unwrap().next_ms, Some(51));
    drain(&mut store, early);
    store.step(51, PLENTY).unwrap();
    assert_eq!(store.status().published_revision, 1);
    let revision = 2;
    let told = [WatchResponse::Progress { watch_id, revision }];
    assert_eq!(drain(&mut store, early), told);
}

#[test]
fn a_compacted_start_is_told() {
    let mut store = batched(Limits::default());
    for _ in 0..3 {
        store.put(b"k", b"v").unwrap();
    }
    store.compact(4).unwrap();
    let early = watch_all(&mut store, EARLY, 2);
    assert_eq!(
        drain(&mut store, early),
        [WatchResponse::Compacted {
            watch_id: 0,
            compact_revision: 4
        }]
    );
}

struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_task_is_woken_when_a_change_is_applied() {
    let mut store = batched(Limits::default());
    let streams = [EARLY, StreamOptions::default()].map(|options| {
        let stream = watch_all(&mut store, options, 0);
        assert_eq!(drain(&mut store, stream), []);
        stream
    });
    let tasks = streams.map(|stream| {
        let task = Arc::new(Counter(AtomicUsize::new(0)));
        store
            .set_waker(stream, &Waker::from(Arc::clone(&task)))
            .unwrap();
        task
    });
    let woken = |store: &mut Store| {
        store.take_woken().into_iter().for_each(Waker::wake);
        [0, 1].map(|which: usize| tasks[which].0.load(Ordering::SeqCst))
    };
    assert_eq!(woken(&mut store), [0, 0]);
    store.put(b"k", b"v").unwrap();
    assert_eq!(woken(&mut store), [1, 0]);
    store.flush().unwrap();
    assert_eq!(woken(&mut store), [1, 1]);
}

/// A put waits for a sync that fails.
fn fail_a_sync(store: &SharedStore<GatedPages>, gate: &Gate) {
    gate.shut();
    thread::scope(|scope| {
        let writer = scope.spawn(|| store.put(b"k", b"lost").unwrap_err().code());
        gate.wait_for_a_sync();
        gate.open(Then::Fail);
        assert_eq!(writer.join().unwrap(), ErrorCode::Io);
    });
}

#[test]
fn who_was_told_early_what_a_failed_sync_takes_is_told_rewound_once() {
    let (store, gate) = gated(Durability::Commit);
    let early = shared_watch(&store, EARLY);
    let other = shared_watch(&store, StreamOptions::default());
    let later = store.watch_stream_with(EARLY);
    let request = WatchRequest {
        start_revision: 10,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(later, &request).unwrap();

    fail_a_sync(&store, &gate);

    assert_eq!(store.revision(), 2, "it went out of sight");
    assert!(store.wait(early, LONG).unwrap(), "who waits is woken");
    let rewound = WatchResponse::Rewound {
        watch_id: 0,
        revision: 2,
    };
    assert_eq!(shared_revisions(&store, early, Some(&rewound)), [3]);
    assert_eq!(shared_revisions(&store, other, None), []);
    assert_eq!(
        shared_revisions(&store, later, None),
        [],
        "who starts later was told nothing of it"
    );
    // Who goes on with what it saw is told the same.
    let again = store.watch_stream_with(EARLY);
    let request = WatchRequest {
        epoch: store.status().epoch,
        start_revision: 4,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(again, &request).unwrap();
    let rewound = WatchResponse::Rewound {
        watch_id: 0,
        revision: 2,
    };
    assert_eq!(shared_revisions(&store, again, Some(&rewound)), []);
}

#[test]
fn who_waits_is_woken_to_be_told_of_the_loss() {
    let (store, gate) = gated(Durability::Commit);
    let early = shared_watch(&store, EARLY);
    gate.shut();
    thread::scope(|scope| {
        let writer = scope.spawn(|| store.put(b"k", b"lost").unwrap_err().code());
        gate.wait_for_a_sync();
        assert_eq!(shared_revisions(&store, early, None), [3]);
        let waiter = scope.spawn(|| store.wait(early, LONG).unwrap());
        gate.open(Then::Fail);
        assert_eq!(writer.join().unwrap(), ErrorCode::Io);
        assert!(waiter.join().unwrap());
    });
    let rewound = WatchResponse::Rewound {
        watch_id: 0,
        revision: 2,
    };
    assert_eq!(shared_revisions(&store, early, Some(&rewound)), []);
}

#[test]
fn what_was_answered_stays_told_when_a_sync_fails() {
    let mut store = batched(Limits::default());
    let early = watch_all(&mut store, EARLY, 0);
    store.put(b"k", b"answered").unwrap();
    let ticket = store.begin_sync().unwrap().unwrap();
    let lost = PageError::other("the disk has gone");
    store.finish_sync(ticket, Err(lost)).unwrap_err();
    let status = store.status();
    assert_eq!((status.published_revision, status.revision), (1, 2));
    let told = drain(&mut store, early);
    assert_eq!(outline(&events(&told)), [(2, "k".into())]);
    assert_eq!(told.len(), 1, "it is still there to be read: {told:?}");
}

#[test]
fn what_a_crash_takes_is_told_to_who_goes_on() {
    let pages = MemoryPages::new(4096);
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    let mut store = Store::open(pages.clone(), options.clone()).unwrap();
    store.put(b"k", b"durable").unwrap();
    store.flush().unwrap();
    let early = watch_all(&mut store, EARLY, 0);
    store.put(b"k", b"in memory only").unwrap();
    assert_eq!(revisions(&mut store, early), [3]);
    let epoch = store.status().epoch;
    drop(store);

    let mut store = Store::open(pages, options).unwrap();
    store.put(b"k", b"another third").unwrap();
    let early = store.watch_stream_with(EARLY);
    let request = WatchRequest {
        epoch,
        start_revision: 4,
        ..WatchRequest::new(KeyRange::All)
    };
    let watch_id = store.watch(early, &request).unwrap();
    let told = drain(&mut store, early);
    assert!(matches!(told[0], WatchResponse::Created { .. }));
    let revision = 2;
    assert_eq!(told[1..], [WatchResponse::Rewound { watch_id, revision }]);
}

#[test]
fn a_follower_is_told_early_the_state_and_its_changes_and_is_reset_when_they_are_lost() {
    let (store, gate) = gated(Durability::Commit);
    gate.shut();
    let follow = store.follow_with(KeyRange::All, None, EARLY).unwrap();
    let next = |follow| store.poll_follow(follow, PLENTY, PLENTY).unwrap();
    let (mut second, mut told) = (None, Vec::new());
    thread::scope(|scope| {
        let writer = scope.spawn(|| store.put(b"k", b"lost").unwrap_err());
        gate.wait_for_a_sync();
        // This one begins with the state that is lost, and has not been told all of it yet.
        second = Some(store.follow_with(KeyRange::All, None, EARLY).unwrap());
        told.extend([(); 3].map(|()| next(follow)));
        gate.open(Then::Fail);
        writer.join().unwrap();
    });
    let FollowResponse::State { kvs } = &told[0] else {
        panic!("{told:?}")
    };
    assert_eq!(kvs[0].value, b"old");
    assert_eq!(told[1], FollowResponse::Synced { revision: 2 });
    assert!(
        matches!(&told[2], FollowResponse::Events { revision: 3, .. }),
        "{told:?}"
    );
    for follow in [follow, second.unwrap()] {
        assert_eq!(next(follow), FollowResponse::Reset { revision: 2 });
        let state = next(follow);
        assert!(
            matches!(&state, FollowResponse::State { kvs } if kvs[0].value == b"old"),
            "{state:?}"
        );
        assert_eq!(next(follow), FollowResponse::Synced { revision: 2 });
    }
}

#[test]
fn where_changes_are_shown_at_once_early_is_the_same() {
    let pages = MemoryPages::new(4096);
    let never = Options {
        durability: Durability::Never,
        ..Options::default()
    };
    let read_only = Options {
        read_only: true,
        ..Options::default()
    };
    let mut writer = Store::open(pages.clone(), never).unwrap();
    writer.flush().unwrap();
    let mut reader = Store::open(pages, read_only).unwrap();
    let mut memory = Store::in_memory(Options::default());
    let told = |store: &mut Store, write: &mut dyn FnMut(&mut Store)| {
        let streams = [EARLY, StreamOptions::default()];
        let streams = streams.map(|options| watch_all(store, options, 0));
        write(store);
        streams.map(|stream| revisions(store, stream))
    };
    let mut put = |store: &mut Store| drop(store.put(b"k", b"v").unwrap());
    let expected = [vec![2], vec![2]];
    assert_eq!(told(&mut memory, &mut put), expected);
    assert_eq!(
        told(&mut reader, &mut |reader| {
            writer.step(0, PLENTY).unwrap();
            writer.put(b"k", b"v").unwrap();
            writer.step(1_000, PLENTY).unwrap();
            reader.step(0, PLENTY).unwrap();
        }),
        expected
    );
    assert_eq!(told(&mut writer, &mut put), [vec![3], vec![3]]);
}

#[test]
fn a_stream_is_never_taken_for_one_of_the_other_kind() {
    let mut store = batched(Limits::default());
    let other = store.watch_stream();
    let early = store.watch_stream_with(EARLY);
    assert_ne!(early, other);
    assert_eq!(store.status().watch_streams, 2);
    store.close_stream(early);
    assert_eq!(store.status().watch_streams, 1);
    let request = WatchRequest::new(KeyRange::All);
    let gone = ErrorCode::StreamNotFound;
    assert_eq!(store.watch(early, &request).unwrap_err().code(), gone);
    assert_eq!(store.poll(early, 1, 1).unwrap_err().code(), gone);
    let mut without = batched(Limits::default());
    without.watch_stream();
    assert_eq!(without.watch(early, &request).unwrap_err().code(), gone);
    store.watch(other, &request).unwrap();
}

#[test]
fn the_bound_of_all_queues_holds_for_both_kinds_together() {
    const VALUE_BYTES: usize = 1_000;
    let limits = Limits {
        watch_queue_bytes: 10 * VALUE_BYTES,
        ..Limits::default()
    };
    let mut store = batched(limits);
    let streams =
        [EARLY, StreamOptions::default()].map(|options| watch_all(&mut store, options, 0));
    for _ in 0..100 {
        store.put(b"k", &[0; VALUE_BYTES]).unwrap();
        store.flush().unwrap();
    }
    let held: usize = store.watchers().iter().map(|one| one.queued_bytes).sum();
    let most = 10 * VALUE_BYTES + 2 * (VALUE_BYTES + 1);
    assert!((VALUE_BYTES..=most).contains(&held), "{held} bytes");
    for stream in streams {
        let expected: Vec<i64> = (2..=101).collect();
        assert_eq!(revisions(&mut store, stream), expected, "nothing is lost");
    }
}
