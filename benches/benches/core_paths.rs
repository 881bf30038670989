//! The core paths in time: `cargo bench -p revwatch-benches` says of each how long it takes, how sure that
//! is, and what has changed since the last time. For whoever works on one of them; what is compared with
//! peers are whole workloads, and what `make test` guards are instructions.

#[path = "../src/data.rs"]
#[allow(
    dead_code,
    reason = "shared with the other benchmarks, which use more of it"
)]
mod data;
#[path = "../src/instructions/fixture.rs"]
#[allow(
    dead_code,
    reason = "shared with the other benchmarks, which use more of it"
)]
mod fixture;
#[path = "../src/instructions/streams.rs"]
mod streams;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use revwatch::page::MemoryPages;
use revwatch::{KeyRange, MeasuredMatcher, Op, PutRequest, Store, StreamId, TxnRequest};

use crate::data::{KEYS_PER_RANGE, PUTS_PER_TXN, Random, Seed, WATCH_STREAMS, kv_sum};
use crate::fixture::{Data, KEYS, in_memory, reclaim};
use crate::streams::{drain, streams, watch};

const WATCHERS: u32 = 1_000;

/// What writes does so on a store of its own each time, so that each time is like the first.
fn writing(criterion: &mut Criterion) {
    let data = Data::of(KEYS);
    let mut group = criterion.benchmark_group("write");
    group.throughput(Throughput::Elements(KEYS.into()));
    group.bench_function("put, new keys", |bench| {
        bench.iter_batched_ref(in_memory, |s| data.put_into(s), BatchSize::PerIteration);
    });
    group.bench_function("put, keys that are there", |bench| {
        let store = || data.store();
        bench.iter_batched_ref(store, |s| data.put_into(s), BatchSize::PerIteration);
    });
    let put = |(key, value)| Op::Put(PutRequest::new(key, value));
    let pairs: Vec<_> = data.pairs().collect();
    let request = |together: &[_]| TxnRequest {
        success: together.iter().copied().map(put).collect(),
        ..TxnRequest::default()
    };
    let requests: Vec<_> = pairs.chunks(PUTS_PER_TXN).map(request).collect();
    group.bench_function("put, 100 a transaction", |bench| {
        let put_all = |store: &mut Store<_>| {
            for request in &requests {
                store.txn(request).expect("a transaction succeeds");
            }
        };
        bench.iter_batched_ref(|| data.store(), put_all, BatchSize::PerIteration);
    });
    group.bench_function("compaction and reclaiming", |bench| {
        let overwritten = || {
            let mut store = data.store();
            data.put_into(&mut store);
            store
        };
        let compact = |store: &mut Store<_>| {
            store
                .compact(store.revision())
                .expect("a compaction succeeds");
            reclaim(store);
        };
        bench.iter_batched_ref(overwritten, compact, BatchSize::PerIteration);
    });
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    let data = Data::of(KEYS);
    let store = data.store();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(1));
    let mut keys = data.picked().cycle();
    group.bench_function("get, borrowed", |bench| {
        bench.iter(|| {
            let found = store.get_pinned(keys.next().expect("it goes round"));
            let found = found.expect("a get succeeds").expect("every key was put");
            let kv = found.as_ref();
            kv_sum(kv.key, kv.value)
        });
    });
    group.bench_function("get, copied", |bench| {
        bench.iter(|| store.get(keys.next().expect("it goes round")));
    });
    group.throughput(Throughput::Elements(KEYS_PER_RANGE.into()));
    let thousands = data.keys.iter().step_by(KEYS_PER_RANGE as usize);
    let mut ranges = thousands.map(|key| KeyRange::prefix(&key[..13])).cycle();
    group.bench_function("range of 1000 keys, borrowed", |bench| {
        bench.iter(|| {
            let range = ranges.next().expect("it goes round");
            let pinned = store.range_pinned(&range, 0).expect("a range succeeds");
            pinned.fold(0_u64, |sum, pinned| {
                let pinned = pinned.expect("a range succeeds");
                let kv = pinned.as_ref();
                sum.wrapping_add(kv_sum(kv.key, kv.value))
            })
        });
    });
    group.finish();
}

/// A store with watchers on streams, dealt out, that have read that they were created.
fn watched(
    data: &Data,
    streams_used: usize,
    watchers: u32,
    range: impl Fn(u32) -> KeyRange,
) -> (Store<MemoryPages>, Vec<StreamId>) {
    let mut store = data.store();
    let mut streams = streams(&mut store);
    streams.truncate(streams_used);
    for (number, &stream) in (0..watchers).zip(streams.iter().cycle()) {
        watch(&mut store, stream, range(number), 0);
    }
    drain(&mut store, &streams);
    (store, streams)
}

fn watching(criterion: &mut Criterion) {
    let data = Data::of(WATCHERS);
    let mut group = criterion.benchmark_group("watch");
    group.throughput(Throughput::Elements(WATCHERS.into()));
    group.bench_function("put and event, to 1 of 1000 keys", |bench| {
        let of_key = |number| KeyRange::one(&data.keys[number as usize]);
        let put_all = |(store, streams): &mut (Store<_>, Vec<StreamId>)| {
            for (&pick, (key, value)) in data.order.iter().zip(data.pairs()) {
                store.put(key, value).expect("a put succeeds");
                let stream = streams[pick as usize % WATCH_STREAMS];
                assert_eq!(drain(store, &[stream]), 1);
            }
        };
        let store = || watched(&data, WATCH_STREAMS, WATCHERS, of_key);
        bench.iter_batched_ref(store, put_all, BatchSize::PerIteration);
    });
    group.bench_function("event to 1000 watchers of a prefix", |bench| {
        let (key, value) = data.pairs().next().expect("there are keys");
        let put_one = |(store, streams): &mut (Store<_>, Vec<StreamId>)| {
            store.put(key, value).expect("a put succeeds");
            assert_eq!(drain(store, streams), WATCHERS);
        };
        let store = || watched(&data, 1, WATCHERS, |_| KeyRange::prefix(b"k"));
        bench.iter_batched_ref(store, put_one, BatchSize::PerIteration);
    });
    group.bench_function("catch-up, each event", |bench| {
        let catch_up = |(store, streams): &mut (Store<_>, Vec<StreamId>)| {
            watch(store, streams[0], KeyRange::All, 1);
            assert_eq!(drain(store, streams), WATCHERS);
        };
        let store = || watched(&data, 1, 0, |_| KeyRange::All);
        bench.iter_batched_ref(store, catch_up, BatchSize::PerIteration);
    });
    group.finish();
}

fn matching(criterion: &mut Criterion) {
    let data = Data::of(KEYS);
    let mut group = criterion.benchmark_group("who watches a key");
    let mut find = |family, range: fn(&[u8]) -> KeyRange| {
        let mut matcher = MeasuredMatcher::new(0);
        for key in data.picked() {
            matcher.register(&range(key));
        }
        let picks = Random::new(Seed::Match, 0).picks(KEYS, KEYS);
        let mut picks = picks.iter().cycle();
        group.bench_function(family, |bench| {
            bench.iter(|| {
                let &pick = picks.next().expect("it goes round");
                matcher.matching(&data.keys[pick as usize], |watcher| {
                    black_box(watcher);
                });
            });
        });
    };
    find("10000 single keys", KeyRange::one);
    find("10000 prefixes", |key| KeyRange::prefix(&key[..15]));
    find("10000 spans", |key| {
        KeyRange::span(key, &[key, b"~"].concat())
    });
    group.finish();
}

criterion_group! {
    name = core_paths;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    targets = writing, reading, watching, matching
}
criterion_main!(core_paths);
