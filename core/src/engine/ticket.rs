//! Syncs: begun, carried out with or without the store at hand, and finished.

use core::mem;

use super::promise::Unsynced;
use super::store::Store;
use crate::error::Result;
use crate::log;
use crate::page::{PageError, PageStore};

/// A sync that was begun: made by [`Store::begin_sync`], to be given back to
/// [`Store::finish_sync`] with its outcome. The page store may be synced in between without the
/// store at hand: in another thread, by awaiting a promise.
///
/// One that is dropped counts as a sync that failed, because nobody can say what became of it.
#[derive(Debug)]
#[must_use = "a sync counts only when it is finished"]
pub struct SyncTicket<P> {
    log: log::SyncTicket<P>,
    /// The newest revision when it was begun, and what must be durable for it to be so.
    revision: i64,
    goal: log::SyncGoal,
    /// What was answered before it was durable, and is so if this succeeds.
    unsynced: Unsynced,
}

impl<P: PageStore> SyncTicket<P> {
    /// Syncs the page store and answers the outcome. Who has another way to make all writes durable
    /// that were handed to the page store until [`Store::begin_sync`] need not call this.
    pub fn sync(&self) -> Result<(), PageError> {
        self.log.sync()
    }

    /// What will be durable and shown to watchers: everything up to this revision.
    pub fn revision(&self) -> i64 {
        self.revision
    }
}

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
        self.sync_now()
    }

    /// Begins to make all changes durable: hands them to the page store, and leaves the sync to the
    /// caller. `None` if all is durable already.
    ///
    /// Until [`finish_sync`](Self::finish_sync) is told the outcome, reading, watching and changes
    /// that need no sync of their own go on, and their changes wait for the next sync. What does
    /// need one (a change with [`Durability::Commit`](crate::Durability::Commit), `flush`, `close`,
    /// growth of the page store, another `begin_sync`) fails with `SyncPending` and changes nothing;
    /// [`step`](Self::step) leaves such work for later. So a host that drives syncs itself opens its
    /// store with `Batch` or `Never`.
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Durability, ErrorCode, Options, Store};
    ///
    /// let options = Options { durability: Durability::ETCD, ..Options::default() };
    /// let mut store = Store::open(MemoryPages::new(4096), options)?;
    /// store.put(b"key", b"1")?;
    /// let ticket = store.begin_sync()?.expect("there is something to make durable");
    ///
    /// store.put(b"key", b"2")?;
    /// assert_eq!(store.flush().unwrap_err().code(), ErrorCode::SyncPending);
    ///
    /// let outcome = ticket.sync(); // in a thread, or some other way
    /// store.finish_sync(ticket, outcome)?;
    /// let status = store.status();
    /// assert_eq!((status.published_revision, status.revision), (2, 3));
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn begin_sync(&mut self) -> Result<Option<SyncTicket<P>>> {
        self.refuse_if_read_only()?;
        match self.revisions.log_mut().begin_sync() {
            Ok(Some(log)) => {
                self.write_due_ms = None;
                Ok(Some(SyncTicket {
                    log,
                    goal: self.revisions.log().sync_goal(),
                    revision: self.revision(),
                    unsynced: mem::take(&mut self.unsynced),
                }))
            }
            Ok(None) => {
                self.all_is_durable();
                Ok(None)
            }
            Err(error) => {
                self.hide_if_poisoned();
                Err(error)
            }
        }
    }

    /// Ends a sync with its outcome. If it succeeded, what it covers is durable and shown to
    /// watchers. If it failed, nothing more can be written, what watchers see stays as it is, and
    /// this answers the failure; a ticket of another store is refused.
    ///
    /// Where the page store has hardly any room left, one sync more may be needed: `begin_sync` then
    /// gives another ticket at once, and a step wants one.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a ticket counts once, and then is of no more use"
    )]
    pub fn finish_sync(
        &mut self,
        ticket: SyncTicket<P>,
        outcome: Result<(), PageError>,
    ) -> Result<()> {
        let finished = self.revisions.log_mut().finish_sync(&ticket.log, outcome);
        if finished.is_ok() {
            self.show_what_is_durable(&ticket);
        } else {
            self.unsynced.writes = self.unsynced.writes.saturating_add(ticket.unsynced.writes);
            self.hide_if_poisoned();
        }
        finished
    }

    /// A sync has succeeded. What is not safe with it alone comes with one of the next.
    fn show_what_is_durable(&mut self, ticket: &SyncTicket<P>) {
        let log = self.revisions.log();
        if log.has_reached(ticket.goal) {
            self.held_back = None;
            self.publish_up_to(ticket.revision);
            return;
        }
        let newer = (ticket.goal, ticket.revision);
        let older = self.held_back.replace(newer);
        if let Some((goal, revision)) = older {
            if self.revisions.log().has_reached(goal) {
                self.publish_up_to(revision);
            } else {
                self.held_back = Some((goal, revision));
            }
        }
        self.unsynced.take_back(&ticket.unsynced, self.now_ms);
    }

    /// Makes all durable before the present operation is answered: now, or by whoever has said to
    /// see to it.
    pub(super) fn sync_now(&mut self) -> Result<()> {
        if self.syncs_later {
            self.owes_sync = true;
            Ok(())
        } else {
            self.sync_all()
        }
    }

    /// Makes all durable before anything else happens.
    pub(super) fn sync_all(&mut self) -> Result<()> {
        if self.revisions.log().is_synced_by_caller() {
            self.revisions.log_mut().sync()?;
            self.all_is_durable();
            return Ok(());
        }
        while let Some(ticket) = self.begin_sync()? {
            let outcome = ticket.sync();
            self.finish_sync(ticket, outcome)?;
        }
        Ok(())
    }

    fn all_is_durable(&mut self) {
        self.held_back = None;
        self.unsynced = Unsynced::default();
        self.write_due_ms = None;
        self.publish_up_to(self.revision());
    }

    /// After a failed write or sync: takes out of sight what nobody was told has happened.
    fn hide_if_poisoned(&mut self) {
        let known = self.answered.max(self.published);
        let told_early = self.revision();
        if self.revisions.log().is_poisoned() && known < told_early {
            self.revisions.hide_newest(known);
            self.rewind_early(known, told_early);
        }
    }
}

/// For whoever shares the store and carries out its syncs.
impl<P: PageStore> Store<P> {
    /// From now on no operation syncs by itself. One that is to be durable before it is answered
    /// [owes](Self::take_owed_sync) a sync; one that cannot go on without a sync fails with
    /// `SyncPending`, and is to be tried again after one.
    pub(crate) fn leave_syncs_to_the_caller(&mut self) {
        // In memory there is nothing to wait for.
        if !self.is_volatile {
            self.syncs_later = true;
            self.revisions.log_mut().leave_syncs_to_the_caller();
        }
    }

    /// What must be durable before the operations since the last time may be answered.
    pub(crate) fn take_owed_sync(&mut self) -> Option<log::SyncGoal> {
        mem::take(&mut self.owes_sync).then(|| self.revisions.log().sync_goal())
    }

    /// What is owed is seen to by a later step: nobody waits for it.
    pub(crate) fn sync_with_the_next_step(&mut self) {
        self.unsynced.due_ms = self.now_ms;
    }

    /// Whether a goal is reached.
    pub(crate) fn has_reached(&self, goal: log::SyncGoal) -> bool {
        self.revisions.log().has_reached(goal)
    }

    /// Has the changes from now on have this durability, or with `None` the store's own.
    pub(crate) fn set_level(&mut self, level: Option<crate::Durability>) {
        self.level = level;
    }
}
