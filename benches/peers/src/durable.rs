//! Puts that are durable when they return: by one thread, and by several at once.

use std::thread;

use crate::data::{Key, Random, Seed, Value, kv_sum, numbered_keys};
use crate::measure::{Done, Run, Spent};
use crate::peer::Peer;
use crate::values::Values;

pub(crate) const THREADS: u32 = 8;
pub(crate) const ONE: &str = "durable put";
pub(crate) const USER_BYTES_PER_PUT: u64 = (size_of::<Key>() + size_of::<Value>()) as u64;

pub(crate) fn together() -> String {
    format!("durable put, {THREADS} threads")
}

/// New keys in any order, beside those that are there before.
pub(crate) fn all<P: Peer>(run: &Run) {
    let before = run.scale.keys_before;
    let most = run.scale.puts.max(run.scale.concurrent_puts);
    let keys = numbered_keys(before + most);
    let values = Values::new(before + most);
    let order = Random::new(Seed::Put, run.round).shuffled(before + most);
    let pair = |at: u32| {
        let key = keys[order[at as usize] as usize].as_slice();
        (key, values.of(at as usize).as_slice())
    };
    let loaded = || {
        let mut peer = P::open(run.new_folder());
        peer.load((0..before).map(pair));
        peer
    };

    let mut peer = loaded();
    let end = before + run.scale.puts;
    let ((), spent) = Spent::by(|| (before..end).for_each(|at| peer.put(pair(at))));
    peer.close();
    run.rate(ONE, "puts/s", &spent, done::<P>(run, run.scale.puts));

    let writers = loaded().writers(THREADS as usize);
    let each = run.scale.concurrent_puts / THREADS;
    let ((), spent) = Spent::by(|| {
        thread::scope(|scope| {
            for (mut put, number) in writers.into_iter().zip(0..) {
                let from = before + number * each;
                let pair = &pair;
                scope.spawn(move || (from..from + each).for_each(|at| put(pair(at))));
            }
        });
    });
    run.rate(
        &together(),
        "puts/s",
        &spent,
        done::<P>(run, each * THREADS),
    );
}

/// What so many puts did, by what is found when the store is opened again.
fn done<P: Peer>(run: &Run, puts: u32) -> Done {
    let peer = P::open(&run.folder);
    let (mut digest, mut found) = (0_u64, 0);
    peer.scan(|key, value| {
        digest = digest.wrapping_add(kv_sum(key, value));
        found += 1;
    });
    peer.close();
    assert_eq!(
        found,
        run.scale.keys_before + puts,
        "keys after opening again"
    );
    Done {
        count: puts,
        digest,
        user_bytes: u64::from(puts) * USER_BYTES_PER_PUT,
        commits: puts,
    }
}
