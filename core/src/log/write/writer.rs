//! Writing: entries into the tail, the tail into a page, pages made durable.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use crate::error::{Error, Result};
use crate::log::checkpoint::format::{FIRST_LOG_SLOT, Root};
use crate::log::checkpoint::write::Contents;
use crate::log::format::frame;
use crate::log::format::layout::{Mark, NO_FRAME, NO_SLOT, NUMBER_LIMIT, PageHeader};
use crate::log::format::record::Entry;
use crate::log::handle::{LastWrite, Log, NEVER, Position};
use crate::log::live::live_page::LivePage;
use crate::log::open::recovery::RECOVERIES_WRITES;
use crate::log::read::frames::Frames;
use crate::page::{PageError, PageStore};
use crate::revision::Revision;
use crate::seeded_bug::is_seeded;

/// Growth is this part of the store more than is missing, within these limits: rare, and never much at
/// once.
const PAGES_PER_GAINED_PAGE: usize = 32;
pub(in crate::log) const GROWTH_LEAST_BYTES: usize = 64 * 1024;
const GROWTH_MOST_BYTES: usize = 256 * 1024;
/// The limit where gained pages need a sync before they are used: that takes longer than their zeros.
const SYNCED_GROWTH_MOST_BYTES: usize = 1024 * 1024;
/// Page writes that need no entries: the tail for a sync, the tail once more at the close, and the
/// slot that is decided on ahead.
pub(in crate::log) const SPARE_WRITES: usize = 3;
/// Page writes that are kept for recovery: see there. Nothing else may use them.
pub(in crate::log) const RECOVERY_WRITES: usize = RECOVERIES_WRITES + 1;
/// Page writes that are kept for the sweep, which needs a new page before it can free old ones.
const SWEEP_WRITES: usize = 2;
/// So much is kept for changes after which less is needed, and two pages at least.
const FREEING_BYTES: usize = 4096;

