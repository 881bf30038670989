//! Waiting without a thread: wakers, and streams of responses for async programs.

use core::task::Waker;

use super::SharedStore;
use crate::engine::{CursorId, FollowId};
use crate::error::Result;
use crate::page::PageStore;
use crate::watch::StreamId;

impl<P: PageStore> SharedStore<P> {
    /// See [`Store::set_waker`](crate::Store::set_waker). The task is woken by whoever gives the
    /// stream something to say, once that thread has let go of the store; by this call if there is
    /// something now.
    pub fn set_waker(&self, stream: StreamId, waker: &Waker) -> Result<()> {
        self.shared.with(|store| store.set_waker(stream, waker))
    }

    /// See [`Store::set_follow_waker`](crate::Store::set_follow_waker).
    pub fn set_follow_waker(&self, follow: FollowId, waker: &Waker) -> Result<()> {
        self.shared
            .with(|store| store.set_follow_waker(follow, waker))
    }

    /// See [`Store::set_cursor_waker`](crate::Store::set_cursor_waker).
    pub fn set_cursor_waker(&self, cursor: CursorId, waker: &Waker) -> Result<()> {
        self.shared
            .with(|store| store.set_cursor_waker(cursor, waker))
    }
}

#[cfg(feature = "stream")]
pub use streams::{FollowResponses, WatchResponses};

#[cfg(feature = "stream")]
mod streams {
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use futures_core::Stream;

    use super::SharedStore;
    use crate::engine::{FollowId, Store, Turn, take_turns};
    use crate::error::{Error, Result};
    use crate::page::PageStore;
    use crate::watch::{FollowResponse, POLL_BYTES, StreamId, WatchResponse};

    /// What a watch stream says, for async programs; made by [`SharedStore::responses`].
    pub struct WatchResponses<P: PageStore> {
        store: SharedStore<P>,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
    }

    /// What a follower is told, for async programs; made by [`SharedStore::follow_responses`].
    pub struct FollowResponses<P: PageStore> {
        store: SharedStore<P>,
        follow: FollowId,
        max_events: usize,
        max_bytes: usize,
    }

    impl<P: PageStore> SharedStore<P> {
        /// What a stream says, as an async stream that ends when the stream is closed. Each item is
        /// what [`poll`](Self::poll) would answer, but never `Idle`. Dropping it closes nothing.
        ///
        /// Nothing here steps the store: see [`step`](Self::step).
        ///
        /// ```
        /// use std::pin::pin;
        /// use std::task::{Context, Poll, Waker};
        /// use futures_core::Stream;
        /// use revwatch::{KeyRange, Options, SharedStore, WatchRequest, WatchResponse};
        ///
        /// let store = SharedStore::in_memory(Options::default());
        /// let stream = store.watch_stream();
        /// store.watch(stream, &WatchRequest::new(KeyRange::All))?;
        /// let mut responses = pin!(store.responses(stream, 100, 1 << 20));
        /// let mut context = Context::from_waker(Waker::noop());
        /// let created = responses.as_mut().poll_next(&mut context);
        /// assert!(matches!(created, Poll::Ready(Some(Ok(WatchResponse::Created { .. })))));
        /// assert!(responses.as_mut().poll_next(&mut context).is_pending());
        /// # Ok::<(), revwatch::Error>(())
        /// ```
        pub fn responses(
            &self,
            stream: StreamId,
            max_events: usize,
            max_bytes: usize,
        ) -> WatchResponses<P> {
            WatchResponses {
                store: self.clone(),
                stream,
                max_events,
                max_bytes,
            }
        }

        /// What a follower is told, as an async stream that ends when the follower is closed. Each
        /// item is what [`poll_follow`](Self::poll_follow) would answer, but never `Idle`.
        pub fn follow_responses(
            &self,
            follow: FollowId,
            max_events: usize,
            max_bytes: usize,
        ) -> FollowResponses<P> {
            FollowResponses {
                store: self.clone(),
                follow,
                max_events,
                max_bytes,
            }
        }

        /// Takes the next response that is one, or has the task woken when there may be one. Both
        /// under one lock, so that no wake-up is lost between them.
        fn next_or_wait<T: PartialEq>(
            &self,
            mut next: impl FnMut(&mut Store<P>, &mut usize) -> Result<Turn<T, P>>,
            idle: &T,
            mut wait: impl FnMut(&mut Store<P>) -> Result<()>,
        ) -> Poll<Option<Result<T>>> {
            let mut left = POLL_BYTES;
            let answer = take_turns(&*self.shared, |store| {
                Ok(match next(store, &mut left)? {
                    Turn::Done(response) if response == *idle => {
                        wait(store)?;
                        Turn::Done(None)
                    }
                    Turn::Done(response) => Turn::Done(Some(response)),
                    Turn::Read(errand) => Turn::Read(errand),
                })
            });
            match answer {
                Ok(Some(response)) => Poll::Ready(Some(Ok(response))),
                Ok(None) => Poll::Pending,
                Err(Error::StreamNotFound) => Poll::Ready(None),
                Err(error) => Poll::Ready(Some(Err(error))),
            }
        }
    }

    impl<P: PageStore> Stream for WatchResponses<P> {
        type Item = Result<WatchResponse>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let this = &*self;
            this.store.next_or_wait(
                |store, left| store.poll_turn(this.stream, this.max_events, this.max_bytes, left),
                &WatchResponse::Idle,
                |store| store.set_waker(this.stream, context.waker()),
            )
        }
    }

    impl<P: PageStore> Stream for FollowResponses<P> {
        type Item = Result<FollowResponse>;

        fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            let this = &*self;
            this.store.next_or_wait(
                |store, left| {
                    store.poll_follow_turn(this.follow, this.max_events, this.max_bytes, left)
                },
                &FollowResponse::Idle,
                |store| store.set_follow_waker(this.follow, context.waker()),
            )
        }
    }
}
