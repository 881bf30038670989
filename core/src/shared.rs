//! One store for many threads.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::cursor::{CursorReport, CursorRequest, CursorResponse};
use crate::engine::{
    ApplyChangesResponse, Changes, CompactResponse, CursorId, FollowId, HistoryPage, Options,
    RangeStream, Status, Step, Store,
};
use crate::error::Result;
use crate::lease::{
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
};
use crate::page::{MemoryPages, PageStore};
use crate::range::KeyRange;
use crate::record::{Event, KeyValue};
use crate::revision::ResumeToken;
use crate::store::{
    DeleteRangeRequest, DeleteRangeResponse, HashKvResponse, PutRequest, PutResponse, RangeRequest,
    RangeResponse,
};
use crate::sync::Lock;
use crate::txn::{TxnRequest, TxnResponse};
use crate::watch::{FollowResponse, StreamId, WatchRequest, WatchResponse};

/// A [`Store`] that many threads may use: a cheap handle, cloned for each.
///
/// Each operation is one step for all threads; the methods mean what those of [`Store`] mean.
/// Where there is no operating system the lock spins, else it parks.
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
    store: Arc<Lock<Store<P>>>,
}

impl<P: PageStore> Clone for SharedStore<P> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
        }
    }
}

impl SharedStore<MemoryPages> {
    /// See [`Store::in_memory`].
    pub fn in_memory(options: Options) -> Self {
        Self::new(Store::in_memory(options))
    }
}

/// Methods that only read, and may run while nothing changes.
macro_rules! reads {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(&self, $($arg: $type),*) -> $result {
                self.store.lock().$name($($arg),*)
            }
        )+
    };
}

/// Methods that may give pollers something to see.
macro_rules! writes {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        $(
            #[doc = concat!("See [`Store::", stringify!($name), "`].")]
            pub fn $name(&self, $($arg: $type),*) -> $result {
                let result = self.store.lock().$name($($arg),*);
                self.store.ring();
                result
            }
        )+
    };
}

impl<P: PageStore> SharedStore<P> {
    /// Shares a store.
    pub fn new(store: Store<P>) -> Self {
        Self {
            store: Arc::new(Lock::new(store)),
        }
    }

    /// See [`Store::open`].
    pub fn open(pages: P, options: Options) -> Result<Self> {
        Ok(Self::new(Store::open(pages, options)?))
    }

    /// See [`Store::step`].
    pub fn step(&self, now_ms: i64, budget_bytes: usize) -> Result<Step> {
        let mut store = self.store.lock();
        let before = store.resume_token().revision;
        let step = store.step(now_ms, budget_bytes);
        let published = store.resume_token().revision != before;
        drop(store);
        // Waiters step too: a bell for every step would keep them awake for nothing.
        if published {
            self.store.ring();
        }
        step
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
        hash_kv(revision: i64) -> Result<HashKvResponse>;
        revision() -> i64;
        resume_token() -> ResumeToken;
        status() -> Status;
        check() -> Result<()>;
        lease_time_to_live(id: i64, keys: bool) -> LeaseTimeToLiveResponse;
        leases() -> Vec<i64>;
        watch_stream() -> StreamId;
        poll(stream: StreamId, max_events: usize, max_bytes: usize) -> Result<WatchResponse>;
        follow(range: KeyRange, resume: Option<ResumeToken>) -> Result<FollowId>;
        poll_follow(follow: FollowId, max_events: usize, max_bytes: usize) -> Result<FollowResponse>;
        follow_resume_token(follow: FollowId) -> Result<Option<ResumeToken>>;
        has_response(stream: StreamId) -> Result<bool>;
        has_follow_response(follow: FollowId) -> Result<bool>;
        poll_cursor(cursor: CursorId, max_events: usize, max_bytes: usize) -> Result<CursorResponse>;
        ack_cursor(cursor: CursorId, revision: i64) -> Result<()>;
        cursor_revision(cursor: CursorId) -> Result<i64>;
        cursors() -> Vec<CursorReport>;
        has_cursor_response(cursor: CursorId) -> Result<bool>;
    }

    writes! {
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
        watch(stream: StreamId, request: &WatchRequest) -> Result<i64>;
        cancel_watch(stream: StreamId, watch_id: i64) -> Result<()>;
        close_stream(stream: StreamId) -> ();
        close_follow(follow: FollowId) -> ();
        cursor(request: &CursorRequest) -> Result<CursorId>;
        seek_cursor(cursor: CursorId, start_revision: i64) -> Result<()>;
        close_cursor(cursor: CursorId) -> ();
        delete_cursor(name: &[u8]) -> Result<()>;
    }
}

#[cfg(feature = "std")]
mod waiting {
    use core::time::Duration;
    use std::time::Instant;

    use super::SharedStore;
    use crate::engine::{CursorId, FollowId, Store};
    use crate::error::Result;
    use crate::page::PageStore;
    use crate::watch::StreamId;

    /// How often a store opened read-only looks for what another process wrote.
    const LOOK_EVERY: Duration = Duration::from_millis(10);

    impl<P: PageStore> SharedStore<P> {
        /// Waits until a stream has something to say, or `timeout` is over; whether it has.
        ///
        /// Does not step the store: leases do not run out and batches do not become durable while
        /// everybody waits, so a host that uses them waits no longer than
        /// [`step`](Self::step) says.
        ///
        /// ```
        /// use std::time::Duration;
        /// use revwatch::{KeyRange, Options, SharedStore, WatchRequest};
        ///
        /// let store = SharedStore::in_memory(Options::default());
        /// let stream = store.watch_stream();
        /// assert!(!store.wait(stream, Duration::ZERO)?);
        /// store.watch(stream, &WatchRequest::new(KeyRange::All))?;
        /// assert!(store.wait(stream, Duration::from_secs(60))?);
        /// # Ok::<(), revwatch::Error>(())
        /// ```
        pub fn wait(&self, stream: StreamId, timeout: Duration) -> Result<bool> {
            self.wait_until(timeout, |store| store.has_response(stream))
        }

        /// The same for a follower.
        pub fn wait_follow(&self, follow: FollowId, timeout: Duration) -> Result<bool> {
            self.wait_until(timeout, |store| store.has_follow_response(follow))
        }

        /// The same for a durable cursor. Fails with `CursorNotFound` when somebody else opens it.
        pub fn wait_cursor(&self, cursor: CursorId, timeout: Duration) -> Result<bool> {
            self.wait_until(timeout, |store| store.has_cursor_response(cursor))
        }

        fn wait_until(
            &self,
            timeout: Duration,
            mut ready: impl FnMut(&mut Store<P>) -> Result<bool>,
        ) -> Result<bool> {
            let deadline = Instant::now().checked_add(timeout);
            loop {
                // Taken before looking, so that what changes after the look ends the wait.
                let seen = self.store.rings();
                let mut store = self.store.lock();
                let read_only = store.is_read_only();
                if read_only {
                    store.refresh()?;
                }
                if ready(&mut store)? {
                    return Ok(true);
                }
                drop(store);
                let left = deadline.map_or(Duration::MAX, |deadline| {
                    deadline.saturating_duration_since(Instant::now())
                });
                if left.is_zero() {
                    return Ok(false);
                }
                self.store.wait(
                    seen,
                    if read_only {
                        left.min(LOOK_EVERY)
                    } else {
                        left
                    },
                );
            }
        }
    }
}
