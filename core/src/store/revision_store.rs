//! The store's state, and how it is read back from the log.

use crate::error::{Error, Result};
use crate::index::{Found, KeyIndex};
use crate::log::{Entry, Log, LogOptions, Opened, Position, Record, Refresh};
use crate::page::PageStore;
use crate::record::{KeyValue, KeyValueRef};
use crate::revision::Revision;

/// Sees every entry that is read back from the log, in order, after the store has learned of it.
pub(crate) type Visitor<'a> = dyn FnMut(&Entry<'_>) + 'a;

/// Keys with all their revisions.
pub(crate) struct RevisionStore<P> {
    pub(super) log: Log<P>,
    pub(super) index: KeyIndex,
    /// Everything in memory that the log's entries add up to, besides the index.
    pub(super) state: State,
}

/// What a fold over the log's entries knows besides the keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// The revision of the newest complete transaction.
    pub(super) revision: i64,
    /// The sub revision that the next state record gets under the current main revision.
    pub(super) next_sub: u32,
    /// History before this may not be asked for; -1 before any compaction.
    pub(super) compact_revision: i64,
}

impl<P: PageStore> RevisionStore<P> {
    pub(crate) fn open(
        pages: P,
        options: LogOptions,
        visitor: &mut Visitor<'_>,
    ) -> Result<(Self, Opened)> {
        let mut index = KeyIndex::default();
        let mut state = State::EMPTY;
        let (log, opened) = Log::open(pages, options, &mut |position, entry| {
            state.replay(&mut index, position, entry);
            visitor(entry);
            Ok(())
        })?;
        Ok((Self { log, index, state }, opened))
    }

    /// Takes in what a writer in another process has added; for stores opened read-only.
    pub(crate) fn refresh(&mut self, visitor: &mut Visitor<'_>) -> Result<Refresh> {
        let Self { log, index, state } = self;
        log.refresh(&mut |position, entry| {
            state.replay(index, position, entry);
            visitor(entry);
            Ok(())
        })
    }

    /// Forgets everything and reads it again, because part of it was replaced.
    pub(crate) fn read_again(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        let Self { log, index, state } = self;
        *index = KeyIndex::default();
        *state = State::EMPTY;
        log.read_all(&mut |position, entry| {
            state.replay(index, position, entry);
            visitor(entry);
            Ok(())
        })
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

    /// Reads the record behind an index entry.
    pub(super) fn load(&self, found: Found) -> Result<KeyValue> {
        let stored = self.log.read(found.position)?;
        match stored.entry().record {
            Record::Put {
                key, value, lease, ..
            } => Ok(KeyValueRef {
                key,
                value,
                create_revision: found.create_revision,
                mod_revision: found.mod_revision.main,
                version: found.version,
                lease,
            }
            .to_owned()),
            _ => unreachable!("the index points at puts only"),
        }
    }
}

impl State {
    /// Of a store that has seen nothing.
    const EMPTY: Self = Self {
        revision: 1,
        next_sub: 0,
        compact_revision: -1,
    };

    fn replay(&mut self, index: &mut KeyIndex, position: Position, entry: &Entry<'_>) {
        let Revision { main, sub } = entry.revision;
        match entry.record {
            Record::Put {
                key, age, version, ..
            } => {
                index.put(
                    key,
                    entry.revision,
                    position,
                    main.saturating_sub(age as i64),
                    version as i64,
                );
            }
            Record::Delete { key } => index.delete(key, entry.revision, position),
            Record::Compact { revision } => self.compact_revision = revision as i64,
            Record::LeaseGrant { .. }
            | Record::LeaseRemaining { .. }
            | Record::LeaseRevoke { .. }
            | Record::Epoch { .. }
            | Record::End => {}
        }
        // Replay ends with a complete transaction, so the last entry's revision is one.
        self.revision = main;
        self.next_sub = sub + 1;
    }
}
