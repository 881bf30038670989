//! Verifying that the index says what the log does, entry by entry.
//!
//! What can be verified, although compaction has dropped changes, is said in `life`.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::life::Life;
use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::log::{Entry, Position, Record};
use crate::page::PageStore;
#[cfg(test)]
use crate::revision::Revision;

/// What was learned from the entries of the log up to some place.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    /// The compact revision when it began.
    compact_revision: i64,
    /// What the transaction that is being read has made of its keys so far.
    changed: BTreeMap<Vec<u8>, Option<Life>>,
    /// Keys that exist as of the last entry.
    live_keys: u64,
}

/// One change of a key, and what stands before it.
struct Audited<'e> {
    key: &'e [u8],
    /// What it made of the key: nothing, if it is a delete.
    now: Option<Life>,
    before: Option<Life>,
}

impl<P: PageStore> RevisionStore<P> {
    pub(crate) fn begin_audit(&self) -> Audit {
        Audit {
            compact_revision: self.state.compact_revision,
            changed: BTreeMap::new(),
            live_keys: 0,
        }
    }

    /// Compares the next entry with what the index knows of it and with the change of the key before
    /// it. Fails with `Corrupt`, which names key and revision.
    pub(crate) fn audit(
        &self,
        audit: &mut Audit,
        position: Position,
        entry: &Entry<'_>,
    ) -> Result<()> {
        let main = entry.revision.main;
        let (key, now) = match entry.record {
            Record::Put {
                key, age, version, ..
            } => (key, Some(Life::of_put(main, age, version))),
            Record::Delete { key } => (key, None),
            _ => return Ok(()),
        };
        let in_transaction = audit.changed.get(key).copied();
        let change = Audited {
            key,
            now,
            before: in_transaction
                .unwrap_or_else(|| self.index.at(key, main - 1).map(Life::of_found)),
        };
        if let Err(what) = self.compare(position, entry, &change) {
            let (key, revision) = (key.escape_ascii(), entry.revision);
            let what = alloc::format!("the key \"{key}\" at revision {revision}: {what}");
            return Err(self.log.corrupt_entry(position, what));
        }
        self.count(audit, entry, &change);
        if entry.last {
            audit.changed.clear();
        } else {
            audit.changed.insert(key.to_vec(), now);
        }
        Ok(())
    }

    /// After the last entry: whether the index has a key that the log has not. Only to be asked if
    /// nothing was reclaimed since the audit began.
    pub(crate) fn finish_audit(&self, audit: &Audit) -> Result<()> {
        let (audited, indexed) = (audit.live_keys, self.index.live_keys());
        if audited == indexed {
            return Ok(());
        }
        let what = alloc::format!("the log has {audited} keys, the index {indexed}");
        Err(self.log.corrupt_entry(self.log.end(), what))
    }

    fn compare(
        &self,
        position: Position,
        entry: &Entry<'_>,
        change: &Audited<'_>,
    ) -> core::result::Result<(), &'static str> {
        let &Audited { key, now, before } = change;
        let main = entry.revision.main;
        let compact_revision = self.state.compact_revision;
        let newest = self.index.newest_change(key, main);
        if main > compact_revision && newest < Some(entry.revision) {
            return Err("the index lacks it");
        }
        if newest == Some(entry.revision) {
            let found = self.index.at(key, main);
            if found.map(Life::of_found) != now {
                return Err("the index has other numbers for it");
            }
            if found.is_some_and(|found| found.position != position) {
                return Err("the index has it at another place");
            }
        }
        let Some(now) = now else {
            return Ok(());
        };
        if !now.is_possible_at(main) {
            return Err("no put has such a create revision and version");
        }
        if !now.follows(before, main, compact_revision) {
            return Err("its version does not follow from the change before it");
        }
        Ok(())
    }

    /// A key exists from a put on up to a delete. Of what compaction may have thinned out, only what
    /// keys were at the end of it counts.
    fn count(&self, audit: &mut Audit, entry: &Entry<'_>, change: &Audited<'_>) {
        let compacted = audit.compact_revision;
        if entry.revision.main <= compacted {
            let is_state = self.is_newest_change(change.key, entry.revision, compacted);
            audit.live_keys += u64::from(change.now.is_some() && is_state);
            return;
        }
        match (change.before, change.now) {
            (None, Some(_)) => audit.live_keys += 1,
            (Some(_), None) => audit.live_keys = audit.live_keys.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
impl<P: PageStore> RevisionStore<P> {
    /// Has the index know a put that the log does not.
    pub(crate) fn index_a_put_for_tests(
        &mut self,
        key: &[u8],
        revision: Revision,
        position: Position,
        version: i64,
    ) {
        self.index
            .put(key, revision, position, revision.main, version);
    }
}
