//! Opening a store with a long history.

use crate::data::{Random, Seed, kv_sum, numbered_keys};
use crate::measure::{Done, Run, Spent};
use crate::peer::Peer;
use crate::peer::revwatch::Revwatch;
use crate::values::Values;

const KEYS: u32 = 100_000;

/// One put a revision; the store is left as a crash would, and then closed.
pub(crate) fn million(run: &Run) {
    let keys = numbered_keys(KEYS);
    let values = Values::new(run.scale.opened_revisions);
    let picks = Random::new(Seed::Put, run.round).picks(run.scale.opened_revisions, KEYS);
    let mut peer = Revwatch::open(run.new_folder());
    let pair =
        |(i, &pick): (usize, &u32)| -> (&[u8], &[u8]) { (&keys[pick as usize], values.of(i)) };
    peer.load(picks.iter().enumerate().map(pair));
    drop(peer);
    for closed in ["after a crash", "after a clean close"] {
        let (peer, spent) = Spent::by(|| Revwatch::open(&run.folder));
        let mut digest = 0_u64;
        peer.scan(|key, value| digest = digest.wrapping_add(kv_sum(key, value)));
        peer.close();
        let done = Done {
            count: run.scale.opened_revisions,
            digest,
            ..Done::default()
        };
        let workload = format!("opening {} revisions, {closed}", run.scale.opened_revisions);
        run.duration(&workload, &spent, done);
    }
}
