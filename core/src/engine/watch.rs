//! Watching: the users' door to the hub.

use alloc::vec::Vec;
use core::task::Waker;

use super::early::StreamOptions;
use super::history::{Turn, take_turns};
use super::store::Store;
use crate::error::{Error, Result};
use crate::log::EPOCHS_REMEMBERED;
use crate::page::PageStore;
use crate::revision::ResumeToken;
use crate::watch::{
    POLL_BYTES, Registration, Responses, Spent, StreamId, WatchRequest, WatchResponse,
    WatcherReport,
};

impl<P: PageStore> Store<P> {
    /// Opens a stream: one bounded queue for the responses of many watchers.
    pub fn watch_stream(&mut self) -> StreamId {
        self.watch_stream_with(StreamOptions::default())
    }

    /// Closes a stream and ends its watchers. What it had queued is gone.
    pub fn close_stream(&mut self, stream: StreamId) {
        self.hub_of(stream).close_stream(stream);
    }

    /// Adds a watcher to a stream; answers its id. The stream's next responses are about it.
    ///
    /// Fails with `EmptyWatchRange` if no key could ever match, `DuplicateWatchId` if the stream
    /// has a watcher with the id asked for, and `Compacted` if the start revision is negative. A
    /// start revision that is compacted is answered in the stream.
    pub fn watch(&mut self, stream: StreamId, request: &WatchRequest) -> Result<i64> {
        if request.start_revision < 0 {
            return Err(Error::Compacted {
                requested: request.start_revision,
                compact_revision: self.revisions.compact_revision(),
            });
        }
        let mut rewound_to = None;
        if request.epoch != 0 && request.start_revision > 0 {
            rewound_to = self.rewound_to(ResumeToken {
                epoch: request.epoch,
                revision: request.start_revision - 1,
            })?;
        }
        let registration = Registration {
            applied: self.revision(),
            published: self.frontier(stream.is_early()),
            rewound_to,
        };
        self.hub_of(stream).watch(stream, request, &registration)
    }

    /// Ends a watcher; its stream says so once it has said what was queued before. An id that is
    /// not there is no error, and nothing is said.
    pub fn cancel_watch(&mut self, stream: StreamId, watch_id: i64) -> Result<()> {
        self.hub_of(stream).cancel(stream, watch_id)
    }

