//! One store for many threads.

mod commit;
#[cfg(all(loom, test))]
mod model;
mod tasks;
#[cfg(feature = "std")]
mod wait;

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::cursor::{CursorReport, CursorRequest, CursorResponse};
use crate::engine::{
    ApplyChangesResponse, Changes, Check, CompactResponse, CursorId, Durability, FollowId,
    HistoryPage, Hold, Options, RangeStream, Snapshot, SnapshotUpdate, Status, Store,
    StreamOptions, take_turns,
};
use crate::error::Result;
use crate::lease::{
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
};
use crate::log::Progress;
use crate::page::{MemoryPages, PageStore};
use crate::range::KeyRange;
use crate::record::{Event, KeyValue};
use crate::revision::ResumeToken;
use crate::store::{
    DeleteRangeRequest, DeleteRangeResponse, HashKvResponse, PutRequest, PutResponse, RangeRequest,
    RangeResponse,
};
use crate::sync::{Bell, Lock};
use crate::txn::{TxnRequest, TxnResponse};
use crate::watch::{
    FollowResponse, POLL_BYTES, Responses, StreamId, WatchRequest, WatchResponse, WatcherReport,
};

#[cfg(feature = "stream")]
pub use tasks::{FollowResponses, WatchResponses};

/// A [`Store`] that many threads may use: a cheap handle, cloned for each.
///
/// Each operation is one step for all threads; the methods mean what those of [`Store`] mean.
/// Where there is no operating system the locks spin, else they park.
///
/// *Nobody reads behind a sync.* Every sync runs with the store unlocked, also those that a batch,
/// the growth of the page store and compaction need. Reading, polling and writing that need not be
/// durable at once go on meanwhile. Reads run beside each other; they wait only for changes being
/// applied, for what polls take, and for the chores of [`step`](Self::step). A change waits for the
/// reads under way, and new reads for it: one that goes through everything (`check`, `hash_kv`, a range
/// without a limit) is better done in parts where others must not wait: with
/// [`begin_check`](Self::begin_check), for one.
///
/// *Nobody waits for history that is read for watchers.* A poll or a step that needs some looks up where
/// it is, reads it with the store unlocked, and comes back to hand it out, as far as it is still wanted.
/// A page store is read while others write to it therefore: see [`PageStore`].
///
/// *Committers share syncs.* A change that is to be durable is applied, and its thread then waits for
/// a sync that began after that. One of those who wait carries it out, and it counts for all that was
/// applied before it began: many threads that commit cost about two syncs at a time, not one each.
/// Changes return once their own revision is durable, and watchers are shown it then; those who asked
/// for [early delivery](StreamOptions) when it is applied.
///
/// *Reading sees what is applied*, and so what another thread has just written and still waits for.
/// Who must only see what is durable reads at [`Status::published_revision`], in a store whose own
/// durability is not [`Durability::Never`].
///
/// *When a sync fails* nothing more can be written. All who wait for it are told so, the one who
/// carried it out by the page store's own error and the others by `Poisoned`; what they wrote goes out
/// of sight, unless a later change was answered without waiting. What the disk holds is known once
/// the store is opened again.
///
/// ```
/// use revwatch::{Options, SharedStore};
///
/// let store = SharedStore::in_memory(Options::default());
/// let writer = store.clone();
/// std::thread::spawn(move || writer.put(b"key", b"value").unwrap()).join().unwrap();
/// assert_eq!(store.get(b"key").unwrap().unwrap().value, b"value");
/// ```
pub struct SharedStore<P: PageStore = MemoryPages> {
    shared: Arc<Shared<P>>,
    /// The durability of changes through this handle, if it is not the store's own.
    durability: Option<Durability>,
}

struct Shared<P: PageStore> {
    store: Lock<Store<P>>,
    /// Rings when those who poll may find something.
    changed: Bell,
    /// Rings when a sync has ended.
    synced: Bell,
}

impl<P: PageStore> Shared<P> {
    /// Does something to the store, and wakes whom that concerns once the lock is free: a task that
    /// is woken may come back to the store at once.
    fn with<T>(&self, act: impl FnOnce(&mut Store<P>) -> T) -> T {
        let mut store = self.store.write();
        let result = act(&mut store);
        let woken = store.take_woken();
        let spent = store.take_spent();
        drop(store);
        drop(spent);
        for waker in woken {
            waker.wake();
        }
        result
    }
}

