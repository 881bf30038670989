//! Reading history for watchers that are behind.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::history::History;
use super::hub::Hub;
use super::response::WatchResponse;
use super::stream::StreamId;
use super::watcher::{State, WatcherKey};
use crate::error::Result;

/// Parts of history that one poll reads at most.
const PASSES_PER_POLL: usize = 64;

impl Hub {
    /// Reads one bounded part of history for all unsynced watchers whose streams have room.
    /// Answers whether there is more to read.
    pub(crate) fn catch_up(&mut self, max_bytes: usize, history: &impl History) -> Result<bool> {
        let waiting = self
            .watchers
            .iter()
            .filter(|(_, watcher)| {
                matches!(watcher.state, State::Unsynced)
                    && self.streams[&watcher.stream.0].has_room(self.queue_responses, watcher)
            })
            .map(|(key, _)| key)
            .collect();
        self.catch_up_some(waiting, max_bytes, history)
    }

    /// The same for the watchers of one stream, which has nothing queued, until it has or there is
    /// nothing more to read. Bounded: a range in which little changes may need further calls.
    pub(super) fn catch_up_stream(
        &mut self,
        stream: StreamId,
        max_bytes: usize,
        history: &impl History,
    ) -> Result<()> {
        for _ in 0..PASSES_PER_POLL {
            let more = self.is_behind() && self.catch_up_members(stream, max_bytes, history)?;
            if !more || !self.streams[&stream.0].is_drained() {
                break;
            }
        }
        Ok(())
    }

    fn catch_up_members(
        &mut self,
        stream: StreamId,
        max_bytes: usize,
        history: &impl History,
    ) -> Result<bool> {
        let members = self.streams[&stream.0].watchers.values().copied();
        let waiting = members
            .filter(|&key| matches!(self.watchers[key].state, State::Unsynced))
            .collect();
        self.catch_up_some(waiting, max_bytes, history)
    }

    /// One pass serves them all: it starts where the one furthest behind stands.
    fn catch_up_some(
        &mut self,
        waiting: Vec<WatcherKey>,
        max_bytes: usize,
        history: &impl History,
    ) -> Result<bool> {
        let waiting = self.end_compacted(waiting, history);
        let Some(from) = waiting
            .iter()
            .map(|&key| self.watchers[key].next_revision)
            .min()
        else {
            return Ok(false);
        };
        if from > history.published() {
            // Nothing to read; who waits for what is yet to come is synced.
            for key in waiting {
                let reached = self.watchers[key].next_revision - 1;
                self.advance(key, reached, history);
            }
            return Ok(false);
        }
        let prev_kv = waiting.iter().any(|&key| self.watchers[key].prev_kv);
        let reach = history.events(from, self.catch_up_revisions, max_bytes, prev_kv)?;

        let batch = Arc::new(reach.events);
        let mut matches = Vec::new();
        for (index, event) in batch.iter().enumerate() {
            self.unsynced.matching(&event.kv.key, |key| {
                if waiting.binary_search(&key).is_ok() && self.watchers[key].wants(event) {
                    matches.push((key, index as u32));
                }
            });
        }
        self.deliver_matches(history.published(), &batch, &mut matches);
        let mut more = false;
        for key in waiting {
            more |= self.advance(key, reach.revision, history);
        }
        Ok(more)
    }

    /// Moves a watcher past what was read for it; answers whether it has more to read.
    fn advance(&mut self, key: WatcherKey, reached: i64, history: &impl History) -> bool {
        let watcher = &mut self.watchers[key];
        watcher.next_revision = watcher.next_revision.max(reached + 1);
        if matches!(watcher.state, State::Unsynced) && watcher.next_revision > history.applied() {
            watcher.state = State::Synced;
            self.unsynced.remove(&watcher.range, key);
            self.synced.insert(&watcher.range, key);
        }
        watcher.next_revision <= history.published()
    }

    /// Ends the watchers whose history was compacted; answers the others, in order of their keys.
    fn end_compacted(
        &mut self,
        mut waiting: Vec<WatcherKey>,
        history: &impl History,
    ) -> Vec<WatcherKey> {
        let compact_revision = history.compact_revision();
        waiting.retain(|&key| {
            let watcher = &self.watchers[key];
            let watch_id = watcher.id;
            let compacted = watcher.next_revision < compact_revision;
            if compacted {
                self.end(
                    key,
                    WatchResponse::Compacted {
                        watch_id,
                        compact_revision,
                    },
                );
            }
            !compacted
        });
        waiting.sort_unstable();
        waiting
    }
}
