//! How long single operations take, by quantiles of each one's own time.

use std::time::Instant;

use crate::data::{KEYS, LATENCY_PUTS, Random, Seed, Values, each, numbered_keys};
use crate::keys::put_many;
use crate::measure::Run;
use crate::table::Table;

/// Puts of keys that are there, one after the other, as fast as they go.
pub(crate) fn puts(run: &Run, mut table: impl Table) {
    let (keys, values) = (numbered_keys(KEYS), Values::new());
    put_many(&mut table, &keys, &values, &each(KEYS));
    table.flush();
    let picked = Random::new(Seed::Latency, run.round).picks(LATENCY_PUTS, KEYS);
    let took = picked.iter().enumerate().map(|(i, &pick)| {
        let start = Instant::now();
        table.put(&keys[pick as usize], values.of(i));
        start.elapsed()
    });
    let took = took.collect();
    table.flush();
    run.print_latencies("put", took, table.prefix(b"k").1);
}
