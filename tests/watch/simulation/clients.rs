//! Who watches: streams, their watchers, and where those go on who come back.

use std::collections::{BTreeMap, VecDeque};

use revwatch::{Status, StreamId, StreamOptions, WatchRequest};

use super::World;
use super::ways::Ways;
use crate::record::{Ask, Entry, Place, StreamNo, WRITER, Watch, WatcherNo};

/// Watchers that are alive at once, at most.
const MOST_WATCHERS: usize = 16;
/// How many streams and followers of a hundred are told early.
pub(super) const EARLY_PERCENT: usize = 30;

/// How eagerly a stream is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// To the end, whenever something has happened.
    Fast,
    /// After every few things that happen, and sometimes not to the end.
    Slow,
    /// For a long time not at all, and then to the end.
    Stalled,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) place: Place,
    pub(super) id: StreamId,
    /// Whether it is told of what is applied.
    pub(super) early: bool,
    pub(super) pace: Pace,
    pub(super) open: bool,
    /// The watchers by their ids, once they are created; an id can be used again.
    pub(super) watchers: BTreeMap<i64, WatcherNo>,
    /// Those who have yet to be told that they are created.
    pub(super) coming: VecDeque<(i64, WatcherNo)>,
}

/// One watcher, as the one who watches knows it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) stream: StreamNo,
    pub(super) watch_id: i64,
    pub(super) ask: Ask,
    /// Where to go on: everything before has been told, in that epoch. The epoch is 0 as long as the
    /// start is not yet published: nothing has been seen that a crash could take.
    pub(super) next: i64,
    pub(super) epoch: i64,
    pub(super) registered_in: i64,
    pub(super) state: State,
    pub(super) ways: Ways,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Alive,
    /// Has been told its last word, or is no longer polled: can be resumed.
    Ended,
    /// Somebody goes on for it.
    Resumed,
}

impl Client {
    pub(super) fn is_alive(&self) -> bool {
        self.state == State::Alive
    }
}

impl World {
    pub(super) fn open_streams(&self, place: Place) -> Vec<StreamNo> {
        let streams = self.streams.iter().enumerate();
        let open = streams.filter(|(_, stream)| stream.open && stream.place == place);
        open.map(|(number, _)| number).collect()
    }

    pub(super) fn open_stream(&mut self, at: Place) {
        let early = self.random.chance(EARLY_PERCENT);
        let id = self.store(at).watch_stream_with(StreamOptions { early });
        let pace = match self.random.below(10) {
            0..3 => Pace::Fast,
            3..9 => Pace::Slow,
            _ => Pace::Stalled,
        };
        self.streams.push(Stream {
            place: at,
            id,
            early,
            pace,
            open: true,
            watchers: BTreeMap::new(),
            coming: VecDeque::new(),
        });
    }

    pub(super) fn close_some_stream(&mut self) {
        let place = self.some_place_with_streams();
        let stream = *self.random.pick(&self.open_streams(place));
        let id = self.streams[stream].id;
        self.store(place).close_stream(id);
        self.abandon(stream);
    }

    /// A stream is no longer polled; its watchers may go on elsewhere.
    pub(super) fn abandon(&mut self, stream: StreamNo) {
        self.streams[stream].open = false;
        for client in &mut self.clients {
            if client.stream == stream && client.state == State::Alive {
                client.state = State::Ended;
            }
        }
        self.note(Entry::Closed { stream });
    }

    pub(super) fn some_place_with_streams(&mut self) -> Place {
        let place = self.some_place();
        if self.open_streams(place).is_empty() {
            WRITER
        } else {
            place
        }
    }

    /// Somebody new watches something.
    pub(super) fn watch_somewhere(&mut self) {
        let place = self.some_place_with_streams();
        let mut ask = Ask::new(self.some_range());
        let newest = self.store(place).revision();
        let oldest = self.store(place).status().compact_revision.max(1);
        ask.start_revision = match self.random.below(10) {
            0..4 => 0,
            4 => self.random.between(oldest, newest.max(oldest)),
            5..7 => self
                .random
                .between((newest - 20).max(oldest).min(newest), newest),
            7 => self.random.between(1, oldest),
            8 => newest + 1,
            _ => newest + self.random.between(1, 12),
        };
        ask.prev_kv = self.random.chance(35);
        match self.random.below(10) {
            0 => ask.no_put = true,
            1 => ask.no_delete = true,
            2..4 => ask.ranges.push(self.some_range()),
            4 => ask.ranges.extend([self.some_range(), self.some_range()]),
            _ => {}
        }
        ask.keys_only = self.random.chance(8);
        ask.fragment = self.random.chance(15);
        ask.progress_notify = self.random.chance(15);
        ask.conflate = self.random.chance(8);
        self.watch(place, ask, None);
    }

