//! What a program waits for that asks for one thing after the other, each put synced before it returns: in
//! this process, and from a real etcd over the loopback interface (`etcd_mvcc/server.go`).

use std::path::Path;
use std::time::Instant;

use revwatch::KeyRange;

use crate::data::{Random, SERVER_GETS, SERVER_KEYS, SERVER_PUTS, Seed, Values, numbered_keys};
use crate::measure::Run;
use crate::subject::Subject;
use crate::table::Table;
use crate::watch::{Seen, streams, watch};

pub(crate) fn one_after_the_other(run: &Run, folder: &Path) {
    let mut subject = Subject::durable(folder);
    let (keys, values) = (numbered_keys(SERVER_KEYS), Values::new());
    let mut random = Random::new(Seed::Server, run.round);
    let mut picks = |count| -> Vec<u32> { (0..count).map(|_| random.below(SERVER_KEYS)).collect() };
    for (i, key) in keys.iter().enumerate() {
        subject.put(key, values.of(i));
    }

    let timed = picks(SERVER_PUTS).into_iter().enumerate().map(|(i, pick)| {
        let start = Instant::now();
        subject.put(&keys[pick as usize], values.of(i));
        start.elapsed()
    });
    let timed = timed.collect();
    run.print_latencies("durable put", timed, subject.prefix(b"k").1);

    let mut digest = 0_u64;
    let timed = picks(SERVER_GETS).into_iter().map(|pick| {
        let start = Instant::now();
        digest = digest.wrapping_add(subject.get(&keys[pick as usize]));
        start.elapsed()
    });
    let timed = timed.collect();
    run.print_latencies("get, one client", timed, digest);

    let streams = streams(&mut subject, 1);
    watch(&mut subject, streams[0], KeyRange::prefix(b"k"), 0);
    let mut seen = Seen::default();
    seen.drain(&mut subject, &streams);
    let timed = picks(SERVER_PUTS).into_iter().enumerate().map(|(i, pick)| {
        let start = Instant::now();
        subject.put(&keys[pick as usize], values.of(i));
        seen.drain_until(&mut subject, &streams, i as u32 + 1);
        start.elapsed()
    });
    let timed = timed.collect();
    run.print_latencies("durable put until its event", timed, subject.prefix(b"k").1);
}
