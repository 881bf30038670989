//! The workloads on data that is not uniform, the same on every subject.

use revwatch::KeyRange;
use revwatch::page::PageStore;

use crate::data::{
    GETS, KEYS, OBJECT_GETS, OBJECT_LISTS, OBJECT_PUTS, OBJECTS, PUTS, PUTS_PER_TXN, Random, Seed,
    Values, each, numbered_keys,
};
use crate::keys::{put_many, seconds_of};
use crate::measure::{Run, Work};
use crate::objects::{Cluster, Update};
use crate::subject::Subject;
use crate::table::Table;
use crate::watch::{Seen, streams, watch};

/// Puts and gets of keys picked by Zipf's law among those that are there.
pub(crate) fn zipf(run: &Run, mut table: impl Table) {
    let (keys, values) = (numbered_keys(KEYS), Values::new());
    put_many(&mut table, &keys, &values, &each(KEYS));
    table.flush();
    let picked = Random::new(Seed::Zipf, run.round).picks_by_zipf(PUTS + GETS, KEYS);
    let (put, got) = picked.split_at(PUTS as usize);
    let seconds = seconds_of(|| {
        for (i, &pick) in put.iter().enumerate() {
            table.put(&keys[pick as usize], values.of(i));
        }
        table.flush();
    });
    let digest = table.prefix(b"k").1;
    run.print("put, Zipf", "puts/s", seconds, Work::of(PUTS, digest));
    run.measure("get, Zipf", "gets/s", || {
        let add = |sum: u64, &pick: &u32| sum.wrapping_add(table.get(&keys[pick as usize]));
        Work::of(GETS, got.iter().fold(0, add))
    });
}

/// Updates, gets and lists of a cluster's objects.
pub(crate) fn kubernetes(run: &Run, mut table: impl Table) {
    let mut cluster = Cluster::of(OBJECTS, run.round);
    fill(&mut table, &mut cluster);
    let updates = cluster.updates(OBJECT_PUTS);
    let picked = cluster.picks(OBJECT_GETS);
    let lists = cluster.lists(OBJECT_LISTS);
    let seconds = seconds_of(|| {
        for &update in &updates {
            let (key, value) = cluster.pair(update);
            table.put(key, value);
        }
        table.flush();
    });
    let digest = table.prefix(b"/").1;
    let done = Work::of(OBJECT_PUTS, digest);
    run.print("put, Kubernetes", "puts/s", seconds, done);
    run.measure("get, Kubernetes", "gets/s", || {
        let add = |sum: u64, &pick: &u32| sum.wrapping_add(table.get(&cluster.keys[pick as usize]));
        Work::of(OBJECT_GETS, picked.iter().fold(0, add))
    });
    run.measure("list of a namespace's pods, Kubernetes", "lists/s", || {
        let add = |sum: u64, prefix: &Vec<u8>| sum.wrapping_add(table.prefix_copied(prefix).1);
        Work::of(OBJECT_LISTS, lists.iter().fold(0, add))
    });
}

/// The same updates, with a watcher of each kind, who has a stream of its own.
pub(crate) fn kubernetes_watched<P: PageStore>(run: &Run, mut subject: Subject<P>) {
    let mut cluster = Cluster::of(OBJECTS, run.round);
    fill(&mut subject, &mut cluster);
    let updates = cluster.updates(OBJECT_PUTS);
    let prefixes: Vec<_> = Cluster::watched().collect();
    let streams = streams(&mut subject, prefixes.len());
    for (prefix, &stream) in prefixes.iter().zip(&streams) {
        watch(&mut subject, stream, KeyRange::prefix(prefix), 0);
    }
    let mut seen = Seen::default();
    seen.drain(&mut subject, &streams);
    run.measure("watch, each kind, Kubernetes", "events/s", || {
        for (i, &update) in updates.iter().enumerate() {
            let (key, value) = cluster.pair(update);
            subject.put(key, value);
            if i % streams.len() == 0 {
                seen.drain(&mut subject, &streams);
            }
        }
        subject.flush();
        seen.drain_until(&mut subject, &streams, OBJECT_PUTS);
        seen.work()
    });
}

fn fill(table: &mut impl Table, cluster: &mut Cluster) {
    let created: Vec<Update> = cluster.creations();
    for together in created.chunks(PUTS_PER_TXN) {
        let pairs: Vec<_> = together
            .iter()
            .map(|&update| cluster.pair(update))
            .collect();
        table.put_together(&pairs);
    }
    table.flush();
}
