//! Following a log that another process writes.
//!
//! Each page says in which slot the next one goes, so a reader that has seen everything looks there:
//! one page read a poll. It finds
//!
//! 1. nothing new: then there is none;
//! 2. the very next page write: it is taken over;
//! 3. a later one, since the writer has come round to the slot again: the pages between are found
//!    by going back from predecessor to predecessor to the page that the reader ended with;
//! 4. a page that was written again by a sweep: then it is passed over, since what it took over is
//!    known. The reader's pages may be gone from then on: see [`moved`](super::moved);
//! 5. a page of a later epoch, or anything that does not fit: then all slots are surveyed again.
//!
//! A writer that has recovered may have rejected what the reader ended with, and then writes to
//! other slots. So every few polls the reader also looks whether its last page is still there.
//!
//! The pages that a writer has in hand change while a reader looks at them. Whatever does not fit is
//! therefore looked at again, as long as the numbers go up; and the reader keeps its own copy of the
//! last page, whose slot is going to be written again.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::moved::may_have_moved;
use super::reader::Source;
use super::walk::{Resume, Walk};
use crate::error::{Error, Result};
use crate::log::checkpoint::format::FIRST_LOG_SLOT;
use crate::log::format::layout::PageHeader;
use crate::log::handle::{LastWrite, Log, NEVER};
use crate::log::learner::Learner;
use crate::log::live::live_page::LivePage;
use crate::log::live::tail::Tail;
use crate::log::open::survey::Survey;
use crate::page::PageStore;

/// How often a survey is repeated that a busy writer has spoilt.
const SURVEYS: u32 = 16;
/// One poll in so many looks at the last page again.
const POLLS_PER_CONFIRMATION: u32 = 8;
/// Page writes that one refresh follows, so that a fast writer does not hold it up for ever.
const STEPS_PER_REFRESH: u32 = 4096;

/// What a reader found since it last looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refresh {
    /// Nothing new.
    Unchanged,
    /// Transactions, all of them replayed.
    Grown,
    /// Part of what was replayed is no longer there: the log has to be read again.
    Replaced,
    /// Part of what is new may have been reclaimed before it was read: the log has to be read again.
    Overtaken,
}

/// A valid page that was just read.
pub(in crate::log) struct Seen {
    pub(in crate::log) slot: u32,
    pub(in crate::log) header: PageHeader,
    pub(in crate::log) bytes: Arc<[u8]>,
}

/// How following the hints ended.
enum Followed {
    /// At the newest page.
    Up,
    /// At something that does not fit.
    Lost,
}

impl<P: PageStore> Log<P> {
    /// Looks for what a writer in another process added, and replays it. For readers only.
    pub(crate) fn refresh(&mut self, learner: &mut dyn Learner) -> Result<Refresh> {
        if !self.read_only {
            return Ok(Refresh::Unchanged);
        }
        let before = self.last_write.number;
        let followed = self.follow_hints();
        let confirmed = match followed {
            Followed::Lost => false,
            Followed::Up if self.is_outdated() => false,
            Followed::Up if self.last_write.number == before => {
                self.idle_polls = self.idle_polls.wrapping_add(1);
                !self.idle_polls.is_multiple_of(POLLS_PER_CONFIRMATION) || self.last_page_is_there()
            }
            Followed::Up => true,
        };
        if !confirmed {
            return self.survey_again(learner);
        }
        if self.last_write.number == before {
            return Ok(Refresh::Unchanged);
        }
        let mut resume = Resume {
            position: self.readable_end,
            epoch: self.epoch,
            is_new: false,
            is_within: false,
        };
        self.moved.is_looked_for = false;
        let outcome = self.walk(&mut resume, learner);
        self.moved.is_looked_for = true;
        match outcome {
            // A page on the way was written again before it was read.
            Err(error) if may_have_moved(&error) && !resume.is_within => self.survey_again(learner),
            outcome => Ok(outcome?.into()),
        }
    }

