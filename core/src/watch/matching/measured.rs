//! The matcher by itself, for `benches/`: no part of the API.

use alloc::vec::Vec;

use super::{Matcher, Membership};
use crate::range::KeyRange;

/// Watchers of one range each, numbered from 0 in the order in which they came.
#[derive(Debug)]
pub struct MeasuredMatcher {
    matcher: Matcher,
    memberships: Vec<Membership>,
}

impl MeasuredMatcher {
    /// An empty one.
    pub fn new(seed: u64) -> Self {
        Self {
            matcher: Matcher::new(seed),
            memberships: Vec::new(),
        }
    }

    /// Adds the next watcher.
    pub fn register(&mut self, range: &KeyRange) {
        let watcher = self.memberships.len();
        let ranges = core::slice::from_ref(range);
        let membership = self.matcher.insert(ranges, watcher);
        self.memberships.push(membership);
    }

    /// Removes a watcher, which must be there.
    pub fn cancel(&mut self, watcher: usize) {
        self.matcher.remove(self.memberships[watcher]);
    }

    /// Calls `visit` with each watcher of `key`.
    pub fn matching(&self, key: &[u8], visit: impl FnMut(usize)) {
        self.matcher.matching(key, visit);
    }
}
