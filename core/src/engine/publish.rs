//! From a change to its watchers: committing, making durable, publishing.
//!
//! `published` ≤ `applied`: a program reads its own writes at once, watchers see a transaction when
//! it is as durable as the *store* promises, whatever was promised of the transaction itself: with
//! `Never` when it is applied, otherwise when it is synced. A sync makes durable all that was applied
//! before it began, so transactions are published in their order however durabilities are mixed.
//!
//! When a write or sync fails the log takes no further writes, and `published` stays where it is
//! until the store is reopened, but for a sync that was under way and succeeds. Transactions that
//! nobody was told of go out of sight; those that were answered without waiting stay readable.

use alloc::vec::Vec;
use core::mem;

use super::options::Durability;
use super::store::Store;
use crate::error::Result;
use crate::log::Record;
use crate::page::PageStore;
use crate::record::Event;
use crate::seeded_bug::is_seeded;
use crate::store::{RevisionStore, WriteTxn};

/// A batch is made durable early once the events that wait for it hold so many bytes of keys and
/// values: they are kept in memory until then.
const UNPUBLISHED_BYTES: usize = 4 * 1024 * 1024;

/// What the events that wait to be published are not enough for: the newest revision whose events
/// were not kept, and the newest whose events were kept without what keys were before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unkept {
    pub(super) events: i64,
    pub(super) prev_kvs: i64,
}

impl<P: PageStore> Store<P> {
    /// Carries out a transaction and commits it; answers also the revision after it. Before, all that
    /// can be refused was.
    pub(super) fn transact<T>(
        &mut self,
        change: impl FnOnce(&mut RevisionStore<P>, &mut WriteTxn) -> Result<T>,
    ) -> Result<(T, i64)> {
        self.prepare_change()?;
        let is_watched = self.hub.wants_events() || self.early_wants_events();
        let has_leases = self.lessor.len() > 0;
        let attachments = has_leases.then(|| mem::take(&mut self.attachments));
        let mut txn = self.revisions.begin(is_watched, attachments);
        match change(&mut self.revisions, &mut txn) {
            Ok(answer) => Ok((answer, self.commit(txn)?)),
            Err(error) => {
                self.revisions.abandon(&txn);
                Err(error)
            }
        }
    }

    /// Logs state that has no revision of its own, as durable as any other change.
    pub(super) fn log_state(&mut self, record: Record<'_>) -> Result<()> {
        self.prepare_change()?;
        self.revisions.append_state(record)?;
        self.changed = Some(self.revisions.log().sync_goal());
        if self.level() == Durability::Commit {
            self.sync_now()
        } else {
            self.note_unsynced()
        }
    }

    /// Ends a transaction; answers the revision after it. Nothing happens if it changed nothing.
    fn commit(&mut self, mut txn: WriteTxn) -> Result<i64> {
        if txn.is_empty() {
            return Ok(self.revision());
        }
        self.revisions.commit(&mut txn)?;
        self.changed = Some(self.revisions.log().sync_goal());
        let is_waited_for = self.level() == Durability::Commit;
        if is_waited_for {
            self.sync_now()?;
        } else {
            self.answered = self.revision();
        }
        if let Some(mut attachments) = txn.attachments {
            self.lessor.learn(&attachments);
            attachments.clear();
            self.attachments = attachments;
        }
        match txn.events {
            Some(events) => self.applied(events),
            None => self.applied_unwatched(),
        }
        if !is_waited_for {
            self.note_unsynced()?;
        }
        Ok(self.revision())
    }

    /// The newest transaction is applied, and its events were not kept, because nobody wants them.
    fn applied_unwatched(&mut self) {
        let revision = self.revision();
        self.unkept = Unkept {
            events: revision,
            prev_kvs: revision,
        };
        if self.publishes_at_once() {
            self.published = revision;
        }
    }

    fn publishes_at_once(&self) -> bool {
        !self.shows_only_what_is_durable() || is_seeded!(PublishBeforeSync)
    }

    /// The newest transaction is applied: shows its events, or keeps them until they are durable.
    fn applied(&mut self, mut events: Vec<Event>) {
        let mut is_kept = self.hub.wants_events();
        if !self.hub.wants_prev_kv() && !self.early_wants_prev_kv() {
            self.unkept.prev_kvs = self.revision();
        } else if self.revisions.attach_prev_kvs(&mut events).is_err() {
            // The change stands all the same. Who watches meets the error when reading history.
            events.clear();
            is_kept = false;
            self.hub
                .fall_behind(self.published.min(self.revision() - 1));
            self.early_fall_behind();
        }
        self.show_early(&mut events, is_kept);
        if !is_kept {
            self.unkept.events = self.revision();
        }
        if self.publishes_at_once() {
            self.published = self.revision();
        }
        if self.published < self.revision() {
            self.unpublished_bytes += events.iter().map(Event::bytes).sum::<usize>();
            self.unpublished.append(&mut events);
        } else {
            self.show(events);
        }
    }

    /// Whether the events that wait for a sync should wait no longer, for the memory that they take.
    pub(super) fn holds_too_much_unpublished(&self) -> bool {
        self.unpublished_bytes >= UNPUBLISHED_BYTES
    }

    /// Everything up to `revision` is as durable as the store promises its watchers.
    pub(super) fn publish_up_to(&mut self, revision: i64) {
        self.published = self.published.max(revision);
        let is_due = |event: &Event| event.kv.mod_revision <= revision;
        let rest = self.unpublished.partition_point(is_due);
        let rest = self.unpublished.split_off(rest);
        let events = mem::replace(&mut self.unpublished, rest);
        self.unpublished_bytes -= events.iter().map(Event::bytes).sum::<usize>();
        self.show(events);
    }

    /// Shows events to the watchers that they concern, as the state of the published revision.
    fn show(&mut self, events: Vec<Event>) {
        if !events.is_empty() {
            let held_early = self.early.as_ref().map_or(0, |early| early.held_bytes());
            self.hub.publish(self.published, events, held_early);
        }
    }
}
