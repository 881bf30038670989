//! What many wait for who ask at once, each for one thing after the other: threads on a `SharedStore`
//! of a file, each put synced before it returns, and clients of a real etcd over the loopback
//! interface (`etcd_mvcc/clients.go`).
//!
//! Each has keys that nobody else puts, so that what is there in the end, and each event, does not
//! depend on who comes first.

use std::path::Path;
use std::sync::Barrier;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use revwatch::page::FilePages;
use revwatch::{KeyRange, RangeRequest, SharedStore, StreamId, WatchRequest, WatchResponse};

use crate::data::{
    CLIENT_GETS, CLIENT_KEYS, CLIENT_PUTS, CLIENTS, Key, Random, Seed, Values, kv_sum,
    numbered_keys,
};
use crate::measure::{Run, Work};
use crate::subject::Subject;

const POLL_EVENTS: usize = 1_000;
const POLL_BYTES: usize = 1 << 20;
/// A store that has not told of a put by then has lost it.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the keys of one client have in common: all but two digits, for there are a hundred of them.
const CLIENT_PREFIX: usize = size_of::<Key>() - 2;

pub(crate) fn all_at_once(run: &Run, folder: &Path) {
    let (store, _scratch) = Subject::durable(folder).share();
    let (keys, values) = (numbered_keys(CLIENTS * CLIENT_KEYS), Values::new());
    let mut random = Random::new(Seed::Clients, run.round);
    let mut picks = |each: u32| -> Vec<u32> {
        (0..CLIENTS * each)
            .map(|_| random.below(CLIENT_KEYS))
            .collect()
    };
    let key = |client: u32, pick: u32| &keys[(client * CLIENT_KEYS + pick) as usize];
    let put = |client, i, pick| {
        let put = store.put(key(client, pick), values.of(i));
        put.expect("a put succeeds");
    };
    let put_only = |client, i, pick| {
        put(client, i, pick);
        0
    };
    let creations = (0..CLIENTS)
        .flat_map(|_| 0..CLIENT_KEYS)
        .collect::<Vec<_>>();
    at_once(&creations, put_only);

    let took = at_once(&picks(CLIENT_PUTS), put_only);
    took.print(run, "durable put", "puts/s", digest(&store));

    let took = at_once(&picks(CLIENT_GETS), |client, _, pick| {
        let found = store.get(key(client, pick)).expect("a get succeeds");
        let kv = found.expect("all keys were put");
        kv_sum(&kv.key, &kv.value)
    });
    took.print(run, "get", "gets/s", 0);

    let watch = |client| watch(&store, KeyRange::prefix(&key(client, 0)[..CLIENT_PREFIX]));
    let streams: Vec<StreamId> = (0..CLIENTS).map(watch).collect();
    let took = at_once(&picks(CLIENT_PUTS), |client, i, pick| {
        put(client, i, pick);
        event(&store, streams[client as usize])
    });
    took.print(run, "durable put until its event", "puts/s", digest(&store));
}

/// What all clients together took.
struct Took {
    seconds: f64,
    each: Vec<Duration>,
    digest: u64,
}

impl Took {
    /// How many there were in a second, and how long single ones took.
    fn print(self, run: &Run, what: &str, unit: &str, digest: u64) {
        let workload = format!("{what}, {CLIENTS} clients");
        let digest = self.digest.wrapping_add(digest);
        let work = Work::of(self.each.len() as u32, digest);
        run.print(&workload, unit, self.seconds, work);
        run.print_latencies(&workload, self.each, digest);
    }
}

/// Has each client do its part of the picks, in a thread of its own. `work` is told the client, how
/// many it has done before, and the pick; it answers the digest of what it has read.
fn at_once(picks: &[u32], work: impl Fn(u32, usize, u32) -> u64 + Sync) -> Took {
    let begin = Barrier::new(CLIENTS as usize + 1);
    let (begin, work) = (&begin, &work);
    thread::scope(|scope| {
        let parts = picks.chunks(picks.len() / CLIENTS as usize);
        let clients = (0..CLIENTS).zip(parts).map(|(client, picks)| {
            scope.spawn(move || {
                let (mut each, mut digest) = (Vec::with_capacity(picks.len()), 0_u64);
                begin.wait();
                for (i, &pick) in picks.iter().enumerate() {
                    let start = Instant::now();
                    digest = digest.wrapping_add(work(client, i, pick));
                    each.push(start.elapsed());
                }
                (each, digest)
            })
        });
        let clients: Vec<_> = clients.collect();
        begin.wait();
        let start = Instant::now();
        let parts: Vec<_> = clients.into_iter().map(ScopedJoinHandle::join).collect();
        let seconds = start.elapsed().as_secs_f64();
        let (mut each, mut digest) = (Vec::with_capacity(picks.len()), 0_u64);
        for part in parts {
            let (of_client, read) = part.expect("a client ends well");
            each.extend(of_client);
            digest = digest.wrapping_add(read);
        }
        Took {
            seconds,
            each,
            digest,
        }
    })
}

fn digest(store: &SharedStore<FilePages>) -> u64 {
    let all = store.range(&RangeRequest::new(KeyRange::prefix(b"k")));
    let kvs = all.expect("a range succeeds").kvs;
    kvs.iter()
        .fold(0, |sum, kv| sum.wrapping_add(kv_sum(&kv.key, &kv.value)))
}

/// A watcher on a stream of its own, which has been told that it is there.
fn watch(store: &SharedStore<FilePages>, range: KeyRange) -> StreamId {
    let stream = store.watch_stream();
    let watch = store.watch(stream, &WatchRequest::new(range));
    watch.expect("a watch succeeds");
    match next(store, stream) {
        WatchResponse::Created { .. } => stream,
        other => panic!("a watcher is told first that it is there, not {other:?}"),
    }
}

/// Waits for the one event of a put, and reads it.
fn event(store: &SharedStore<FilePages>, stream: StreamId) -> u64 {
    match next(store, stream) {
        WatchResponse::Events { events, .. } => {
            assert_eq!(events.len(), 1, "events of one put");
            events
                .iter()
                .map(|event| kv_sum(event.kv.key, event.kv.value))
                .sum()
        }
        other => panic!("nobody asked for {other:?}"),
    }
}

fn next(store: &SharedStore<FilePages>, stream: StreamId) -> WatchResponse {
    let comes = store.wait(stream, PATIENCE).expect("a wait succeeds");
    assert!(comes, "nothing came");
    let response = store.poll(stream, POLL_EVENTS, POLL_BYTES);
    response.expect("a poll succeeds")
}
