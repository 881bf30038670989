//! Tests of the matcher as a whole: against a list of all ranges, and of the work that it does.

mod differential;
mod lists;
mod work;

use alloc::vec::Vec;

use super::matcher::Matcher;
use super::shape::Kind;
use crate::watch::watcher::WatcherKey;

/// A stream of numbers that is the same everywhere (`SplitMix64`, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The watchers that a query visits, as often as it does, in order.
fn matching(matcher: &Matcher, key: &[u8]) -> Vec<WatcherKey> {
    let mut found = Vec::new();
    matcher.matching(key, |watcher| found.push(watcher));
    found.sort_unstable();
    found
}

/// Panics unless the tree is sound and has exactly the ranges that are to be found by it.
fn check(matcher: &Matcher) {
    let root = matcher.tree.root();
    let checked = root.check(&matcher.ranges, true);
    let mut listed = Vec::new();
    root.collect(&mut listed);
    assert_eq!(checked.ranges, listed.len());
    listed.sort_unstable();
    let mut expected: Vec<_> = matcher.ranges.ids().collect();
    expected.retain(|&id| matches!(matcher.ranges.kind(id), Kind::Span | Kind::From));
    expected.sort_unstable();
    assert_eq!(listed, expected);
}
