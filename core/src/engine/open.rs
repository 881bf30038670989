//! Opening and closing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::opening::Opening;
use super::options::{Durability, Options};
use super::promise::Unsynced;
use super::publish::Unkept;
use super::reclaim::Reclaim;
use super::retention::Ages;
use super::snapshot::Holds;
use super::step::Idle;
use super::store::Store;
use crate::cursor::{Cursors, Sessions};
use crate::error::{Error, Result};
use crate::lease::Lessor;
use crate::page::{MemoryPages, PageStore};
use crate::store::{Attachments, RevisionStore};
use crate::watch::Hub;

/// Bytes in a page of a store in memory: larger pages mean fewer of them to find a record in.
const MEMORY_PAGE_SIZE: usize = 16 * 1024;

impl Store<MemoryPages> {
    /// A new store that lives and dies with the process. Durability has no meaning there.
    ///
    /// # Panics
    ///
    /// If the allocator does: nothing else can fail.
    ///
    /// ```
    /// use revwatch::{Options, Store};
    ///
    /// let store = Store::in_memory(Options::default());
    /// assert_eq!(store.revision(), 1);
    /// ```
    pub fn in_memory(options: Options) -> Self {
        let options = Options {
            durability: Durability::Never,
            read_only: false,
            ..options
        };
        let mut store = Self::open(MemoryPages::new(MEMORY_PAGE_SIZE), options)
            .expect("an empty store in memory has nothing that could fail");
        store.is_volatile = true;
        store
    }
}

impl<P: PageStore> Store<P> {
    /// Opens the store in `pages`, or makes a new one if there are no pages.
    ///
    /// Reads its checkpoint if the store was closed and has one, and otherwise all pages once. A store
    /// that was not closed is recovered: it is what it was after one
    /// of its transactions, not older than the newest durable one. Fails with `NotAStore` if the
    /// pages are another program's, `Corrupt` if they are damaged beyond what a loss of power may
    /// do, and changes nothing then.
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Options, Store};
    ///
    /// let pages = MemoryPages::new(4096);
    /// let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    /// store.put(b"key", b"value").unwrap();
    /// drop(store); // a crash
    ///
    /// let store = Store::open(pages, Options::default()).unwrap();
    /// assert_eq!(store.get(b"key").unwrap().unwrap().value, b"value");
    /// assert_eq!(store.resume_token().epoch, 2);
    /// ```
    pub fn open(pages: P, options: Options) -> Result<Self> {
        Self::begin_open(pages, options)?.finish()
    }

    /// Begins to [`open`](Self::open) a store: for those that may take long, where the host wants to
    /// show how far that has come, or to do other things meanwhile.
    pub fn begin_open(pages: P, options: Options) -> Result<Opening<P>> {
        Opening::begin(pages, options)
    }

    /// A store that was opened, around what its pages hold.
    pub(super) fn around(
        revisions: RevisionStore<P>,
        lessor: Lessor,
        cursors: Cursors,
        options: Options,
    ) -> Self {
        let end = revisions.log().end();
        Self {
            published: revisions.revision(),
            revisions,
            lessor,
            attachments: Attachments::default(),
            hub: Hub::new(options.seed, &options.limits),
            early: None,
            follows: BTreeMap::new(),
            next_follow: 1,
            cursors,
            cursor_sessions: Sessions::default(),
            options,
            is_volatile: false,
            unpublished: Vec::new(),
            unkept: Unkept::default(),
            unpublished_bytes: 0,
            changed: None,
            answered: 0,
            level: None,
            syncs_later: false,
            owes_sync: false,
            unsynced: Unsynced::default(),
            held_back: None,
            write_due_ms: None,
            now_ms: None,
            idle: Idle {
                end,
                mark_due_ms: None,
            },
            leases_saved_ms: 0,
            expiries_left: 0,
            ages: Ages::default(),
            reclaim: Reclaim::new(),
            snapshots: Holds::default(),
            leases_chosen: 0,
        }
    }

    /// Makes everything durable and marks the store as closed, so that the next opening starts no
    /// new epoch. What remains of leases is saved. The store must not be written to afterwards;
    /// closing twice does nothing.
    ///
    /// Fails with `Poisoned` if a write or sync has failed before, and with it changes may be lost
    /// that were answered without waiting for their sync.
    pub fn close(&mut self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        if self.revisions.log().is_poisoned() {
            let promises_it = self.options.durability == Durability::Commit;
            let all_were_durable = promises_it && self.unsynced.writes == 0;
            return if all_were_durable {
                Ok(())
            } else {
                Err(Error::Poisoned)
            };
        }
        let inexact = self.lessor.take_inexact();
        self.log_remaining(inexact)?;
        self.sync_all()?;
        let (lessor, cursors, revision) = (&self.lessor, &self.cursors, self.revision());
        self.revisions.close(&|say| {
            lessor.say_all(say);
            cursors.say_all(revision, say);
        })
    }
}
