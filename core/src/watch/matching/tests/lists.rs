//! Watchers share what they can, and come and go without a look at each other.

use core::sync::atomic::Ordering::Relaxed;

use super::{Random, check, matching};
use alloc::vec::Vec;

use crate::range::KeyRange;
use crate::watch::matching::Matcher;

#[test]
fn watchers_of_the_same_keys_share_one_range_however_it_was_said() {
    let mut matcher = Matcher::new(1);
    let same = [
        KeyRange::prefix(b"/jobs/"),
        KeyRange::span(b"/jobs/", b"/jobs0"),
        KeyRange::from_etcd(b"/jobs/", b"/jobs0"),
    ];
    let memberships: Vec<_> = (0..300)
        .map(|watcher| {
            let range = &same[watcher % same.len()];
            matcher.insert(core::slice::from_ref(range), watcher)
        })
        .collect();
    assert_eq!(matcher.ranges.len(), 1);
    assert_eq!(matching(&matcher, b"/jobs/1").len(), 300);
    for (gone, membership) in memberships.into_iter().enumerate() {
        matcher.remove(membership);
        assert_eq!(matching(&matcher, b"/jobs/1").len(), 299 - gone);
    }
    assert_eq!(matcher.ranges.len(), 0);
}

#[test]
fn one_of_a_hundred_thousand_watchers_of_a_range_leaves_as_one_of_two_does() {
    let ranges = [
        KeyRange::one(b"key"),
        KeyRange::prefix(b"pre"),
        KeyRange::span(b"a", b"z"),
    ];
    for range in ranges {
        let mut costs = Vec::new();
        for count in [2, 100_000] {
            let mut matcher = Matcher::new(1);
            let range = core::slice::from_ref(&range);
            let mut memberships: Vec<_> = (0..count)
                .map(|watcher| matcher.insert(range, watcher))
                .collect();
            let middle = memberships.swap_remove(count / 2);
            let before = matcher.ranges.work.records.load(Relaxed);
            matcher.remove(middle);
            costs.push(matcher.ranges.work.records.load(Relaxed) - before);
            let gone = count / 2;
            let expected = (0..count).filter(|&watcher| watcher != gone);
            assert!(
                matching(&matcher, range[0].start())
                    .into_iter()
                    .eq(expected)
            );
        }
        assert!(costs[1] <= costs[0], "{range:?}: {costs:?}");
    }
}

#[test]
fn places_of_watchers_that_left_are_used_again() {
    let mut matcher = Matcher::new(1);
    let mut random = Random::new(1);
    let range = |number: usize| {
        let key = alloc::format!("/jobs/{number:04}");
        [
            KeyRange::span(key.as_bytes(), b"/jobs/9"),
            KeyRange::one(key.as_bytes()),
        ]
    };
    let mut memberships: Vec<_> = (0..1000)
        .map(|watcher| matcher.insert(&range(watcher), watcher))
        .collect();
    let (before, ranges) = (matcher.size(), matcher.ranges.size());
    for _ in 0..10_000 {
        let watcher = random.below(1000);
        matcher.remove(memberships[watcher]);
        memberships[watcher] = matcher.insert(&range(watcher), watcher);
    }
    check(&matcher);
    assert_eq!(matcher.ranges.size(), ranges);
    // Nodes of ranges that came in order are full, others are not.
    assert!(matcher.size() - ranges <= 2 * (before - ranges));
}

#[test]
fn a_tree_shrinks_with_its_ranges() {
    let mut matcher = Matcher::new(1);
    let mut random = Random::new(1);
    let bound = |number: usize| alloc::format!("/jobs/{number:06}").into_bytes();
    let mut memberships: Vec<_> = (0..20_000)
        .map(|watcher| {
            let range = KeyRange::span(&bound(watcher), &bound(watcher + 3));
            matcher.insert(&[range], watcher)
        })
        .collect();
    let before = matcher.tree.size();
    while memberships.len() > 1000 {
        matcher.remove(memberships.swap_remove(random.below(memberships.len())));
    }
    check(&matcher);
    assert!(matcher.tree.size() <= before / 5);
    for membership in memberships {
        matcher.remove(membership);
    }
    check(&matcher);
    assert!(matcher.tree.root().is_leaf());
}

type Make = fn(&[u8]) -> KeyRange;

#[test]
fn memory_for_a_watcher_is_what_is_promised() {
    let count = 100_000;
    let key = |number| alloc::format!("/registry/pods/default/{number:09}");
    let promises: [(usize, Make); 3] = [
        (40, KeyRange::one),
        (40, KeyRange::prefix),
        (70, |key| KeyRange::span(key, &[key, b"~"].concat())),
    ];
    for (promised, make) in promises {
        let mut matcher = Matcher::new(1);
        let mut text = 0;
        for watcher in 0..count {
            let range = make(key(watcher).as_bytes());
            let end = if let KeyRange::Span { end, .. } = &range {
                end.len()
            } else {
                0
            };
            text += range.start().len() + end;
            matcher.insert(&[range], watcher);
        }
        let beyond = (matcher.size() - text) / count;
        assert!(
            beyond <= promised,
            "{beyond} bytes, {promised} are promised"
        );
    }
}