/// Polls and steps have the store between the parts of their work, not while they read history.
impl<P: PageStore> Hold<P> for &Shared<P> {
    fn look<T>(&self, look: impl FnOnce(&Store<P>) -> T) -> T {
        look(&self.store.read())
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Store<P>) -> T) -> T {
        self.with(act)
    }
}

impl<P: PageStore> Clone for SharedStore<P> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            durability: self.durability,
        }
    }
}

impl SharedStore<MemoryPages> {
    /// See [`Store::in_memory`].
    pub fn in_memory(options: Options) -> Self {
        Self::new(Store::in_memory(options))
    }
}

/// Methods during which nothing changes; they run beside each other.
macro_rules! reads {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(&self, $($arg: $type),*) -> $result {
                self.shared.store.read().$name($($arg),*)
            }
        )+
    };
}

/// Methods that read history for those who watch: each part of it with nothing held.
macro_rules! polls {
    ($($name:ident($id:ident: $type:ty) = $turn:ident -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(
                &self,
                $id: $type,
                max_events: usize,
                max_bytes: usize,
            ) -> Result<$result> {
                let mut left = POLL_BYTES;
                take_turns(&*self.shared, |store| {
                    store.$turn($id, max_events, max_bytes, &mut left)
                })
            }
        )+
    };
}

/// Methods that change what the store keeps for those who watch.
macro_rules! keeps {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(&self, $($arg: $type),*) -> $result {
                self.shared.with(|store| store.$name($($arg),*))
            }
        )+
    };
}

/// The same, where somebody who waits may have to be told.
macro_rules! tells {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(&self, $($arg: $type),*) -> $result {
                let result = self.shared.with(|store| store.$name($($arg),*));
                self.shared.changed.ring();
                result
            }
        )+
    };
}

/// Methods that change data, and may have to wait for a sync.
macro_rules! changes {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(&self, $($arg: $type),*) -> $result {
                self.change(|store| store.$name($($arg),*))
            }
        )+
    };
}

impl<P: PageStore> SharedStore<P> {
    /// Shares a store. A [`SyncTicket`](crate::SyncTicket) of it that is not finished yet counts as
    /// dropped.
    pub fn new(mut store: Store<P>) -> Self {
        store.leave_syncs_to_the_caller();
        store.leave_spent_to_the_caller();
        Self {
            shared: Arc::new(Shared {
                store: Lock::new(store),
                changed: Bell::new(),
                synced: Bell::new(),
            }),
            durability: None,
        }
    }

    /// See [`Store::open`].
    pub fn open(pages: P, options: Options) -> Result<Self> {
        Ok(Self::new(Store::open(pages, options)?))
    }

