//! From a change to its watchers: committing, making durable, publishing.
//!
//! `published` ≤ `applied`: a program reads its own writes at once, watchers see a transaction when
//! it is as durable as the store promises. When a write or sync fails the log takes no further
//! writes, and `published` stays where it is until the store is reopened.

use alloc::vec::Vec;

use super::options::Durability;
use super::store::{Store, Unpublished};
use crate::error::Result;
use crate::page::PageStore;
use crate::record::Event;
use crate::store::WriteTxn;

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
        self.sync_due_ms = None;
        while let Some(Unpublished { revision, events }) = self.unpublished.pop_front() {
            self.hub.publish(revision, events);
        }
        self.published = self.revision();
        Ok(())
    }

    /// Begins a transaction; its events are collected if anybody needs them.
    pub(super) fn begin(&self) -> WriteTxn {
        self.revisions
            .begin(self.hub.wants_events() || self.lessor.len() > 0)
    }

    /// Ends a transaction; answers the revision after it. Nothing happens if it changed nothing.
    pub(super) fn commit(&mut self, txn: WriteTxn) -> Result<i64> {
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
        let revision = self.revision();
        if !self.hub.wants_events() {
            events.clear();
        }
        if self.hub.wants_prev_kv() {
            self.revisions.attach_prev_kvs(&mut events)?;
        }
        if let Durability::Batch { .. } = self.options.durability {
            if !events.is_empty() {
                self.unpublished.push_back(Unpublished { revision, events });
            }
            return self.count_unsynced();
        }
        self.published = revision;
        if !events.is_empty() {
            self.hub.publish(revision, events);
        }
        Ok(())
    }

    /// State was logged that has no revision of its own; it is as durable as any other change.
    pub(super) fn state_written(&mut self) -> Result<()> {
        match self.options.durability {
            Durability::Commit => self.revisions.log_mut().sync(),
            Durability::Batch { .. } => self.count_unsynced(),
            Durability::Never => Ok(()),
        }
    }

    fn count_unsynced(&mut self) -> Result<()> {
        let Durability::Batch { max_ms, max_writes } = self.options.durability else {
            return Ok(());
        };
        self.unsynced_writes += 1;
        if self.sync_due_ms.is_none() {
            self.sync_due_ms = self.now_ms.map(|now_ms| now_ms.saturating_add(max_ms));
        }
        if self.unsynced_writes >= max_writes {
            self.flush()
        } else {
            Ok(())
        }
    }
}
