//! Steady overwriting: the same keys again and again, 100 in a durable transaction, in the way of a
//! program that runs for years. revwatch keeps a window of history; the others keep the newest value.

use revwatch::{KeyRange, Retention};

use crate::count::occupied_bytes;
use crate::data::{PUTS_PER_TXN, Random, Seed, kv_sum, numbered_keys};
use crate::durable::USER_BYTES_PER_PUT;
use crate::measure::{Done, Run, Spent};
use crate::peer::Peer;
use crate::peer::revwatch::Revwatch;
use crate::values::Values;

const KEYS: u32 = 10_000;
/// Revisions that revwatch keeps: as many changes as there are keys.
const KEPT_REVISIONS: i64 = 100;

pub(crate) fn by_revwatch(run: &Run) {
    let retention = Retention {
        revisions: KEPT_REVISIONS,
        ..Retention::default()
    };
    let peer = overwrite(run, Revwatch::open_with(run.new_folder(), retention));
    let kept = kept_changes(&peer);
    peer.close();
    occupied(run, kept);
}

pub(crate) fn without_history<P: Peer>(run: &Run) {
    let peer = overwrite(run, P::open(run.new_folder()));
    peer.close();
    occupied(run, KEYS);
}

fn overwrite<P: Peer>(run: &Run, mut peer: P) -> P {
    let keys = numbered_keys(KEYS);
    let values = Values::new(run.scale.keys);
    let all = Random::new(Seed::Compaction, run.round)
        .picks_for_txns(run.scale.overwriting_txns * PUTS_PER_TXN as u32, KEYS);
    let first = |(i, key)| -> (&[u8], &[u8]) { (key, values.of(i)) };
    peer.load(keys.iter().map(|key| key.as_slice()).enumerate().map(first));
    let mut put = 0;
    let ((), spent) = Spent::by(|| {
        for picked in all.chunks(PUTS_PER_TXN) {
            let pair = |&pick: &u32| {
                put += 1;
                (
                    keys[pick as usize].as_slice(),
                    values.of(put - 1).as_slice(),
                )
            };
            let pairs: Vec<_> = picked.iter().map(pair).collect();
            peer.put_together(&pairs);
            peer.tend();
        }
    });
    let mut done = Done {
        count: run.scale.overwriting_txns,
        commits: run.scale.overwriting_txns,
        user_bytes: all.len() as u64 * USER_BYTES_PER_PUT,
        digest: 0,
    };
    peer.scan(|key, value| done.digest = done.digest.wrapping_add(kv_sum(key, value)));
    run.rate("overwriting, 100 a transaction", "txns/s", &spent, done);
    peer
}

/// How many changes can still be read: what each key was at the compact revision, and all later ones.
fn kept_changes(peer: &Revwatch) -> u32 {
    let compacted = peer.store.status().compact_revision;
    let mut kept = peer
        .store
        .range_pinned(&KeyRange::All, compacted)
        .expect("a range succeeds")
        .count() as u32;
    let mut next = Some(compacted + 1);
    while let Some(start) = next {
        let page = peer.store.history(&KeyRange::All, start, PUTS_PER_TXN);
        let page = page.expect("history can be read");
        kept += page.events.len() as u32;
        next = page.next_revision;
    }
    kept
}

fn occupied(run: &Run, kept: u32) {
    let bytes = occupied_bytes(&run.folder) as f64;
    let value = bytes / (u64::from(kept) * USER_BYTES_PER_PUT) as f64;
    run.figure(
        "size after overwriting",
        "bytes/kept byte",
        value,
        Done::default(),
    );
}
