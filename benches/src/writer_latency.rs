//! How long a put takes while another thread reads history, and how long it takes to be seen.
//!
//! Not beside etcd: `revwatch-bench --workloads writer-latency`. Each round measures the same puts
//! alone, beside a thread that drains a backlog of *another* store, which says what sharing the machine
//! costs, and beside one that drains a backlog of the same store.

use std::hint;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use revwatch::page::PageStore;
use revwatch::{Durability, KeyRange, SharedStore, StreamId, WatchRequest, WatchResponse};

use crate::data::{CATCH_UP_KEYS, Key, Random, Seed, Values, numbered_keys};
use crate::measure::Run;
use crate::subject::Subject;

/// How far the reader is behind, in revisions.
const BACKLOG: u32 = 300_000;
/// Puts that are timed at a stretch, and how often each kind of stretch comes.
const PUTS: u32 = 50_000;
const STRETCHES: u32 = 5;
/// Puts that are waited for until another thread, or the same, has seen them.
const SEEN_PUTS: usize = 2_000;
/// A put comes so long after the one before it, at least.
const PAUSE: Duration = Duration::from_micros(20);
const POLL_EVENTS: usize = 1_000;
const POLL_BYTES: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// What another thread does meanwhile.
#[derive(Clone, Copy)]
enum Beside {
    Nobody,
    AnotherStore,
    TheBacklog,
}

impl Beside {
    const ALL: [Self; 3] = [Self::Nobody, Self::AnotherStore, Self::TheBacklog];

    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "alone",
            Self::AnotherStore => "beside a reader of another store",
            Self::TheBacklog => "beside a reader 300,000 revisions behind",
        }
    }
}

pub(crate) fn writer_latency<P: PageStore + Send + Sync>(run: &Run, open: impl Fn() -> Subject<P>) {
    let ((store, _kept), (other, _kept_too)) = (open().share(), open().share());
    let (keys, values) = (numbered_keys(CATCH_UP_KEYS), Values::new());
    for store in [&store, &other] {
        for (i, key) in keys.iter().cycle().take(BACKLOG as usize).enumerate() {
            store.put(key, values.of(i)).expect("a put succeeds");
        }
        store.flush().expect("a flush succeeds");
    }
    let mut times = [const { Vec::new() }; Beside::ALL.len()];
    let mut events = [0; Beside::ALL.len()];
    for stretch in 0..STRETCHES {
        let picks = Random::new(Seed::Put, stretch).picks(PUTS, CATCH_UP_KEYS);
        let put = |i: usize, pick: u32| {
            let put = store.put(&keys[pick as usize], values.of(i));
            put.expect("a put succeeds");
        };
        for (place, beside) in Beside::ALL.into_iter().enumerate() {
            let read = match beside {
                Beside::Nobody => None,
                Beside::AnotherStore => Some(&other),
                Beside::TheBacklog => Some(&store),
            };
            events[place] += time_puts(&picks, put, read, &mut times[place]);
        }
    }
    for ((beside, mut times), events) in Beside::ALL.into_iter().zip(times).zip(events) {
        let workload = format!("put, {}", beside.name());
        report(run, &workload, &mut times);
        let workload = format!("{workload}, read meanwhile");
        print(run, &workload, "events", events, times.len());
    }
    drop((store, other));
    put_to_poll(run, open(), &keys, &values);
}

/// Times puts, one every few microseconds, while another thread drains the backlog of a store again and
/// again; answers how many events that one has read.
///
/// A writer that knew no pause would hold the store nearly all the time itself.
fn time_puts<P: PageStore + Send + Sync>(
    picks: &[u32],
    put: impl Fn(usize, u32),
    read: Option<&SharedStore<P>>,
    times: &mut Vec<u64>,
) -> u64 {
    let (is_over, begin) = (AtomicBool::new(false), Barrier::new(2));
    thread::scope(|scope| {
        let reader = read.map(|store| {
            let (is_over, begin) = (&is_over, &begin);
            scope.spawn(move || {
                begin.wait();
                let mut events = 0;
                while !is_over.load(Ordering::Relaxed) {
                    events += drain_backlog(store, is_over);
                }
                events
            })
        });
        if reader.is_some() {
            begin.wait();
        }
        for (i, &pick) in picks.iter().enumerate() {
            let start = Instant::now();
            put(i, pick);
            times.push(start.elapsed().as_nanos() as u64);
            while start.elapsed() < PAUSE {
                hint::spin_loop();
            }
        }
        is_over.store(true, Ordering::Relaxed);
        reader.map_or(0, |reader| reader.join().expect("the reader ends well"))
    })
}

