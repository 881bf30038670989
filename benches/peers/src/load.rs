//! Loading many keys, reading them, what they occupy, opening, overwriting and compacting them.

use crate::count::occupied_bytes;
use crate::data::{Key, Random, Seed, each, kv_sum, numbered_keys};
use crate::durable::USER_BYTES_PER_PUT;
use crate::measure::{Done, Run, Spent};
use crate::peer::Peer;
use crate::values::Values;

type Order = (&'static str, fn(&Run) -> Vec<u32>);

/// The orders in which keys are loaded. What is read is loaded in the first one.
pub(crate) const KEY_ORDERS: [Order; 2] = [
    ("any order", |run| shuffled(run, Seed::Fill)),
    ("key order", |run| each(run.scale.keys)),
];

fn shuffled(run: &Run, seed: Seed) -> Vec<u32> {
    Random::new(seed, run.round).shuffled(run.scale.keys)
}

pub(crate) fn all<P: Peer>(run: &Run) {
    let keys = numbered_keys(run.scale.keys);
    let values = Values::new(run.scale.keys);
    for (order, order_of) in KEY_ORDERS.into_iter().rev() {
        let picks = order_of(run);
        let mut peer = P::open(run.new_folder());
        let ((), spent) = Spent::by(|| load(&mut peer, &keys, &values, &picks));
        let mut done = scan(&peer);
        done.user_bytes = USER_BYTES_PER_PUT * u64::from(run.scale.keys);
        done.commits = 1;
        peer.close();
        run.rate(&format!("bulk load, {order}"), "puts/s", &spent, done);
    }
    occupied(run, "size on disk after the load");
    reads(run, &open::<P>(run), &keys);
    overwrites::<P>(run, &keys, &values);
}

fn load<P: Peer>(peer: &mut P, keys: &[Key], values: &Values, picks: &[u32]) {
    let pair =
        |(i, &pick): (usize, &u32)| (keys[pick as usize].as_slice(), values.of(i).as_slice());
    peer.load(picks.iter().enumerate().map(pair));
}

/// Opening what was closed in an orderly way, until a first key has been read.
fn open<P: Peer>(run: &Run) -> P {
    let keys = numbered_keys(1);
    let ((peer, digest), spent) = Spent::by(|| {
        let peer = P::open(&run.folder);
        let mut sum = 0;
        peer.get_each([keys[0].as_slice()].into_iter(), |key, value| {
            sum = kv_sum(key, value);
        });
        (peer, sum)
    });
    let done = Done {
        count: 1,
        digest,
        ..Done::default()
    };
    run.duration("opening after the load", &spent, done);
    peer
}

fn reads<P: Peer>(run: &Run, peer: &P, keys: &[Key]) {
    scan(peer); // fills the caches
    let picks = Random::new(Seed::Get, run.round).picks(run.scale.gets, run.scale.keys);
    let (digest, spent) = Spent::by(|| {
        let mut sum = 0_u64;
        let picked = picks.iter().map(|&pick| keys[pick as usize].as_slice());
        peer.get_each(picked, |key, value| {
            sum = sum.wrapping_add(kv_sum(key, value))
        });
        sum
    });
    let done = Done {
        count: run.scale.gets,
        digest,
        ..Done::default()
    };
    run.rate("random get", "gets/s", &spent, done);
    let (done, spent) = Spent::by(|| scan(peer));
    run.rate("scan in key order", "keys/s", &spent, done);
}

/// Every key once more, in another order, and then nothing is kept but the newest values.
fn overwrites<P: Peer>(run: &Run, keys: &[Key], values: &Values) {
    let mut peer = P::open(&run.folder);
    load(&mut peer, keys, values, &shuffled(run, Seed::PutTxn));
    let done = scan(&peer);
    let ((), spent) = Spent::by(|| peer.compact());
    assert_eq!(done.digest, scan(&peer).digest, "after compaction");
    peer.close();
    run.duration("compaction after overwriting", &spent, done);
    occupied(run, "size on disk after overwriting and compaction");
}

fn scan<P: Peer>(peer: &P) -> Done {
    let mut done = Done::default();
    peer.scan(|key, value| {
        done.digest = done.digest.wrapping_add(kv_sum(key, value));
        done.count += 1;
    });
    done
}

fn occupied(run: &Run, workload: &str) {
    let user_bytes = USER_BYTES_PER_PUT * u64::from(run.scale.keys);
    let value = occupied_bytes(&run.folder) as f64 / user_bytes as f64;
    let done = Done {
        count: run.scale.keys,
        ..Done::default()
    };
    run.figure(workload, "bytes/user byte", value, done);
}
