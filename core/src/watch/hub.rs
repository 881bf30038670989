//! All streams and watchers of a store.

use alloc::sync::Arc;
use alloc::vec::Vec;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use slab::Slab;

use super::history::History;
use super::matcher::Matcher;
use super::request::WatchRequest;
use super::response::{Events, WatchResponse};
use super::stream::{Stream, StreamId};
use super::watcher::{State, Watcher, WatcherKey};
use crate::error::{Error, Result};
use crate::range::KeyRange;
use crate::record::Event;

/// A poll for little still reads this much history at once: what it reads may be for others.
const LEAST_READ_BYTES: usize = 64 * 1024;

/// All streams and watchers. Matching a change costs by the watchers that it concerns.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(super) streams: HashMap<u64, Stream, FixedState>,
    next_stream: u64,
    pub(super) watchers: Slab<Watcher>,
    /// The synced watchers.
    pub(super) synced: Matcher,
    /// The unsynced watchers.
    pub(super) unsynced: Matcher,
    /// How many watchers want to know what a key was before.
    pub(super) want_prev_kv: usize,
    /// Responses with events that may wait in one stream.
    pub(super) queue_responses: usize,
    /// Distinct revisions in one response to a watcher that catches up.
    pub(super) catch_up_revisions: usize,
    /// Reused by every publication: which watcher wants which event.
    matches: Vec<(WatcherKey, u32)>,
}

/// What a watcher is registered with, besides its request.
pub(crate) struct Registration {
    /// The store's newest revision.
    pub(crate) applied: i64,
    /// Where the history of the watcher's epoch ended, if what it wants to go on from was lost.
    pub(crate) rewound_to: Option<i64>,
}

impl Hub {
    pub(crate) fn new(seed: u64, queue_responses: usize, catch_up_revisions: usize) -> Self {
        Self {
            streams: HashMap::with_hasher(FixedState::with_seed(seed)),
            next_stream: 1,
            watchers: Slab::new(),
            synced: Matcher::new(seed),
            unsynced: Matcher::new(seed),
            want_prev_kv: 0,
            queue_responses: queue_responses.max(1),
            catch_up_revisions: catch_up_revisions.max(1),
            matches: Vec::new(),
        }
    }