    fn watch(&mut self, place: Place, ask: Ask, resumes: Option<WatcherNo>) {
        if self
            .clients
            .iter()
            .filter(|client| client.is_alive())
            .count()
            >= MOST_WATCHERS
        {
            return;
        }
        let streams = self.open_streams(place);
        let stream = *self.random.pick(&streams);
        let request = WatchRequest {
            start_revision: ask.start_revision,
            watch_id: self.some_free_id(stream),
            prev_kv: ask.prev_kv,
            no_put: ask.no_put,
            no_delete: ask.no_delete,
            keys_only: ask.keys_only,
            fragment: ask.fragment,
            progress_notify: ask.progress_notify,
            conflate: ask.conflate,
            epoch: ask.epoch,
            ..WatchRequest::of_ranges(ask.ranges.clone())
        };
        let id = self.streams[stream].id;
        let watch_id = match self.store(place).watch(id, &request) {
            Ok(watch_id) => watch_id,
            Err(error) => {
                let error = error.to_string();
                return self.note(Entry::Refused { stream, error });
            }
        };
        self.look_at(place);
        let status = self.store(place).status();
        let (revision, epoch) = (status.revision, status.epoch);
        let watcher = self.clients.len();
        self.streams[stream].coming.push_back((watch_id, watcher));
        let next = if ask.start_revision == 0 {
            revision + 1
        } else {
            ask.start_revision
        };
        self.clients.push(Client {
            stream,
            watch_id,
            next,
            ask: ask.clone(),
            epoch: if ask.epoch == 0 && next > self.frontier(stream, &status) + 1 {
                0
            } else {
                epoch
            },
            registered_in: epoch,
            state: State::Alive,
            ways: Ways::default(),
        });
        self.by_id.insert((place, id, watch_id), watcher);
        self.note(Entry::Watch(Watch {
            watcher,
            stream,
            place,
            early: self.streams[stream].early,
            revision,
            epoch,
            ask,
            resumes,
        }));
    }

    /// The newest revision that a stream may be told of.
    pub(super) fn frontier(&self, stream: StreamNo, status: &Status) -> i64 {
        if self.streams[stream].early {
            status.revision
        } else {
            status.published_revision
        }
    }

    /// Mostly 0, which has one chosen. The others are never chosen: a watcher that has ended, which it
    /// has yet to be told, could not be told from the one that has its id now.
    fn some_free_id(&mut self, stream: StreamNo) -> i64 {
        let id = self.random.between(-5, -2);
        let alive = |client: &Client| client.stream == stream && client.watch_id == id;
        let in_use = self
            .clients
            .iter()
            .any(|client| client.is_alive() && alive(client));
        if in_use || self.random.chance(70) {
            0
        } else {
            id
        }
    }

    pub(super) fn cancel_somebody(&mut self) {
        let alive = self
            .clients
            .iter()
            .enumerate()
            .filter(|(_, client)| client.is_alive());
        let alive: Vec<WatcherNo> = alive.map(|(watcher, _)| watcher).collect();
        if alive.is_empty() {
            return;
        }
        let watcher = *self.random.pick(&alive);
        let client = &mut self.clients[watcher];
        client.state = State::Ended;
        let watch_id = client.watch_id;
        let Stream { place, id, .. } = self.streams[client.stream];
        self.note(Entry::Cancel { watcher });
        self.store(place)
            .cancel_watch(id, watch_id)
            .expect("the stream is open");
    }

    /// Somebody who watched no longer goes on from where that was.
    pub(super) fn resume_somebody(&mut self) {
        let ended = self.clients.iter().enumerate();
        let ended = ended.filter(|(_, client)| client.state == State::Ended);
        let ended: Vec<WatcherNo> = ended.map(|(watcher, _)| watcher).collect();
        if ended.is_empty() {
            return self.watch_somewhere();
        }
        let watcher = *self.random.pick(&ended);
        let client = &mut self.clients[watcher];
        client.state = State::Resumed;
        let (ask, stream) = (client.ask.clone(), client.stream);
        let (start_revision, epoch) = (client.next, client.epoch);
        // What a reader has seen, the writer may have lost; the other way round it may lie ahead.
        let old_place = self.streams[stream].place;
        let place = if self.open_streams(old_place).is_empty() {
            WRITER
        } else {
            old_place
        };
        self.tally.resumed += 1;
        let ask = Ask {
            start_revision,
            epoch,
            ..ask
        };
        self.watch(place, ask, Some(watcher));
    }
}

impl State {
    pub(super) fn ended(self) -> Self {
        if self == Self::Resumed {
            Self::Resumed
        } else {
            Self::Ended
        }
    }
}
