//! Opening a revision store, in slices.

use super::checkpoint::Fold;
use super::replay::State;
use super::revision_store::{RevisionStore, Visitor};
use super::standing::Standing;
use crate::error::Result;
use crate::index::KeyIndex;
use crate::log::{self, LogOptions, Progress};
use crate::page::PageStore;

/// A revision store that is being opened: what was learned so far.
pub(crate) struct Opening<P> {
    log: log::Opening<P>,
    index: KeyIndex,
    seed: u64,
    state: State,
    standing: Standing,
}

impl<P: PageStore> Opening<P> {
    /// `seed` keeps chosen keys from flooding the index's hash.
    pub(crate) fn begin(pages: P, options: &LogOptions, seed: u64) -> Result<Self> {
        Ok(Self {
            log: log::Opening::begin(pages, options)?,
            index: KeyIndex::unordered(seed),
            seed,
            state: State::EMPTY,
            standing: Standing::default(),
        })
    }

    /// Reads about `budget_bytes` more. Answers whether the store is open: then all keys have been put in
    /// order, at once.
    pub(crate) fn go_on(&mut self, budget_bytes: usize, visitor: &mut Visitor<'_>) -> Result<bool> {
        let mut fold = Fold {
            index: &mut self.index,
            state: &mut self.state,
            standing: &mut self.standing,
            seed: self.seed,
            visitor,
        };
        let is_open = self.log.go_on(budget_bytes, &mut fold)?;
        if is_open {
            self.index.put_in_order();
        }
        Ok(is_open)
    }

    pub(crate) fn progress(&self) -> Progress {
        self.log.progress()
    }

    /// The store, once it is open; what is left to do for it is done.
    pub(crate) fn finish(self, visitor: &mut Visitor<'_>) -> Result<RevisionStore<P>> {
        let Self {
            log,
            mut index,
            seed,
            mut state,
            mut standing,
        } = self;
        let mut fold = Fold {
            index: &mut index,
            state: &mut state,
            standing: &mut standing,
            seed,
            visitor,
        };
        let (log, _) = log.finish(&mut fold)?;
        // Unless the last step has done it.
        index.put_in_order();
        Ok(RevisionStore {
            log,
            index,
            seed,
            state,
            standing,
        })
    }
}
