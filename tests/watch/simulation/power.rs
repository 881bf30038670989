//! Crashes, closings, failures of the disk, and who comes back after them.

use revwatch::page::fault::{Fault, Random as FaultRandom};
use revwatch::{SharedStore, Store};

use super::World;
use super::handle::Handle;
use super::world::Process;
use crate::record::{Entry, Place, WRITER};

impl World {
    pub(super) fn open_writer(&mut self) {
        self.disk.forget_faults();
        let options = self.setup.options(false);
        let store = Store::open(self.disk.clone(), options).expect("what a crash leaves opens");
        let mut store = if self.setup.is_shared {
            Handle::Shared(SharedStore::new(store))
        } else {
            Handle::Own(Box::new(store))
        };
        let status = store.status();
        let (epoch, revision) = (status.epoch, status.revision);
        let compact_revision = status.compact_revision;
        if revision > 1 {
            self.settle_expiry(revision, &store.leases());
        }
        let newest = self.ledger.open(epoch, revision, compact_revision);
        self.tally.losses_of_writes += u64::from(revision < newest);
        self.note(Entry::Open {
            epoch,
            revision,
            compact_revision,
        });
        self.places[WRITER] = Some(Process::new(store, &status));
        self.failed = false;
    }

    /// The power goes in every process, the writer's process ends, its store is closed, or the disk
    /// fails soon.
    pub(super) fn something_fails(&mut self) {
        match self.random.below(12) {
            0..4 => self.lose_power(),
            4..6 => self.lose_process(),
            6 => self.close(),
            7..9 => self.plan_failure(),
            _ => {}
        }
    }

    /// The power of the disk goes, and of the writer; sometimes readers are on machines of their own.
    fn lose_power(&mut self) {
        self.tally.losses_of_power += 1;
        let spared = self.random.chance(50);
        let gone = if spared { 1 } else { self.places.len() };
        for place in 0..gone {
            self.leave(place);
        }
        let mut fate = FaultRandom::new(self.random.next_u64());
        self.disk.crash(&mut fate);
        self.open_writer();
    }

    /// The writer's process ends without a word. Its readers are still there.
    pub(super) fn lose_process(&mut self) {
        self.tally.ends_of_the_process += 1;
        self.leave(WRITER);
        self.open_writer();
    }

    fn close(&mut self) {
        if self.failed {
            return self.lose_process();
        }
        match self.store(WRITER).close() {
            Ok(()) => {
                self.tally.closings += 1;
                self.leave(WRITER);
                self.open_writer();
            }
            Err(error) => self.fail(&error),
        }
    }

    /// All that a process had open is gone with it.
    fn leave(&mut self, place: Place) {
        for stream in self.open_streams(place) {
            self.abandon(stream);
        }
        self.abandon_followers(place);
        self.places[place] = None;
    }

    /// Lets one of the next operations of the disk fail.
    pub(super) fn plan_failure(&mut self) {
        let fault = *self
            .random
            .pick(&[Fault::WriteFails, Fault::ShortWrite, Fault::SyncFails]);
        let operations = self.random.below(4) as u64;
        self.disk.fail_after(operations, fault);
        self.planned_failures += 1;
    }

    /// Whether a failure was planned.
    pub(super) fn disk_may_fail(&self) -> bool {
        self.planned_failures > 0
    }

    /// A reader looks for what was written, ends or begins.
    pub(super) fn visit_reader(&mut self) {
        let place = 1 + self.random.below(self.places.len() - 1);
        if self.places[place].is_none() {
            let options = self.setup.options(true);
            let store =
                Store::open(self.disk.clone(), options).expect("a reader opens beside a writer");
            let status = store.status();
            let epoch = status.epoch;
            let store = Handle::Own(Box::new(store));
            self.places[place] = Some(Process::new(store, &status));
            self.note(Entry::Refresh { place, epoch });
        } else if self.random.chance(15) {
            self.leave(place);
        } else {
            self.refresh(place);
        }
    }

    /// A reader takes in what the writer has written.
    pub(super) fn refresh(&mut self, place: Place) {
        if self.places[place].is_some() {
            let (now_ms, budget_bytes) = (self.now_ms, self.setup.budget_bytes);
            self.store(place)
                .step(now_ms, budget_bytes)
                .expect("a reader can always look");
            self.look_at(place);
        }
    }
}
