//! Physical compaction, in slices: the index, then the log, then the length of the store.
//!
//! Compaction is logical at once; nothing that can be asked depends on how far this has come. A crash
//! loses the place and nothing else: the next opening begins anew.

use alloc::vec::Vec;

use super::store::Store;
use crate::error::{Error, Result};
use crate::log::Sweep;
use crate::page::{PageError, PageStore};

/// Bytes of the budget that compacting one key in the index counts for.
const BYTES_PER_KEY: usize = 64;

/// How far physical compaction has come.
#[derive(Debug, Default)]
pub(super) struct Reclaim {
    phase: Phase,
    /// The revision that the index was compacted to; -1 for none in this session.
    index: i64,
    /// See [`Self::slices`].
    slices: u64,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Idle,
    /// The index forgets; the key that it has come to.
    Index { revision: i64, cursor: Vec<u8> },
    /// The log drops.
    Sweep { revision: i64, sweep: Sweep },
    /// What the sweep has written is made certain: the mark on disk is to cover this page write.
    Settle { number: u64 },
    /// The store gives pages back.
    Shrink { target: u32 },
}

impl Reclaim {
    pub(super) fn new() -> Self {
        Self {
            phase: Phase::Idle,
            index: -1,
            slices: 0,
        }
    }

    /// The index was made anew, with all its history.
    pub(super) fn begin_again(&mut self) {
        *self = Self {
            slices: self.slices + 1,
            ..Self::new()
        };
    }

    /// Grows whenever the index or the log may have dropped something.
    pub(super) fn slices(&self) -> u64 {
        self.slices
    }
}

impl<P: PageStore> Store<P> {
    /// Whether something that was compacted still waits to be reclaimed.
    pub(super) fn is_compacting(&self) -> bool {
        !matches!(self.reclaim.phase, Phase::Idle)
            || self.reclaim.index < self.revisions.compact_revision()
            || (!self.options.read_only && self.revisions.has_much_state())
    }

    /// Does one slice. Answers whether there is more to do at once. After `SyncPending` it goes on where
    /// it was.
    pub(super) fn reclaim(&mut self, budget_bytes: usize) -> Result<bool> {
        self.reclaim.slices += 1;
        let phase = core::mem::take(&mut self.reclaim.phase);
        let next = match phase {
            Phase::Idle => self.next_phase(),
            Phase::Index { revision, cursor } => {
                self.compact_index(revision, &cursor, budget_bytes)
            }
            Phase::Sweep { revision, sweep } => self.sweep(revision, sweep, budget_bytes)?,
            Phase::Settle { number } => self.settle(number)?,
            Phase::Shrink { target } => self.shrink(target, budget_bytes)?,
        };
        self.reclaim.phase = next;
        Ok(self.is_compacting())
    }

    fn next_phase(&mut self) -> Phase {
        let revision = self.revisions.compact_revision();
        if self.reclaim.index < revision {
            let cursor = Vec::new();
            Phase::Index { revision, cursor }
        } else {
            self.next_sweep_phase(revision)
        }
    }

    fn next_sweep_phase(&mut self, revision: i64) -> Phase {
        if self.options.read_only {
            return Phase::Idle;
        }
        let sweep = self.revisions.begin_sweep();
        sweep.map_or(Phase::Idle, |sweep| Phase::Sweep { revision, sweep })
    }

    fn compact_index(&mut self, revision: i64, cursor: &[u8], budget_bytes: usize) -> Phase {
        let keys = (budget_bytes / BYTES_PER_KEY).max(1);
        if let Some(cursor) = self.revisions.compact_index(revision, cursor, keys) {
            return Phase::Index { revision, cursor };
        }
        self.reclaim.index = revision;
        self.next_sweep_phase(revision)
    }

    fn sweep(&mut self, revision: i64, mut sweep: Sweep, budget_bytes: usize) -> Result<Phase> {
        let complete = match self.revisions.sweep(&mut sweep, revision, budget_bytes) {
            Ok(complete) => complete,
            // Another compaction tries again.
            Err(Error::Page(PageError::NoSpace)) => return Ok(Phase::Idle),
            Err(Error::SyncPending) => {
                self.reclaim.phase = Phase::Sweep { revision, sweep };
                return Err(Error::SyncPending);
            }
            Err(error) => return Err(error),
        };
        // What was written frees the slots of what it replaces only when it is durable.
        self.sync_now()?;
        if !complete {
            return Ok(Phase::Sweep { revision, sweep });
        }
        let number = self.revisions.log().last_content();
        if self.syncs_later {
            return Ok(Phase::Settle { number });
        }
        self.settle(number)
    }

    fn settle(&mut self, number: u64) -> Result<Phase> {
        self.reclaim.phase = Phase::Settle { number };
        self.revisions.log_mut().carry_mark_of(number)?;
        Ok(self.next_shrink_phase())
    }

    fn next_shrink_phase(&self) -> Phase {
        let target = self.revisions.log().shrink_target();
        target.map_or(Phase::Idle, |target| Phase::Shrink { target })
    }

    fn shrink(&mut self, target: u32, budget_bytes: usize) -> Result<Phase> {
        self.reclaim.phase = Phase::Shrink { target };
        match self.revisions.log_mut().shrink(target, budget_bytes) {
            Ok(false) => Ok(Phase::Shrink { target }),
            Ok(true) | Err(Error::Page(PageError::NoSpace)) => Ok(Phase::Idle),
            Err(error) => Err(error),
        }
    }
}
