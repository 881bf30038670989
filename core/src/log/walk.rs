//! From the bytes of the log to the entries that it means: whole transactions, in order.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::frame::{self, Length};
use super::frames::{Frames, Stretch};
use super::handle::{EpochStart, Log, Position};
use super::layout::NUMBER_LIMIT;
use super::learner::Learner;
use super::reader::Stored;
use super::record::{Entry, Record};
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::revision::Revision;

/// Entries of one transaction that are kept in hand until its last one is seen; those beyond are
/// read twice.
const HELD_ENTRIES: usize = 1024;

/// How much of the log was replayed before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) position: u64,
    /// The epoch at that position. A later epoch that starts before it has cut off what was replayed.
    pub(super) epoch: i64,
    /// Nobody was told anything yet, so nothing that was reclaimed is missed.
    pub(super) is_new: bool,
    /// A transaction is being replayed; should that fail, it cannot be begun again.
    pub(super) is_within: bool,
}

impl Resume {
    pub(super) const START: Self = Self {
        position: 0,
        epoch: 1,
        is_new: true,
        is_within: false,
    };
}

/// What walking over the log found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walk {
    /// This many transactions were replayed.
    Replayed(u64),
    /// Entries that were replayed before are no longer there.
    CutOff,
    /// Entries that were not replayed before may have been reclaimed.
    Overtaken,
}

/// How far walking over the log has come.
#[derive(Debug)]
pub(super) struct Walker {
    /// Where the next frame begins, and where the log ends.
    pub(super) position: u64,
    pub(super) end: u64,
    /// The index of the page that frames were last seen to begin in.
    walked: usize,
    /// The revision of the last entry.
    before: Revision,
    /// Transactions that were replayed.
    replayed: u64,
    /// The entries of a transaction that has not ended yet.
    held: Vec<(u64, Stored)>,
    spilled: Vec<u64>,
}

/// A page in hand, from a position on: its frames are taken where they lie.
struct Here {
    page: Arc<[u8]>,
    from: u64,
    bytes: Range<usize>,
}

impl Here {
    /// The entry at `position`, if it lies here whole; with the part of the page that its body is, and
    /// where the next one begins.
    #[inline]
    fn entry_at(&self, position: u64) -> Option<(Entry<'_>, Range<usize>, u64)> {
        let start = self.bytes.start + usize::try_from(position - self.from).ok()?;
        let bytes = self.page.get(start..self.bytes.end)?;
        let Length::Known { prefix, body } = frame::read_length(bytes) else {
            return None;
        };
        let entry = frame::decode(bytes.get(prefix..prefix + body)?)?;
        let body = start + prefix..start + prefix + body;
        let next = position + (body.end - start) as u64;
        Some((entry, body, next))
    }
}

impl<P: PageStore> Log<P> {
    /// Walks over what is written, from the end of what was walked over before, and replays whole
    /// transactions. What follows the last one is left unread.
    pub(super) fn walk(&mut self, resume: &mut Resume, learner: &mut dyn Learner) -> Result<Walk> {
        let mut walker = self.walker();
        loop {
            if let Some(walk) = self.walk_on(&mut walker, usize::MAX, resume, learner)? {
                return Ok(walk);
            }
        }
    }

    pub(super) fn walker(&self) -> Walker {
        Walker {
            position: self.readable_end,
            end: self.directory.end(),
            walked: self.directory.index_of(self.readable_end),
            before: self.newest_or_never(),
            replayed: 0,
            held: Vec::new(),
            spilled: Vec::new(),
        }
    }