    /// Reads the whole log, from its beginning: to open it for reading, or when part of what was
    /// replayed has been replaced.
    pub(crate) fn read_all(&mut self, learner: &mut dyn Learner) -> Result<()> {
        let is_looked_for = core::mem::replace(&mut self.moved.is_looked_for, false);
        let outcome = self.survey_until_it_fits(&mut { Resume::START }, learner);
        self.moved.is_looked_for = is_looked_for;
        outcome.map(drop)
    }

    /// Surveys all slots; if that leads nowhere, the log stays as it is.
    fn survey_again(&mut self, learner: &mut dyn Learner) -> Result<Refresh> {
        let mut resume = Resume {
            position: self.readable_end,
            epoch: self.epoch,
            is_new: false,
            is_within: false,
        };
        let kept = self.put_aside();
        let is_looked_for = core::mem::replace(&mut self.moved.is_looked_for, false);
        let outcome = self.survey_until_it_fits(&mut resume, learner);
        self.moved.is_looked_for = is_looked_for;
        let unfinished = self.readable_end < resume.position;
        match outcome {
            Ok(Walk::Replayed(_)) if unfinished => {
                self.take_back(kept);
                Ok(Refresh::Unchanged)
            }
            Ok(walk) => Ok(walk.into()),
            Err(error) if resume.is_within => Err(error),
            Err(_) => {
                self.take_back(kept);
                Ok(Refresh::Unchanged)
            }
        }
    }

