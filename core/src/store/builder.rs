//! A revision store that is built from the entries of another, one by one.

use super::life::Life;
use super::replay::{State, corrupt};
use crate::error::Result;
use crate::index::KeyIndex;
use crate::log::{Entry, Log, LogOptions, Record};
use crate::page::PageStore;
use crate::revision::Revision;

/// A store in the making. Every entry is verified against those before it, so that what is built can
/// be opened.
pub(crate) struct Builder<P> {
    log: Log<P>,
    index: KeyIndex,
    state: State,
    newest: Option<Revision>,
    is_within_transaction: bool,
}

impl<P: PageStore> Builder<P> {
    /// See [`Log::begin_import`].
    pub(crate) fn begin(pages: P, options: LogOptions, seed: u64) -> Result<Self> {
        Ok(Self {
            log: Log::begin_import(pages, options)?,
            index: KeyIndex::with_seed(seed),
            state: State::EMPTY,
            newest: None,
            is_within_transaction: false,
        })
    }

    /// Appends the next entry, with the revision that it has. Changes up to `compact_revision` need
    /// not follow from each other: some are gone. Fails with `Corrupt` if no store could have the
    /// entry there.
    pub(crate) fn add(&mut self, entry: &Entry<'_>, compact_revision: i64) -> Result<()> {
        let impossible = |what: &str| Err(corrupt(what));
        if self.newest.is_some_and(|newest| newest >= entry.revision) {
            return impossible("an entry is not newer than the one before it");
        }
        let goes_on = self.newest.map(|newest| newest.main) == Some(entry.revision.main);
        if self.is_within_transaction && !goes_on {
            return impossible("a transaction has no end");
        }
        if !self.follows(entry, compact_revision) {
            return impossible("a key has another version than the change before it leads to");
        }
        if let Record::Epoch { epoch, cut } = entry.record
            && (epoch <= self.log.epoch().unsigned_abs() || epoch.max(cut) >= 1 << 62)
        {
            return impossible("an epoch is not newer than the one before it");
        }
        // Before anything is written, as far as that can be known without a position.
        State::check(entry)?;
        let position = self.log.import(entry)?;
        self.state.replay(&mut self.index, position, entry)?;
        self.newest = Some(entry.revision);
        self.is_within_transaction = !entry.last;
        Ok(())
    }

    /// Whether a put says what it can, after what its key was.
    fn follows(&self, entry: &Entry<'_>, compact_revision: i64) -> bool {
        let Record::Put {
            key, age, version, ..
        } = entry.record
        else {
            return true;
        };
        let main = entry.revision.main;
        let (before, now) = (
            self.index.at(key, main).map(Life::of_found),
            Life::of_put(main, age, version),
        );
        now.is_possible_at(main) && now.follows(before, main, compact_revision)
    }

    /// The revision of the newest transaction.
    pub(crate) fn revision(&self) -> i64 {
        self.state.revision
    }

    /// The revision of the next record that makes none, under `main` or a later one.
    pub(crate) fn next_state_revision(&self, main: i64) -> Revision {
        match self.newest {
            Some(newest) if newest.main >= main => Revision {
                sub: newest.sub + 1,
                ..newest
            },
            _ => Revision::first_of(main),
        }
    }

    pub(crate) fn compact_revision(&self) -> i64 {
        self.state.compact_revision
    }

    pub(crate) fn is_within_transaction(&self) -> bool {
        self.is_within_transaction
    }

    /// Begins an epoch, makes all durable and the pages a store. Revisions after those that are here
    /// may be seen in the store that they come from, and mean something else here.
    pub(crate) fn finish(mut self, epoch_there: i64) -> Result<P> {
        let revision = self.next_state_revision(self.revision());
        let epoch = self.log.epoch().max(epoch_there) + 1;
        let entry = Entry {
            revision,
            last: true,
            record: Record::Epoch {
                epoch: epoch.unsigned_abs(),
                cut: revision.main.unsigned_abs(),
            },
        };
        self.log.import(&entry)?;
        self.log.finish_import()
    }
}
