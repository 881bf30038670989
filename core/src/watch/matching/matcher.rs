//! The matcher: all watchers, by what they watch.

use core::borrow::Borrow;

use super::members::{Member, MemberId, Members, narrow};
use super::ranges::{Found, RangeId, Ranges, Spot};
use super::tree::Tree;
use crate::range::KeyRange;
use crate::watch::watcher::WatcherKey;

/// A watcher's place in a matcher, for as long as it is there. The watcher need not keep its ranges:
/// [`Matcher::ranges`] tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::watch) enum Membership {
    /// The range names the watcher; with its hash, so that leaving need not wait for the range to learn
    /// it.
    Sole { range: RangeId, hash: u32 },
    /// The first of a chain of members.
    Chain(MemberId),
}

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
        if let [range] = ranges
            && let Ok(membership) = self.insert_sole(range.borrow(), watcher)
        {
            return membership;
        }
        let mut first = MemberId::NONE;
        for range in ranges.iter().rev() {
            let range = self.come(range.borrow()).0.id;
            first = self.members.add(Member::new(watcher, range, first));
            self.link(first);
        }
        debug_assert!(first.is_some(), "a watcher watches something");
        Membership::Chain(first)
    }

    /// Adds a watcher of this range and no other, if there is none yet; else answers who that is.
    pub(in crate::watch) fn insert_sole(
        &mut self,
        range: &KeyRange,
        watcher: WatcherKey,
    ) -> Result<Membership, WatcherKey> {
        let (spot, is_new) = self.come(range);
        if !is_new && let Some(known) = self.ranges.sole(spot) {
            return Err(known);
        }
        self.ranges.set_sole(spot, Some(narrow(watcher)));
        Ok(Membership::Sole {
            range: spot.id,
            hash: self.ranges.hash_at(spot),
        })
    }

    /// Removes a watcher. Its membership must not be used again.
    pub(in crate::watch) fn remove(&mut self, membership: Membership) {
        let mut member = match membership {
            Membership::Sole { range, hash } => {
                match self.ranges.spot_by_hash(range, hash) {
                    Some(spot) if self.ranges.first(range).is_some() => {
                        self.ranges.set_sole(spot, None);
                    }
                    Some(spot) => self.forget(spot),
                    None => {}
                }
                return;
            }
            Membership::Chain(first) => first,
        };
        while member.is_some() {
            let Member { range, sibling, .. } = self.members[member];
            self.unlink(member);
            self.members.remove(member);
            if !self.ranges.first(range).is_some()
                && let Some(spot) = self.ranges.spot_of(range)
                && self.ranges.sole(spot).is_none()
            {
                self.forget(spot);
            }
            member = sibling;
        }
    }

    /// Has a watcher found by another number.
    pub(in crate::watch) fn renumber(&mut self, membership: Membership, watcher: WatcherKey) {
        let mut member = match membership {
            Membership::Sole { range, hash } => {
                if let Some(spot) = self.ranges.spot_by_hash(range, hash) {
                    self.ranges.set_sole(spot, Some(narrow(watcher)));
                }
                return;
            }
            Membership::Chain(first) => first,
        };
        while member.is_some() {
            self.members[member].watcher = narrow(watcher);
            member = self.members[member].sibling;
        }
    }

    /// What a watcher watches, in the order in which it was said. A span of all keys with a common
    /// beginning is told as a prefix, one of a single key as that key.
    pub(in crate::watch) fn ranges(
        &self,
        membership: Membership,
    ) -> impl Iterator<Item = KeyRange> {
        let ids = self.range_ids(membership);
        ids.map(|range| self.ranges.to_key_range(range))
    }

    /// The numbers of a watcher's ranges, in the order in which they were said.
    pub(in crate::watch) fn range_ids(
        &self,
        membership: Membership,
    ) -> impl Iterator<Item = RangeId> {
        let (mut sole, mut member) = match membership {
            Membership::Sole { range, .. } => (Some(range), MemberId::NONE),
            Membership::Chain(first) => (None, first),
        };
        core::iter::from_fn(move || {
            sole.take().or_else(|| {
                let Member { range, sibling, .. } = *self.members.get(member)?;
                member = sibling;
                Some(range)
            })
        })
    }

    /// The number of a range that somebody watches. May deny one that it has, if that is a prefix.
    pub(in crate::watch) fn range_id(&self, range: &KeyRange) -> Option<RangeId> {
        Some(self.ranges.known(range)?.id)
    }

    /// Calls `visit` with each watcher that has a range which holds `key`, in no particular order; with
    /// a watcher of several such ranges once for each.
    #[inline]
    pub(in crate::watch) fn matching(&self, key: &[u8], mut visit: impl FnMut(WatcherKey)) {
        let mut visit_found = |found| self.visit_watchers(found, &mut visit);
        if let Some(found) = self.ranges.of_key(key) {
            visit_found(found);
        }
        self.ranges.prefixes_of(key).for_each(&mut visit_found);
        self.tree.stab(key, &self.ranges, &mut |range| {
            visit_found(self.ranges.found_in_tree(range));
        });
    }

    /// A watcher that [`matching`](Self::matching) will perhaps visit for `key`. What is on the way there
    /// is asked for, and not waited for.
    #[inline]
    pub(in crate::watch) fn foresee(&self, key: &[u8]) -> Option<WatcherKey> {
        self.ranges.foresee(key)
    }

    #[inline]
    fn visit_watchers(&self, Found { id, sole }: Found, visit: &mut impl FnMut(WatcherKey)) {
        if let Some(watcher) = sole {
            visit(watcher);
        }
        let mut member = self.ranges.first(id);
        while let Some(&Member { watcher, next, .. }) = self.members.get(member) {
            visit(watcher as WatcherKey);
            member = next;
        }
    }

    /// Whether nobody watches anything.
    #[cfg(test)]
    pub(in crate::watch) fn is_empty(&self) -> bool {
        self.ranges.len() == 0
    }

    /// Bytes that are asked for, unused parts included.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.ranges.size() + self.members.size() + self.tree.size()
    }

    /// Somebody comes to watch a range: it is to be found. Answers also whether nobody did.
    fn come(&mut self, range: &KeyRange) -> (Spot, bool) {
        let (spot, is_new) = self.ranges.intern(range);
        if is_new && self.ranges.kind(spot.id).is_in_tree() {
            self.tree.insert(spot.id, &self.ranges);
        }
        (spot, is_new)
    }

    /// Nobody watches a range any more.
    fn forget(&mut self, spot: Spot) {
        if self.ranges.kind(spot.id).is_in_tree() {
            self.tree.remove(spot.id, &self.ranges);
        }
        self.ranges.forget(spot);
    }

    /// Puts a member first into the list of its range.
    fn link(&mut self, id: MemberId) {
        let range = self.members[id].range;
        let next = self.ranges.first(range);
        self.members[id].next = next;
        if next.is_some() {
            self.members[next].previous = id;
        }
        self.ranges.set_first(range, id);
    }

    /// Takes a member out of the list of its range.
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
        } else {
            self.ranges.set_first(range, next);
        }
    }
}
