//! Recovery: from what is in the slots to a log that can be written.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::mem;

use super::survey::{Accepted, Survey};
use crate::error::{Error, Result};
use crate::log::checkpoint::format::{FIRST_LOG_SLOT, ROOT_SLOT};
use crate::log::checkpoint::write::RootState;
use crate::log::format::frame::OVERHEAD_BYTES;
use crate::log::format::layout::{HEADER_BYTES, PageHeader};
use crate::log::format::record::{Entry, Record};
use crate::log::handle::{EpochStart, LastWrite, Log, NEVER};
use crate::log::learner::Learner;
use crate::log::live::directory::Directory;
use crate::log::live::live_page::LivePage;
use crate::log::live::tail::Tail;
use crate::log::read::frames::Frames;
use crate::log::read::reader::Source;
use crate::page::{PageError, PageStore};
use crate::revision::Revision;
use crate::seeded_bug::is_seeded;

/// Page writes that recoveries need at most, however often they are cut off, besides one for each page
/// of which they must make certain: twice the tail, and two pages for the record of the epoch where it
/// does not fit into one; and, if the power went before that was known to be durable, the tail and the
/// record of the next epoch. From there on slots are free again.
pub(in crate::log) const RECOVERIES_WRITES: usize = 6;

impl<P: PageStore> Log<P> {
    /// Makes a survey's accepted pages the log; it is then to be walked.
    pub(in crate::log) fn load(&mut self, survey: &Survey, accepted: &Accepted) {
        self.slots = self.slots.anew(survey.length);
        let live_pages = accepted.segments.iter().map(|segment| {
            let found = &survey.found[segment.page];
            let mut page = LivePage::new(&found.header, found.slot, NEVER);
            page.keep_only(segment.from, segment.to);
            page.bytes = found.bytes.clone().or_else(|| self.pages.share(found.slot));
            page
        });
        self.directory = Directory::of(live_pages.collect());
        self.tail = Tail::new(self.identity.page_size, self.directory.end(), NEVER);
        let accepted_pages = &survey.found[..accepted.count];
        self.last_write = match accepted_pages.last() {
            Some(found) if found.header.number == accepted.top => {
                LastWrite::of(&found.header, found.slot)
            }
            _ => LastWrite {
                number: accepted.top,
                clean: accepted.top == 0,
                ..LastWrite::NONE
            },
        };
        self.mark = accepted.mark;
        self.synced = accepted.top;
        self.opened_at = accepted.top;
        if self.read_only {
            self.last_content = accepted.top;
        }
        self.readable_end = 0;
        self.newest = None;
        self.epoch = 1;
        self.epochs.clear();
    }

    /// Makes ready for writing what was surveyed and walked over. Returns whether the last writer had
    /// closed the log.
    pub(super) fn recover(
        &mut self,
        survey: &Survey,
        accepted: &Accepted,
        learner: &mut dyn Learner,
    ) -> Result<bool> {
        let before = self.newest_or_never();
        self.directory
            .truncate(self.readable_end, Some(before), &mut Vec::new());
        let none_rejected = accepted.count == survey.found.len();
        let clean = self.last_write.clean && none_rejected && self.readable_end == accepted.end;
        self.resume_tail()?;
        let unbegun = self.first_of_unbegun_epoch(survey, accepted);
        self.derive_slots(survey, accepted, unbegun);
        let beyond_the_mark = &survey.found[accepted.covered..accepted.count];
        if clean {
            self.checkpoint.root = self.find_out_about_root();
            self.unconfirmed = Some(beyond_the_mark.iter().map(|found| found.slot).collect());
        } else {
            self.erase(survey, accepted)?;
            // A page of the newest epoch may be there without the entry that began it.
            let of_pages = survey.found[..accepted.count]
                .iter()
                .map(|found| found.header.epoch);
            let newest_epoch = self.epoch.max(of_pages.max().unwrap_or(1) as i64);
            self.epoch = newest_epoch + i64::from(!is_seeded!(KeepEpoch));
            self.make_certain(accepted, unbegun)?;
            if !is_seeded!(KeepEpoch) {
                self.start_epoch(learner)?;
            }
        }
        Ok(clean)
    }

    /// The number of the first page write of an epoch of which the log has no record: an earlier recovery
    /// was cut off. Nothing in such a page is anybody's but that recovery's, and what it was made from is
    /// still there. It need not be kept, therefore, and may be written again in its place; otherwise each
    /// recovery that is cut off would take slots, until on a full disk there were none.
    fn first_of_unbegun_epoch(&self, survey: &Survey, accepted: &Accepted) -> u64 {
        let uncovered = &survey.found[accepted.covered..accepted.count];
        uncovered
            .iter()
            .map(|found| &found.header)
            .find(|header| header.epoch > self.epoch as u64 && !is_seeded!(KeepUnbegunEpoch))
            .map_or(u64::MAX, |header| header.number)
    }

