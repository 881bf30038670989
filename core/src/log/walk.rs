//! From the bytes of the log to the entries that it means: whole transactions, in order.

use alloc::vec::Vec;

use super::handle::{EpochStart, Log, Position};
use super::layout::NUMBER_LIMIT;
use super::learner::Learner;
use super::reader::{Source, Stored};
use super::record::{Entry, Record};
use crate::error::{Error, Result};
use crate::page::PageStore;

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

impl<P: PageStore> Log<P> {
    /// Walks over what is written, from the end of what was walked over before, and replays whole
    /// transactions. What follows the last one is left unread.
    pub(super) fn walk(&mut self, resume: &mut Resume, learner: &mut dyn Learner) -> Result<Walk> {
        let end = self.directory.end();
        let mut position = self.readable_end;
        let mut walked = self.directory.index_of(position);
        let mut before = self.newest_or_never();
        let mut replayed = 0;
        let mut held: Vec<(u64, Stored)> = Vec::new();
        let mut spilled: Vec<u64> = Vec::new();
        while let Some(frame) = self.frame_at(position, end, Source::Cached)? {
            let (revision, last) = {
                let entry = frame.stored.entry();
                (entry.revision, entry.last)
            };
            if revision <= before {
                return Err(self.corrupt_at(
                    frame.position,
                    "an entry is not newer than the one before it",
                ));
            }
            self.directory
                .note_frame(&mut walked, frame.position, revision, before);
            before = revision;
            position = frame.next;
            if held.len() < HELD_ENTRIES {
                held.push((frame.position, frame.stored));
            } else {
                spilled.push(frame.position);
            }
            if !last {
                continue;
            }
            resume.is_within = position > resume.position;
            for (position, stored) in held.drain(..) {
                if self.visit(position, &stored.entry(), resume, learner)? == Walk::CutOff {
                    return Ok(Walk::CutOff);
                }
            }
            for position in spilled.drain(..) {
                let stored = self
                    .frame_at(position, end, Source::Cached)?
                    .map(|frame| frame.stored);
                let stored = stored.ok_or_else(|| self.corrupt_at(position, "an entry is gone"))?;
                if self.visit(position, &stored.entry(), resume, learner)? == Walk::CutOff {
                    return Ok(Walk::CutOff);
                }
            }
            resume.is_within = false;
            self.readable_end = position;
            self.newest = Some(revision);
            if position > resume.position {
                resume.position = position;
                replayed += 1;
            }
        }
        self.directory.note_end(walked, before);
        Ok(Walk::Replayed(replayed))
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
