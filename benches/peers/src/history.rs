//! All changes in the order in which they were made. Only revwatch keeps them by itself; the others
//! get a table with the revision as key, and key and value together as value.

use std::ops::ControlFlow;

use revwatch::KeyRange;

use crate::data::{Key, PUTS_PER_TXN, Random, Seed, kv_sum, numbered_keys};
use crate::measure::{Done, Run, Spent};
use crate::peer::revwatch::Revwatch;
use crate::peer::{Pair, Peer};
use crate::values::Values;

const WORKLOAD: &str = "scan in history order";
/// So many changes of each key.
const CHANGES: u32 = 4;

fn picks(run: &Run) -> Vec<u32> {
    let keys = run.scale.keys / CHANGES;
    Random::new(Seed::Fill, run.round).picks_for_txns(run.scale.keys, keys)
}

pub(crate) fn of_revwatch(run: &Run) {
    let keys = numbered_keys(run.scale.keys / CHANGES);
    let values = Values::new(run.scale.keys);
    let mut peer = Revwatch::open(run.new_folder());
    let mut put = 0;
    for picked in picks(run).chunks(PUTS_PER_TXN) {
        let pair = |&pick: &u32| -> Pair<'_> {
            put += 1;
            (&keys[pick as usize], values.of(put - 1))
        };
        let pairs: Vec<_> = picked.iter().map(pair).collect();
        peer.put_unsynced(&pairs);
    }
    peer.flush();
    let read = || {
        let mut done = Done::default();
        let all = peer.store.visit_history(&KeyRange::All, 0, |event| {
            let sum = kv_sum(event.kv.key, event.kv.value);
            done.digest = done.digest.wrapping_add(sum);
            done.count += 1;
            ControlFlow::Continue(())
        });
        all.expect("history can be read");
        done
    };
    read(); // fills the cache
    let (done, spent) = Spent::by(read);
    run.rate(WORKLOAD, "changes/s", &spent, done);
    peer.close();
}

/// The same changes, kept by hand.
pub(crate) fn by_hand<P: Peer>(run: &Run) {
    let keys = numbered_keys(run.scale.keys / CHANGES);
    let values = Values::new(run.scale.keys);
    let change = |(i, &pick): (usize, &u32)| {
        let value = [keys[pick as usize].as_slice(), values.of(i)].concat();
        ((i as u64).to_be_bytes(), value)
    };
    let changes: Vec<_> = picks(run).iter().enumerate().map(change).collect();
    let mut peer = P::open(run.new_folder());
    let pairs = changes.iter();
    peer.load(pairs.map(|(revision, change)| -> Pair<'_> { (revision, change) }));
    let read = || {
        let mut done = Done::default();
        peer.scan(|_, change| {
            let (key, value) = change.split_at(size_of::<Key>());
            done.digest = done.digest.wrapping_add(kv_sum(key, value));
            done.count += 1;
        });
        done
    };
    read(); // fills the cache
    let (done, spent) = Spent::by(read);
    run.rate(WORKLOAD, "changes/s", &spent, done);
    peer.close();
}
