//! From a change to its watchers: committing, making durable, publishing.
//!
//! `published` ≤ `applied`: a program reads its own writes at once, watchers see a transaction when
//! it is as durable as the store promises. When a write or sync fails the log takes no further
//! writes, and `published` stays where it is until the store is reopened.

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

/// Milliseconds after which a change that is never synced is at least handed to the page store, so
/// that readers in other processes see it, and a process that is killed does not take it along.
const NEVER_SYNCED_WRITE_MS: i64 = 100;

impl<P: PageStore> Store<P> {
    /// Makes all changes durable, and shows them to watchers.
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Durability, Options, Store};
    ///
    /// let options = Options { durability: Durability::ETCD, ..Options::default() };
    /// let mut store = Store::open(MemoryPages::new(4096), options).unwrap();
    /// store.put(b"key", b"value").unwrap();
    /// assert_eq!(store.status().published_revision, 1);
    /// store.flush().unwrap();
    /// assert_eq!(store.status().published_revision, 2);
    /// ```
    pub fn flush(&mut self) -> Result<()> {
        self.refuse_if_read_only()?;
        self.revisions.log_mut().sync()?;
        self.unsynced_writes = 0;
        self.write_due_ms = None;
        self.published = self.revision();
        self.unpublished_bytes = 0;
        let events = mem::take(&mut self.unpublished);
        self.show(events);
        Ok(())
    }

    /// Carries out a transaction and commits it; answers also the revision after it. Before, all that
    /// can be refused was.
    pub(super) fn transact<T>(
        &mut self,
        change: impl FnOnce(&mut RevisionStore<P>, &mut WriteTxn) -> Result<T>,
    ) -> Result<(T, i64)> {
        self.leave_clean()?;
        let collect = self.hub.wants_events() || self.lessor.len() > 0;
        let mut txn = self.revisions.begin(collect);
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
        self.leave_clean()?;
        self.revisions.append_state(record)?;
        self.state_written()
    }

    /// Where no write waits for a sync, others see it before it is durable. Should it be lost, the
    /// next opening must know that the store was in use, and begin a new epoch: so that is made
    /// durable first, once.
    fn leave_clean(&mut self) -> Result<()> {
        if self.is_shown_before_it_is_durable() {
            self.revisions.log_mut().leave_clean()?;
        }
        Ok(())
    }

    fn is_shown_before_it_is_durable(&self) -> bool {
        self.options.durability == Durability::Never && !self.is_volatile
    }

    /// Ends a transaction; answers the revision after it. Nothing happens if it changed nothing.
    fn commit(&mut self, txn: WriteTxn) -> Result<i64> {
        let before = self.revision();
        if txn.is_empty() {
            return Ok(before);
        }
        let events = self.revisions.commit(txn)?.unwrap_or_default();
        if self.options.durability == Durability::Commit
            && let Err(error) = self.revisions.log_mut().sync()
        {
            self.revisions.hide_newest(before);
            return Err(error);
        }
        self.lessor.learn(&events);
        self.applied(events)?;
        Ok(self.revision())
    }

    /// The newest transaction is applied, and durable if every one must be: shows its events, or
    /// keeps them until they are durable.
    fn applied(&mut self, mut events: Vec<Event>) -> Result<()> {
        if !self.hub.wants_events() {
            events.clear();
        }
        if self.hub.wants_prev_kv() && self.revisions.attach_prev_kvs(&mut events).is_err() {
            // The change stands all the same. Who watches meets the error when reading history.
            events.clear();
            self.hub.fall_behind(self.published);
        }
        if let Durability::Batch { .. } = self.options.durability
            && !is_seeded!(PublishBeforeSync)
        {
            self.unpublished_bytes += events.iter().map(Event::bytes).sum::<usize>();
            self.unpublished.append(&mut events);
            return self.count_unsynced();
        }
        self.published = self.revision();
        self.show(events);
        self.write_unsynced_later();
        Ok(())
    }

    /// Shows events to the watchers that they concern, as the state of the published revision.
    fn show(&mut self, events: Vec<Event>) {
        if !events.is_empty() {
            self.hub.publish(self.published, events);
        }
    }

    /// State was logged that has no revision of its own; it is as durable as any other change.
    fn state_written(&mut self) -> Result<()> {
        match self.options.durability {
            Durability::Commit => self.revisions.log_mut().sync(),
            Durability::Batch { .. } => self.count_unsynced(),
            Durability::Never => {
                self.write_unsynced_later();
                Ok(())
            }
        }
    }

    fn count_unsynced(&mut self) -> Result<()> {
        let Durability::Batch { max_ms, max_writes } = self.options.durability else {
            return Ok(());
        };
        self.unsynced_writes += 1;
        self.write_later(max_ms);
        let full =
            self.unsynced_writes >= max_writes || self.unpublished_bytes >= UNPUBLISHED_BYTES;
        if full { self.flush() } else { Ok(()) }
    }

    fn write_unsynced_later(&mut self) {
        if self.is_shown_before_it_is_durable() {
            self.write_later(NEVER_SYNCED_WRITE_MS);
        }
    }

    /// Has a step write what was changed, so many milliseconds from now at the latest.
    fn write_later(&mut self, in_ms: i64) {
        if self.write_due_ms.is_none() {
            self.write_due_ms = self.now_ms.map(|now_ms| now_ms.saturating_add(in_ms));
        }
    }
}
