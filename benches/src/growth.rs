//! What an operation costs as keys, revisions or watchers become many. Each workload is named by what
//! grows and how far, for the report to fit a line through.

use revwatch::KeyRange;
use revwatch::page::PageStore;

use crate::data::{
    GROWN, GROWN_GETS, GROWN_KEYS, GROWN_WATCH_PUTS, Key, Random, Seed, Values, WATCH_STREAMS,
    numbered_keys,
};
use crate::keys::{all_of, seconds_of};
use crate::measure::{Run, Work};
use crate::subject::Subject;
use crate::table::Table;
use crate::watch::{Seen, streams, watch};

fn sizes(run: &Run) -> impl Iterator<Item = u32> {
    let largest = run.largest;
    GROWN.into_iter().filter(move |&size| size <= largest)
}

/// New keys in any order, then gets of any of them.
pub(crate) fn by_keys<T: Table>(run: &Run, open: impl Fn() -> T) {
    for size in sizes(run) {
        let (keys, values) = (numbered_keys(size), Values::new());
        let order = Random::new(Seed::Growth, run.round).shuffled(size);
        put_and_get(run, open(), &format!("{size} keys"), &keys, &values, &order);
    }
}

/// The same few keys again and again, then gets of any of them.
pub(crate) fn by_revisions<T: Table>(run: &Run, open: impl Fn() -> T) {
    for size in sizes(run) {
        let (keys, values) = (numbered_keys(GROWN_KEYS), Values::new());
        let order = Random::new(Seed::Growth, run.round).picks(size, GROWN_KEYS);
        let grown = format!("{size} revisions");
        put_and_get(run, open(), &grown, &keys, &values, &order);
    }
}

fn put_and_get(
    run: &Run,
    mut table: impl Table,
    grown: &str,
    keys: &[Key],
    values: &Values,
    order: &[u32],
) {
    let seconds = seconds_of(|| {
        for (i, &pick) in order.iter().enumerate() {
            table.put(&keys[pick as usize], values.of(i));
        }
    });
    table.flush(); // not in the time, of which it would be most where there are few
    let done = all_of(&table, order.len() as u32);
    run.print(&format!("growth, put, {grown}"), "puts/s", seconds, done);
    let picked = Random::new(Seed::Get, run.round).picks(GROWN_GETS, keys.len() as u32);
    run.measure(&format!("growth, get, {grown}"), "gets/s", || {
        let add = |sum: u64, &pick: &u32| sum.wrapping_add(table.get(&keys[pick as usize]));
        Work::of(GROWN_GETS, picked.iter().fold(0, add))
    });
}

/// Watchers of single keys; each put concerns one, who is told and reads it.
pub(crate) fn by_watchers<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    for size in sizes(run) {
        let (mut subject, keys, values) = (open(), numbered_keys(size), Values::new());
        let streams = streams(&mut subject, WATCH_STREAMS);
        for (key, &stream) in keys.iter().zip(streams.iter().cycle()) {
            watch(&mut subject, stream, KeyRange::one(key), 0);
        }
        let mut seen = Seen::default();
        seen.drain(&mut subject, &streams);
        // As many keys in every case: what grows is the watchers, not the store.
        let apart = size / GROWN_KEYS;
        let picked = Random::new(Seed::Growth, run.round).picks(GROWN_WATCH_PUTS, GROWN_KEYS);
        let workload = format!("growth, put and event, {size} watchers");
        run.measure(&workload, "puts/s", || {
            for (i, &pick) in picked.iter().enumerate() {
                subject.put(&keys[(pick * apart) as usize], values.of(i));
                if i % WATCH_STREAMS == 0 {
                    seen.drain(&mut subject, &streams);
                }
            }
            subject.flush();
            seen.drain_until(&mut subject, &streams, GROWN_WATCH_PUTS);
            seen.work()
        });
    }
}
