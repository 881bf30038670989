//! Finding the ranges that hold a key.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::watcher::WatcherKey;
use crate::range::KeyRange;

/// Ranges with the watchers of each, ordered by where they start. Watchers of the same range share
/// an entry.
///
/// A stabbing query scans every range that starts at or before the key: O(n). A balanced interval
/// tree behind this interface makes it O(log n + k).
#[derive(Debug, Default)]
pub(super) struct RangeIndex {
    /// `None` is the end of a range that has none. It sorts before every end, which does not
    /// matter here.
    ranges: BTreeMap<(Vec<u8>, Option<Vec<u8>>), BTreeSet<WatcherKey>>,
}

impl RangeIndex {
    /// Adds a watcher of `range`.
    pub(super) fn insert(&mut self, range: &KeyRange, watcher: WatcherKey) {
        self.ranges
            .entry(Self::entry(range))
            .or_default()
            .insert(watcher);
    }

    /// Removes a watcher of `range`.
    pub(super) fn remove(&mut self, range: &KeyRange, watcher: WatcherKey) {
        let entry = Self::entry(range);
        let Some(watchers) = self.ranges.get_mut(&entry) else {
            return;
        };
        watchers.remove(&watcher);
        if watchers.is_empty() {
            self.ranges.remove(&entry);
        }
    }

    /// Calls `visit` with each watcher of a range that holds `key`.
    pub(super) fn stab(&self, key: &[u8], mut visit: impl FnMut(WatcherKey)) {
        for ((start, end), watchers) in &self.ranges {
            if start.as_slice() > key {
                break;
            }
            if end.as_ref().is_none_or(|end| key < end.as_slice()) {
                watchers.iter().for_each(|&watcher| visit(watcher));
            }
        }
    }

    fn entry(range: &KeyRange) -> (Vec<u8>, Option<Vec<u8>>) {
        (range.start().to_vec(), range.end())
    }
}