    /// Takes the next response of a stream, and never blocks. Events come in whole revisions: at
    /// most `max_events` and `max_bytes` of keys and values, but at least one revision; a watcher who
    /// asked for fragments may be given a part of it, marked as such, but at least one event.
    ///
    /// After `Idle` ask again when something was written or [`next_poll_ms`](Self::next_poll_ms) says
    /// so. Reads at most 1 MiB of history: with a long one that holds little for the stream, that is
    /// at once.
    pub fn poll(
        &mut self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<WatchResponse> {
        let hub = self.hub_of(stream);
        if let Some(response) = hub.take_queued(stream, max_events, max_bytes) {
            return Ok(response);
        }
        let mut left = POLL_BYTES;
        take_turns(self, |store| {
            store.poll_hub(stream, max_events, max_bytes, &mut left)
        })
    }

    /// A turn of [`poll`](Self::poll), which hands out about `left` bytes of history.
    pub(crate) fn poll_turn(
        &mut self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<WatchResponse, P>> {
        let hub = self.hub_of(stream);
        if let Some(response) = hub.take_queued(stream, max_events, max_bytes) {
            return Ok(Turn::Done(response));
        }
        self.poll_hub(stream, max_events, max_bytes, left)
    }

    fn poll_hub(
        &mut self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<WatchResponse, P>> {
        let (hub, view) = self.hub_and_view(stream.is_early());
        let turn = hub.poll(stream, max_events, max_bytes, left, &view)?;
        Ok(self.send_for(turn, stream.is_early()))
    }

    /// Takes several responses of a stream at once: the one that [`poll`](Self::poll) would answer, and
    /// those that are queued behind it, until they have `max_events` events or about `max_bytes`.
    /// None where `poll` would answer `Idle`. A notice counts as an event.
    ///
    /// What many watchers of the stream are told alike, such as a thousand of one prefix, is taken in
    /// one step and held once.
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponseRef};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let stream = store.watch_stream();
    /// for _ in 0..10 {
    ///     store.watch(stream, &WatchRequest::new(KeyRange::prefix(b"/jobs/")))?;
    /// }
    /// assert_eq!(store.poll_many(stream, 100, 1 << 20)?.len(), 10); // Created
    /// store.put(b"/jobs/1", b"queued")?;
    /// for response in &store.poll_many(stream, 100, 1 << 20)? {
    ///     let WatchResponseRef::Events { events, .. } = response else { panic!("all are told") };
    ///     assert_eq!(events.get(0).unwrap().kv.value, b"queued");
    /// }
    /// assert!(store.poll_many(stream, 100, 1 << 20)?.is_empty());
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn poll_many(
        &mut self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Responses> {
        let mut left = POLL_BYTES;
        let mut responses = Responses::default();
        take_turns(self, |store| {
            store.poll_many_turn(stream, max_events, max_bytes, &mut left, &mut responses)
        })?;
        Ok(responses)
    }

    pub(crate) fn poll_many_turn(
        &mut self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
        responses: &mut Responses,
    ) -> Result<Turn<(), P>> {
        let (hub, view) = self.hub_and_view(stream.is_early());
        let turn = hub.poll_many(stream, max_events, max_bytes, left, responses, &view)?;
        Ok(self.send_for(turn, stream.is_early()))
    }

    /// Whether [`poll`](Self::poll) may have more to say than `Idle`. O(1).
    pub fn has_response(&mut self, stream: StreamId) -> Result<bool> {
        let (hub, view) = self.hub_and_view(stream.is_early());
        hub.has_response(stream, &view)
    }

    /// When to poll a stream again after `Idle`, in the host's milliseconds: now, if there is history
    /// that was not looked through yet; after the [`step`](Self::step) that is due then, if that may
    /// bring something; `None` if nothing comes unless somebody writes. Now is 0 for a store that was
    /// never stepped.
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let stream = store.watch_stream();
    /// store.watch(stream, &WatchRequest::new(KeyRange::All))?;
    /// assert_eq!(store.next_poll_ms(stream)?, Some(0));
    /// while store.poll(stream, 100, 1 << 20)? != WatchResponse::Idle {}
    /// assert_eq!(store.next_poll_ms(stream)?, None);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn next_poll_ms(&mut self, stream: StreamId) -> Result<Option<i64>> {
        let now_ms = self.now_ms.unwrap_or(0);
        if self.has_response(stream)? {
            return Ok(Some(now_ms));
        }
        Ok(self.next_due_ms(now_ms))
    }

    /// Asks to be told how far the stream is: once all that is queued now was polled, it says
    /// `Progress` with the revision up to which it may be told, the published one if it is not told
    /// early, and with [`PROGRESS_OF_STREAM`](crate::PROGRESS_OF_STREAM)
    /// as the watcher. Nothing that is not newer comes after that.
    ///
    /// Answers false, and nothing is said, while one of the stream's watchers is behind or waits for
    /// a start in the future. A stream without watchers is always told. O(1).
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, PROGRESS_OF_STREAM, Store, WatchRequest, WatchResponse};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let stream = store.watch_stream();
    /// store.put(b"key", b"value")?;
    /// assert!(store.request_progress(stream)?);
    /// let told = WatchResponse::Progress { watch_id: PROGRESS_OF_STREAM, revision: 2 };
    /// assert_eq!(store.poll(stream, 100, 1 << 20)?, told);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn request_progress(&mut self, stream: StreamId) -> Result<bool> {
        let frontier = self.frontier(stream.is_early());
        self.hub_of(stream).request_progress(stream, frontier)
    }

