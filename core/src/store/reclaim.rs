//! Physical compaction: what the index forgets, and then what the log drops.
//!
//! At the purge revision of a compaction a key's newest change up to it is kept, unless that is a
//! delete; a delete at exactly that revision is kept too, because watchers may still start there.
//! All later changes are kept. The index forgets the others first: it must never point at what the
//! log has dropped.

use alloc::vec::Vec;

use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::log::{Record, Sweep};
use crate::page::PageStore;
use crate::seeded_bug::is_seeded;

/// A sweep is worth while once about this part of the log is dead.
const LOG_PER_DEAD: u64 = 8;
/// And so many pages of it.
const LEAST_PAGES: u64 = 4;
/// Bytes that a record of state takes, about.
const STATE_RECORD_BYTES: u64 = 16;

impl<P: PageStore> RevisionStore<P> {
    /// Has the index forget what compaction at `revision` takes, in a slice of at most `max_steps`,
    /// from the key `from` on. Answers the key to go on from.
    pub(crate) fn compact_index(
        &mut self,
        revision: i64,
        from: &[u8],
        max_steps: usize,
    ) -> Option<Vec<u8>> {
        self.index.compact(revision, from, max_steps)
    }

    /// Begins a sweep if there is enough to reclaim, or a little and the store is full.
    pub(crate) fn begin_sweep(&mut self) -> Option<Sweep> {
        let dead = self.standing.changes.saturating_sub(self.kept_changes());
        let changes = u128::from(self.standing.changes.max(1));
        let dead_bytes = u128::from(self.log.size_in_use()) * u128::from(dead) / changes;
        let is_worth_it = dead_bytes >= u128::from(self.least_to_reclaim())
            || self.has_much_state()
            || (dead > 0 && self.log.is_nearly_full());
        if !is_worth_it {
            return None;
        }
        self.standing.changes -= dead;
        self.standing.written = 0;
        self.log.begin_sweep()
    }

    /// About how many changes a sweep now would keep: one of each key, and all that is not compacted.
    fn kept_changes(&self) -> u64 {
        let compacted = self.state.compact_revision;
        let later = self
            .standing
            .changes_between(compacted, self.state.revision);
        self.index.live_keys() + later
    }

    /// Whether so much state was written since the last sweep that one is worth while without any
    /// compaction: newer records have probably killed most of it.
    pub(crate) fn has_much_state(&self) -> bool {
        self.standing.written as u64 * STATE_RECORD_BYTES >= self.least_to_reclaim()
    }

    fn least_to_reclaim(&self) -> u64 {
        let least = LEAST_PAGES * self.log.page_size() as u64;
        least.max(self.log.size_in_use() / LOG_PER_DEAD)
    }

    /// Goes on with a sweep at a purge revision that the index was compacted to. Answers whether it
    /// is complete.
    pub(crate) fn sweep(
        &mut self,
        sweep: &mut Sweep,
        purge_revision: i64,
        budget_bytes: usize,
    ) -> Result<bool> {
        let Self {
            log,
            index,
            standing,
            ..
        } = self;
        let oldest_epoch = log.epochs().first().map_or(0, |start| start.epoch as u64);
        log.sweep(sweep, budget_bytes, &mut |entry| {
            let revision = entry.revision;
            let is_newest = |key: &[u8]| index.newest_change(key, purge_revision) == Some(revision);
            match entry.record {
                Record::Put { .. } | Record::Delete { .. } if revision.main > purge_revision => {
                    true
                }
                Record::Put { key, .. } => is_newest(key),
                Record::Delete { key } => {
                    revision.main == purge_revision
                        && is_newest(key)
                        && !is_seeded!(PurgeTombstoneTooEarly)
                }
                _ => standing.needs(entry, oldest_epoch),
            }
        })
    }
}
