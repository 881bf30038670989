//! One watcher.

use super::request::WatchRequest;
use super::response::Events;
use super::stream::StreamId;
use crate::range::KeyRange;
use crate::record::{Event, EventKind};

/// A watcher's place in the hub.
pub(super) type WatcherKey = usize;

/// Where a watcher stands; see the module's documentation for the transitions.
#[derive(Debug)]
pub(super) enum State {
    /// Waits for the next change.
    Synced,
    /// Is behind: has yet to see what is published from `next_revision` on.
    Unsynced,
    /// Holds the batch that did not fit its stream's queue.
    Victim(Events),
}

#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) id: i64,
    pub(super) stream: StreamId,
    pub(super) range: KeyRange,
    pub(super) prev_kv: bool,
    no_put: bool,
    no_delete: bool,
    /// Nothing before this revision is delivered; everything from it on is.
    pub(super) next_revision: i64,
    pub(super) state: State,
    /// Batches of its that wait in its stream. An id that is used again inherits none.
    pub(super) queued_events: usize,
}

impl Watcher {
    pub(super) fn new(
        id: i64,
        stream: StreamId,
        request: &WatchRequest,
        next_revision: i64,
        state: State,
    ) -> Self {
        Self {
            id,
            stream,
            range: request.range.clone(),
            prev_kv: request.prev_kv,
            no_put: request.no_put,
            no_delete: request.no_delete,
            next_revision,
            state,
            queued_events: 0,
        }
    }

    /// Whether it wants an event of its range.
    pub(super) fn wants(&self, event: &Event) -> bool {
        let filtered = match event.kind {
            EventKind::Put => self.no_put,
            EventKind::Delete => self.no_delete,
        };
        !filtered && event.kv.mod_revision >= self.next_revision
    }
}
