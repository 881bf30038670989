//! From the bytes of the log to the entries that it means: whole transactions, in order.

use alloc::vec::Vec;
use core::mem;

use super::frames::Frames;
use super::in_order::{self, InOrder, Lying};
use super::reader::Stored;
use crate::error::{Error, Result};
use crate::log::format::frame;
use crate::log::format::layout::NUMBER_LIMIT;
use crate::log::format::record::{Entry, Record};
use crate::log::handle::{EpochStart, Log, Position};
use crate::log::learner::Learner;
use crate::page::PageStore;
use crate::revision::Revision;

/// Bytes of one transaction that are kept in hand until its last entry is seen; entries beyond are read
/// twice.
const HELD_BYTES: usize = 1 << 17;

/// How much of the log was replayed before.
#[derive(Clone, Copy, Debug)]
pub(in crate::log) struct Resume {
    pub(in crate::log) position: u64,
    /// The epoch at that position. A later epoch that starts before it has cut off what was replayed.
    pub(in crate::log) epoch: i64,
    /// Nobody was told anything yet, so nothing that was reclaimed is missed.
    pub(in crate::log) is_new: bool,
    /// A transaction is being replayed; should that fail, it cannot be begun again.
    pub(in crate::log) is_within: bool,
}

impl Resume {
    pub(in crate::log) const START: Self = Self {
        position: 0,
        epoch: 1,
        is_new: true,
        is_within: false,
    };
}

/// What walking over the log found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::log) enum Walk {
    /// This many transactions were replayed.
    Replayed(u64),
    /// Entries that were replayed before are no longer there.
    CutOff,
    /// Entries that were not replayed before may have been reclaimed.
    Overtaken,
}

/// What became of a step.
enum Step {
    Taken(Walk),
    /// The frame at the position must be read in another way, or is none.
    Elsewhere,
}

/// How far walking over the log has come.
#[derive(Debug)]
pub(in crate::log) struct Walker {
    /// Where the next frame begins, and where the log ends.
    pub(in crate::log) position: u64,
    pub(in crate::log) end: u64,
    /// The index of the page that frames were last seen to begin in.
    walked: usize,
    /// The revision of the last entry.
    before: Revision,
    /// Transactions that were replayed.
    replayed: u64,
    /// The entries of a transaction that has not ended yet.
    held: Held,
    spilled: Vec<u64>,
    order: InOrder,
    /// The beginning of the frame at the position, if it goes on behind what was read.
    cut: Vec<u8>,
}

/// Bodies of entries, one behind the other.
#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    /// Of each where it lies in the log, and where its body ends in the bytes.
    entries: Vec<(u64, usize)>,
}

impl Held {
    fn push(&mut self, position: u64, body: &[u8]) {
        self.bytes.extend_from_slice(body);
        self.entries.push((position, self.bytes.len()));
    }

