//! Which slots may be written, and from when on (the rule of reuse).
//!
//! A slot whose page was superseded by page write `n` may still be needed: recovery may go back to
//! the newest mark that it finds, and the page was live there if that mark is below `n`. So the slot
//! is held until a page that carries a mark of at least `n` has itself been synced; only then can no
//! crash make an older mark the newest. Nothing of this is stored: recovery derives it.
//!
//! With a sync after each page write the tail of the log therefore moves through four slots:
//!
//! ```text
//! write   slot  carries mark   then the sync frees the slot of
//!   5      a        4              3  (superseded by 4)
//!   6      b        5              4  (superseded by 5)
//!   7      c        6              5  (superseded by 6): a
//!   8      d        7              6
//!   9      a        8
//! ```

use alloc::collections::VecDeque;

use super::free::Free;
use crate::log::checkpoint::format::FIRST_LOG_SLOT;

/// The slots behind the root of checkpoints, as far as they are not live.
#[derive(Debug, Default)]
pub(in crate::log) struct Slots {
    /// How many pages the store has, with the header copies.
    length: u32,
    free: Free,
    /// Slots with the number of the write that superseded their page; these numbers never fall.
    held: VecDeque<(u32, u64)>,
    /// Taken for the next write already, so that a page can say where the next one goes.
    next: Option<u32>,
    /// How many slots the newest mark to free some has freed.
    newly_free: usize,
}

impl Slots {
    /// No slot is free yet. Where slots `wear`, the one that has been free for the longest is taken.
    pub(in crate::log) fn new(length: u32, wear: bool) -> Self {
        let free = if wear {
            Free::Oldest(VecDeque::new())
        } else {
            Free::default()
        };
        Self {
            length,
            free,
            ..Self::default()
        }
    }

    /// Slots of the same kind, of which none is free yet.
    pub(in crate::log) fn anew(&self, length: u32) -> Self {
        Self::new(length, matches!(self.free, Free::Oldest(_)))
    }

    pub(in crate::log) fn length(&self) -> u32 {
        self.length
    }

    /// How many page writes can be made before a slot must be freed or gained.
    pub(in crate::log) fn available(&self) -> usize {
        self.free.len() + usize::from(self.next.is_some())
    }

    /// Where the next page goes, if that is decided.
    pub(in crate::log) fn next(&self) -> Option<u32> {
        self.next
    }

    /// Takes the slot for a write.
    pub(in crate::log) fn take(&mut self) -> Option<u32> {
        self.next.take().or_else(|| self.free.take())
    }

    /// Decides where the write after the present one goes.
    pub(in crate::log) fn decide_next(&mut self) {
        if self.next.is_none() {
            self.next = self.free.take();
        }
    }

    /// Decides for `slot`, if it is free: readers in other processes look there.
    pub(in crate::log) fn prefer_next(&mut self, slot: u32) {
        if self.next.is_none() && self.free.remove(slot) {
            self.next = Some(slot);
        }
    }

    /// The slot can be written at once.
    pub(in crate::log) fn free(&mut self, slot: u32) {
        self.free.add(slot);
    }

    /// Page write `by` superseded what lies in `slot`.
    pub(in crate::log) fn hold(&mut self, slot: u32, by: u64) {
        debug_assert!(self.held.back().is_none_or(|&(_, last)| last <= by));
        self.held.push_back((slot, by));
    }

    /// A page that carries a mark of this number has been synced.
    pub(in crate::log) fn release(&mut self, mark_number: u64) {
        let count = self.held.partition_point(|&(_, by)| by <= mark_number);
        if count > 0 {
            self.newly_free = count;
            let held = self.held.drain(..count);
            held.for_each(|(slot, _)| self.free.add(slot));
        }
    }

    /// How many page writes a recovery could make, should the power go now. Of the page that carries
    /// the newest mark it cannot know that it is durable, so what that has freed it holds.
    pub(in crate::log) fn available_to_recovery(&self) -> usize {
        self.available().saturating_sub(self.newly_free)
    }

    /// A free slot, for what is no page of the log.
    pub(in crate::log) fn take_free(&mut self) -> Option<u32> {
        self.free.take()
    }

    /// The slots that wait for a sync.
    pub(in crate::log) fn held_slots(&self) -> impl Iterator<Item = u32> {
        self.held.iter().map(|&(slot, _)| slot)
    }

    /// The page write that a mark must cover for all slots to be free that wait for one now.
    pub(in crate::log) fn newest_held(&self) -> Option<u64> {
        self.held.back().map(|&(_, by)| by)
    }

    /// How many slots wait for a sync.
    pub(in crate::log) fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether there is a free slot below `target`, and one to spare.
    pub(in crate::log) fn is_one_free_below(&self, target: u32) -> bool {
        self.free.len() - self.free.count_from(target) > 1
    }

    /// Whether all slots from `target` on can be done without.
    pub(in crate::log) fn are_free_from(&self, target: u32) -> bool {
        self.free.count_from(target) as u32 == self.length.saturating_sub(target)
    }

    /// The store is going to have this length; all slots beyond it are free.
    pub(in crate::log) fn shrunk_to(&mut self, length: u32) {
        self.free.forget_from(length);
        self.length = length;
    }

    /// The store has grown, and the new slots can be written.
    pub(in crate::log) fn grown_to(&mut self, length: u32) {
        let gained = self.length.max(FIRST_LOG_SLOT)..length;
        gained.for_each(|slot| self.free.add(slot));
        self.length = length;
    }
}
