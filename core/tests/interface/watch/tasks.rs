//! What async programs are promised: every response, and no wake-up lost.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::common::PLENTY;
use futures_core::Stream;
use revwatch::page::MemoryPages;
use revwatch::{
    CursorRequest, CursorResponse, Durability, Error, FollowResponse, KeyRange, Options,
    PutRequest, SharedStore, Store, WatchRequest, WatchResponse,
};

/// Counts how often it was woken, and wakes a thread.
struct Task {
    woken: AtomicUsize,
    thread: Thread,
}

impl Task {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            woken: AtomicUsize::new(0),
            thread: thread::current(),
        })
    }

    fn woken(&self) -> usize {
        self.woken.load(Ordering::SeqCst)
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn poll_next<S: Stream>(stream: Pin<&mut S>, task: &Arc<Task>) -> Poll<Option<S::Item>> {
    let waker = Waker::from(Arc::clone(task));
    stream.poll_next(&mut Context::from_waker(&waker))
}

#[test]
fn a_task_that_waits_is_woken_by_each_write_of_any_thread_and_misses_none() {
    const WRITERS: usize = 4;
    const PUTS: usize = 500;
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    store
        .watch(stream, &WatchRequest::new(KeyRange::All))
        .unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let store = store.clone();
            thread::spawn(move || {
                for _ in 0..PUTS {
                    store.put(b"key", b"value").unwrap();
                }
            })
        })
        .collect();

    let task = Task::new();
    let mut responses = pin!(store.responses(stream, 10, PLENTY));
    let mut seen = Vec::new();
    while seen.len() < WRITERS * PUTS {
        match poll_next(responses.as_mut(), &task) {
            Poll::Ready(Some(Ok(WatchResponse::Events { events, .. }))) => {
                seen.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            Poll::Ready(Some(Ok(WatchResponse::Created { .. }))) => {}
            Poll::Ready(other) => panic!("nobody asked for {other:?}"),
            // A wake-up that is lost would leave this thread here for ever.
            Poll::Pending => thread::park(),
        }
    }
    let expected: Vec<i64> = (2..).take(WRITERS * PUTS).collect();
    assert_eq!(seen, expected);
    for writer in writers {
        writer.join().unwrap();
    }
}

#[test]
fn a_task_is_woken_only_for_its_own_stream() {
    let store = SharedStore::in_memory(Options::default());
    let (one, other) = (store.watch_stream(), store.watch_stream());
    let watched = WatchRequest::new(KeyRange::one(b"one"));
    store.watch(one, &watched).unwrap();
    let watched = WatchRequest::new(KeyRange::one(b"other"));
    store.watch(other, &watched).unwrap();
    let task = Task::new();
    let mut responses = pin!(store.responses(one, 10, PLENTY));
    assert!(poll_next(responses.as_mut(), &task).is_ready());
    assert!(poll_next(responses.as_mut(), &task).is_pending());
    store.put(b"other", b"").unwrap();
    assert_eq!(task.woken(), 0);
    store.put(b"one", b"").unwrap();
    assert_eq!(task.woken(), 1);
    store.put(b"one", b"").unwrap();
    assert_eq!(task.woken(), 1, "once, until it asks again");
}

#[test]
fn who_is_woken_may_come_back_to_the_store_at_once() {
    struct ComesBack(SharedStore, AtomicUsize);
    impl Wake for ComesBack {
        fn wake(self: Arc<Self>) {
            // Would wait for ever if the lock were held.
            let revision = self.0.revision();
            self.1.store(revision as usize, Ordering::SeqCst);
        }
    }
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    let task = Arc::new(ComesBack(store.clone(), AtomicUsize::new(0)));
    store
        .set_waker(stream, &Waker::from(Arc::clone(&task)))
        .unwrap();
    store
        .watch(stream, &WatchRequest::new(KeyRange::All))
        .unwrap();
    assert_eq!(task.1.load(Ordering::SeqCst), 1);
}

#[test]
fn a_task_is_woken_when_what_it_waits_for_becomes_durable() {
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    let store = SharedStore::new(Store::open(MemoryPages::new(4096), options).unwrap());
    store.put(b"key", b"1").unwrap();
    let stream = store.watch_stream();
    // It is behind, but there is nothing that it may see yet.
    let from_the_first = WatchRequest {
        start_revision: 2,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &from_the_first).unwrap();
    let task = Task::new();
    let mut responses = pin!(store.responses(stream, 10, PLENTY));
    assert!(poll_next(responses.as_mut(), &task).is_ready());
    assert!(poll_next(responses.as_mut(), &task).is_pending());
    assert_eq!(task.woken(), 0);
    store.flush().unwrap();
    assert_eq!(task.woken(), 1);
    assert!(poll_next(responses.as_mut(), &task).is_ready());
}

