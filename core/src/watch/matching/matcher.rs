//! The matcher: all watchers, by what they watch.

use core::borrow::Borrow;

use super::members::{Member, MemberId, Members};
use super::ranges::{RangeId, Ranges};
use super::tree::Tree;
use crate::range::KeyRange;
use crate::watch::watcher::WatcherKey;

/// A watcher's place in a matcher, for as long as it is there. The watcher need not keep its ranges:
/// [`Matcher::ranges`] tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::watch) struct Membership(MemberId);

/// Watchers, found by the keys that they watch.
///
/// See the module's documentation for what each operation costs.
#[derive(Debug)]
pub(in crate::watch) struct Matcher {
    pub(super) ranges: Ranges,
    pub(super) tree: Tree,
    members: Members,
}

impl Matcher {
    /// An empty one; `seed` keeps chosen ranges from flooding the hash.
    pub(in crate::watch) fn new(seed: u64) -> Self {
        Self {
            ranges: Ranges::new(seed),
            tree: Tree::default(),
            members: Members::default(),
        }
    }

    /// Adds a watcher of these ranges, of which there must be one at least.
    pub(in crate::watch) fn insert(
        &mut self,
        ranges: &[impl Borrow<KeyRange>],
        watcher: WatcherKey,
    ) -> Membership {
        let mut first = MemberId::NONE;
        for range in ranges.iter().rev() {
            let range = self.ranges.intern(range.borrow());
            let sibling = first;
            first = self.members.add(Member::new(watcher, range, sibling));
            self.link(first);
        }
        debug_assert!(first.is_some(), "a watcher watches something");
        Membership(first)
    }

    /// Removes a watcher. Its membership must not be used again.
    pub(in crate::watch) fn remove(&mut self, Membership(mut member): Membership) {
        while member.is_some() {
            self.unlink(member);
            let sibling = self.members[member].sibling;
            self.members.remove(member);
            member = sibling;
        }
    }

    /// What a watcher watches, in the order in which it was said. A span of all keys with a common
    /// beginning is told as a prefix, one of a single key as that key.
    pub(in crate::watch) fn ranges(
        &self,
        Membership(first): Membership,
    ) -> impl Iterator<Item = KeyRange> {
        let mut member = first;
        core::iter::from_fn(move || {
            let Member { range, sibling, .. } = *self.members.get(member)?;
            member = sibling;
            Some(self.ranges.to_key_range(range))
        })
    }

    /// Whether a watcher watches these ranges, said in the same order, and no others.
    pub(in crate::watch) fn has_ranges(
        &self,
        Membership(first): Membership,
        ranges: &[&KeyRange],
    ) -> bool {
        let mut member = first;
        for range in ranges {
            match self.members.get(member) {
                Some(found) if self.ranges.is(found.range, range) => member = found.sibling,
                _ => return false,
            }
        }
        !member.is_some()
    }

    /// Calls `visit` with each watcher that has a range which holds `key`, in no particular order; with
    /// a watcher of several such ranges once for each.
    #[inline]
    pub(in crate::watch) fn matching(&self, key: &[u8], mut visit: impl FnMut(WatcherKey)) {
        let mut visit_range = |range| self.visit_members(range, &mut visit);
        if let Some(range) = self.ranges.of_key(key) {
            visit_range(range);
        }
        self.ranges.prefixes_of(key).for_each(&mut visit_range);
        self.tree.stab(key, &self.ranges, &mut visit_range);
    }

    #[inline]
    fn visit_members(&self, range: RangeId, visit: &mut impl FnMut(WatcherKey)) {
        if let Some(watcher) = self.ranges.lone(range) {
            return visit(watcher);
        }
        let mut member = self.ranges.first(range);
        while let Some(&Member { watcher, next, .. }) = self.members.get(member) {
            visit(watcher as WatcherKey);
            member = next;
        }
    }

    /// Bytes that are asked for, unused parts included.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.ranges.size() + self.members.size() + self.tree.size()
    }

    /// Puts a member first into the list of its range.
    fn link(&mut self, id: MemberId) {
        let range = self.members[id].range;
        let next = self.ranges.first(range);
        self.members[id].next = next;
        if next.is_some() {
            self.members[next].previous = id;
        } else if self.ranges.kind(range).is_in_tree() {
            self.tree.insert(range, &self.ranges);
        }
        self.set_first(range, id);
    }

    /// Takes a member out of the list of its range, and the range out of the matcher if it was the
    /// last.
    fn unlink(&mut self, id: MemberId) {
        let Member {
            range,
            next,
            previous,
            ..
        } = self.members[id];
        if next.is_some() {
            self.members[next].previous = previous;
        }
        if previous.is_some() {
            self.members[previous].next = next;
            // Whoever is first may be alone now.
            return self.set_first(range, self.ranges.first(range));
        }
        if next.is_some() {
            return self.set_first(range, next);
        }
        if self.ranges.kind(range).is_in_tree() {
            self.tree.remove(range, &self.ranges);
        }
        self.ranges.forget(range);
    }

    /// Keeps with the range who is first, and which watcher if it is alone: that one is found without
    /// a look at the members.
    fn set_first(&mut self, range: RangeId, first: MemberId) {
        let Member { watcher, next, .. } = self.members[first];
        let lone = (!next.is_some()).then_some(watcher as WatcherKey);
        self.ranges.set_first(range, first, lone);
    }
}
