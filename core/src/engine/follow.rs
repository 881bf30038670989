//! Following: a range's state and then its changes, from one place.

use alloc::format;
use core::task::Waker;

use super::early::StreamOptions;
use super::history::{Turn, take_turns};
use super::store::Store;
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::revision::ResumeToken;
use crate::seeded_bug::is_seeded;
use crate::watch::{
    Follow, FollowResponse, POLL_BYTES, Phase, StreamId, WatchRequest, WatchResponse,
};

/// Names a follower of a store. Never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FollowId(u64);

impl<P: PageStore> Store<P> {
    /// Follows a range: first its state as of one revision, then every change after it. With a
    /// token to resume from, only the changes after the token.
    ///
    /// ```
    /// use revwatch::{FollowResponse, KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"a", b"1").unwrap();
    /// let follow = store.follow(KeyRange::All, None).unwrap();
    /// store.put(b"a", b"2").unwrap();
    ///
    /// let mut told = Vec::new();
    /// loop {
    ///     match store.poll_follow(follow, 100, 1 << 20).unwrap() {
    ///         FollowResponse::State { kvs } => told.push(format!("state of {}", kvs.len())),
    ///         FollowResponse::Synced { revision } => told.push(format!("synced at {revision}")),
    ///         FollowResponse::Events { events, .. } => told.push(format!("{} events", events.len())),
    ///         FollowResponse::Reset { .. } => told.clear(),
    ///         FollowResponse::Idle => break,
    ///     }
    /// }
    /// assert_eq!(told, ["state of 1", "synced at 2", "1 events"]);
    /// ```
    pub fn follow(&mut self, range: KeyRange, resume: Option<ResumeToken>) -> Result<FollowId> {
        self.follow_with(range, resume, StreamOptions::default())
    }

