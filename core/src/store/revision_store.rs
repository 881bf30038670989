//! The store's state, and how it is read back from the log.

use super::checkpoint::Fold;
use super::pinned::PinnedKeyValue;
use super::replay::State;
use super::standing::Standing;
use crate::error::{Error, Result};
use crate::index::{Found, KeyIndex};
use crate::log::{Entry, Held, Learner, Log, PutFields, Refresh};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::KeyValue;

/// What is learned from the log when it is read back, after the store has learned of it.
pub(crate) enum Lesson<'a> {
    /// The next entry; or one that stands, if a checkpoint takes the place of all that were written.
    Entry(&'a Entry<'a>),
    /// Whatever was learned so far does not count: all is read again.
    Nothing,
}

/// Learns from the log.
pub(crate) type Visitor<'a> = dyn FnMut(Lesson<'_>) + 'a;

/// Keys with all their revisions.
pub(crate) struct RevisionStore<P> {
    pub(super) log: Log<P>,
    pub(super) index: KeyIndex,
    /// Keeps chosen keys from flooding the index's hash.
    pub(super) seed: u64,
    /// Everything in memory that the log's entries add up to, besides the index.
    pub(super) state: State,
    pub(super) standing: Standing,
}

impl<P: PageStore> RevisionStore<P> {
    /// Takes in what a writer in another process has added; for stores opened read-only.
    pub(crate) fn refresh(&mut self, visitor: &mut Visitor<'_>) -> Result<Refresh> {
        let Self {
            log,
            index,
            seed,
            state,
            standing,
        } = self;
        let outcome = log.refresh(&mut Fold {
            index,
            state,
            standing,
            seed: *seed,
            visitor,
        });
        // It may all have been read again.
        index.put_in_order();
        outcome
    }

    /// Forgets everything and reads it again, because part of it was replaced.
    pub(crate) fn read_again(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        let Self {
            log,
            index,
            seed,
            state,
            standing,
        } = self;
        let mut fold = Fold {
            index,
            state,
            standing,
            seed: *seed,
            visitor,
        };
        fold.forget();
        let outcome = log.read_all(&mut fold);
        index.put_in_order();
        outcome
    }

    /// The revision of the newest transaction; 1 for a store that has seen none.
    pub(crate) fn revision(&self) -> i64 {
        self.state.revision
    }

    /// History before this revision may not be asked for; -1 before any compaction.
    pub(crate) fn compact_revision(&self) -> i64 {
        self.state.compact_revision
    }

    /// How many keys exist now.
    pub(crate) fn live_keys(&self) -> u64 {
        if self.log.is_poisoned() {
            // The index may hold what a failed transaction has left there.
            return self
                .index
                .range(&KeyRange::All, self.state.revision)
                .count() as u64;
        }
        self.index.live_keys()
    }

    pub(crate) fn log(&self) -> &Log<P> {
        &self.log
    }

    pub(crate) fn log_mut(&mut self) -> &mut Log<P> {
        &mut self.log
    }

    /// The revision to read at when `requested` is asked for: 0 and less mean the current one.
    pub(crate) fn readable(&self, requested: i64) -> Result<i64> {
        let current = self.state.revision;
        if requested > current {
            return Err(Error::FutureRevision { requested, current });
        }
        if requested <= 0 {
            return Ok(current);
        }
        let compact_revision = self.state.compact_revision;
        if requested < compact_revision {
            return Err(Error::Compacted {
                requested,
                compact_revision,
            });
        }
        Ok(requested)
    }

    /// What `key` was as of `main`.
    pub(crate) fn get(&self, key: &[u8], main: i64) -> Result<Option<KeyValue>> {
        self.index
            .at(key, main)
            .map(|found| self.load(found))
            .transpose()
    }

    /// What the index knows of `key` as of `main`, without reading its value.
    pub(crate) fn find(&self, key: &[u8], main: i64) -> Option<Found> {
        self.index.at(key, main)
    }

    /// The put that made `key` what it was as of `main`, where it lies.
    #[inline]
    pub(crate) fn get_pinned(&self, key: &[u8], main: i64) -> Result<Option<PinnedKeyValue<'_>>> {
        match self.index.at(key, main) {
            Some(found) => self.pin_found(found).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    pub(super) fn pin_found(&self, found: Found) -> Result<PinnedKeyValue<'_>> {
        self.pin(self.log.put_here(found.position), found)
    }

    /// The put that was found, which is this one if it lies in memory in one piece.
    #[inline]
    pub(super) fn pin<'a>(
        &'a self,
        put: Option<PutFields<'a>>,
        found: Found,
    ) -> Result<PinnedKeyValue<'a>> {
        let held = match put {
            Some(put) => Held::Here(put),
            None => self.hold_elsewhere(found)?,
        };
        Ok(PinnedKeyValue::new(held, found))
    }

    #[cold]
    fn hold_elsewhere(&self, found: Found) -> Result<Held<'_>> {
        match self.log.hold(found.position) {
            Ok(Some(held)) => Ok(held),
            Err(error) if !self.log.is_outdated() => Err(error),
            // Where a put was reclaimed the end of its transaction may stand.
            _ => Err(self.overtaken(found.mod_revision.main)),
        }
    }

    /// Reads the record behind an index entry.
    pub(super) fn load(&self, found: Found) -> Result<KeyValue> {
        Ok(self.pin_found(found)?.as_ref().to_owned())
    }
}

impl<P: PageStore> RevisionStore<P> {
    /// A writer in another process has reclaimed what this reader was about to read: it compacted
    /// beyond `revision`. How far is known after the next refresh.
    pub(super) fn overtaken(&self, revision: i64) -> Error {
        Error::Compacted {
            requested: revision,
            compact_revision: self.state.compact_revision.max(revision + 1),
        }
    }
}
