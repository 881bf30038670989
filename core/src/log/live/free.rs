//! The slots that can be written at once, and which of them is taken first.

use alloc::collections::{BTreeSet, VecDeque};

/// Free slots, none of them twice.
#[derive(Debug)]
pub(in crate::log) enum Free {
    /// The lowest is taken: that keeps a file short and its pages together.
    Lowest(BTreeSet<u32>),
    /// The one that has been free for the longest is taken: that wears all alike.
    Oldest(VecDeque<u32>),
}

impl Default for Free {
    fn default() -> Self {
        Self::Lowest(BTreeSet::new())
    }
}

impl Free {
    pub(in crate::log) fn len(&self) -> usize {
        match self {
            Self::Lowest(slots) => slots.len(),
            Self::Oldest(slots) => slots.len(),
        }
    }

    pub(in crate::log) fn add(&mut self, slot: u32) {
        match self {
            Self::Lowest(slots) => {
                slots.insert(slot);
            }
            Self::Oldest(slots) => slots.push_back(slot),
        }
    }

    pub(in crate::log) fn take(&mut self) -> Option<u32> {
        match self {
            Self::Lowest(slots) => slots.pop_first(),
            Self::Oldest(slots) => slots.pop_front(),
        }
    }

    /// Takes this slot, if it is free.
    pub(in crate::log) fn remove(&mut self, slot: u32) -> bool {
        match self {
            Self::Lowest(slots) => slots.remove(&slot),
            Self::Oldest(slots) => {
                let place = slots.iter().position(|&free| free == slot);
                place.and_then(|place| slots.remove(place)).is_some()
            }
        }
    }

    /// How many lie at or beyond `slot`.
    pub(super) fn count_from(&self, slot: u32) -> usize {
        match self {
            Self::Lowest(slots) => slots.range(slot..).count(),
            Self::Oldest(slots) => slots.iter().filter(|&&free| free >= slot).count(),
        }
    }

    /// Forgets those at or beyond `slot`.
    pub(super) fn forget_from(&mut self, slot: u32) {
        match self {
            Self::Lowest(slots) => drop(slots.split_off(&slot)),
            Self::Oldest(slots) => slots.retain(|&free| free < slot),
        }
    }
}