    pub(crate) fn stream_count(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn watcher_count(&self) -> usize {
        self.watchers.len()
    }

    /// Watchers that are behind and read history.
    pub(crate) fn unsynced_count(&self) -> usize {
        self.unsynced.len()
    }

    /// Watchers that hold a batch because their stream is full.
    pub(crate) fn victim_count(&self) -> usize {
        self.watchers.len() - self.synced.len() - self.unsynced.len()
    }

    /// Whether the next transaction's events are needed.
    pub(crate) fn wants_events(&self) -> bool {
        self.synced.len() > 0
    }

    /// Whether anybody asked what keys were before.
    pub(crate) fn wants_prev_kv(&self) -> bool {
        self.want_prev_kv > 0
    }

    /// Whether there are watchers that history must be read for.
    pub(crate) fn is_behind(&self) -> bool {
        self.unsynced_count() > 0
    }

    pub(crate) fn open_stream(&mut self) -> StreamId {
        let id = self.next_stream;
        self.next_stream += 1;
        self.streams.insert(id, Stream::default());
        StreamId(id)
    }

    /// Forgets a stream and its watchers. One that is not there is no mistake.
    pub(crate) fn close_stream(&mut self, id: StreamId) {
        let Some(stream) = self.streams.remove(&id.0) else {
            return;
        };
        for key in stream.watchers.into_values() {
            self.forget(key);
        }
    }

    /// Registers a watcher; answers its id.
    pub(crate) fn watch(
        &mut self,
        stream_id: StreamId,
        request: &WatchRequest,
        registration: &Registration,
    ) -> Result<i64> {
        let stream = self
            .streams
            .get_mut(&stream_id.0)
            .ok_or(Error::StreamNotFound)?;
        let mut request = request.clone();
        if request.range.lacks_key() {
            request.range = watched_from_the_first_key(&request.range);
        }
        if request.range.is_empty() {
            return Err(Error::EmptyWatchRange);
        }
        if stream.watchers.contains_key(&request.watch_id) && request.watch_id != 0 {
            return Err(Error::DuplicateWatchId {
                id: request.watch_id,
            });
        }
        let id = if request.watch_id == 0 {
            stream.choose_id()
        } else {
            request.watch_id
        };
        let revision = registration.applied;
        stream.push(WatchResponse::Created {
            watch_id: id,
            revision,
        });
        if let Some(revision) = registration.rewound_to {
            stream.push(WatchResponse::Rewound {
                watch_id: id,
                revision,
            });
            return Ok(id);
        }

        let next = if request.start_revision == 0 {
            revision + 1
        } else {
            request.start_revision
        };
        let state = if next > revision {
            State::Synced
        } else {
            State::Unsynced
        };
        let watcher = Watcher::new(id, stream_id, &request, next, state);
        let key = self.watchers.insert(watcher);
        stream.watchers.insert(id, key);
        self.group_of(next > revision).insert(&request.range, key);
        self.want_prev_kv += usize::from(request.prev_kv);
        Ok(id)
    }

    /// Ends a watcher: its stream says so behind what is queued already. An id that is not there
    /// is no mistake, and nothing is said.
    pub(crate) fn cancel(&mut self, stream_id: StreamId, watch_id: i64) -> Result<()> {
        let stream = self
            .streams
            .get(&stream_id.0)
            .ok_or(Error::StreamNotFound)?;
        if let Some(&key) = stream.watchers.get(&watch_id) {
            self.end(key, WatchResponse::Canceled { watch_id });
        }
        Ok(())
    }

    /// Whether a poll of the stream would find something to say, or something to look for.
    pub(crate) fn has_response(&self, stream_id: StreamId, history: &impl History) -> Result<bool> {
        let stream = self
            .streams
            .get(&stream_id.0)
            .ok_or(Error::StreamNotFound)?;
        let is_behind = |&key: &WatcherKey| {
            let watcher = &self.watchers[key];
            matches!(watcher.state, State::Unsynced) && watcher.next_revision <= history.published()
        };
        Ok(!stream.is_drained() || stream.watchers.values().any(is_behind))
    }

    /// Delivers a transaction's events, in order, to the synced watchers that they concern.
    pub(crate) fn publish(&mut self, revision: i64, events: Vec<Event>) {
        let batch = Arc::new(events);
        let mut matches = core::mem::take(&mut self.matches);
        for (index, event) in batch.iter().enumerate() {
            let (watchers, index) = (&self.watchers, index as u32);
            self.synced.matching(&event.kv.key, |key| {
                if watchers[key].wants(event) {
                    matches.push((key, index));
                }
            });
        }
        self.deliver_matches(revision, &batch, &mut matches);
        matches.clear();
        self.matches = matches;
    }

    /// Delivers to each watcher the events that it was matched with.
    pub(super) fn deliver_matches(
        &mut self,
        revision: i64,
        batch: &Arc<Vec<Event>>,
        matches: &mut [(WatcherKey, u32)],
    ) {
        // By watcher, then by event; also makes the order of delivery the same on every platform.
        matches.sort_unstable();
        let mut indices = Vec::new();
        for group in matches.chunk_by(|a, b| a.0 == b.0) {
            indices.clear();
            indices.extend(group.iter().map(|&(_, index)| index));
            let key = group[0].0;
            let events = Events::select(batch, &indices, self.watchers[key].prev_kv);
            self.deliver(key, revision, events);
        }
    }

    /// Queues a batch for a watcher, or makes the watcher hold it if its queue is full.
    fn deliver(&mut self, key: WatcherKey, revision: i64, events: Events) {
        let watcher = &mut self.watchers[key];
        let stream = self
            .streams
            .get_mut(&watcher.stream.0)
            .expect("a watcher's stream is open");
        let last = events.len() - 1;
        watcher.next_revision = events
            .get(last)
            .map_or(revision, |last| last.kv.mod_revision)
            + 1;
        if stream.has_room(self.queue_responses, watcher) {
            stream.push_events(watcher, revision, events);
            return;
        }
        stream.victims.push_back(key);
        match core::mem::replace(&mut watcher.state, State::Victim(events)) {
            State::Synced => self.synced.remove(&watcher.range, key),
            State::Unsynced => self.unsynced.remove(&watcher.range, key),
            State::Victim(_) => unreachable!("a victim is matched against nothing"),
        }
    }

    /// Takes the stream's next response, with room made for its victims, and with history read if
    /// there is nothing else to say.
    pub(crate) fn poll(
        &mut self,
        stream_id: StreamId,
        max_events: usize,
        max_bytes: usize,
        history: &impl History,
    ) -> Result<WatchResponse> {
        self.deliver_victims(stream_id, history)?;
        let stream = self
            .streams
            .get(&stream_id.0)
            .ok_or(Error::StreamNotFound)?;
        if stream.is_drained() {
            self.catch_up_stream(stream_id, max_bytes.max(LEAST_READ_BYTES), history)?;
        }
        let stream = self
            .streams
            .get_mut(&stream_id.0)
            .ok_or(Error::StreamNotFound)?;
        Ok(stream
            .pop(&mut self.watchers, max_events, max_bytes)
            .unwrap_or(WatchResponse::Idle))
    }

    /// Queues what the stream's victims hold, as far as there is room. Each goes on as synced if
    /// nothing was written meanwhile, else as unsynced.
    fn deliver_victims(&mut self, stream_id: StreamId, history: &impl History) -> Result<()> {
        let capacity = self.queue_responses;
        let stream = self
            .streams
            .get_mut(&stream_id.0)
            .ok_or(Error::StreamNotFound)?;
        while let Some(&key) = stream.victims.front() {
            let watcher = &mut self.watchers[key];
            if !stream.has_room(capacity, watcher) {
                break;
            }
            stream.victims.pop_front();
            let synced = watcher.next_revision > history.applied();
            let state = if synced {
                State::Synced
            } else {
                State::Unsynced
            };
            let State::Victim(events) = core::mem::replace(&mut watcher.state, state) else {
                unreachable!("only victims are listed");
            };
            stream.push_events(watcher, history.published(), events);
            let group = if synced {
                &mut self.synced
            } else {
                &mut self.unsynced
            };
            group.insert(&watcher.range, key);
        }
        Ok(())
    }

    /// What comes after `told` cannot be handed to the synced watchers one by one: they read it from
    /// history.
    pub(crate) fn fall_behind(&mut self, told: i64) {
        for key in self.keys_where(|watcher| matches!(watcher.state, State::Synced)) {
            let watcher = &mut self.watchers[key];
            watcher.next_revision = watcher.next_revision.max(told + 1);
            watcher.state = State::Unsynced;
            self.synced.remove(&watcher.range, key);
            self.unsynced.insert(&watcher.range, key);
        }
    }

    /// History after `cut` was lost in a crash: ends the watchers that may have been told of it; the
    /// others read what came instead. `told` is what was published before the loss.
    pub(crate) fn rewind(&mut self, cut: i64, told: i64) {
        let lost = self.keys_where(|watcher| match watcher.state {
            // Who waits for a start in the future has been told nothing, the others everything.
            State::Synced => watcher.next_revision <= told + 1 && told > cut,
            State::Unsynced | State::Victim(_) => watcher.next_revision - 1 > cut,
        });
        for key in lost {
            let watch_id = self.watchers[key].id;
            let revision = cut;
            self.end(key, WatchResponse::Rewound { watch_id, revision });
        }
        self.fall_behind(told.min(cut));
    }

    fn keys_where(&self, wanted: impl Fn(&Watcher) -> bool) -> Vec<WatcherKey> {
        let found = self.watchers.iter().filter(|(_, watcher)| wanted(watcher));
        found.map(|(key, _)| key).collect()
    }

    /// Ends a watcher with a last word.
    pub(super) fn end(&mut self, key: WatcherKey, last_word: WatchResponse) {
        let watcher = &self.watchers[key];
        let stream = self
            .streams
            .get_mut(&watcher.stream.0)
            .expect("a watcher's stream is open");
        stream.watchers.remove(&watcher.id);
        if matches!(watcher.state, State::Victim(_)) {
            stream.victims.retain(|&victim| victim != key);
        }
        stream.push(last_word);
        self.forget(key);
    }

    fn forget(&mut self, key: WatcherKey) {
        let watcher = self.watchers.remove(key);
        self.want_prev_kv -= usize::from(watcher.prev_kv);
        match watcher.state {
            State::Synced => self.synced.remove(&watcher.range, key),
            State::Unsynced => self.unsynced.remove(&watcher.range, key),
            State::Victim(_) => {}
        }
    }

    fn group_of(&mut self, synced: bool) -> &mut Matcher {
        if synced {
            &mut self.synced
        } else {
            &mut self.unsynced
        }
    }
}

/// In a watch the empty key stands for the first one.
fn watched_from_the_first_key(range: &KeyRange) -> KeyRange {
    match range {
        KeyRange::One(_) => KeyRange::one(b"\0"),
        KeyRange::Span { end, .. } => KeyRange::span(b"\0", end),
        KeyRange::From(_) | KeyRange::Prefix(_) | KeyRange::All => KeyRange::All,
    }
}
