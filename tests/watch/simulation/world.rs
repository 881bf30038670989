//! A store, its readers, and everybody who watches.

use std::collections::BTreeMap;

use revwatch::page::fault::{FaultDisk, FaultPages};
use revwatch::{Error, Status, StreamId};
use revwatch_model::Random;

use super::clients::{Client, Stream};
use super::followers::Follower;
use super::handle::Handle;
use super::setup::Setup;
use super::tally::Tally;
use crate::ledger::Ledger;
use crate::record::{Entry, Place, Record, WRITER, WatcherNo};

/// Readers in other processes, at most.
const READERS: usize = 2;
/// Streams of one process that are open at once, at least.
const STREAMS: usize = 3;
/// Watchers that are alive at once, at least; a history has more, one after the other.
const WATCHERS: usize = 10;

pub struct World {
    pub(super) setup: Setup,
    pub(super) random: Random,
    pub(super) disk: FaultDisk,
    /// The processes: the writer, then the readers.
    pub(super) places: Vec<Option<Process>>,
    /// What was written, for who wants to write something that makes sense.
    pub(super) ledger: Ledger,
    pub(super) record: Record,
    pub(super) streams: Vec<Stream>,
    pub(super) clients: Vec<Client>,
    /// The watchers by where they are and by their ids there; the newest of those with one id.
    pub(super) by_id: BTreeMap<(Place, StreamId, i64), WatcherNo>,
    pub(super) followers: Vec<Follower>,
    pub(super) tally: Tally,
    pub(super) now_ms: i64,
    pub(super) values: u64,
    /// A write has failed: the store takes no more.
    pub(super) failed: bool,
    pub(super) planned_failures: u64,
    /// The leases of which a failed step may have revoked one.
    pub(super) perhaps_expired: Vec<i64>,
}

/// A process that has the store open.
pub(super) struct Process {
    pub(super) store: Handle<FaultDisk>,
    /// The epoch that it was last seen in.
    pub(super) epoch: i64,
    /// What was published and what was applied when it was last seen.
    pub(super) published: i64,
    pub(super) applied: i64,
    /// Beyond which revision everything has gone out of sight.
    pub(super) hidden: Option<i64>,
}

impl Process {
    pub(super) fn new(store: Handle<FaultDisk>, status: &Status) -> Self {
        Self {
            store,
            epoch: status.epoch,
            published: status.published_revision,
            applied: status.revision,
            hidden: None,
        }
    }
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let setup = Setup::new(seed, &mut random);
        let disk = FaultDisk::new(FaultPages::new(setup.page_size, seed));
        let mut world = Self {
            record: Record {
                shown_is_durable: setup.shown_is_durable(),
                entries: Vec::new(),
            },
            setup,
            random,
            disk,
            places: (0..=READERS).map(|_| None).collect(),
            ledger: Ledger::default(),
            streams: Vec::new(),
            clients: Vec::new(),
            by_id: BTreeMap::new(),
            followers: Vec::new(),
            tally: Tally::default(),
            now_ms: 1000,
            values: 0,
            failed: false,
            planned_failures: 0,
            perhaps_expired: Vec::new(),
        };
        world.open_writer();
        world
    }

    /// Does all that the seed has chosen.
    pub fn play(&mut self) {
        for _ in 0..self.setup.steps {
            self.keep_watching();
            match self.random.below(100) {
                0..54 => self.write(),
                54..58 => self.pass_time(),
                58..78 => self.poll_somebody(),
                78..81 => self.watch_somewhere(),
                81..83 => self.cancel_somebody(),
                83..87 => self.resume_somebody(),
                87..89 => self.compact(),
                89..92 => self.flush(),
                92 if self.random.chance(50) => self.close_some_stream(),
                93 if self.random.chance(60) => self.ask_progress(),
                93 => self.follow_somewhere(),
                94..96 => self.poll_followers(),
                92 | 96..98 => self.visit_reader(),
                _ => self.something_fails(),
            }
            self.poll_the_eager();
        }
    }

    /// Makes everything durable, polls every stream to its end, and answers what happened.
    pub fn finish(mut self) -> (Record, Tally) {
        self.disk.forget_faults();
        if self.failed {
            self.lose_process();
        }
        self.flush();
        for reader in 1..=READERS {
            self.refresh(reader);
        }
        for stream in 0..self.streams.len() {
            self.drain(stream);
        }
        for follower in 0..self.followers.len() {
            self.drain_follower(follower);
        }
        self.tally.histories += 1;
        self.tally.watchers += self.clients.len() as u64;
        self.tally.fewest_watchers = self.clients.len() as u64;
        (self.record, self.tally)
    }

    pub(super) fn note(&mut self, entry: Entry) {
        self.record.entries.push(entry);
    }

    pub(super) fn store(&mut self, place: Place) -> &mut Handle<FaultDisk> {
        &mut self.process(place).store
    }

    pub(super) fn process(&mut self, place: Place) -> &mut Process {
        self.places[place]
            .as_mut()
            .expect("only open processes are asked for")
    }

    /// One of the processes that are open.
    pub(super) fn some_place(&mut self) -> Place {
        let open: Vec<Place> = (0..self.places.len())
            .filter(|&place| self.places[place].is_some())
            .collect();
        if self.random.chance(self.setup.writer_percent) {
            WRITER
        } else {
            *self.random.pick(&open)
        }
    }

    /// There are always a few watchers, at different places.
    fn keep_watching(&mut self) {
        for place in 0..self.places.len() {
            while self.places[place].is_some() && self.open_streams(place).len() < STREAMS {
                self.open_stream(place);
            }
        }
        while self
            .clients
            .iter()
            .filter(|client| client.is_alive())
            .count()
            < WATCHERS
        {
            if self.random.chance(50) {
                self.resume_somebody();
            } else {
                self.watch_somewhere();
            }
        }
    }

    /// What can be seen of a process from outside: compactions and epochs.
    pub(super) fn look_at(&mut self, place: Place) {
        let process = self.process(place);
        let status = process.store.status();
        let old = std::mem::replace(&mut process.epoch, status.epoch);
        self.look_at_watchers(place, &status);
        if old != status.epoch {
            let epoch = status.epoch;
            self.note(Entry::Refresh { place, epoch });
        }
        let is_hidden = status.poisoned && status.revision < self.ledger.newest();
        let hidden = is_hidden.then_some(status.revision);
        if place == WRITER && is_hidden && self.process(place).hidden != hidden {
            self.process(place).hidden = hidden;
            let revision = status.revision;
            self.note(Entry::Hidden { revision });
        }
        if place == WRITER && status.compact_revision != self.ledger.compact_revision() {
            let revision = status.compact_revision;
            self.ledger.compact(revision);
            self.note(Entry::Compact { revision });
        }
    }

    /// What was written so far, for who finds that the store differs.
    pub(super) fn whole_story(&self) -> String {
        let last = self.record.entries.len().saturating_sub(1);
        let story = self.record.story(None, last);
        format!("\n{story}REVWATCH_SEED={} repeats it", self.setup.seed)
    }

    /// A failure is one that was planned, and ends all writing.
    pub(super) fn fail(&mut self, error: &Error) {
        assert!(
            self.disk_may_fail(),
            "seed {}: nobody let the disk fail: {error}",
            self.setup.seed
        );
        self.failed = true;
    }
}
