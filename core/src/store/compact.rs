//! Compaction: what may no longer be asked for.

use super::revision_store::RevisionStore;
use crate::error::{Error, Result};
use crate::page::PageStore;

impl<P: PageStore> RevisionStore<P> {
    /// Refuses reads and watches before `revision` from now on. What each key was at `revision`
    /// stays readable, and so does a delete at exactly that revision.
    pub(crate) fn compact(&mut self, revision: i64) {
        self.state.compact_revision = revision;
    }

    /// Whether history may be compacted there: not in the future, and beyond the last time.
    pub(crate) fn check_compaction(&self, revision: i64) -> Result<()> {
        let current = self.state.revision;
        if revision > current {
            return Err(Error::FutureRevision {
                requested: revision,
                current,
            });
        }
        let compact_revision = self.state.compact_revision;
        if revision <= compact_revision {
            return Err(Error::Compacted {
                requested: revision,
                compact_revision,
            });
        }
        Ok(())
    }
}
