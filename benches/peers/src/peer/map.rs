//! `BTreeMap`: the floor where nothing is kept on disk.

use std::collections::BTreeMap;

use crate::data::{Random, Seed, kv_sum, numbered_keys};
use crate::load::KEY_ORDERS;
use crate::measure::{Done, Run, Spent};
use crate::values::Values;

/// The workloads of `load` that need no disk.
pub(crate) fn load(run: &Run) {
    let keys = numbered_keys(run.scale.keys);
    let values = Values::new(run.scale.keys);
    let count = run.scale.keys;
    for (order, order_of) in KEY_ORDERS {
        let picks = order_of(run);
        let mut map = BTreeMap::new();
        let ((), spent) = Spent::by(|| {
            for (i, &pick) in picks.iter().enumerate() {
                map.insert(keys[pick as usize].to_vec(), values.of(i).to_vec());
            }
        });
        let sum = sum_of(&map);
        let done = Done {
            count,
            digest: sum,
            user_bytes: 80 * u64::from(count),
            commits: 1,
        };
        run.rate(&format!("bulk load, {order}"), "puts/s", &spent, done);
        if order == KEY_ORDERS[0].0 {
            read(run, &map, &keys);
        }
    }
}

fn read(run: &Run, map: &BTreeMap<Vec<u8>, Vec<u8>>, keys: &[[u8; 16]]) {
    let picks = Random::new(Seed::Get, run.round).picks(run.scale.gets, run.scale.keys);
    let (digest, spent) = Spent::by(|| {
        let mut sum = 0_u64;
        for &pick in &picks {
            let key = keys[pick as usize].as_slice();
            sum = sum.wrapping_add(kv_sum(key, &map[key]));
        }
        sum
    });
    let done = |count, digest| Done {
        count,
        digest,
        ..Done::default()
    };
    run.rate("random get", "gets/s", &spent, done(run.scale.gets, digest));
    let (digest, spent) = Spent::by(|| sum_of(map));
    run.rate(
        "scan in key order",
        "keys/s",
        &spent,
        done(run.scale.keys, digest),
    );
}

fn sum_of(map: &BTreeMap<Vec<u8>, Vec<u8>>) -> u64 {
    map.iter()
        .fold(0, |sum, (key, value)| sum.wrapping_add(kv_sum(key, value)))
}