#[test]
fn a_long_history_that_holds_nothing_for_a_task_lets_others_run_and_comes_to_an_end() {
    let store = SharedStore::in_memory(Options::default());
    for _ in 0..200 {
        store.put(b"other", &vec![0; 64 * 1024]).unwrap();
    }
    store.put(b"key", b"").unwrap();
    let stream = store.watch_stream();
    let from_the_first = WatchRequest {
        start_revision: 2,
        ..WatchRequest::new(KeyRange::one(b"key"))
    };
    store.watch(stream, &from_the_first).unwrap();
    let task = Task::new();
    let mut responses = pin!(store.responses(stream, 10, PLENTY));
    let waits = Cell::new(0);
    let mut next = || loop {
        match poll_next(responses.as_mut(), &task) {
            Poll::Ready(response) => return response.unwrap().unwrap(),
            Poll::Pending => waits.set(waits.get() + 1),
        }
        assert_eq!(task.woken(), waits.get(), "it is woken for each part");
    };
    assert!(matches!(next(), WatchResponse::Created { .. }));
    assert!(matches!(next(), WatchResponse::Events { .. }));
    assert!(waits.get() > 1);
}

#[test]
fn a_stream_of_responses_ends_when_what_it_is_of_is_closed() {
    let store = SharedStore::in_memory(Options::default());
    let stream = store.watch_stream();
    let follow = store.follow(KeyRange::All, None).unwrap();
    let task = Task::new();
    let mut responses = pin!(store.responses(stream, 10, PLENTY));
    let mut told = pin!(store.follow_responses(follow, 10, PLENTY));
    assert!(poll_next(responses.as_mut(), &task).is_pending());
    let synced = poll_next(told.as_mut(), &task);
    let expected = FollowResponse::Synced { revision: 1 };
    assert!(matches!(synced, Poll::Ready(Some(Ok(response))) if response == expected));
    assert!(poll_next(told.as_mut(), &task).is_pending());
    store.put(b"key", b"").unwrap();
    assert_eq!(task.woken(), 1);
    assert!(poll_next(told.as_mut(), &task).is_ready());
    assert!(poll_next(told.as_mut(), &task).is_pending());
    store.close_stream(stream);
    store.close_follow(follow);
    assert_eq!(task.woken(), 3, "who waits for what is closed is told");
    assert!(matches!(
        poll_next(responses.as_mut(), &task),
        Poll::Ready(None)
    ));
    assert!(matches!(poll_next(told.as_mut(), &task), Poll::Ready(None)));
}

#[test]
fn a_task_that_waits_for_a_cursor_is_woken_whatever_brings_it_something() {
    let store = SharedStore::in_memory(Options::default());
    let request = CursorRequest::new(b"c", KeyRange::one(b"key"));
    let cursor = store.cursor(&request).unwrap();
    let task = Task::new();
    let waker = Waker::from(Arc::clone(&task));
    let wait = || store.set_cursor_waker(cursor, &waker).unwrap();
    wait();
    assert_eq!(
        task.woken(),
        1,
        "it was never polled, and may have something"
    );
    let poll = || store.poll_cursor(cursor, 10, PLENTY).unwrap();
    assert!(matches!(poll(), CursorResponse::Idle { .. }));
    wait();
    store.put(b"other", b"").unwrap();
    assert_eq!(task.woken(), 1);
    store.put(b"key", b"").unwrap();
    assert_eq!(task.woken(), 2);
    assert!(matches!(poll(), CursorResponse::Events { .. }));
    wait();
    store.seek_cursor(cursor, 1).unwrap();
    assert_eq!(task.woken(), 3, "what was delivered comes again");
    assert!(matches!(poll(), CursorResponse::Events { .. }));
    wait();
    store.cursor(&request).unwrap();
    assert_eq!(task.woken(), 4, "another opening took it over");
    let refused = store.set_cursor_waker(cursor, &waker);
    assert!(matches!(refused, Err(Error::CursorNotFound)));
}

#[test]
fn a_host_that_steps_when_it_is_told_to_misses_nothing_that_is_due() {
    let mut store = Store::in_memory(Options::default());
    store.step(0, PLENTY).unwrap();
    let lease = store.lease_grant(7, 60_000).unwrap().id;
    let request = PutRequest {
        lease,
        ..PutRequest::new(b"key", b"")
    };
    store.put_with(&request).unwrap();
    let mut now_ms = 0;
    while store.get(b"key").unwrap().is_some() {
        let next_ms = store.next_step_ms().expect("the lease will expire");
        assert!(now_ms < next_ms && next_ms <= 60_000);
        now_ms = next_ms;
        store.step(now_ms, PLENTY).unwrap();
    }
    assert_eq!(now_ms, 60_000);
}
