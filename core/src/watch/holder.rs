//! Who has some ranges: one watcher alone, or a group.

use super::matching::Membership;
use super::selection::Touch;

/// What the matcher finds for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder(u32);

/// A holder, told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// A watcher that has its ranges to itself.
    Watcher(u32),
    /// Several of the same ranges, or one that is left of them.
    Group(u32),
}

impl Holder {
    /// # Panics
    ///
    /// If there are 2^31 watchers.
    pub(super) fn watcher(key: u32) -> Self {
        assert!(key < 1 << 31, "a store holds fewer than 2^31 watchers");
        Self(key << 1)
    }

    pub(super) fn group(key: u32) -> Self {
        Self(key << 1 | 1)
    }

    #[inline]
    pub(super) fn who(self) -> Who {
        let key = self.0 >> 1;
        if self.0 & 1 == 0 {
            Who::Watcher(key)
        } else {
            Who::Group(key)
        }
    }

    /// As the matcher knows it.
    pub(super) fn from_number(number: usize) -> Self {
        Self(number as u32)
    }

    pub(super) fn number(self) -> usize {
        self.0 as usize
    }
}

/// How a watcher is found for a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// By itself: no other has the same ranges. Most watchers do, so it costs them nothing more.
    Alone {
        membership: Membership,
        /// When it came to be behind; of use while it is.
        behind_since: u32,
        touched: Touch,
    },
    /// In a group, with its neighbours among the synced watchers there.
    Grouped { group: u32, before: u32, after: u32 },
    /// No longer, or not yet.
    Nowhere,
}