    /// Whether a later opening could find a root by which the log was not opened now. One that reads
    /// as zeros was made so durably: a session overwrites it before the second of its page writes.
    fn find_out_about_root(&self) -> RootState {
        let is_blank = |page: Arc<[u8]>| page.iter().all(|&byte| byte == 0);
        if self.slots.length() <= ROOT_SLOT || self.read_slot(ROOT_SLOT).is_ok_and(is_blank) {
            RootState::Gone
        } else {
            RootState::Standing
        }
    }

    /// Goes on with the last page if there is room in it.
    pub(in crate::log) fn resume_tail(&mut self) -> Result<()> {
        let before = self.newest_or_never();
        let end = self.directory.end();
        self.tail = Tail::new(self.identity.page_size, end, before);
        let Some(last) = self.directory.last() else {
            return Ok(());
        };
        let page = self.page(last, Source::Cached)?;
        let header = PageHeader::fields(&page);
        let length = (end - last.from) as usize;
        if header.sparse || header.from != last.from || length >= self.identity.capacity() {
            return Ok(());
        }
        let contents = &page[HEADER_BYTES..][..length];
        let first = last.first_frame().map(|position| (position, last.revision));
        self.tail = Tail::new(self.identity.page_size, last.from, last.revision);
        self.tail.resume(contents, first);
        Ok(())
    }

    /// The rule of reuse, applied to what was found. Should this session be cut off at once, then the
    /// next recovery goes back to the newest mark that durable pages carry: the pages that were live
    /// there, and all that followed, are still needed. All other slots are free.
    fn derive_slots(&mut self, survey: &Survey, accepted: &Accepted, unbegun: u64) {
        let durable_mark = Survey::newest_mark(&survey.found[..accepted.covered]);
        let mut is_needed = vec![false; survey.length as usize];
        for segment in survey.live_at(durable_mark).segments() {
            is_needed[survey.found[segment.page].slot as usize] = true;
        }
        for found in &survey.found[..accepted.count] {
            let number = found.header.number;
            is_needed[found.slot as usize] |= number > durable_mark.number && number < unbegun;
        }
        let mut is_live = vec![false; survey.length as usize];
        for page in self.directory.pages() {
            is_live[page.slot as usize] = true;
        }
        if self.last_write.empty && self.last_write.slot < survey.length {
            // Superseded by the next write, which sees to it.
            is_live[self.last_write.slot as usize] = true;
        }
        for &slot in &survey.unreadable {
            // Not to be relied on before it has been written and read.
            is_live[slot as usize] = true;
        }
        let mut is_free = vec![true; survey.length as usize];
        for slot in FIRST_LOG_SLOT..survey.length {
            let place = slot as usize;
            is_free[place] = !is_live[place] && !is_needed[place];
            if is_needed[place] && !is_live[place] {
                self.slots.hold(slot, accepted.top + 1);
            }
        }
        self.free_slots(survey, &mut is_free);
        self.slots.prefer_next(self.last_write.next_slot);
        self.slots.decide_next();
    }

    /// Those that were not written for the longest come first, as if they had been freed in that order.
    fn free_slots(&mut self, survey: &Survey, is_free: &mut [bool]) {
        let mut written = Vec::new();
        for found in &survey.found {
            if mem::take(&mut is_free[found.slot as usize]) {
                written.push(found.slot);
            }
        }
        let never_written = (FIRST_LOG_SLOT..survey.length).filter(|&slot| is_free[slot as usize]);
        never_written
            .chain(written)
            .for_each(|slot| self.slots.free(slot));
    }