impl<P: PageStore> Log<P> {
    /// Makes room for entries of this many encoded bytes together, and for a sync behind them, by
    /// growing the page store if need be. Without room nothing changes: `NoSpace` arises here, and
    /// where the sweep makes room for itself.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<()> {
        self.reserve_beside(bytes, self.reserved_writes())
    }

    /// The same for entries after which less of the log is needed, such as deletes: they may use
    /// some of what a full store keeps back.
    pub(crate) fn reserve_to_free(&mut self, bytes: usize) -> Result<()> {
        self.reserve_beside(bytes, RECOVERY_WRITES + SWEEP_WRITES)
    }

    /// Whether ordinary changes, or the next few that free something, are about to find no room.
    pub(crate) fn is_nearly_full(&self) -> bool {
        self.slots.available() < self.reserved_writes() + SPARE_WRITES + self.freeing_writes()
    }

    /// What ordinary changes leave alone, so that a full store can always be made smaller, and opened
    /// after a crash.
    pub(in crate::log) fn reserved_writes(&self) -> usize {
        RECOVERY_WRITES + SWEEP_WRITES + self.freeing_writes()
    }

    fn freeing_writes(&self) -> usize {
        (FREEING_BYTES / self.identity.page_size).max(2)
    }

    pub(super) fn reserve_beside(&mut self, bytes: usize, kept_back: usize) -> Result<()> {
        self.check_writable()?;
        let filled = self.tail.filled().saturating_add(bytes);
        let writes = filled / self.identity.capacity() + kept_back;
        match self.reserve_writes(writes) {
            Err(Error::Page(PageError::NoSpace)) if self.held_would_do(writes) => {
                self.free_held()?;
                self.reserve_writes(writes)
            }
            outcome => outcome,
        }
    }

    /// Whether there is room for so many page writes once all slots are free that only wait for a mark.
    /// To carry it takes two page writes, of which the first frees its slot again.
    pub(in crate::log) fn held_would_do(&self, writes: usize) -> bool {
        let (available, held) = (self.slots.available(), self.slots.held());
        available >= 2 && available + held > writes + SPARE_WRITES
    }

    /// Frees the slots that only wait for a mark.
    pub(in crate::log) fn free_held(&mut self) -> Result<()> {
        match self.slots.newest_held() {
            Some(newest) => self.carry_mark_of(newest),
            None => Ok(()),
        }
    }

    /// Makes room for this many page writes and those that may follow them without entries.
    pub(in crate::log) fn reserve_writes(&mut self, writes: usize) -> Result<()> {
        self.reserve_slots(writes.saturating_add(SPARE_WRITES))
    }

    /// Makes room for this many page writes, and no more.
    pub(in crate::log) fn reserve_slots(&mut self, needed: usize) -> Result<()> {
        if self.slots.available() >= needed {
            return Ok(());
        }
        self.finish_growth()?;
        match needed.checked_sub(self.slots.available()) {
            None | Some(0) => Ok(()),
            Some(missing) => self.grow(missing),
        }
    }

    /// Slots that were gained can be used once a sync has run.
    pub(in crate::log) fn finish_growth(&mut self) -> Result<()> {
        if self.growing.is_some() {
            self.sync()
        } else {
            Ok(())
        }
    }

    /// Adds an entry to the tail. Each page that gets full is written.
    #[inline]
    pub(crate) fn append(&mut self, entry: &Entry<'_>) -> Result<Position> {
        self.check_writable()?;
        self.break_root_ahead()?;
        debug_assert!(
            self.newest.is_none_or(|newest| newest < entry.revision),
            "revisions only grow"
        );
        let position = Position(self.tail.end());
        if let Some(bytes) = frame::encode_within(entry, self.tail.room_mut()) {
            self.begin_entry(entry);
            self.tail.add(bytes);
            self.readable_end = self.tail.end();
            return Ok(position);
        }
        let mut scratch = mem::take(&mut self.scratch);
        let outcome = match frame::encode(entry, &mut scratch) {
            Ok(frame) => self.append_frame(entry, frame),
            Err(error) => Err(error),
        };
        self.scratch = scratch;
        outcome.map(|()| position)
    }

    fn begin_entry(&mut self, entry: &Entry<'_>) {
        self.tail.is_within_transaction = !entry.last;
        self.tail.begin_frame(entry.revision);
        self.newest = Some(entry.revision);
    }

    fn append_frame(&mut self, entry: &Entry<'_>, mut frame: &[u8]) -> Result<()> {
        self.begin_entry(entry);
        while !frame.is_empty() {
            let count = self.tail.push(frame);
            frame = &frame[count..];
            if self.tail.is_full() {
                self.write_page(false)?;
                self.tail.turn(entry.revision);
            }
        }
        // Set last: a frame of which a page could not be written is not to be read.
        self.readable_end = self.tail.end();
        Ok(())
    }

    /// Writes the tail, if it has entries that are not written yet.
    pub(crate) fn write_tail(&mut self) -> Result<()> {
        self.check_writable()?;
        if self.tail.has_unwritten() {
            self.write_page(false)
        } else {
            Ok(())
        }
    }

    /// Begins a page with the next entry, though the last one has room. A sweep leaves alone what lies in
    /// the last page, or ends there: where every page counts that must not be what was compacted.
    /// Without room for it nothing is done.
    pub(crate) fn begin_page(&mut self) -> Result<()> {
        self.check_writable()?;
        let is_first = self.tail.filled() == 0;
        if is_first || self.tail.is_within_transaction {
            return Ok(());
        }
        match self.reserve_to_free(self.identity.capacity()) {
            Err(Error::Page(PageError::NoSpace)) => return Ok(()),
            outcome => outcome?,
        }
        self.write_tail()?;
        self.tail.turn(self.newest_or_never());
        Ok(())
    }

    /// Makes durable that the store is in use, after it was closed cleanly or created. A store that
    /// lets others see entries before they are synced must call this before the first of them:
    /// otherwise a crash could lose them and leave a store that looks closed, and no new epoch would
    /// tell that their revisions are used again.
    pub(crate) fn leave_clean(&mut self) -> Result<()> {
        self.check_writable()?;
        if is_seeded!(StayClean) {
            return Ok(());
        }
        // No page of this session has the flag, so any of them that is durable will do.
        if self.synced > self.opened_at {
            return Ok(());
        }
        if self.last_write.number == self.opened_at {
            self.reserve_to_free(0)?;
            if self.slots.next() != Some(self.last_write.next_slot) {
                self.break_root_ahead()?;
            }
            self.write_page(false)?;
        }
        self.sync()
    }

    /// Syncs, and leaves a page that says so, with a checkpoint of `contents` if it is worth one. A
    /// log that wrote nothing writes nothing here.
    pub(crate) fn close(&mut self, contents: Option<&Contents<'_>>) -> Result<()> {
        let contents = contents.filter(|_| self.pages.wearing_pages().is_none());
        let is_marked = self.last_write.clean && !self.tail.has_unwritten();
        if self.read_only || (is_marked && self.is_durable()) {
            return Ok(());
        }
        if !is_marked {
            self.sync()?;
            if self.slots.held() >= Root::most_held(self.identity) {
                self.carry_mark()?;
            }
            if let Some(contents) = contents {
                self.make_room_for_checkpoint(contents)?;
            }
            self.write_page(true)?;
            if let Some(contents) = contents {
                let outcome = self.write_checkpoint(contents);
                self.poisoned |= outcome.is_err();
                outcome?;
            }
        }
        self.sync()?;
        self.opened_at = self.last_write.number;
        Ok(())
    }

    pub(in crate::log) fn check_writable(&self) -> Result<()> {
        if self.read_only {
            return Err(PageError::ReadOnly.into());
        }
        if self.poisoned {
            Err(Error::Poisoned)
        } else {
            Ok(())
        }
    }

    /// Writes the tail as it is, as the next page write.
    pub(in crate::log) fn write_page(&mut self, clean: bool) -> Result<()> {
        self.check_writable()?;
        let outcome = self.confirm().and_then(|()| self.write_tail_page(clean));
        self.poisoned |= outcome.is_err();
        outcome
    }

    fn write_tail_page(&mut self, clean: bool) -> Result<()> {
        let (from, to) = (self.tail.from(), self.tail.end());
        let first_frame = self
            .tail
            .first()
            .map_or(NO_FRAME, |(position, _)| (position - from) as u32);
        let slot = self.claim_slot()?;
        let mut header = PageHeader {
            checksum: 0,
            number: self.last_write.number + 1,
            from,
            to,
            end: to,
            epoch: self.epoch as u64,
            mark: self.mark_to_carry(),
            next_slot: self.slots.next().unwrap_or(NO_SLOT),
            predecessor_slot: self.directory.predecessor_slot(from),
            clean,
            sparse: false,
            used: self.tail.filled() as u32,
            first_frame,
            pieces: 0,
        };
        header.seal(self.tail.page_to_seal(), self.identity, slot);
        self.pages.write(slot, self.tail.page())?;

        let mut superseded = Vec::new();
        if header.is_empty() {
            self.directory.truncate(header.end, None, &mut superseded);
        } else {
            let live = self.live_tail_page(&header, slot);
            self.directory.replace(live, header.end, &mut superseded);
        }
        if self.tail.has_unwritten() {
            self.last_content = header.number;
        }
        self.tail.set_written();
        self.page_was_written(&header, slot, superseded);
        Ok(())
    }

    fn live_tail_page(&self, header: &PageHeader, slot: u32) -> LivePage {
        let mut live = LivePage::new(header, slot, self.tail.inherited());
        if let Some((position, revision)) = self.tail.first() {
            live.set_first_frame(position, revision);
        }
        live.bytes = self.pages.share(slot);
        if live.bytes.is_none() && self.tail.is_full() {
            // Who follows the log is going to read it soon.
            let bytes = Arc::from(self.tail.page());
            let evicted = self.cache.lock().insert(slot, live.term, bytes);
            drop(evicted);
        }
        live
    }

    /// What the tail says to be durable.
    fn mark_to_carry(&self) -> Mark {
        if is_seeded!(MarkTooEarly) {
            return Mark {
                number: self.last_write.number,
                end: self.directory.end(),
                census: self.directory.census(),
            };
        }
        self.mark
    }

    /// Writes a live page again as the next page write, with the same contents. The log ends at `end`
    /// before and after.
    pub(in crate::log) fn write_copy(
        &mut self,
        index: usize,
        header: PageHeader,
        page: &mut [u8],
        end: u64,
    ) -> Result<()> {
        self.give_up_body();
        let slot = self.claim_slot()?;
        let mut header = PageHeader {
            number: self.last_write.number + 1,
            end,
            epoch: self.epoch as u64,
            mark: self.mark,
            next_slot: self.slots.next().unwrap_or(NO_SLOT),
            predecessor_slot: self.directory.predecessor_slot(header.from),
            clean: false,
            ..header
        };
        header.seal(page, self.identity, slot);
        self.pages.write(slot, page)?;
        let superseded = self
            .directory
            .move_page(index, &header, slot, self.pages.share(slot));
        self.page_was_written(&header, slot, Vec::from([superseded]));
        Ok(())
    }

    /// The slot for the next page write; the one for the write after that is decided on.
    pub(in crate::log) fn claim_slot(&mut self) -> Result<u32> {
        let at_the_limit = [
            self.last_write.number + 1,
            self.tail.end(),
            self.epoch as u64,
        ];
        if at_the_limit.iter().any(|&value| value >= NUMBER_LIMIT) {
            return Err(self.corrupt_at(self.tail.end(), "the numbers of the log are exhausted"));
        }
        if self.slots.available() == 0 {
            self.grow(1)?;
        }
        let slot = self.slots.take().ok_or(PageError::NoSpace)?;
        self.break_root(slot)?;
        self.slots.decide_next();
        Ok(slot)
    }

    pub(in crate::log) fn page_was_written(
        &mut self,
        header: &PageHeader,
        slot: u32,
        superseded: Vec<u32>,
    ) {
        if self.last_write.empty && self.last_write.slot != NO_SLOT {
            self.slots.hold(self.last_write.slot, header.number);
        }
        for slot in superseded {
            if is_seeded!(ReuseAtOnce) {
                self.slots.free(slot);
                continue;
            }
            self.slots.hold(slot, header.number);
        }
        self.last_write = LastWrite::of(header, slot);
        if self.lender.is_outrun(self.directory.pages().len()) {
            self.directory.take_back();
            self.lender.begin_anew();
        }
    }

    /// Writes again, in place, what a clean close left beyond the mark.
    pub(in crate::log) fn confirm(&mut self) -> Result<()> {
        let Some(slots) = self.unconfirmed.take().filter(|_| !is_seeded!(TrustClose)) else {
            return Ok(());
        };
        let length = self.growing.unwrap_or(self.slots.length());
        self.pages.set_len(length)?;
        for slot in slots {
            let bytes = self.read_slot(slot)?;
            self.pages.write(slot, &bytes)?;
        }
        Ok(())
    }

    /// Gains at least `missing` slots. Their zeros are written at once, by the page store or here, so
    /// that a file has room for them from then on.
    pub(in crate::log) fn grow(&mut self, missing: usize) -> Result<()> {
        self.finish_growth()?;
        let length = self.slots.length();
        let missing = missing + FIRST_LOG_SLOT.saturating_sub(length) as usize;
        let page_size = self.identity.page_size;
        let most_bytes = if self.pages.gains_zeros() {
            GROWTH_MOST_BYTES
        } else {
            SYNCED_GROWTH_MOST_BYTES
        };
        let chunk = (length as usize / PAGES_PER_GAINED_PAGE)
            .clamp(GROWTH_LEAST_BYTES / page_size, most_bytes / page_size);
        // Where pages wear, all there are.
        let wanted = match self.pages.wearing_pages() {
            Some(pages) => pages.saturating_sub(length) as usize,
            None => missing + chunk,
        };
        self.grow_up_to(wanted, missing)
    }

    /// Gains `wanted` slots, or where there is no room for them no more than the missing ones.
    pub(in crate::log) fn grow_up_to(&mut self, wanted: usize, missing: usize) -> Result<()> {
        let outcome = self.grow_by(wanted.max(missing));
        let Err(Error::Page(PageError::NoSpace)) = outcome else {
            return outcome;
        };
        let outcome = self.grow_by(missing);
        if let Err(Error::Page(PageError::NoSpace)) = outcome {
            // What is only a cache makes room.
            let before = self.slots.available();
            self.give_up_body();
            if self.slots.available() - before >= missing {
                return Ok(());
            }
        }
        outcome
    }

    fn grow_by(&mut self, count: usize) -> Result<()> {
        let length = self.slots.length();
        // The highest number stands for no slot.
        let new_length = u32::try_from(count)
            .ok()
            .and_then(|count| length.checked_add(count))
            .filter(|&new_length| new_length < NO_SLOT)
            .ok_or(PageError::NoSpace)?;
        self.pages.set_len(new_length)?;
        if self.pages.gains_zeros() {
            self.slots.grown_to(new_length);
            return Ok(());
        }
        let zeros = vec![0; self.identity.page_size];
        for slot in length..new_length {
            if let Err(error) = self.pages.write(slot, &zeros) {
                // Slots that could not be written are not used, whether or not they go away.
                let _ = self.pages.set_len(length);
                return Err(error.into());
            }
        }
        // What lay in the new slots may be a valid page of this very store, from before a crash that
        // took an earlier growth. No number that it may have is used before it is gone for good.
        if self.must_not_sync() {
            self.growing = Some(new_length);
            return Err(Error::SyncPending);
        }
        if !is_seeded!(SkipGrowthSync)
            && let Err(error) = self.pages.sync()
        {
            self.poisoned = true;
            return Err(error.into());
        }
        self.slots.grown_to(new_length);
        Ok(())
    }

    /// The revision that the last entry has, or the one below all.
    pub(in crate::log) fn newest_or_never(&self) -> Revision {
        self.newest.unwrap_or(NEVER)
    }
}
