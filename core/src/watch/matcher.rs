//! Finding the watchers of a key.

use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::range_index::RangeIndex;
use super::watcher::WatcherKey;
use crate::range::KeyRange;

/// A set of watchers, found by the keys that they watch: single keys by hash, ranges by an index.
#[derive(Debug)]
pub(super) struct Matcher {
    keys: HashMap<Vec<u8>, Vec<WatcherKey>, FixedState>,
    ranges: RangeIndex,
}

impl Matcher {
    /// An empty set; `seed` keeps chosen keys from flooding the hash.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            keys: HashMap::with_hasher(FixedState::with_seed(seed)),
            ranges: RangeIndex::default(),
        }
    }

    /// Adds a watcher, which must not be in the set.
    pub(super) fn insert(&mut self, range: &KeyRange, watcher: WatcherKey) {
        match range {
            KeyRange::One(key) => match self.keys.get_mut(key) {
                Some(watchers) => watchers.push(watcher),
                None => drop(self.keys.insert(key.clone(), alloc::vec![watcher])),
            },
            range => self.ranges.insert(range, watcher),
        }
    }

    /// Removes a watcher that was added with the same range.
    pub(super) fn remove(&mut self, range: &KeyRange, watcher: WatcherKey) {
        match range {
            KeyRange::One(key) => {
                let Some(watchers) = self.keys.get_mut(key) else {
                    return;
                };
                watchers.retain(|&other| other != watcher);
                if watchers.is_empty() {
                    self.keys.remove(key);
                }
            }
            range => self.ranges.remove(range, watcher),
        }
    }

    /// Calls `visit` with each watcher of `key`.
    pub(super) fn matching(&self, key: &[u8], mut visit: impl FnMut(WatcherKey)) {
        if let Some(watchers) = self.keys.get(key) {
            for &watcher in watchers {
                visit(watcher);
            }
        }
        self.ranges.stab(key, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(matcher: &Matcher, key: &[u8]) -> Vec<WatcherKey> {
        let mut found = Vec::new();
        matcher.matching(key, |watcher| found.push(watcher));
        found.sort_unstable();
        found
    }

    #[test]
    fn a_key_finds_exactly_the_watchers_whose_range_holds_it() {
        let ranges = [
            KeyRange::one(b"a"),
            KeyRange::prefix(b"a"),
            KeyRange::prefix(b"a"),
            KeyRange::span(b"a", b"b"),
            KeyRange::from_key(b"ab"),
            KeyRange::All,
            KeyRange::prefix(b"\xff"),
        ];
        let keys: [&[u8]; 6] = [b"\0", b"a", b"ab", b"b", b"\xff", b"\xff\xff"];
        let mut matcher = Matcher::new(1);
        for (watcher, range) in ranges.iter().enumerate() {
            matcher.insert(range, watcher);
        }
        for gone in 0..=ranges.len() {
            for key in keys {
                let expected: Vec<usize> = (gone..ranges.len())
                    .filter(|&watcher| ranges[watcher].contains(key))
                    .collect();
                assert_eq!(matching(&matcher, key), expected, "{key:?} without {gone}");
            }
            if let Some(range) = ranges.get(gone) {
                matcher.remove(range, gone);
            }
        }
        assert!(matcher.keys.is_empty());
    }
}
