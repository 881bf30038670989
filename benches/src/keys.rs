//! The workloads of writers and readers, the same on every subject.

use revwatch::page::PageStore;

use crate::data::{
    BURST, COMPACTED_KEYS, COMPACTED_PUTS, GETS, KEYS, KEYS_PER_RANGE, Key, PAIRS, PUTS,
    PUTS_PER_TXN, RANGES, Random, Seed, Values, each, numbered_keys,
};
use crate::measure::{Run, Work};
use crate::subject::Subject;
use crate::table::{Pair, Table};

/// One put at a time, and the sync at the end belongs to it.
pub(crate) fn puts(run: &Run, mut table: impl Table) {
    let (keys, values) = (numbered_keys(KEYS), Values::new());
    let picked = Random::new(Seed::Put, run.round).picks(PUTS, KEYS);
    let seconds = seconds_of(|| {
        for (i, &pick) in picked.iter().enumerate() {
            table.put(&keys[pick as usize], values.of(i));
        }
        table.flush();
    });
    run.print("put", "puts/s", seconds, all_of(&table, PUTS));
}

/// The same, 100 puts a transaction.
pub(crate) fn puts_in_txns(run: &Run, mut table: impl Table) {
    let (keys, values) = (numbered_keys(KEYS), Values::new());
    let picked = Random::new(Seed::PutTxn, run.round).picks_for_txns(PUTS, KEYS);
    let seconds = seconds_of(|| {
        put_many(&mut table, &keys, &values, &picked);
        table.flush();
    });
    run.print(
        "put, 100 a transaction",
        "puts/s",
        seconds,
        all_of(&table, PUTS),
    );
}

/// Reads 100k keys with two revisions each: single keys, then ranges.
pub(crate) fn gets(run: &Run, mut table: impl Table) {
    let (keys, values) = (numbered_keys(KEYS), Values::new());
    fill(run, &mut table, &keys, &values);
    let picked = Random::new(Seed::Get, run.round).picks(GETS, KEYS);
    run.measure("get", "gets/s", || {
        let digest = picked.iter().fold(0_u64, |sum, &pick| {
            sum.wrapping_add(table.get(&keys[pick as usize]))
        });
        Work {
            count: GETS,
            digest,
        }
    });
    let picked = Random::new(Seed::Range, run.round).picks(RANGES, KEYS / KEYS_PER_RANGE);
    measure_ranges(run, "range of 1000 keys", &keys, &picked, |prefix| {
        table.prefix(prefix)
    });
    measure_ranges(
        run,
        "range of 1000 keys, copied",
        &keys,
        &picked,
        |prefix| table.prefix_copied(prefix),
    );
}

fn measure_ranges(
    run: &Run,
    workload: &str,
    keys: &[Key],
    picked: &[u32],
    read: impl Fn(&[u8]) -> (u32, u64),
) {
    run.measure(workload, "ranges/s", || {
        let mut digest = 0_u64;
        for pick in picked {
            let first = &keys[(pick * KEYS_PER_RANGE) as usize];
            let (count, sum) = read(&first[..first.len() - 3]);
            assert_eq!(count, KEYS_PER_RANGE, "keys in the range");
            digest = digest.wrapping_add(sum);
        }
        Work {
            count: RANGES,
            digest,
        }
    });
}

/// Compacts 200k revisions of 10k keys at the newest, until all space is reclaimed.
pub(crate) fn compaction<P: PageStore>(run: &Run, mut subject: Subject<P>) {
    let (keys, values) = (numbered_keys(COMPACTED_KEYS), Values::new());
    let picked = Random::new(Seed::Compaction, run.round).picks(COMPACTED_PUTS, COMPACTED_KEYS);
    for (i, &pick) in picked.iter().enumerate() {
        subject.put(&keys[pick as usize], values.of(i));
    }
    subject.flush();
    let seconds = seconds_of(|| subject.compact());
    run.print(
        "compaction",
        "revisions/s",
        seconds,
        all_of(&subject, COMPACTED_PUTS),
    );
}

/// Puts a key and reads it back at once, after a burst of writes.
pub(crate) fn pairs(run: &Run, mut table: impl Table) {
    let (keys, values) = (numbered_keys(KEYS), Values::new());
    fill(run, &mut table, &keys, &values);
    let picked = Random::new(Seed::Pairs, run.round).picks(BURST + PAIRS, KEYS);
    let (burst, pairs) = picked.split_at(BURST as usize);
    for (i, &pick) in burst.iter().enumerate() {
        table.put(&keys[pick as usize], values.of(i));
    }
    table.flush();
    run.measure("put, then get it", "pairs/s", || {
        let mut digest = 0_u64;
        for (i, &pick) in pairs.iter().enumerate() {
            let key = &keys[pick as usize];
            table.put(key, values.of(i));
            digest = digest.wrapping_add(table.get(key));
        }
        Work {
            count: PAIRS,
            digest,
        }
    });
}

/// Every key put once in order, and then as many puts of random keys.
fn fill(run: &Run, table: &mut impl Table, keys: &[Key], values: &Values) {
    put_many(table, keys, values, &each(KEYS));
    put_many(
        table,
        keys,
        values,
        &Random::new(Seed::Fill, run.round).picks_for_txns(KEYS, KEYS),
    );
    table.flush();
}

/// Puts `keys[picked[i]]` for each i, 100 together.
pub(crate) fn put_many(table: &mut impl Table, keys: &[Key], values: &Values, picked: &[u32]) {
    let mut put = 0;
    for together in picked.chunks(PUTS_PER_TXN) {
        let pair = |&pick: &u32| -> Pair<'_> {
            put += 1;
            (&keys[pick as usize], values.of(put - 1))
        };
        table.put_together(&together.iter().map(pair).collect::<Vec<_>>());
    }
}

/// The whole table, read after the clock has stopped.
pub(crate) fn all_of(table: &impl Table, count: u32) -> Work {
    Work {
        count,
        digest: table.prefix(b"k").1,
    }
}

pub(crate) fn seconds_of(work: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
