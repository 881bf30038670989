//! Streams: many watchers, one bounded queue.

use alloc::collections::{BTreeMap, VecDeque};

use super::response::WatchResponse;
use super::watcher::WatcherKey;

/// Names a stream of a store. Never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(super) u64);

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// What waits to be polled, oldest first.
    queue: VecDeque<WatchResponse>,
    /// How many of those are events; only they count against the bound.
    queued_events: usize,
    /// The stream's watchers by their id.
    pub(super) watchers: BTreeMap<i64, WatcherKey>,
    /// Watchers that hold a batch, in the order in which they came to hold it.
    pub(super) victims: VecDeque<WatcherKey>,
    /// The id to try next when one is to be chosen; never goes back.
    next_id: i64,
}

impl Stream {
    /// Whether another batch of events fits: up to `capacity`, and one for each watcher however many
    /// there are, so that a change that concerns them all makes no victims among those who keep up.
    pub(super) fn has_room(&self, capacity: usize) -> bool {
        self.queued_events < capacity.max(self.watchers.len())
    }

    /// Whether nothing waits.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn push(&mut self, response: WatchResponse) {
        self.queued_events += usize::from(matches!(response, WatchResponse::Events { .. }));
        self.queue.push_back(response);
    }

    /// Takes the oldest response. Events that exceed the limits are divided at a revision.
    pub(super) fn pop(&mut self, max_events: usize, max_bytes: usize) -> Option<WatchResponse> {
        let mut response = self.queue.pop_front()?;
        if let WatchResponse::Events {
            watch_id,
            revision,
            events,
        } = &mut response
        {
            match events.split(max_events, max_bytes) {
                Some(rest) => self.queue.push_front(WatchResponse::Events {
                    watch_id: *watch_id,
                    revision: *revision,
                    events: rest,
                }),
                None => self.queued_events -= 1,
            }
        }
        Some(response)
    }

    /// Chooses an id that no watcher of the stream has.
    pub(super) fn choose_id(&mut self) -> i64 {
        while self.watchers.contains_key(&self.next_id) {
            self.next_id += 1;
        }
        self.next_id += 1;
        self.next_id - 1
    }
}
