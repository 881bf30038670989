//! Giving pages back: what lies at the end of the store moves down, and then the store is cut.
//!
//! A page moves as it does in a sweep: by being written again. Once a page with a mark that covers
//! the move is itself durable, nothing that a crash could leave needs the slots at the end, and they
//! are cut off. Whether that survives a crash does not matter: what comes back is superseded.

use alloc::vec::Vec;

use crate::error::Result;
use crate::log::checkpoint::format::FIRST_LOG_SLOT;
use crate::log::handle::Log;
use crate::log::write::writer::{GROWTH_LEAST_BYTES, SPARE_WRITES};
use crate::page::PageStore;
use crate::seeded_bug::is_seeded;

/// Slots that are left free, besides those that every write must find: so many per live page.
const LIVE_PER_FREE: usize = 32;
/// A store that has this part of its live pages in free slots beyond those, and twice the least
/// growth, is worth cutting. More than a growth gains, so that the two do not alternate.
const LIVE_PER_EXCESS: usize = 6;

impl<P: PageStore> Log<P> {
    /// How many pages the store should have, if it has so many more that cutting it is worth while.
    pub(crate) fn shrink_target(&self) -> Option<u32> {
        if self.pages.wearing_pages().is_some() {
            return None;
        }
        let live = self.directory.pages().len();
        let wanted = FIRST_LOG_SLOT as usize
            + live
            + live / LIVE_PER_FREE
            + self.reserved_writes()
            + 2 * SPARE_WRITES;
        let least_growth = GROWTH_LEAST_BYTES / self.identity.page_size;
        let excess = (live / LIVE_PER_EXCESS).max(2 * least_growth);
        let is_worth_it = self.slots.length() as usize > wanted + excess;
        u32::try_from(wanted).ok().filter(|_| is_worth_it)
    }

    /// Goes on with cutting the store down to `target` pages: moves about `budget_bytes` of pages,
    /// or cuts. Answers whether that is over: either it is cut, or there is no room below.
    pub(crate) fn shrink(&mut self, target: u32, budget_bytes: usize) -> Result<bool> {
        self.check_writable()?;
        self.give_up_body();
        if self.tail.is_within_transaction {
            return Ok(false);
        }
        self.make_room_ahead(0)?;
        self.write_tail()?;
        let most = (budget_bytes / self.identity.page_size).max(1);
        let pages = self.directory.pages().iter().enumerate();
        let beyond = pages.filter(|(_, page)| page.slot >= target);
        let beyond: Vec<usize> = beyond.map(|(index, _)| index).take(most).collect();
        for &index in &beyond {
            if !self.has_room_below(target)? {
                return Ok(true);
            }
            if self.directory.pages()[index].from == self.tail.from() {
                self.write_page(false)?;
            } else {
                self.rewrite_page(index, self.directory.end())?;
            }
        }
        if !beyond.is_empty() {
            return Ok(false);
        }
        self.cut(target)?;
        Ok(true)
    }

    fn has_room_below(&mut self, target: u32) -> Result<bool> {
        self.make_room(1)?;
        if self.slots.is_one_free_below(target) {
            return Ok(true);
        }
        if self.must_not_sync() {
            // The marks were carried before the first page was moved: there is little to wait for.
            return Ok(false);
        }
        self.carry_mark()?;
        Ok(self.slots.is_one_free_below(target))
    }

    /// No live page lies at or beyond `target`.
    fn cut(&mut self, target: u32) -> Result<()> {
        // A page of the tail that stands for nothing, and the one to come: readers were told of it,
        // so it must be written before another slot can be chosen.
        for _ in 0..SPARE_WRITES {
            let is_beyond = |slot: u32| slot >= target && slot < self.slots.length();
            if !is_beyond(self.last_write.slot) && !self.slots.next().is_some_and(is_beyond) {
                break;
            }
            self.make_room(1)?;
            self.write_page(false)?;
        }
        self.finish_growth()?;
        if is_seeded!(ShrinkTooEarly) {
            // As if all that is not live were free.
            self.slots.release(u64::MAX);
        } else if !self.slots.are_free_from(target) {
            self.carry_mark()?;
        }
        if self.slots.are_free_from(target) {
            self.slots.shrunk_to(target);
            self.pages.set_len(target)?;
        }
        Ok(())
    }
}