    /// The rule of erasure: a page that was rejected now must not be accepted later, when the numbers
    /// before it have been used again. Nor must one that could not be read, if it can be read then.
    fn erase(&mut self, survey: &Survey, accepted: &Accepted) -> Result<()> {
        // Nor may the length be what was read.
        self.pages.set_len(survey.length)?;
        let zeros = vec![0; self.identity.page_size];
        // Where pages wear no session leaves a root; there may be one of an image that was copied.
        let is_blank = || self.find_out_about_root() == RootState::Gone;
        if survey.length > ROOT_SLOT && (self.pages.wearing_pages().is_none() || !is_blank()) {
            self.pages.write(ROOT_SLOT, &zeros)?;
        }
        for found in &survey.found[accepted.count..] {
            if is_seeded!(SkipErasure) {
                break;
            }
            self.pages.write(found.slot, &zeros)?;
        }
        for &slot in &survey.unreadable {
            // One that cannot be written either is left alone for good.
            if self.pages.write(slot, &zeros).is_ok() && self.read_slot(slot).is_ok() {
                self.slots.hold(slot, accepted.top + 1);
            }
        }
        // Also if nothing was rejected: what an earlier recovery has erased may only look so.
        if is_seeded!(SkipErasureSync) {
            return Ok(());
        }
        Ok(self.pages.sync()?)
    }

    /// What was read beyond the mark may not have reached the disk: a sync may have failed before.
    /// Or it may be all that there is of an acknowledged commit. So it is written again, and not over
    /// itself but as new page writes; the log is then without doubt what was replayed.
    fn make_certain(&mut self, accepted: &Accepted, unbegun: u64) -> Result<()> {
        let pages = self.directory.pages();
        let doubtful = (0..pages.len()).filter(|&index| {
            let goes_into_the_tail = pages[index].from == self.tail.from();
            pages[index].number > accepted.mark.number
                && !goes_into_the_tail
                && !is_seeded!(TrustBeyondMark)
        });
        let (in_place, doubtful): (Vec<usize>, Vec<usize>) =
            doubtful.partition(|&index| pages[index].number >= unbegun);
        for index in in_place {
            self.write_in_place(index)?;
        }
        // The tail, then the record of the epoch behind it, which may continue on another page.
        let of_record = 1 + (self.tail.filled() + OVERHEAD_BYTES) / self.identity.capacity();
        let at_the_end = 1 + of_record;
        let is_first = unbegun == u64::MAX;
        let beside = if is_first {
            RECOVERIES_WRITES
        } else {
            at_the_end
        };
        let has_room = match self.reserve_slots(doubtful.len() + beside) {
            Ok(()) => true,
            Err(Error::Page(PageError::NoSpace)) => false,
            Err(error) => return Err(error),
        };
        if !has_room {
            self.reserve_slots(at_the_end)?;
        }
        for index in doubtful {
            // Without room, in place. If the power fails just now that takes pages, but none of which
            // anybody was told that they are durable: see `owes_mark`.
            if !has_room || is_seeded!(RewriteInPlace) {
                self.write_in_place(index)?;
            } else if !self.copy_page(index, accepted.end)? {
                self.rewrite_page(index, accepted.end)?;
            }
        }
        // The tail ends where the last whole transaction does. From then on what follows is cut off.
        self.write_page(false)?;
        self.sync()
    }

    /// Writes a live page again, to another slot. `false` if it is not live as a whole: a copy would
    /// take over positions from newer pages.
    fn copy_page(&mut self, index: usize, end: u64) -> Result<bool> {
        let live = self.directory.pages()[index].clone();
        let is_last = index + 1 == self.directory.pages().len();
        let mut page = self.page(&live, Source::Cached)?.to_vec();
        let header = PageHeader::fields(&page);
        let is_whole = header.from == live.from && (header.to == live.to || is_last);
        if is_whole {
            self.write_copy(index, header, &mut page, end)?;
        }
        Ok(is_whole)
    }

    fn write_in_place(&mut self, index: usize) -> Result<()> {
        let live = &self.directory.pages()[index];
        let bytes = self.page(live, Source::Afresh)?;
        Ok(self.pages.write(live.slot, &bytes)?)
    }

    /// Says in the log that revisions may have been lost: the last thing that recovery does. There is room
    /// for it: [`make_certain`](Self::make_certain) saw to that.
    fn start_epoch(&mut self, learner: &mut dyn Learner) -> Result<()> {
        let newest = self.newest.unwrap_or(Revision::first_of(1));
        let sub = if self.newest.is_none() {
            Some(0)
        } else {
            newest.sub.checked_add(1)
        };
        let Some(sub) = sub else {
            return Err(self.corrupt_at(self.readable_end, "a transaction has too many entries"));
        };
        let entry = Entry {
            revision: Revision {
                main: newest.main,
                sub,
            },
            last: true,
            record: Record::Epoch {
                epoch: self.epoch as u64,
                cut: newest.main as u64,
            },
        };
        let position = self.append(&entry)?;
        self.sync()?;
        self.remember_epoch(EpochStart {
            epoch: self.epoch,
            cut: newest.main,
        });
        learner.learn(position, &entry)
    }
}
