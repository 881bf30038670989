//! Polling: who takes how much when, and what is learnt from it.

use revwatch::{Event, PROGRESS_OF_STREAM, WatchResponse};

use super::World;
use super::clients::{Pace, Stream};
use crate::record::{Entry, Place, StreamNo, Told, WRITER, WatcherNo};

/// Polls that get to the end of anything.
const POLLS: usize = 2_000;

impl World {
    /// A stream of any pace is polled a little.
    pub(super) fn poll_somebody(&mut self) {
        let place = self.some_place_with_streams();
        let stream = *self.random.pick(&self.open_streams(place));
        match self.streams[stream].pace {
            Pace::Fast => self.drain(stream),
            Pace::Slow => {
                for _ in 0..self.random.between(1, 4) {
                    self.poll(stream);
                }
            }
            Pace::Stalled => {
                if self.random.chance(8) {
                    self.drain(stream);
                }
            }
        }
    }

    /// Who is fast has polled before the next thing happens; who is slow has taken some of what waits.
    pub(super) fn poll_the_eager(&mut self) {
        for stream in 0..self.streams.len() {
            match self.streams[stream].pace {
                _ if !self.streams[stream].open => {}
                Pace::Fast if self.random.chance(35) => self.drain(stream),
                // About as often as somebody writes: much finds the queue full, and is held.
                Pace::Slow if self.random.chance(22) => self.drain(stream),
                Pace::Slow if self.random.chance(10) => {
                    for _ in 0..self.random.between(1, 6) {
                        self.poll(stream);
                    }
                }
                _ => {}
            }
        }
    }

    /// Polls until there is nothing more to say.
    pub(super) fn drain(&mut self, stream: StreamNo) {
        if !self.streams[stream].open {
            return;
        }
        let Stream { place, id, .. } = self.streams[stream];
        for _ in 0..POLLS {
            if self.poll(stream) {
                continue;
            }
            if self.store(place).has_response(id).expect("it is open") {
                self.catch_up(place);
                continue;
            }
            let status = self.store(place).status();
            let published = self.frontier(stream, &status);
            self.tally.drained += 1;
            for client in &mut self.clients {
                let seen = client.next <= published + 1;
                if client.stream == stream && client.is_alive() && seen {
                    (client.next, client.epoch) = (published + 1, status.epoch);
                }
            }
            return self.note(Entry::Drained { stream, published });
        }
        self.note(Entry::Starved { stream });
    }

    /// Lets a store read history for who is behind, and nothing else: no time passes.
    pub(super) fn catch_up(&mut self, place: Place) {
        if place == WRITER {
            self.pass_time();
        } else {
            self.refresh(place);
        }
    }

    /// Takes one response; whether there was any.
    fn poll(&mut self, stream: StreamNo) -> bool {
        let Stream { place, id, .. } = self.streams[stream];
        let max_events = *self.random.pick(&[1, 2, 5, usize::MAX, usize::MAX]);
        let max_bytes = *self.random.pick(&[1, 200, usize::MAX, usize::MAX]);
        let response = self.store(place).poll(id, max_events, max_bytes);
        self.look_at(place);
        let response = response.unwrap_or_else(|error| {
            panic!(
                "stream {stream} at {place} is answered {error}: {}",
                self.whole_story()
            )
        });
        let (watch_id, told) = match response {
            WatchResponse::Idle => return false,
            WatchResponse::Progress { watch_id, revision } if watch_id == PROGRESS_OF_STREAM => {
                self.stream_progresses(stream, revision);
                return true;
            }
            WatchResponse::Progress { watch_id, revision } => {
                (watch_id, Told::Progress { revision })
            }
            WatchResponse::Created { watch_id, revision } => {
                let coming = &mut self.streams[stream].coming;
                let place = coming.iter().position(|&(id, _)| id == watch_id);
                let (_, watcher) = coming
                    .remove(place.expect("it was asked for"))
                    .expect("there");
                self.streams[stream].watchers.insert(watch_id, watcher);
                (watch_id, Told::Created { revision })
            }
            WatchResponse::Events {
                watch_id,
                revision,
                events,
                fragment,
            } => {
                let events: Vec<Event> = events.iter().map(|event| event.to_owned()).collect();
                let told = Told::Events {
                    revision,
                    events,
                    fragment,
                    max_events,
                };
                (watch_id, told)
            }
            WatchResponse::Canceled { watch_id } => (watch_id, Told::Canceled),
            WatchResponse::Compacted {
                watch_id,
                compact_revision,
            } => (watch_id, Told::Compacted { compact_revision }),
            WatchResponse::Rewound { watch_id, revision } => (watch_id, Told::Rewound { revision }),
        };
        let watcher = self.streams[stream].watchers[&watch_id];
        self.take(watcher, place, &told);
        self.note(Entry::Told { watcher, told });
        true
    }

