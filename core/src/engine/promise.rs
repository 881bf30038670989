//! What is promised of a change when it is answered, and what is owed from then on.

use core::ops::{Deref, DerefMut};

use super::options::Durability;
use super::store::Store;
use crate::error::{Error, Result};
use crate::page::PageStore;

/// Milliseconds after which a change that is never synced is at least handed to the page store, so
/// that readers in other processes see it, and a process that is killed does not take it along. In
/// a store whose watchers see only what is durable it is synced after so long, or they would wait
/// for ever.
const NEVER_SYNCED_WRITE_MS: i64 = 100;

/// Changes that were answered before they were durable.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    /// How many of them.
    pub(super) writes: u32,
    /// The least of the times within which they are to be durable.
    within_ms: Option<i64>,
    /// When that is over, once the host has told the time.
    pub(super) due_ms: Option<i64>,
}

impl Unsynced {
    fn note(&mut self, now_ms: Option<i64>, within_ms: i64) {
        self.writes = self.writes.saturating_add(1);
        self.within_ms = Some(
            self.within_ms
                .map_or(within_ms, |least| least.min(within_ms)),
        );
        if let Some(now_ms) = now_ms {
            let due_ms = now_ms.saturating_add(within_ms);
            self.due_ms = Some(self.due_ms.map_or(due_ms, |first| first.min(due_ms)));
        }
    }

    /// A sync was not enough for these: they are due at once.
    pub(super) fn take_back(&mut self, others: &Self, now_ms: Option<i64>) {
        self.writes = self.writes.saturating_add(others.writes);
        self.within_ms = Some(0);
        self.due_ms = now_ms.or(self.due_ms);
    }

    /// What was changed before the host first told the time is due from now on.
    pub(super) fn begin_to_count(&mut self, now_ms: i64) {
        if self.due_ms.is_none() {
            self.due_ms = self.within_ms.map(|wait| now_ms.saturating_add(wait));
        }
    }

    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.due_ms.is_some_and(|due_ms| due_ms <= now_ms)
    }
}

/// A store whose changes have a durability of their own while this lives. Made by
/// [`Store::with_durability`].
pub struct WithDurability<'a, P: PageStore> {
    store: &'a mut Store<P>,
    before: Option<Durability>,
}

impl<P: PageStore> Deref for WithDurability<'_, P> {
    type Target = Store<P>;

    fn deref(&self) -> &Store<P> {
        self.store
    }
}

impl<P: PageStore> DerefMut for WithDurability<'_, P> {
    fn deref_mut(&mut self) -> &mut Store<P> {
        self.store
    }
}

impl<P: PageStore> Drop for WithDurability<'_, P> {
    fn drop(&mut self) {
        self.store.level = self.before;
    }
}

impl<P: PageStore> Store<P> {
    /// The store, whose changes through this have another durability than its own: puts, deletes,
    /// transactions, compactions and what is done to leases. The answer's `durable` says what came
    /// of it.
    ///
    /// A durable change makes durable all that came before it. What watchers and readers in other
    /// processes see stays the store's own promise: with [`Durability::Never`] a store shows changes
    /// at once, however durable one of them is; any other shows only what is durable, so that there
    /// a change with `Never` is made durable within 100 ms all the same, though nobody waits for it.
    /// Without meaning for a store in memory.
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Durability, Options, Store};
    ///
    /// let options = Options { durability: Durability::ETCD, ..Options::default() };
    /// let mut store = Store::open(MemoryPages::new(4096), options)?;
    /// assert!(!store.put(b"position", b"17")?.durable);
    /// assert_eq!(store.status().published_revision, 1);
    /// assert!(store.with_durability(Durability::Commit).put(b"order", b"paid")?.durable);
    /// assert_eq!(store.status().published_revision, 3);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn with_durability(&mut self, durability: Durability) -> WithDurability<'_, P> {
        let before = self.level.replace(durability);
        WithDurability {
            store: self,
            before,
        }
    }

    /// What the present change is promised.
    pub(super) fn level(&self) -> Durability {
        if self.is_volatile {
            Durability::Never
        } else {
            self.level.unwrap_or(self.options.durability)
        }
    }

    /// Whether all that was changed so far is safe from a loss of power. What the store notes down for
    /// itself, such as what leases have left, is no change.
    pub(super) fn is_durable(&self) -> bool {
        let log = self.revisions.log();
        !self.is_volatile && self.changed.is_none_or(|goal| log.has_reached(goal))
    }

    /// Whether what watchers see is safe from a loss of power.
    pub(super) fn shows_only_what_is_durable(&self) -> bool {
        self.options.durability != Durability::Never
    }

    /// Before a change: what must be durable first is made so, and what could not be kept is
    /// refused while it is not yet begun.
    ///
    /// Readers in other processes see a change before its sync. Should it be lost, the next opening
    /// must know that the store was in use, and begin a new epoch: that is made durable before the
    /// first of them.
    pub(super) fn prepare_change(&mut self) -> Result<()> {
        if self.is_volatile {
            return Ok(());
        }
        let log = self.revisions.log_mut();
        log.leave_clean()?;
        let is_kept_waiting = log.is_sync_running() && !self.syncs_later;
        if is_kept_waiting && self.level() == Durability::Commit {
            return Err(Error::SyncPending);
        }
        Ok(())
    }

    /// A change was applied that nobody waits for. Keeps it for a batch, or makes durable the batch
    /// that it has filled.
    pub(super) fn note_unsynced(&mut self) -> Result<()> {
        let (within_ms, max_writes) = match self.level() {
            Durability::Batch { max_ms, max_writes } => (max_ms, max_writes),
            _ if self.shows_only_what_is_durable() => (self.longest_wait_ms(), u32::MAX),
            _ => {
                self.write_later();
                return Ok(());
            }
        };
        self.unsynced.note(self.now_ms, within_ms);
        let is_full = self.unsynced.writes >= max_writes || self.holds_too_much_unpublished();
        // While the host has a ticket a full batch waits like any other.
        let may_sync = self.syncs_later || !self.revisions.log().is_sync_running();
        if is_full && may_sync {
            self.sync_now()
        } else {
            Ok(())
        }
    }

    /// How long a change may wait that was promised nothing, where watchers wait for its sync.
    fn longest_wait_ms(&self) -> i64 {
        match self.options.durability {
            Durability::Batch { max_ms, .. } => max_ms,
            Durability::Commit | Durability::Never => NEVER_SYNCED_WRITE_MS,
        }
    }

    /// Has a step hand to the page store what was changed.
    fn write_later(&mut self) {
        if self.write_due_ms.is_none() && !self.is_volatile {
            let due_ms = |now_ms: i64| now_ms.saturating_add(NEVER_SYNCED_WRITE_MS);
            self.write_due_ms = self.now_ms.map(due_ms);
        }
    }
}
