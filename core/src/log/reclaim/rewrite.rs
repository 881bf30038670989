//! Writing parts of the log again, elsewhere and closer together: new page writes like any others.
//!
//! A page that is written again takes over its interval and leaves the end of the log where it is.
//! So recovery, in the order of the numbers, finds either the old pages or the new one; and the old
//! slots become free by the rule of reuse.

use alloc::vec;
use alloc::vec::Vec;

use super::gather::Gathered;
use crate::error::{Error, Result};
use crate::log::format::layout::{NO_SLOT, PageHeader};
use crate::log::handle::Log;
use crate::log::live::live_page::LivePage;
use crate::log::read::frames::{Frames, Stretch};
use crate::log::write::writer::{RECOVERY_WRITES, SPARE_WRITES};
use crate::page::{PageError, PageStore};
use crate::revision::Revision;

/// Slots that wait for a sync before they can be used again: from so many on, syncing is preferred
/// to growing.
const HELD_WORTH_A_SYNC: usize = 16;

impl<P: PageStore> Log<P> {
    /// Makes sure that so many more pages can be written again, and the tail after them. Frees slots
    /// that wait for a sync before it lets the store grow.
    pub(super) fn make_room(&mut self, pages: usize) -> Result<()> {
        let pages = pages + RECOVERY_WRITES;
        let needed = pages + SPARE_WRITES;
        if self.slots.available() >= needed {
            return Ok(());
        }
        self.finish_growth()?;
        if self.slots.held() >= HELD_WORTH_A_SYNC {
            self.free_held()?;
        }
        let outcome = match needed.checked_sub(self.slots.available()) {
            None | Some(0) => Ok(()),
            // No more than is soon free again, because a slice of a sweep is to be a bounded one.
            Some(missing) => self.grow_up_to(HELD_WORTH_A_SYNC, missing),
        };
        let Err(Error::Page(PageError::NoSpace)) = outcome else {
            return outcome;
        };
        if self.held_would_do(pages) {
            self.free_held()?;
        }
        if self.slots.available() >= needed {
            Ok(())
        } else {
            Err(PageError::NoSpace.into())
        }
    }

    /// Where a sync is for somebody else to carry out, what needs one must be known before an entry of
    /// so many bytes is begun: nothing of it has changed then, and what is under way can be gone on with.
    pub(super) fn make_room_ahead(&mut self, bytes: u64) -> Result<()> {
        if !self.must_not_sync() {
            return Ok(());
        }
        self.break_root_ahead()?;
        let pages = bytes / self.identity.capacity() as u64;
        self.make_room(
            usize::try_from(pages)
                .unwrap_or(usize::MAX)
                .saturating_add(3),
        )
    }

    /// Writes what was gathered as the page for its interval, which ends at `to`. There is room.
    /// The log ends at `end` before and after.
    pub(super) fn write_gathered(&mut self, gathered: &Gathered, to: u64, end: u64) -> Result<()> {
        self.check_writable()?;
        let outcome = self
            .confirm()
            .and_then(|()| self.write_gathered_page(gathered, to, end));
        self.poisoned |= outcome.is_err();
        outcome
    }

    fn write_gathered_page(&mut self, gathered: &Gathered, to: u64, end: u64) -> Result<()> {
        let mut page = vec![0; self.identity.page_size];
        let contents = gathered.lay_out(to, &mut page);
        self.give_up_body();
        let slot = self.claim_slot()?;
        let mut header = PageHeader {
            checksum: 0,
            number: self.last_write.number + 1,
            from: gathered.from(),
            to,
            end,
            epoch: self.epoch as u64,
            mark: self.mark,
            next_slot: self.slots.next().unwrap_or(NO_SLOT),
            predecessor_slot: self.directory.predecessor_slot(gathered.from()),
            clean: false,
            sparse: contents.sparse,
            used: contents.used,
            first_frame: contents.first_frame,
            pieces: contents.pieces,
        };
        header.seal(&mut page, self.identity, slot);
        self.pages.write(slot, &page)?;

        let mut live = LivePage::new(&header, slot, gathered.inherited());
        if let Some((position, revision)) = gathered.first() {
            live.set_first_frame(position, revision);
        }
        live.bytes = self.pages.share(slot);
        let mut superseded = Vec::new();
        self.directory.replace(live, header.end, &mut superseded);
        self.last_content = header.number;
        self.page_was_written(&header, slot, superseded);
        Ok(())
    }

    /// Writes a live page again, to another slot, with what it answers for. There is room. Not for
    /// the tail.
    pub(in crate::log) fn rewrite_page(&mut self, index: usize, end: u64) -> Result<()> {
        let live = self.directory.pages()[index].clone();
        let mut gathered = Gathered::new(live.from, live.revision);
        let capacity = self.identity.capacity();
        let mut position = live.from;
        while position < live.to {
            match self.stretch_at(position)? {
                Stretch::Page(page, range) => {
                    let bytes = &page[range];
                    if let Some(first) = live.first_frame()
                        && (position..position + bytes.len() as u64).contains(&first)
                    {
                        let before = (first - position) as usize;
                        if before > 0 {
                            gathered.add(position, &bytes[..before]);
                        }
                        gathered.begin_frame(first, live.revision);
                        gathered.add(first, &bytes[before..]);
                    } else {
                        gathered.add(position, bytes);
                    }
                    position += bytes.len() as u64;
                }
                Stretch::Gap(next) => position = next,
                Stretch::Tail(_) | Stretch::End => {
                    return Err(self.corrupt_at(position, "a page ends before its interval"));
                }
            }
        }
        debug_assert!(gathered.used() <= capacity || live.to - live.from <= capacity as u64);
        self.write_gathered(&gathered, live.to, end)
    }

    /// Says where the first frame begins in the rest of a page of which another has taken over the
    /// front, up to `from`. The first frame that begins in the rest is the one at or after `frame`;
    /// `before` is the revision of the one before it.
    pub(super) fn note_rest(&mut self, from: u64, frame: u64, before: Revision) -> Result<()> {
        let is_rest = |page: &LivePage| page.from == from && page.to > from;
        let Some(to) = self
            .directory
            .at(from)
            .filter(|page| is_rest(page))
            .map(|page| page.to)
        else {
            return Ok(());
        };
        let mut first = None;
        if frame < to
            && let Some(frame) = self.frame_at(frame, self.readable_end)?
            && frame.position < to
        {
            first = Some((frame.position, frame.stored.entry().revision));
        }
        self.directory.set_first_frame(from, first, before);
        Ok(())
    }
}