    /// A handle to the same store, whose changes have another durability than the store's own. See
    /// [`Store::with_durability`].
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Durability, Options, SharedStore};
    ///
    /// let options = Options { durability: Durability::ETCD, ..Options::default() };
    /// let store = SharedStore::open(MemoryPages::new(4096), options)?;
    /// let careful = store.with_durability(Durability::Commit);
    /// assert!(!store.put(b"position", b"17")?.durable);
    /// assert!(careful.put(b"order", b"paid")?.durable);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    #[must_use]
    pub fn with_durability(&self, durability: Durability) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            durability: Some(durability),
        }
    }

    reads! {
        get(key: &[u8]) -> Result<Option<KeyValue>>;
        range(request: &RangeRequest) -> Result<RangeResponse>;
        range_stream(range: KeyRange, revision: i64) -> Result<RangeStream>;
        next_kvs(stream: &mut RangeStream, max_keys: usize, max_bytes: usize) -> Result<Vec<KeyValue>>;
        history(range: &KeyRange, start_revision: i64, max_events: usize) -> Result<HistoryPage>;
        changes(from: i64, to: i64) -> Result<Changes>;
        next_changes(changes: &mut Changes, max_events: usize, max_bytes: usize) -> Result<Vec<Event>>;
        next_changes_chunk(changes: &mut Changes, max_bytes: usize) -> Result<Vec<u8>>;
        next_snapshot_chunk(snapshot: &mut Snapshot, max_bytes: usize) -> Result<Vec<u8>>;
        hash_kv(revision: i64) -> Result<HashKvResponse>;
        revision() -> i64;
        resume_token() -> ResumeToken;
        status() -> Status;
        check() -> Result<()>;
        begin_check() -> Check;
        check_step(check: &mut Check, budget_bytes: usize) -> Result<bool>;
        check_progress(check: &Check) -> Progress;
        lease_time_to_live(id: i64, keys: bool) -> LeaseTimeToLiveResponse;
        leases() -> Vec<i64>;
        cursors() -> Vec<CursorReport>;
        cursor_revision(cursor: CursorId) -> Result<i64>;
        follow_resume_token(follow: FollowId) -> Result<Option<ResumeToken>>;
        next_step_ms() -> Option<i64>;
    }

    /// See [`Store::apply_snapshot`].
    pub fn apply_snapshot(&self, update: &mut SnapshotUpdate, bytes: &[u8]) -> Result<()> {
        self.shared.store.read().feed_snapshot(update, bytes)?;
        self.change(|store| store.apply_gathered(update))
    }

    polls! {
        poll(stream: StreamId) = poll_turn -> WatchResponse;
        poll_follow(follow: FollowId) = poll_follow_turn -> FollowResponse;
        poll_cursor(cursor: CursorId) = poll_cursor_turn -> CursorResponse;
    }

    /// See [`Store::poll_many`].
    pub fn poll_many(
        &self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Responses> {
        let mut left = POLL_BYTES;
        let mut responses = Responses::default();
        take_turns(&*self.shared, |store| {
            store.poll_many_turn(stream, max_events, max_bytes, &mut left, &mut responses)
        })?;
        Ok(responses)
    }

    keeps! {
        snapshot(since: i64) -> Result<Snapshot>;
        watch_stream() -> StreamId;
        watch_stream_with(options: StreamOptions) -> StreamId;
        follow(range: KeyRange, resume: Option<ResumeToken>) -> Result<FollowId>;
        follow_with(range: KeyRange, resume: Option<ResumeToken>, options: StreamOptions) -> Result<FollowId>;
        has_response(stream: StreamId) -> Result<bool>;
        next_poll_ms(stream: StreamId) -> Result<Option<i64>>;
        watchers() -> Vec<WatcherReport>;
        has_follow_response(follow: FollowId) -> Result<bool>;
        has_cursor_response(cursor: CursorId) -> Result<bool>;
    }

    tells! {
        watch(stream: StreamId, request: &WatchRequest) -> Result<i64>;
        cancel_watch(stream: StreamId, watch_id: i64) -> Result<()>;
        request_progress(stream: StreamId) -> Result<bool>;
        close_stream(stream: StreamId) -> ();
        close_follow(follow: FollowId) -> ();
        close_cursor(cursor: CursorId) -> ();
    }

    changes! {
        put(key: &[u8], value: &[u8]) -> Result<PutResponse>;
        put_with(request: &PutRequest) -> Result<PutResponse>;
        delete_range(request: &DeleteRangeRequest) -> Result<DeleteRangeResponse>;
        txn(request: &TxnRequest) -> Result<TxnResponse>;
        apply_changes(bytes: &[u8]) -> Result<ApplyChangesResponse>;
        compact(revision: i64) -> Result<CompactResponse>;
        flush() -> Result<()>;
        close() -> Result<()>;
        lease_grant(id: i64, ttl_ms: i64) -> Result<LeaseGrantResponse>;
        lease_revoke(id: i64) -> Result<LeaseRevokeResponse>;
        lease_keep_alive(id: i64) -> Result<LeaseKeepAliveResponse>;
        cursor(request: &CursorRequest) -> Result<CursorId>;
        seek_cursor(cursor: CursorId, start_revision: i64) -> Result<()>;
        ack_cursor(cursor: CursorId, revision: i64) -> Result<()>;
        delete_cursor(name: &[u8]) -> Result<()>;
    }
}