    /// Walks on until about `budget_bytes` of the log were read. `None` if that is not all.
    pub(super) fn walk_on(
        &mut self,
        walker: &mut Walker,
        budget_bytes: usize,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Option<Walk>> {
        let stop = walker.position.saturating_add(budget_bytes as u64);
        let end = walker.end;
        while walker.position < stop {
            // The frame that comes from the page before, or a gap: the rest lies in the page itself.
            let Some(frame) = self.frame_at(walker.position, end)? else {
                self.directory.note_end(walker.walked, walker.before);
                return Ok(Some(Walk::Replayed(walker.replayed)));
            };
            walker.position = frame.next;
            let (position, stored) = (frame.position, &frame.stored);
            let keep = || Some(stored.clone());
            let entry = stored.entry();
            if self.take_in(walker, position, &entry, keep, resume, learner)? == Walk::CutOff {
                return Ok(Some(Walk::CutOff));
            }
            let from = walker.position;
            let Stretch::Page(page, bytes) = self.stretch_at(from)? else {
                continue;
            };
            let here = Here { page, from, bytes };
            while let Some((entry, body, next)) = here.entry_at(walker.position) {
                let position = core::mem::replace(&mut walker.position, next);
                let keep = || Stored::new(Arc::clone(&here.page), body.clone());
                if self.take_in(walker, position, &entry, keep, resume, learner)? == Walk::CutOff {
                    return Ok(Some(Walk::CutOff));
                }
            }
        }
        Ok(None)
    }

    /// Takes in the next entry, and visits its transaction if it ends it. The walker has gone on
    /// behind it.
    fn take_in(
        &mut self,
        walker: &mut Walker,
        position: u64,
        entry: &Entry<'_>,
        keep: impl FnOnce() -> Option<Stored>,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Walk> {
        let Entry { revision, last, .. } = *entry;
        if revision <= walker.before {
            return Err(self.corrupt_at(position, "an entry is not newer than the one before it"));
        }
        if !walker.held.is_empty() && revision.main != walker.before.main {
            return Err(self.corrupt_at(position, "a transaction has no end"));
        }
        self.directory
            .note_frame(&mut walker.walked, position, revision, walker.before);
        walker.before = revision;
        let is_alone = last && walker.held.is_empty();
        if !is_alone {
            match keep() {
                Some(stored) if walker.held.len() < HELD_ENTRIES => {
                    walker.held.push((position, stored));
                }
                _ => walker.spilled.push(position),
            }
            if !last {
                return Ok(Walk::Replayed(0));
            }
        }
        resume.is_within = walker.position > resume.position;
        let visited = if is_alone {
            self.visit(position, entry, resume, learner)?
        } else {
            self.visit_held(walker, resume, learner)?
        };
        if visited == Walk::CutOff {
            return Ok(visited);
        }
        resume.is_within = false;
        self.readable_end = walker.position;
        self.newest = Some(revision);
        if walker.position > resume.position {
            resume.position = walker.position;
            walker.replayed += 1;
        }
        Ok(visited)
    }

    fn visit_held(
        &mut self,
        walker: &mut Walker,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Walk> {
        for (position, stored) in walker.held.drain(..) {
            if self.visit(position, &stored.entry(), resume, learner)? == Walk::CutOff {
                return Ok(Walk::CutOff);
            }
        }
        for position in walker.spilled.drain(..) {
            let stored = self
                .frame_at(position, walker.end)?
                .map(|frame| frame.stored);
            let stored = stored.ok_or_else(|| self.corrupt_at(position, "an entry is gone"))?;
            if self.visit(position, &stored.entry(), resume, learner)? == Walk::CutOff {
                return Ok(Walk::CutOff);
            }
        }
        Ok(Walk::Replayed(0))
    }

    /// Takes in one entry of a whole transaction.
    fn visit(
        &mut self,
        position: u64,
        entry: &Entry<'_>,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Walk> {
        if let Record::Epoch { epoch, cut } = entry.record {
            let start = match (i64::try_from(epoch), i64::try_from(cut)) {
                (Ok(epoch), Ok(cut)) if epoch > self.epoch && (epoch as u64) < NUMBER_LIMIT => {
                    EpochStart { epoch, cut }
                }
                _ => {
                    return Err(
                        self.corrupt_at(position, "an epoch is not newer than the one before it")
                    );
                }
            };
            if position < resume.position && start.epoch > resume.epoch {
                return Ok(Walk::CutOff);
            }
            self.epoch = start.epoch;
            self.remember_epoch(start);
        }
        if position >= resume.position {
            learner
                .learn(Position(position), entry)
                .map_err(|error| match error {
                    Error::Corrupt { what, .. } => self.corrupt_at(position, what),
                    error => error,
                })?;
            resume.epoch = self.epoch;
        }
        Ok(Walk::Replayed(0))
    }
}