/// A watcher of all that begins with the first revision, until it has caught up with what there was;
/// answers how many events came.
fn drain_backlog<P: PageStore>(store: &SharedStore<P>, is_over: &AtomicBool) -> u64 {
    let stream = watch(store, 2);
    let mut seen = 0;
    while seen < u64::from(BACKLOG) && !is_over.load(Ordering::Relaxed) {
        let response = store.poll(stream, POLL_EVENTS, POLL_BYTES);
        if let WatchResponse::Events { events, .. } = response.expect("a poll succeeds") {
            let read = events.iter().filter(|event| !event.kv.value.is_empty());
            seen += read.count() as u64;
        }
    }
    store.close_stream(stream);
    seen
}

fn watch<P: PageStore>(store: &SharedStore<P>, start_revision: i64) -> StreamId {
    let stream = store.watch_stream();
    let request = WatchRequest {
        start_revision,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &request).expect("a watch succeeds");
    stream
}

/// How long after a put was begun its event is in the hands of who watches: the same thread, or another
/// that waits for it. A file is synced before.
fn put_to_poll<P: PageStore + Send + Sync>(
    run: &Run,
    subject: Subject<P>,
    keys: &[Key],
    values: &Values,
) {
    let (store, _kept) = subject.share();
    let store = store.with_durability(Durability::Commit);
    let stream = watch(&store, 0);
    let mut times = Vec::with_capacity(SEEN_PUTS);
    for (i, key) in keys.iter().cycle().take(SEEN_PUTS).enumerate() {
        let start = Instant::now();
        let put = store.put(key, values.of(i)).expect("a put succeeds");
        while last_seen(&store, stream) < Some(put.revision) {}
        times.push(start.elapsed().as_nanos() as u64);
    }
    report(run, "put to poll, one thread", &mut times);

    times.clear();
    let (seen, seen_at) = (AtomicI64::new(0), AtomicI64::new(0));
    let (epoch, is_over) = (Instant::now(), AtomicBool::new(false));
    let now = || epoch.elapsed().as_nanos() as i64;
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if let Some(revision) = last_seen(&store, stream) {
                    seen_at.store(now(), Ordering::Relaxed);
                    seen.store(revision, Ordering::Release);
                } else {
                    let wait = store.wait(stream, Duration::from_millis(100));
                    wait.expect("a stream can be waited for");
                }
            }
        });
        for (i, key) in keys.iter().cycle().take(SEEN_PUTS).enumerate() {
            let start = now();
            let put = store.put(key, values.of(i)).expect("a put succeeds");
            let waiting_since = Instant::now();
            while seen.load(Ordering::Acquire) < put.revision {
                assert!(waiting_since.elapsed() < PATIENCE, "a put is never seen");
                thread::yield_now();
            }
            times.push((seen_at.load(Ordering::Relaxed) - start) as u64);
            // The other one waits again, as it does where puts are rare.
            thread::sleep(Duration::from_micros(50));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    report(run, "put to poll, two threads", &mut times);
}

/// The revision of the last event that a poll answers, if it has any.
fn last_seen<P: PageStore>(store: &SharedStore<P>, stream: StreamId) -> Option<i64> {
    match store.poll(stream, POLL_EVENTS, POLL_BYTES) {
        Ok(WatchResponse::Events { events, .. }) => {
            let last = events.iter().last();
            last.map(|event| event.kv.mod_revision)
        }
        Ok(_) => None,
        Err(error) => panic!("a poll succeeds: {error}"),
    }
}

/// Prints the median, the 99th and the 999th of 1000.
fn report(run: &Run, workload: &str, times: &mut [u64]) {
    times.sort_unstable();
    for (name, share) in [("p50", 500), ("p99", 990), ("p999", 999)] {
        let value = times[times.len() * share / 1000];
        print(
            run,
            &format!("{workload}, {name}"),
            "ns",
            value,
            times.len(),
        );
    }
}

fn print(run: &Run, workload: &str, unit: &str, value: u64, count: usize) {
    let Run { subject, round, .. } = run;
    println!(
        r#"{{"subject":"{subject}","workload":"{workload}","unit":"{unit}","value":{value},"count":{count},"round":{round}}}"#
    );
}