    /// All watchers, those of followers too, by stream and id: for operators and pictures. Costs by
    /// the watchers and by what is queued for them.
    pub fn watchers(&mut self) -> Vec<WatcherReport> {
        let (hub, view) = self.hub_and_view(false);
        let mut reports = hub.watchers(&view);
        if self.early.is_some() {
            let (hub, view) = self.hub_and_view(true);
            reports.extend(hub.watchers(&view));
        }
        reports
    }

    /// Has a task woken, once, when [`poll`](Self::poll) may have something to say: at the next
    /// [`take_woken`](Self::take_woken) if it has now. Replaces what was set for the stream before.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::task::{Wake, Waker};
    /// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
    ///
    /// #[derive(Default)]
    /// struct Task(AtomicBool);
    /// impl Wake for Task {
    ///     fn wake(self: Arc<Self>) {
    ///         self.0.store(true, Ordering::SeqCst);
    ///     }
    /// }
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let stream = store.watch_stream();
    /// store.watch(stream, &WatchRequest::new(KeyRange::All))?;
    /// while store.poll(stream, 100, 1 << 20)? != WatchResponse::Idle {}
    ///
    /// let task = Arc::new(Task::default());
    /// store.set_waker(stream, &Waker::from(task.clone()))?;
    /// store.put(b"key", b"value")?;
    /// for waker in store.take_woken() {
    ///     waker.wake();
    /// }
    /// assert!(task.0.load(Ordering::SeqCst));
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn set_waker(&mut self, stream: StreamId, waker: &Waker) -> Result<()> {
        let (hub, view) = self.hub_and_view(stream.is_early());
        hub.set_waker(stream, waker, &view)
    }

    /// Takes the tasks that are to be woken because of what was done to the store since the last
    /// call. Whoever holds the store wakes them once it has let go of it: the store itself never
    /// does, so no task can come back to it while it is in use. [`SharedStore`](crate::SharedStore)
    /// does so by itself.
    pub fn take_woken(&mut self) -> Vec<Waker> {
        let mut woken = self.hub.take_woken(self.published);
        let applied = self.revision();
        if let Some(early) = &mut self.early {
            woken.append(&mut early.take_woken(applied));
        }
        woken
    }

    /// What is best dropped where that holds up nobody is left to the caller from now on.
    pub(crate) fn leave_spent_to_the_caller(&mut self) {
        self.hub.keep_spent();
    }

    /// Takes what is only to be dropped.
    #[inline]
    pub(crate) fn take_spent(&mut self) -> Spent {
        let mut spent = self.hub.take_spent();
        if let Some(early) = &mut self.early {
            spent.extend(early.take_spent());
        }
        spent
    }

    /// The last revision of the token's past that still stands, if the token lies beyond it: because
    /// a crash took what it saw, or because this is an older copy of the store. Of a token that is
    /// older than all epochs that are remembered nothing is known to stand.
    pub(super) fn rewound_to(&mut self, token: ResumeToken) -> Result<Option<i64>> {
        let is_ahead = |store: &Self| {
            token.revision > store.revision() || token.epoch > store.revisions.log().epoch()
        };
        if self.options.read_only && is_ahead(self) {
            self.refresh()?;
        }
        let epochs = self.revisions.log().epochs();
        let is_forgotten = epochs.len() == EPOCHS_REMEMBERED && token.epoch + 1 < epochs[0].epoch;
        if is_forgotten && token.revision > 0 {
            return Ok(Some(0));
        }
        let cut = self.cut_since(token.epoch).unwrap_or(i64::MAX);
        let stands = if is_ahead(self) {
            cut.min(self.revision())
        } else {
            cut
        };
        Ok(
            (stands < token.revision || token.epoch > self.revisions.log().epoch())
                .then_some(stands),
        )
    }

    /// Up to where the history that an epoch has seen still stands; `None` if nothing was lost since.
    pub(super) fn cut_since(&self, epoch: i64) -> Option<i64> {
        let epochs = self.revisions.log().epochs();
        let later = epochs.iter().filter(|start| start.epoch > epoch);
        later.map(|start| start.cut).min()
    }
}