    /// Each entry with where it lies in the log; `None` for what is no entry.
    fn iter(&self) -> impl Iterator<Item = (u64, Option<Entry<'_>>)> {
        let mut from = 0;
        self.entries.iter().map(move |&(position, to)| {
            let body = &self.bytes[from..to];
            from = to;
            (position, frame::decode(body))
        })
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

impl<P: PageStore> Log<P> {
    /// Walks over what is written, from the end of what was walked over before, and replays whole
    /// transactions. What follows the last one is left unread.
    pub(in crate::log) fn walk(
        &mut self,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Walk> {
        let mut walker = self.walker();
        loop {
            if let Some(walk) = self.walk_on(&mut walker, usize::MAX, resume, learner)? {
                return Ok(walk);
            }
        }
    }

    pub(in crate::log) fn walker(&self) -> Walker {
        Walker {
            position: self.readable_end,
            end: self.directory.end(),
            walked: self.directory.index_of(self.readable_end),
            before: self.newest_or_never(),
            replayed: 0,
            held: Held::default(),
            spilled: Vec::new(),
            order: InOrder::default(),
            cut: Vec::new(),
        }
    }

    /// Walks on until about `budget_bytes` of the log were read. `None` if that is not all.
    pub(in crate::log) fn walk_on(
        &mut self,
        walker: &mut Walker,
        budget_bytes: usize,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Option<Walk>> {
        let stop = walker.position.saturating_add(budget_bytes as u64);
        let mut order = mem::take(&mut walker.order);
        let mut cut = mem::take(&mut walker.cut);
        while walker.position < stop {
            let taken = self.walk_on_together(walker, &mut order, &mut cut, resume, learner)?;
            let walk = match taken {
                Step::Taken(walk) => walk,
                Step::Elsewhere => {
                    cut.clear();
                    let Some(frame) = self.frame_at(walker.position, walker.end)? else {
                        self.directory.note_end(walker.walked, walker.before);
                        return Ok(Some(Walk::Replayed(walker.replayed)));
                    };
                    walker.position = frame.next;
                    let Stored { bytes, body } = &frame.stored;
                    let (entry, body) = (frame.stored.entry(), || &bytes[body.clone()]);
                    self.take_in(walker, frame.position, &entry, body, resume, learner)?
                }
            };
            if walk == Walk::CutOff {
                return Ok(Some(walk));
            }
        }
        (walker.order, walker.cut) = (order, cut);
        Ok(None)
    }

    /// Takes in what lies together with the position.
    fn walk_on_together(
        &mut self,
        walker: &mut Walker,
        order: &mut InOrder,
        cut: &mut Vec<u8>,
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Step> {
        let lying = self.lying_at(order, walker.position + cut.len() as u64);
        let mut rest = match &lying {
            Some(Lying::Held(page, range)) => &page[range.clone()],
            Some(Lying::Read(bytes)) => bytes,
            Some(Lying::Gap(next)) if cut.is_empty() => {
                walker.position = *next;
                return Ok(Step::Taken(Walk::Replayed(0)));
            }
            Some(Lying::Gap(_)) | None => return Ok(Step::Elsewhere),
        };
        if !cut.is_empty() {
            match in_order::complete(cut, &mut rest, walker.end - walker.position) {
                Some(true) => {}
                Some(false) => return Ok(Step::Taken(Walk::Replayed(0))),
                None => return Ok(Step::Elsewhere),
            }
            let mut frame = &cut[..];
            let walk = self.take_in_all(walker, &mut frame, resume, learner)?;
            if walk == Walk::CutOff {
                return Ok(Step::Taken(walk));
            }
            if !frame.is_empty() {
                return Ok(Step::Elsewhere);
            }
            cut.clear();
        }
        let walk = self.take_in_all(walker, &mut rest, resume, learner)?;
        if walk != Walk::CutOff && !in_order::is_cut(rest, walker.end - walker.position) {
            return Ok(Step::Elsewhere);
        }
        cut.extend_from_slice(rest);
        Ok(Step::Taken(walk))
    }

    /// Takes in the entries that these bytes begin with, which lie at the walker's position.
    fn take_in_all(
        &mut self,
        walker: &mut Walker,
        rest: &mut &[u8],
        resume: &mut Resume,
        learner: &mut dyn Learner,
    ) -> Result<Walk> {
        while let Some((entry, behind)) = frame::take_entry(rest) {
            let frame = &rest[..rest.len() - behind.len()];
            *rest = behind;
            let position = walker.position;
            walker.position += frame.len() as u64;
            let body = || frame::body_of(frame);
            if self.take_in(walker, position, &entry, body, resume, learner)? == Walk::CutOff {
                return Ok(Walk::CutOff);
            }
        }
        Ok(Walk::Replayed(0))
    }

    /// Takes in the next entry, and visits its transaction if it ends it. The walker has gone on
    /// behind it.
    fn take_in<'b>(
        &mut self,
        walker: &mut Walker,
        position: u64,
        entry: &Entry<'_>,
        body: impl FnOnce() -> &'b [u8],
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
            if walker.held.bytes.len() < HELD_BYTES {
                walker.held.push(position, body());
            } else {
                walker.spilled.push(position);
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
        for (position, entry) in walker.held.iter() {
            let entry =
                entry.ok_or_else(|| self.corrupt_at(position, "an entry cannot be decoded"))?;
            if self.visit(position, &entry, resume, learner)? == Walk::CutOff {
                return Ok(Walk::CutOff);
            }
        }
        walker.held.clear();
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
