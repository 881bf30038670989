//! Waiting for something to poll.

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
            let seen = self.shared.changed.rings();
            let mut store = self.shared.store.write();
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
            let pause = if read_only {
                left.min(LOOK_EVERY)
            } else {
                left
            };
            self.shared.changed.wait_at_most(seen, pause);
        }
    }
}
