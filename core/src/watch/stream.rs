//! Streams: many watchers, one bounded queue.

use alloc::collections::{BTreeMap, VecDeque};

use slab::Slab;

use super::response::{Events, WatchResponse};
use super::watcher::{Watcher, WatcherKey};

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
    /// Whether another batch of events for `watcher` fits: up to `capacity` in all, and one for each
    /// watcher however many there are, so that a change that concerns them all makes no victims among
    /// those who keep up.
    pub(super) fn has_room(&self, capacity: usize, watcher: &Watcher) -> bool {
        self.queued_events < capacity || watcher.queued_events == 0
    }

    /// Whether nothing waits.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty()
    }

    /// Queues what is said of a watcher; there is always room for that.
    pub(super) fn push(&mut self, response: WatchResponse) {
        self.queue.push_back(response);
    }

    /// Queues events for a watcher.
    pub(super) fn push_events(&mut self, watcher: &mut Watcher, revision: i64, events: Events) {
        self.queued_events += 1;
        watcher.queued_events += 1;
        self.queue.push_back(WatchResponse::Events {
            watch_id: watcher.id,
            revision,
            events,
        });
    }

    /// Takes the oldest response. Events that exceed the limits are divided at a revision.
    pub(super) fn pop(
        &mut self,
        watchers: &mut Slab<Watcher>,
        max_events: usize,
        max_bytes: usize,
    ) -> Option<WatchResponse> {
        let mut response = self.queue.pop_front()?;
        if let WatchResponse::Events {
            watch_id,
            revision,
            events,
        } = &mut response
        {
            let (watch_id, revision) = (*watch_id, *revision);
            if let Some(events) = events.split(max_events, max_bytes) {
                let rest = WatchResponse::Events {
                    watch_id,
                    revision,
                    events,
                };
                self.queue.push_front(rest);
            } else {
                self.queued_events -= 1;
                if let Some(&key) = self.watchers.get(&watch_id) {
                    let watcher = &mut watchers[key];
                    watcher.queued_events = watcher.queued_events.saturating_sub(1);
                }
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
