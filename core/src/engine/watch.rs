//! Watching: the hub's door to history, and the users' door to the hub.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::store::Store;
use crate::error::{Error, Result};
use crate::log::EPOCHS_REMEMBERED;
use crate::page::PageStore;
use crate::revision::ResumeToken;
use crate::store::RevisionStore;
use crate::watch::{History, Hub, Reach, Registration, StreamId, WatchRequest, WatchResponse};

/// What the hub sees of a store.
pub(super) struct View<'a, P> {
    revisions: &'a RevisionStore<P>,
    published: i64,
}

impl<P: PageStore> History for View<'_, P> {
    fn published(&self) -> i64 {
        self.published
    }

    fn applied(&self) -> i64 {
        self.revisions.revision()
    }

    fn compact_revision(&self) -> i64 {
        self.revisions.compact_revision()
    }

    fn events(
        &self,
        from: i64,
        max_revisions: usize,
        max_bytes: usize,
        prev_kv: bool,
    ) -> Result<Reach> {
        let mut reach = Reach {
            events: Vec::new(),
            revision: self.published,
        };
        let (mut revisions, mut bytes, mut current) = (0, 0, 0);
        let mut outcome = Ok(());
        self.revisions
            .events(from, self.published, &mut |mut event| {
                let revision = event.kv.mod_revision;
                if revision != current {
                    if revisions > 0 && (revisions >= max_revisions || bytes >= max_bytes) {
                        reach.revision = revision - 1;
                        return ControlFlow::Break(());
                    }
                    (revisions, current) = (revisions + 1, revision);
                }
                if prev_kv && let Err(error) = self.revisions.attach_prev_kv(&mut event) {
                    outcome = Err(error);
                    return ControlFlow::Break(());
                }
                bytes += event.bytes();
                reach.events.push(event);
                ControlFlow::Continue(())
            })?;
        outcome?;
        Ok(reach)
    }
}

impl<P: PageStore> Store<P> {
    /// Opens a stream: one bounded queue for the responses of many watchers.
    pub fn watch_stream(&mut self) -> StreamId {
        self.hub.open_stream()
    }

    /// Closes a stream and ends its watchers. What it had queued is gone.
    pub fn close_stream(&mut self, stream: StreamId) {
        self.hub.close_stream(stream);
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
            rewound_to,
        };
        self.hub.watch(stream, request, &registration)
    }

    /// Ends a watcher; its stream says so once it has said what was queued before. An id that is
    /// not there is no error, and nothing is said.
    pub fn cancel_watch(&mut self, stream: StreamId, watch_id: i64) -> Result<()> {
        self.hub.cancel(stream, watch_id)
    }

    /// Takes the next response of a stream, and never blocks. Events come in whole revisions: at
    /// most `max_events` and `max_bytes` of keys and values, but at least one revision.
    ///
    /// After `Idle` there is nothing more until something changes; while watchers catch up with a
    /// long history that holds little for them, [`step`](Self::step) says when to ask again.
    pub fn poll(
        &mut self,
        stream: StreamId,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<WatchResponse> {
        self.up_to_date(|store| {
            let (hub, view) = store.hub_and_view();
            hub.poll(stream, max_events, max_bytes, &view)
        })
    }

    /// Whether [`poll`](Self::poll) may have more to say than `Idle`. Costs by the watchers of the
    /// stream.
    pub fn has_response(&mut self, stream: StreamId) -> Result<bool> {
        let (hub, view) = self.hub_and_view();
        hub.has_response(stream, &view)
    }

    pub(super) fn hub_and_view(&mut self) -> (&mut Hub, View<'_, P>) {
        (
            &mut self.hub,
            View {
                revisions: &self.revisions,
                published: self.published,
            },
        )
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
