//! Verifying everything, at once or in slices.

use super::store::Store;
use crate::error::Result;
use crate::log::{Checking, Progress};
use crate::page::PageStore;

/// A check that is under way, by [`Store::begin_check`].
#[derive(Clone, Debug)]
pub struct Check(Checking);

impl<P: PageStore> Store<P> {
    /// Reads and verifies every page; fails with `Corrupt`, naming the first that is damaged.
    pub fn check(&self) -> Result<()> {
        let mut check = self.begin_check();
        while !self.check_step(&mut check, usize::MAX)? {}
        Ok(())
    }

    /// Begins to [`check`](Self::check) in slices, between which the store can be used.
    ///
    /// ```
    /// use revwatch::{Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"key", b"value").unwrap();
    /// let mut check = store.begin_check();
    /// while !store.check_step(&mut check, 64 * 1024).unwrap() {
    ///     let progress = store.check_progress(&check);
    ///     println!("{} of {} bytes", progress.done, progress.total);
    /// }
    /// ```
    pub fn begin_check(&self) -> Check {
        Check(Checking::begin())
    }

    /// Reads about `budget_bytes` more. Answers whether that was all; fails as
    /// [`check`](Self::check) does.
    pub fn check_step(&self, check: &mut Check, budget_bytes: usize) -> Result<bool> {
        self.revisions.log().check_on(&mut check.0, budget_bytes)
    }

    /// How far a check has come: bytes of the log, each of which is read twice.
    pub fn check_progress(&self, check: &Check) -> Progress {
        self.revisions.log().progress_of(&check.0)
    }
}
