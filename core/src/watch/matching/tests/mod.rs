//! Tests of the matcher as a whole: against a list of all ranges, and of the work that it does.

mod differential;
mod lists;
mod work;

use alloc::vec::Vec;

use super::matcher::Matcher;
use super::shape::Kind;
use crate::page::fault::Random;
use crate::watch::watcher::WatcherKey;

fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    &from[random.below(from.len())]
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
