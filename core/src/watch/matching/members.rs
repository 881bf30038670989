//! Who watches a range.
//!
//! A member is a watcher's interest in one range. The members of a range are a list in both
//! directions, so that one of a million leaves in one step. The members of a watcher with several
//! ranges are a chain. One watcher of each range that has no other is no member: the range itself
//! names it.

use alloc::vec::Vec;

use super::ranges::RangeId;
use crate::watch::watcher::WatcherKey;

/// Names a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::watch) struct MemberId(pub(super) u32);

impl MemberId {
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn is_some(self) -> bool {
        self != Self::NONE
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    /// A [`WatcherKey`].
    pub(super) watcher: u32,
    pub(super) range: RangeId,
    /// The next of the same range; of a member not in use, the next such.
    pub(super) next: MemberId,
    pub(super) previous: MemberId,
    /// The same watcher's next range.
    pub(super) sibling: MemberId,
}

impl Member {
    /// # Panics
    ///
    /// If there are 2^32 watchers.
    pub(super) fn new(watcher: WatcherKey, range: RangeId, sibling: MemberId) -> Self {
        Self {
            watcher: narrow(watcher),
            range,
            next: MemberId::NONE,
            previous: MemberId::NONE,
            sibling,
        }
    }
}

/// # Panics
///
/// If there are 2^32 watchers.
pub(super) fn narrow(watcher: WatcherKey) -> u32 {
    let narrow = u32::try_from(watcher).ok().filter(|&key| key != u32::MAX);
    narrow.expect("a store holds fewer than 2^32 watchers")
}

/// All members, and the places that are free.
#[derive(Debug)]
pub(super) struct Members {
    places: Vec<Member>,
    unused: MemberId,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            unused: MemberId::NONE,
        }
    }
}

impl Members {
    /// # Panics
    ///
    /// If there are 2^32 members.
    pub(super) fn add(&mut self, member: Member) -> MemberId {
        let id = self.unused;
        if id.is_some() {
            self.unused = self[id].next;
            self[id] = member;
            return id;
        }
        let id = u32::try_from(self.places.len()).map_or(MemberId::NONE, MemberId);
        assert!(
            id.is_some(),
            "a store holds fewer than 2^32 ranges of watchers"
        );
        self.places.push(member);
        id
    }

    /// The member, or none for [`MemberId::NONE`].
    pub(super) fn get(&self, id: MemberId) -> Option<&Member> {
        self.places.get(id.0 as usize)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.places.capacity() * size_of::<Member>()
    }

    pub(super) fn remove(&mut self, id: MemberId) {
        self[id].next = self.unused;
        self.unused = id;
    }
}

impl core::ops::Index<MemberId> for Members {
    type Output = Member;

    #[inline]
    fn index(&self, id: MemberId) -> &Member {
        &self.places[id.0 as usize]
    }
}

impl core::ops::IndexMut<MemberId> for Members {
    #[inline]
    fn index_mut(&mut self, id: MemberId) -> &mut Member {
        &mut self.places[id.0 as usize]
    }
}
