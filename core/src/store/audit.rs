//! Verifying that the index says what the log does.

use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::log::{Entry, Position, Record};
use crate::page::PageStore;
use crate::revision::Revision;

impl<P: PageStore> RevisionStore<P> {
    /// Reads the whole log and compares each change with what the index knows of it, and with the
    /// change before it. Fails with `Corrupt`, which names the first key and revision that do not
    /// agree. Shows every entry to `visit`, in order.
    pub(crate) fn audit(&self, visit: &mut dyn FnMut(&Entry<'_>)) -> Result<()> {
        let mut scan = self.log.scan(Revision::first_of(1));
        let mut live_keys = 0_u64;
        let mut last = self.log.end();
        loop {
            let next = match scan.next(&self.log) {
                // A writer in another process has moved it: what is there now is for a later check.
                Err(_) if self.log.is_outdated() => return Ok(()),
                next => next?,
            };
            let Some((position, stored)) = next else {
                break;
            };
            let entry = stored.entry();
            last = position;
            visit(&entry);
            if let Some((key, what)) = self.disagreement(position, &entry) {
                let (key, revision) = (key.escape_ascii(), entry.revision);
                let what = alloc::format!("the key \"{key}\" at revision {revision}: {what}");
                return Err(self.log.corrupt_entry(position, what));
            }
            if let Record::Put { key, .. } = entry.record {
                let is_now = self.is_newest_change(key, entry.revision, self.state.revision);
                live_keys += u64::from(is_now);
            }
        }
        let indexed = self.index.live_keys();
        if self.log.is_outdated() || live_keys == indexed {
            return Ok(());
        }
        let what = alloc::format!("the log has {live_keys} keys, the index {indexed}");
        Err(self.log.corrupt_entry(last, what))
    }

    /// In what a change does not agree with the index, if in anything.
    fn disagreement<'e>(
        &self,
        position: Position,
        entry: &Entry<'e>,
    ) -> Option<(&'e [u8], &'static str)> {
        let Revision { main, .. } = entry.revision;
        let compacted = self.state.compact_revision;
        let (key, put) = match entry.record {
            Record::Put {
                key, age, version, ..
            } => (key, Some((main.saturating_sub_unsigned(age), version))),
            Record::Delete { key } => (key, None),
            _ => return None,
        };
        let newest = self.index.newest_change(key, main);
        if main > compacted && newest.is_none_or(|newest| newest < entry.revision) {
            return Some((key, "the index lacks it"));
        }
        let (created, version) = put.filter(|_| newest == Some(entry.revision))?;
        let Some(found) = self.index.at(key, main) else {
            return Some((key, "the index has it as deleted"));
        };
        let known = (found.create_revision, found.version.unsigned_abs());
        if found.position != position || known != (created, version) {
            return Some((key, "the index has other numbers for it"));
        }
        if main <= compacted.max(1) {
            return None;
        }
        let follows = match self.index.at(key, main - 1) {
            Some(before) => {
                let next = before.version.unsigned_abs().checked_add(1);
                before.create_revision == created && next == Some(version)
            }
            None => created <= compacted || (created == main && version == 1),
        };
        (!follows).then_some((key, "its version does not follow from the change before it"))
    }
}

#[cfg(test)]
impl<P: PageStore> RevisionStore<P> {
    /// Has the index know a key that the log does not.
    pub(crate) fn index_a_key_for_tests(&mut self, key: &[u8]) {
        let revision = Revision::first_of(self.state.revision);
        let position = self.log.end();
        self.index.put(key, revision, position, revision.main, 1);
    }
}
