//! What a query, a watcher that comes and one that goes may look at, however ranges lie.
//!
//! Work is counted, not timed: nodes of a tree, records of ranges, looks into the hash table.

use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

use super::{Random, check, matching};
use crate::range::KeyRange;
use crate::watch::matching::Matcher;
use crate::watch::matching::lengths::MAX_LENGTHS;
use crate::watch::matching::node::CAPACITY;

fn key(number: usize) -> Vec<u8> {
    alloc::format!("/registry/pods/{number:08}").into_bytes()
}

/// The range with this number among so many.
type Family = fn(usize, usize) -> KeyRange;

/// The ways in which ranges may lie that are hard on one structure or another.
const FAMILIES: [(&str, Family); 14] = [
    ("disjoint", |i, _| {
        KeyRange::span(&key(2 * i), &key(2 * i + 1))
    }),
    ("a chain", |i, _| KeyRange::span(&key(i), &key(i + 1))),
    ("nested with one end", |i, n| {
        KeyRange::span(&key(i), &key(n))
    }),
    ("nested with one end, inwards", |i, n| {
        KeyRange::span(&key(n - 1 - i), &key(n))
    }),
    ("nested with one start", |i, _| {
        KeyRange::span(&key(0), &key(i + 1))
    }),
    ("nested with one start, inwards", |i, n| {
        KeyRange::span(&key(0), &key(n - i))
    }),
    ("nested on both sides", |i, n| {
        KeyRange::span(&key(i), &key(2 * n - i))
    }),
    ("all over one point", |i, n| {
        KeyRange::span(&key(n - 1 - i * 7 % n), &key(n + i * 13 % n))
    }),
    ("without an end", |i, _| KeyRange::From(key(i))),
    ("a long one among many short", |i, n| {
        let end = if i % 500 == 0 { 2 * n } else { i + 1 };
        KeyRange::span(&key(i), &key(end))
    }),
    ("overlapping a few", |i, _| {
        KeyRange::span(&key(i), &key(i + 5))
    }),
    ("identical", |_, _| KeyRange::span(&key(3), &key(5))),
    ("prefixes of every length", |i, _| {
        KeyRange::Prefix([&key(i % 64)[..], &alloc::vec![b'a'; i / 64]].concat())
    }),
    ("prefixes of one key", |i, _| {
        KeyRange::Prefix(alloc::vec![b'a'; i])
    }),
];

/// Of one query or change.
#[derive(Clone, Copy, Debug)]
struct Work {
    nodes: usize,
    records: usize,
    looks: usize,
}

fn work_of(matcher: &mut Matcher, act: impl FnOnce(&mut Matcher)) -> Work {
    let counts = |matcher: &Matcher| {
        let work = &matcher.ranges.work;
        [&work.nodes, &work.records, &work.looks].map(|count| count.load(Relaxed))
    };
    let before = counts(matcher);
    act(matcher);
    let after = counts(matcher);
    let [nodes, records, looks] = core::array::from_fn(|at| after[at] - before[at]);
    Work {
        nodes,
        records,
        looks,
    }
}

fn log2(n: usize) -> usize {
    n.ilog2() as usize + 1
}

#[test]
fn a_query_looks_at_no_more_than_log_n_and_what_it_finds() {
    for (name, family) in FAMILIES {
        for n in [1_000, 20_000] {
            let mut matcher = Matcher::new(1);
            let n = if name.starts_with("prefixes of") {
                n.min(4_000)
            } else {
                n
            };
            for watcher in 0..n {
                matcher.insert(&[family(watcher, n)], watcher);
            }
            check(&matcher);
            let mut random = Random::new(1);
            for _ in 0..200 {
                let mut key = key(random.below(2 * n + 2));
                match random.below(8) {
                    0 => drop(key.pop()),
                    1 => key.push(b'!'),
                    2 => key = alloc::vec![b'a'; random.below(n)],
                    _ => {}
                }
                let mut found = 0;
                let work = work_of(&mut matcher, |matcher| {
                    matcher.matching(&key, |_| found += 1);
                });
                let bound = log2(n) + found;
                let told = alloc::format!("{name}, {n} ranges, {found} found: {work:?}");
                assert!(work.nodes <= 2 * bound, "{told}");
                // Codes that are equal cost a look at what they stand for: at most a node full.
                assert!(work.records <= CAPACITY + 3 * bound, "{told}");
                assert!(work.looks <= 1 + MAX_LENGTHS, "{told}");
            }
        }
    }
}

#[test]
fn a_watcher_comes_and_goes_with_log_n_looks_at_ranges() {
    for (name, family) in FAMILIES {
        let mut worst = [[0; 2]; 2];
        for (at, n) in [1_000, 20_000].into_iter().enumerate() {
            let n = if name.starts_with("prefixes of") {
                n.min(4_000)
            } else {
                n
            };
            let mut matcher = Matcher::new(1);
            let mut total = [0; 2];
            let mut memberships = Vec::new();
            for watcher in 0..n {
                let work = work_of(&mut matcher, |matcher| {
                    memberships.push(matcher.insert(&[family(watcher, n)], watcher));
                });
                worst[at][0] = worst[at][0].max(work.records);
                total[0] += work.records;
            }
            let mut random = Random::new(1);
            while !memberships.is_empty() {
                let membership = memberships.swap_remove(random.below(memberships.len()));
                let work = work_of(&mut matcher, |matcher| matcher.remove(membership));
                worst[at][1] = worst[at][1].max(work.records);
                total[1] += work.records;
            }
            assert_eq!(matching(&matcher, &key(1)), []);
            let told = alloc::format!(
                "{name}, {n} ranges: {total:?} in all, {:?} at worst",
                worst[at]
            );
            // A node that is split or merged takes its codes anew: so many looks, now and then.
            assert!(
                total.iter().all(|&total| total <= 6 * n * log2(n)),
                "{told}"
            );
            assert!(
                worst[at]
                    .iter()
                    .all(|&worst| worst <= 12 * CAPACITY * log2(n)),
                "{told}"
            );
        }
    }
}
