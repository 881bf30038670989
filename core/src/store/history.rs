//! Reading history: the changes between two revisions.

use core::ops::ControlFlow;

use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::index::Found;
use crate::log::Entry;
use crate::page::PageStore;
use crate::record::{Change, Event, EventKind, KeyValueRef};
use crate::revision::Revision;
use crate::seeded_bug::is_seeded;

impl<P: PageStore> RevisionStore<P> {
    /// Shows every change in the log from main revision `from` up to and including `to`, also those
    /// that compaction will take.
    pub(crate) fn changes(
        &self,
        from: i64,
        to: i64,
        mut visit: impl FnMut(Revision, EventKind, KeyValueRef<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut scan = self.log.scan(Revision::first_of(from));
        let outcome = scan.visit(&self.log, |revision, change| {
            show_change((revision, change), to, &mut visit)
        });
        if self.log.is_outdated() {
            // Changes between those that were read may have been reclaimed.
            return Err(self.overtaken(from));
        }
        outcome
    }

    /// Shows the events from revision `from` up to and including `to` where they lie, in order, until
    /// `visit` breaks off. The caller has made sure that `from` is not compacted.
    pub(crate) fn lend_events(
        &self,
        from: i64,
        to: i64,
        mut visit: impl FnMut(EventKind, KeyValueRef<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        self.changes(from, to, |revision, kind, kv| {
            let is_tombstone =
                kind == EventKind::Delete && revision.main == self.state.compact_revision;
            if self.was_compacted(revision, kv.key)
                || is_tombstone && is_seeded!(TombstoneIsDropped)
            {
                return ControlFlow::Continue(());
            }
            visit(kind, kv)
        })
    }

    /// At exactly the compact revision only the state is kept: of several changes of one key in
    /// that transaction, the last.
    fn was_compacted(&self, revision: Revision, key: &[u8]) -> bool {
        revision.main == self.state.compact_revision
            && self.index.newest_change(key, revision.main) != Some(revision)
    }

    /// The revision of the newest change of a key up to and including `main`, put or delete.
    pub(crate) fn newest_change(&self, key: &[u8], main: i64) -> Option<i64> {
        let newest = self.index.newest_change(key, main);
        newest.map(|revision| revision.main)
    }

    /// Whether a change is the newest of its key up to and including `main`. Not to be asked of
    /// revisions that the index was compacted beyond.
    pub(crate) fn is_newest_change(&self, key: &[u8], revision: Revision, main: i64) -> bool {
        self.index.newest_change(key, main) == Some(revision)
    }

    /// Whether any key existed as of `main`.
    pub(super) fn any_key_at(&self, main: i64) -> bool {
        self.index
            .range(&crate::range::KeyRange::All, main)
            .next()
            .is_some()
    }

    /// Attaches to each event what its key was before its transaction.
    pub(crate) fn attach_prev_kvs(&self, events: &mut [Event]) -> Result<()> {
        events
            .iter_mut()
            .try_for_each(|event| self.attach_prev_kv(event))
    }

    /// Attaches to an event what its key was before the transaction: nothing if it did not exist,
    /// compaction has taken that revision, or the event created the key, even if the same
    /// transaction deleted it first.
    pub(crate) fn attach_prev_kv(&self, event: &mut Event) -> Result<()> {
        let found = self.found_before(event);
        event.prev_kv = found.map(|found| self.load(found)).transpose()?;
        Ok(())
    }

    /// What the index knows of that.
    pub(super) fn found_before(&self, event: &Event) -> Option<Found> {
        let before = event.kv.mod_revision - 1;
        let creates = event.kv.create_revision == event.kv.mod_revision;
        if creates || before < self.state.compact_revision {
            return None;
        }
        self.find(&event.kv.key, before)
    }
}

/// The event that an entry is seen as, if it changed a key.
pub(crate) fn event_of(entry: &Entry<'_>) -> Option<Event> {
    let (kind, kv) = entry.change()?;
    Some(Event {
        kind,
        kv: kv.to_owned(),
        prev_kv: None,
    })
}

/// Shows what an entry changes, if it changes a key, and breaks off beyond main revision `to`.
#[inline]
pub(super) fn show_change(
    (revision, change): (Revision, Option<Change<'_>>),
    to: i64,
    visit: &mut impl FnMut(Revision, EventKind, KeyValueRef<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    match change {
        _ if revision.main > to => ControlFlow::Break(()),
        Some((kind, kv)) => visit(revision, kind, kv),
        None => ControlFlow::Continue(()),
    }
}
