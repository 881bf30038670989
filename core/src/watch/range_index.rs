//! Finding the ranges that hold a key.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::watcher::WatcherKey;
use crate::range::KeyRange;

/// The first key of a range, and the first after it: `None` if it has no end. That `None` sorts
/// before every end does not matter here.
type Interval = (Vec<u8>, Option<Vec<u8>>);

/// Ranges with the watchers of each, ordered by where they start. Watchers of the same range share
/// an entry.
///
/// A stabbing query scans every range that starts at or before the key: O(n). A balanced interval
/// tree behind this interface makes it O(log n + k).
#[derive(Debug, Default)]
pub(super) struct RangeIndex {
    ranges: BTreeMap<Interval, BTreeSet<WatcherKey>>,
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
                for &watcher in watchers {
                    visit(watcher);
                }
            }
        }
    }

    fn entry(range: &KeyRange) -> Interval {
        (range.start().to_vec(), range.end())
    }
}