    pub(in crate::log) fn survey_until_it_fits(
        &mut self,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Walk> {
        let mut newest = None;
        let mut attempts = 0;
        loop {
            let survey = Survey::take(&*self.pages, self.identity)?;
            let outcome = survey.accept().and_then(|accepted| {
                self.load(&survey, &accepted);
                if !resume.is_new && survey.was_rewritten_behind(&accepted, resume.position) {
                    return Ok(Walk::Overtaken);
                }
                self.walk(resume, learner)
            });
            attempts += 1;
            // Twice the same and still wrong: that is damage, not a writer at work.
            let advances = newest.is_none_or(|newest| survey.newest_number() > newest);
            newest = Some(survey.newest_number());
            match outcome {
                Err(Error::Corrupt { .. })
                    if !resume.is_within && advances && attempts < SURVEYS => {}
                Ok(walk) => {
                    self.moved.forget();
                    self.pin_the_last_page()?;
                    return Ok(walk);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn follow_hints(&mut self) -> Followed {
        for _ in 0..STEPS_PER_REFRESH {
            let Some(seen) = self.look_at(self.last_write.next_slot) else {
                break;
            };
            if seen.header.number <= self.last_write.number {
                // A page of long ago, unless a writer of a new epoch has gone back.
                if seen.header.epoch > self.last_write.epoch {
                    return Followed::Lost;
                }
                break;
            }
            if !self.take_over(seen) {
                return Followed::Lost;
            }
        }
        Followed::Up
    }

    /// Makes the page, and those between it and what is known, part of the log.
    fn take_over(&mut self, seen: Seen) -> bool {
        let last_write = LastWrite::of(&seen.header, seen.slot);
        if seen.header.is_rewritten() && self.is_of_this_epoch(&seen.header) {
            // What it took over is what is known, but for dead entries. Should a slot that this
            // freed be used again, then that is noticed when it is read. If the log has grown since,
            // the writer was faster and has come round to this slot: then more was missed.
            if seen.header.end != self.directory.end() {
                return false;
            }
            self.last_write = last_write;
            return true;
        }
        if !self.fits(&seen.header) {
            return false;
        }
        let mut chain = Vec::from([seen]);
        while let Some(earliest) = chain.last() {
            let from = earliest.header.from;
            let last_from = self.directory.last().map(|page| page.from);
            if from == self.directory.end() || Some(from) == last_from {
                break;
            }
            let Some(predecessor) = self.look_at(earliest.header.predecessor_slot) else {
                return false;
            };
            let fits = self.fits(&predecessor.header)
                && predecessor.header.to == from
                && predecessor.header.number < earliest.header.number
                && predecessor.header.from >= last_from.unwrap_or(0);
            if !fits {
                return false;
            }
            chain.push(predecessor);
        }
        for seen in chain.into_iter().rev() {
            self.add_page(seen);
        }
        self.tail = Tail::new(self.identity.page_size, self.directory.end(), NEVER);
        self.last_content = last_write.number;
        self.last_write = last_write;
        true
    }

    /// Whether the page can follow what is known without a survey: it is newer, of the same epoch,
    /// and ends the log where it was written.
    fn fits(&self, header: &PageHeader) -> bool {
        header.number > self.last_content && self.is_of_this_epoch(header) && !header.is_rewritten()
    }

    fn is_of_this_epoch(&self, header: &PageHeader) -> bool {
        header.epoch == self.last_write.epoch || self.last_write.number == 0
    }

    fn add_page(&mut self, seen: Seen) {
        if seen.header.is_empty() {
            return;
        }
        let mut page = LivePage::new(&seen.header, seen.slot, self.newest_or_never());
        page.bytes = Some(seen.bytes);
        if let Some(last) = self.directory.last_mut() {
            if last.from == page.from {
                page.inherit(last);
            } else {
                last.bytes = self.pages.share(last.slot);
            }
        }
        self.directory
            .replace(page, seen.header.end, &mut Vec::new());
    }

    /// The page in a slot, if it is a valid one; a writer may be about to replace it.
    pub(in crate::log) fn look_at(&mut self, slot: u32) -> Option<Seen> {
        if slot < FIRST_LOG_SLOT {
            return None;
        }
        if slot >= self.slots.length() {
            let length = self.pages.len().ok()?;
            if slot >= length {
                return None;
            }
            self.slots = self.slots.anew(length);
        }
        let bytes = match self.pages.share(slot) {
            Some(bytes) => bytes,
            None => self.read_slot(slot).ok()?,
        };
        let header = PageHeader::verify(&bytes, self.identity, slot)?;
        Some(Seen {
            slot,
            header,
            bytes,
        })
    }

    fn last_page_is_there(&mut self) -> bool {
        if self.last_write.number == 0 {
            // The first page may be anywhere.
            return false;
        }
        let LastWrite { slot, term, .. } = self.last_write;
        self.look_at(slot)
            .is_some_and(|seen| seen.header.census_term() == term)
    }

    /// Keeps a copy of the last page, whose slot is going to be written again, and of no other.
    pub(in crate::log) fn pin_the_last_page(&mut self) -> Result<()> {
        self.idle_polls = 0;
        let pages = &self.pages;
        self.directory
            .keep_only_the_last_copy(|slot| pages.share(slot));
        let bytes = self
            .directory
            .last()
            .map(|last| self.page(last, Source::Cached))
            .transpose()?;
        if let Some(last) = self.directory.last_mut() {
            last.bytes = bytes;
        }
        Ok(())
    }

    /// What a survey replaces.
    fn put_aside(&mut self) -> Kept {
        Kept {
            directory: core::mem::take(&mut self.directory),
            tail_from: self.tail.from(),
            last_write: self.last_write,
            last_content: self.last_content,
            readable_end: self.readable_end,
            newest: self.newest,
            epoch: self.epoch,
            epochs: self.epochs.clone(),
        }
    }

    fn take_back(&mut self, kept: Kept) {
        self.directory = kept.directory;
        self.tail = Tail::new(self.identity.page_size, kept.tail_from, NEVER);
        self.last_write = kept.last_write;
        self.last_content = kept.last_content;
        self.readable_end = kept.readable_end;
        self.newest = kept.newest;
        self.epoch = kept.epoch;
        self.epochs = kept.epochs;
    }
}

/// See [`Log::put_aside`].
struct Kept {
    directory: crate::log::live::directory::Directory,
    tail_from: u64,
    last_write: LastWrite,
    last_content: u64,
    readable_end: u64,
    newest: Option<crate::revision::Revision>,
    epoch: i64,
    epochs: Vec<crate::log::handle::EpochStart>,
}

impl From<Walk> for Refresh {
    fn from(walk: Walk) -> Self {
        match walk {
            Walk::Replayed(0) => Self::Unchanged,
            Walk::Replayed(_) => Self::Grown,
            Walk::CutOff => Self::Replaced,
            Walk::Overtaken => Self::Overtaken,
        }
    }
}
