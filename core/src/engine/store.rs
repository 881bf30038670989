//! The engine type.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::options::{Durability, Options};
use super::promise::Unsynced;
use super::publish::Unkept;
use super::reclaim::Reclaim;
use super::retention::Ages;
use super::snapshot::Holds;
use super::step::Idle;
use crate::cursor::{Cursors, Sessions};
use crate::error::{Error, Result};
use crate::lease::Lessor;
use crate::log::SyncGoal;
use crate::page::{MemoryPages, PageError, PageStore};
use crate::record::Event;
use crate::revision::ResumeToken;
use crate::store::{Attachments, RevisionStore};
use crate::watch::{Follow, Hub};

/// A store of keys with all their revisions, with transactions, leases and watches.
///
/// What happens to changes when the power goes is the caller's choice, by
/// [`Durability`](crate::Durability). Dropping a store without [`close`](Self::close) is safe, and
/// counts as a crash: the next opening starts a new epoch.
///
/// ```
/// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
///
/// let mut store = Store::in_memory(Options::default());
/// let stream = store.watch_stream();
/// store.watch(stream, &WatchRequest::new(KeyRange::prefix(b"/task/"))).unwrap();
///
/// store.put(b"/task/1", b"build").unwrap();
///
/// loop {
///     match store.poll(stream, 100, 1 << 20).unwrap() {
///         WatchResponse::Events { events, .. } => {
///             assert_eq!(events.iter().next().unwrap().kv.key, b"/task/1");
///         }
///         WatchResponse::Idle => break,
///         _ => {}
///     }
/// }
/// ```
pub struct Store<P: PageStore = MemoryPages> {
    pub(super) revisions: RevisionStore<P>,
    pub(super) lessor: Lessor,
    /// For the next transaction to note down what it attaches.
    pub(super) attachments: Attachments,
    pub(super) hub: Hub,
    /// Of the streams that are told before changes are durable, once there was one.
    pub(super) early: Option<Box<Hub>>,
    pub(super) follows: BTreeMap<u64, Follow>,
    pub(super) next_follow: u64,
    pub(super) cursors: Cursors,
    pub(super) cursor_sessions: Sessions,
    pub(super) options: Options,
    /// Nobody else can ever see the pages, so nothing need be handed to them.
    pub(super) is_volatile: bool,
    /// The newest revision that watchers may see.
    pub(super) published: i64,
    /// What watchers will see once it is durable, oldest first.
    pub(super) unpublished: Vec<Event>,
    pub(super) unkept: Unkept,
    /// Bytes of their keys and values.
    pub(super) unpublished_bytes: usize,
    /// What must be durable for the newest change to be so, once there was one.
    pub(super) changed: Option<SyncGoal>,
    /// The newest revision that somebody was told of before it was durable.
    pub(super) answered: i64,
    /// The durability of changes at present, if it is not the store's own.
    pub(super) level: Option<Durability>,
    /// Whoever drives the store makes durable what the present operations owe a sync for.
    pub(super) syncs_later: bool,
    pub(super) owes_sync: bool,
    /// What is to be synced though nobody waits for it.
    pub(super) unsynced: Unsynced,
    /// A revision that was synced and is not shown yet, because of what is still to be durable.
    pub(super) held_back: Option<(SyncGoal, i64)>,
    /// The host's time by which what never need be synced must at least be written.
    pub(super) write_due_ms: Option<i64>,
    /// The host's time at the last step.
    pub(super) now_ms: Option<i64>,
    /// What is to be done once nothing is written for a while.
    pub(super) idle: Idle,
    /// The host's time when leases were last saved.
    pub(super) leases_saved_ms: i64,
    /// How many leases the present step may still let run out.
    pub(super) expiries_left: usize,
    /// For retention by time.
    pub(super) ages: Ages,
    /// How far physical compaction has come.
    pub(super) reclaim: Reclaim,
    /// The snapshots that are being taken, for which what was compacted stays where it is.
    pub(super) snapshots: Holds,
    /// Counts automatic lease ids.
    pub(super) leases_chosen: u64,
}

impl<P: PageStore> Store<P> {
    /// The revision of the newest transaction; 1 for a store that has seen none.
    pub fn revision(&self) -> i64 {
        self.revisions.revision()
    }

    /// Where a watcher that has seen everything published goes on from, also after a crash.
    pub fn resume_token(&self) -> ResumeToken {
        ResumeToken {
            epoch: self.revisions.log().epoch(),
            revision: self.published,
        }
    }

    /// Whether the store was opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.options.read_only
    }

    pub(super) fn refuse_if_read_only(&self) -> Result<()> {
        if self.options.read_only {
            Err(Error::Page(PageError::ReadOnly))
        } else {
            Ok(())
        }
    }
}
