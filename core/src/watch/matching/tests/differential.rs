//! The matcher finds what a scan of all ranges finds.

use alloc::vec::Vec;

use super::{Random, check, matching, pick};
use crate::range::KeyRange;
use crate::watch::matching::{Matcher, Membership};
use crate::watch::watcher::WatcherKey;

/// All watchers, one by one.
struct Watchers {
    matcher: Matcher,
    list: Vec<(WatcherKey, Membership, Vec<KeyRange>)>,
    next: WatcherKey,
    /// What bounds begin with.
    beginnings: Vec<Vec<u8>>,
    random: Random,
}

impl Watchers {
    fn new(seed: u64) -> Self {
        let beginnings = [0, 0, 3, 60, 300].map(|length| alloc::vec![b'p'; length]);
        Self {
            matcher: Matcher::new(seed),
            list: Vec::new(),
            next: 0,
            beginnings: beginnings.to_vec(),
            random: Random::new(seed),
        }
    }

    /// A bound: often one that others have too, or the beginning of one.
    fn text(&mut self) -> Vec<u8> {
        let mut text = pick(&mut self.random, &self.beginnings).clone();
        for _ in 0..self.random.below(5) {
            text.push(*pick(&mut self.random, b"\0ab/\xff"));
        }
        text
    }

    fn range(&mut self) -> KeyRange {
        let start = self.text();
        match self.random.below(16) {
            0..4 => KeyRange::One(start),
            4..8 => KeyRange::Prefix(start),
            8 => KeyRange::From(start),
            9 if self.random.below(8) == 0 => KeyRange::All,
            10 => KeyRange::span(&start, &KeyRange::prefix(&start).end().unwrap_or_default()),
            _ => KeyRange::span(&start, &self.text()),
        }
    }

    fn insert(&mut self) {
        let count = 1 + self.random.below(10).saturating_sub(7);
        let ranges: Vec<_> = (0..count).map(|_| self.range()).collect();
        let membership = self.matcher.insert(&ranges, self.next);
        self.list.push((self.next, membership, ranges));
        self.next += 1;
    }

    fn remove_one(&mut self) {
        if !self.list.is_empty() {
            let at = self.random.below(self.list.len());
            let (_, membership, _) = self.list.swap_remove(at);
            self.matcher.remove(membership);
        }
    }

    /// A key at a bound, or beside it.
    fn key(&mut self) -> Vec<u8> {
        let Some((.., ranges)) = self.list.get(self.random.below(self.list.len().max(1))) else {
            return self.text();
        };
        let range = &ranges[0];
        let mut key = match self.random.below(2) {
            0 => range.start().to_vec(),
            _ => range.end().unwrap_or_default(),
        };
        match self.random.below(8) {
            0 => key.push(0),
            1 => key.push(0xff),
            2 => drop(key.pop()),
            3 => key.extend(self.text()),
            4 => change_last(&mut key, 1),
            5 => change_last(&mut key, 0xff),
            _ => {}
        }
        key
    }

    fn check_key(&self, key: &[u8]) {
        let mut expected = Vec::new();
        for (watcher, _, ranges) in &self.list {
            let visits = ranges.iter().filter(|range| range.contains(key)).count();
            expected.extend(core::iter::repeat_n(*watcher, visits));
        }
        expected.sort_unstable();
        assert_eq!(matching(&self.matcher, key), expected, "{key:?}");
    }
}

fn change_last(key: &mut [u8], by: u8) {
    if let Some(last) = key.last_mut() {
        *last = last.wrapping_add(by);
    }
}

#[test]
fn a_key_finds_exactly_the_watchers_whose_ranges_hold_it() {
    for seed in 0..12 {
        let mut watchers = Watchers::new(seed);
        let most = [5, 40, 400, 2000][seed as usize % 4];
        for step in 0..3000 {
            // It fills up, and then it empties.
            let wanted = if step < 2000 { most } else { 0 };
            if watchers.list.len() < wanted || watchers.random.below(5) == 0 {
                watchers.insert();
            } else {
                watchers.remove_one();
            }
            if most < 400 || step % 16 == 0 {
                check(&watchers.matcher);
            }
            let key = watchers.key();
            watchers.check_key(&key);
        }
        for (_, membership, ..) in core::mem::take(&mut watchers.list) {
            watchers.matcher.remove(membership);
        }
        check(&watchers.matcher);
        assert_eq!(watchers.matcher.ranges.len(), 0, "all ranges are forgotten");
    }
}

#[test]
fn ranges_are_told_as_they_were_said_but_for_what_is_the_same() {
    let mut watchers = Watchers::new(1);
    (0..500).for_each(|_| watchers.insert());
    let keys: Vec<_> = (0..300).map(|_| watchers.key()).collect();
    for (_, membership, said) in &watchers.list {
        let told: Vec<_> = watchers.matcher.ranges(*membership).collect();
        let said: Vec<_> = said.iter().collect();
        let found = said.iter().map(|range| watchers.matcher.range_id(range));
        let ids = watchers.matcher.range_ids(*membership);
        assert_eq!(found.collect::<Option<Vec<_>>>(), Some(ids.collect()));
        assert_eq!(told.len(), said.len());
        for (told, said) in told.iter().zip(said) {
            assert!(
                keys.iter()
                    .filter(|key| !key.is_empty())
                    .all(|key| told.contains(key) == said.contains(key)),
                "{told:?} {said:?}"
            );
        }
    }
    let said = [
        KeyRange::one(b"a"),
        KeyRange::prefix(b"b"),
        KeyRange::span(b"a", b"c"),
        KeyRange::from_key(b"d"),
        KeyRange::All,
    ];
    let membership = watchers.matcher.insert(&said, 500);
    assert!(watchers.matcher.ranges(membership).eq(said));
}
