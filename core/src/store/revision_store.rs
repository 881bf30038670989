//! The store's state, and how it is read back from the log.

use super::checkpoint::Fold;
use super::replay::State;
use super::standing::Standing;
use crate::error::{Error, Result};
use crate::index::{Found, KeyIndex};
use crate::log::{Entry, Held, Learner, Log, Record, Refresh};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::{KeyValue, KeyValueRef};

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

/// A key with its value where the store has them in memory, so that reading it copies nothing.
///
/// A page that is not in memory is read and kept for as long as this lives.
///
/// ```
/// use revwatch::{Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value").unwrap();
/// let pinned = store.get_pinned(b"key").unwrap().unwrap();
/// assert_eq!(pinned.as_ref().value, b"value");
/// ```
pub struct PinnedKeyValue<'a> {
    held: Held<'a>,
    found: Found,
}

impl PinnedKeyValue<'_> {
    /// The key with its value and revisions.
    pub fn as_ref(&self) -> KeyValueRef<'_> {
        let Record::Put {
            key, value, lease, ..
        } = self.held.entry().record
        else {
            unreachable!("the index points at puts only");
        };
        KeyValueRef {
            key,
            value,
            create_revision: self.found.create_revision,
            mod_revision: self.found.mod_revision.main,
            version: self.found.version,
            lease,
        }
    }
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
        log.refresh(&mut Fold {
            index,
            state,
            standing,
            seed: *seed,
            visitor,
        })
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
        log.read_all(&mut fold)
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
    pub(crate) fn pin(&self, key: &[u8], main: i64) -> Result<Option<PinnedKeyValue<'_>>> {
        let Some(found) = self.index.at(key, main) else {
            return Ok(None);
        };
        self.pin_found(found).map(Some)
    }

    pub(super) fn pin_found(&self, found: Found) -> Result<PinnedKeyValue<'_>> {
        let held = match self.log.hold(found.position) {
            Err(_) if self.log.is_outdated() => {
                return Err(self.overtaken(found.mod_revision.main));
            }
            outcome => outcome?,
        };
        if !matches!(held.entry().record, Record::Put { .. }) {
            // The end of a transaction stands in the place of what was reclaimed.
            return Err(self.overtaken(found.mod_revision.main));
        }
        Ok(PinnedKeyValue { held, found })
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
