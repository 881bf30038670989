//! Verifying everything, at once or in slices.

use super::audit::Comparison;
use super::store::Store;
use crate::error::Result;
use crate::log::{Checking, Entry, Progress};
use crate::page::PageStore;

/// A check that is under way, by [`Store::begin_check`].
#[derive(Clone, Debug)]
pub struct Check {
    log: Checking,
    comparison: Comparison,
}

impl<P: PageStore> Store<P> {
    /// Reads and verifies every page, and compares keys with all their revisions, leases and cursors
    /// with what they say; fails with `Corrupt`, naming the first page, key or lease that is wrong.
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
        Check {
            log: Checking::begin(),
            comparison: self.begin_comparison(),
        }
    }

    /// Reads about `budget_bytes` more. Answers whether that was all; fails as [`check`](Self::check)
    /// does. The store may have changed since the last step. If space was reclaimed meanwhile, each
    /// key's changes are still compared, but not how many keys there are, nor leases and cursors.
    pub fn check_step(&self, check: &mut Check, budget_bytes: usize) -> Result<bool> {
        let Check { log, comparison } = check;
        let mut visit =
            |position, entry: &Entry<'_>| self.compare_next(comparison, position, entry);
        let is_all = self
            .revisions
            .log()
            .check_on(log, budget_bytes, &mut visit)?;
        if is_all {
            self.compare_all(comparison)?;
        }
        Ok(is_all)
    }

    /// How far a check has come: bytes of the log, each of which is read twice.
    pub fn check_progress(&self, check: &Check) -> Progress {
        self.revisions.log().progress_of(&check.log)
    }
}