    /// The same with options for the stream of changes: one that is told early is told the state as
    /// it is applied, too.
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Durability, FollowResponse, KeyRange, Options, Store, StreamOptions};
    ///
    /// let options = Options { durability: Durability::ETCD, ..Options::default() };
    /// let mut store = Store::open(MemoryPages::new(4096), options)?;
    /// store.put(b"key", b"not durable yet")?;
    /// let follow = store.follow_with(KeyRange::All, None, StreamOptions { early: true })?;
    /// let FollowResponse::State { kvs } = store.poll_follow(follow, 100, 1 << 20)? else { panic!() };
    /// assert_eq!(kvs[0].value, b"not durable yet");
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn follow_with(
        &mut self,
        range: KeyRange,
        resume: Option<ResumeToken>,
        options: StreamOptions,
    ) -> Result<FollowId> {
        if range.lacks_key() {
            return Err(Error::EmptyKey);
        }
        if range.is_empty() {
            return Err(Error::EmptyWatchRange);
        }
        let phase = match resume {
            Some(token) if token.revision < 0 => {
                let message = format!(
                    "a resume token of revision {} was never given: follow without one",
                    token.revision
                );
                return Err(Error::InvalidOption(message));
            }
            Some(token) => self.changes_after(&range, token, options)?,
            None => Phase::state_at(self.frontier(options.early)),
        };
        let id = self.next_follow;
        self.next_follow += 1;
        self.follows.insert(
            id,
            Follow {
                range,
                early: options.early,
                phase,
                told: resume,
            },
        );
        Ok(FollowId(id))
    }

    /// Ends a follower. One that is not there is no mistake.
    pub fn close_follow(&mut self, follow: FollowId) {
        if let Some(Follow {
            phase: Phase::Changes { stream, .. },
            ..
        }) = self.follows.remove(&follow.0)
        {
            self.close_stream(stream);
        }
    }

    /// Takes the next thing that a follower is told, and never blocks. At most `max_events` keys
    /// or events and `max_bytes` of keys and values, but at least one key or whole revision.
    pub fn poll_follow(
        &mut self,
        follow: FollowId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<FollowResponse> {
        let mut left = POLL_BYTES;
        take_turns(self, |store| {
            store.poll_follow_turn(follow, max_events, max_bytes, &mut left)
        })
    }

    pub(crate) fn poll_follow_turn(
        &mut self,
        follow: FollowId,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<FollowResponse, P>> {
        let entry = self.follows.remove(&follow.0);
        let mut entry = entry.ok_or(Error::StreamNotFound)?;
        let turn = self.advance_follow(&mut entry, max_events, max_bytes, left);
        self.follows.insert(follow.0, entry);
        turn
    }

    /// Where to go on after everything that a follower has been told, also after a crash: what to
    /// record together with the work done. `None` until its state is complete, as only the whole
    /// of it can be gone on from.
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let follow = store.follow(KeyRange::All, None)?;
    /// assert_eq!(store.follow_resume_token(follow)?, None);
    /// store.poll_follow(follow, 100, 1 << 20)?; // Synced: there are no keys
    /// assert_eq!(store.follow_resume_token(follow)?.unwrap().revision, 1);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn follow_resume_token(&self, follow: FollowId) -> Result<Option<ResumeToken>> {
        let follow = self.follows.get(&follow.0).ok_or(Error::StreamNotFound)?;
        Ok(follow.told)
    }

    /// Whether [`poll_follow`](Self::poll_follow) may have more to say than `Idle`.
    pub fn has_follow_response(&mut self, follow: FollowId) -> Result<bool> {
        let follow = self.follows.get(&follow.0).ok_or(Error::StreamNotFound)?;
        match follow.phase {
            Phase::State { .. } | Phase::Lost => {
                Ok(self.frontier(follow.early) >= self.revisions.compact_revision())
            }
            Phase::Changes { stream, .. } => self.has_response(stream),
        }
    }

    /// Has a task woken, once, when [`poll_follow`](Self::poll_follow) may have something to say; see
    /// [`set_waker`](Self::set_waker).
    pub fn set_follow_waker(&mut self, follow: FollowId, waker: &Waker) -> Result<()> {
        let entry = self.follows.get(&follow.0).ok_or(Error::StreamNotFound)?;
        if let Phase::Changes { stream, .. } = entry.phase {
            return self.set_waker(stream, waker);
        }
        if self.has_follow_response(follow)? {
            self.hub.wake_now(waker);
        } else {
            self.hub.wake_when_published(waker);
        }
        Ok(())
    }

    fn advance_follow(
        &mut self,
        follow: &mut Follow,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<FollowResponse, P>> {
        let compacted = self.revisions.compact_revision();
        let response = match &mut follow.phase {
            // The state that history begins with now is yet to be published.
            Phase::State { .. } | Phase::Lost if self.frontier(follow.early) < compacted => {
                FollowResponse::Idle
            }
            Phase::Changes { stream, epoch } => {
                let (stream, epoch) = (*stream, *epoch);
                return self.next_change(follow, (stream, epoch), max_events, max_bytes, left);
            }
            Phase::Lost => self.reset(follow),
            Phase::State { revision, .. } if *revision < compacted => self.reset(follow),
            Phase::State { revision, after } => {
                let revision = *revision;
                let kvs = self.revisions.page(
                    &follow.range,
                    after.as_deref(),
                    revision,
                    max_events,
                    max_bytes,
                )?;
                if let Some(last) = kvs.last() {
                    *after = Some(last.key.clone());
                    return Ok(Turn::Done(FollowResponse::State { kvs }));
                }
                let token = ResumeToken {
                    revision,
                    ..self.resume_token()
                };
                let options = StreamOptions {
                    early: follow.early,
                };
                follow.phase = self.changes_after(&follow.range, token, options)?;
                follow.told = Some(token);
                FollowResponse::Synced { revision }
            }
        };
        Ok(Turn::Done(response))
    }

    fn next_change(
        &mut self,
        follow: &mut Follow,
        (stream, epoch): (StreamId, i64),
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
    ) -> Result<Turn<FollowResponse, P>> {
        loop {
            let response = match self.poll_turn(stream, max_events, max_bytes, left)? {
                Turn::Done(response) => response,
                Turn::Read(errand) => return Ok(Turn::Read(errand)),
            };
            let answer = match response {
                WatchResponse::Created { .. } | WatchResponse::Progress { .. } => continue,
                WatchResponse::Events { events, .. } => {
                    // A long history comes in parts, and each says how far it goes.
                    let last = events.get(events.len().saturating_sub(1));
                    let revision = last.map_or(0, |event| event.kv.mod_revision);
                    follow.told = Some(ResumeToken { epoch, revision });
                    FollowResponse::Events { revision, events }
                }
                WatchResponse::Idle => FollowResponse::Idle,
                WatchResponse::Canceled { .. }
                | WatchResponse::Compacted { .. }
                | WatchResponse::Rewound { .. } => {
                    self.close_stream(stream);
                    self.reset(follow)
                }
            };
            return Ok(Turn::Done(answer));
        }
    }

    /// History after `cut` was lost in a crash or a failed sync: who was told a state from there is told another.
    pub(super) fn rewind_follows(&mut self, cut: i64) {
        for follow in self.follows.values_mut() {
            if matches!(follow.phase, Phase::State { revision, .. } if revision > cut) {
                follow.phase = Phase::Lost;
            }
        }
    }

    /// Begins anew with the state as it is now.
    fn reset(&self, follow: &mut Follow) -> FollowResponse {
        let revision = self.frontier(follow.early);
        follow.phase = Phase::state_at(revision);
        follow.told = None;
        FollowResponse::Reset { revision }
    }

    /// A stream with one watcher that goes on after the token.
    fn changes_after(
        &mut self,
        range: &KeyRange,
        token: ResumeToken,
        options: StreamOptions,
    ) -> Result<Phase> {
        let stream = self.watch_stream_with(options);
        let first_missing = 1 + i64::from(is_seeded!(FollowSkips));
        let request = WatchRequest {
            start_revision: token.revision.saturating_add(first_missing),
            epoch: token.epoch,
            ..WatchRequest::new(range.clone())
        };
        match self.watch(stream, &request) {
            Ok(_) => Ok(Phase::Changes {
                stream,
                epoch: self.revisions.log().epoch(),
            }),
            Err(error) => {
                self.close_stream(stream);
                Err(error)
            }
        }
    }
}