    /// Asks a stream how far it is.
    pub(super) fn ask_progress(&mut self) {
        let place = self.some_place_with_streams();
        let stream = *self.random.pick(&self.open_streams(place));
        let id = self.streams[stream].id;
        if self.store(place).request_progress(id).expect("it is open") {
            self.note(Entry::AskProgress { stream });
        }
    }

    /// All that a stream has created can be gone on from there.
    fn stream_progresses(&mut self, stream: StreamNo, revision: i64) {
        self.tally.progress_of_streams += 1;
        let watchers: Vec<WatcherNo> = self.streams[stream].watchers.values().copied().collect();
        for watcher in watchers {
            self.progress(watcher, revision);
        }
        self.note(Entry::Progress { stream, revision });
    }

    fn progress(&mut self, watcher: WatcherNo, revision: i64) {
        let client = &mut self.clients[watcher];
        if client.is_alive() && client.next <= revision {
            client.next = revision + 1;
            if client.epoch == 0 {
                client.epoch = client.registered_in;
            }
        }
    }

    /// What a watcher learns from what it is told.
    fn take(&mut self, watcher: WatcherNo, place: Place, told: &Told) {
        let (epoch, published) = (self.process(place).epoch, self.process(place).published);
        let is_hidden = self.process(place).hidden.is_some();
        if let Told::Events { events, .. } = told {
            for event in events {
                self.count_way(watcher, event.kv.mod_revision);
            }
        }
        let client = &mut self.clients[watcher];
        match told {
            Told::Created { .. } => {}
            Told::Progress { revision } => {
                self.tally.progress_of_watchers += 1;
                self.progress(watcher, *revision);
            }
            Told::Events {
                events, fragment, ..
            } => {
                self.tally.events += events.len() as u64;
                if place != WRITER {
                    self.tally.events_to_readers += events.len() as u64;
                }
                let unpublished = events
                    .iter()
                    .filter(|event| event.kv.mod_revision > published);
                self.tally.events_told_early += unpublished.count() as u64;
                self.tally.fragments += u64::from(*fragment);
                if client.ask.conflate {
                    self.tally.events_conflated += events.len() as u64;
                }
                let with_prev_kv = events.iter().filter(|event| event.prev_kv.is_some());
                self.tally.prev_kvs += with_prev_kv.count() as u64;
                let last = events.last().map_or(0, |event| event.kv.mod_revision);
                client.next = client.next.max(last + i64::from(!fragment));
                if client.epoch == 0 {
                    client.epoch = client.registered_in;
                }
            }
            Told::Canceled => {
                self.tally.canceled += 1;
                client.state = client.state.ended();
            }
            Told::Compacted { compact_revision } => {
                self.tally.compacted += 1;
                client.state = client.state.ended();
                (client.next, client.epoch) = (*compact_revision, 0);
            }
            Told::Rewound { revision } => {
                self.tally.rewound += 1;
                let stream = &self.streams[client.stream];
                self.tally.rewound_in_sight += u64::from(is_hidden && stream.early);
                client.state = client.state.ended();
                (client.next, client.epoch) = (revision + 1, epoch);
            }
        }
    }
}
