//! One watcher before the judge.

use super::broken::Verdict;
use super::world::World;
use crate::ledger::{Change, Ledger};
use crate::record::{Place, Told, Watch};

/// A watcher, in each of the worlds that it may be in.
///
/// The watcher of a reader changes over to the writer's next epoch without a word if it has seen
/// nothing that was lost, and what is queued for it may still be of the epoch before. So there may
/// be two histories that it may be told; one of them must be told without a fault. That of a writer
/// has one world only: it dies in a crash.
pub struct Watching {
    worlds: Vec<World>,
}

impl Watching {
    /// Begins, going on for the watcher `before`.
    pub fn new(watch: &Watch, before: Option<&Self>, ledger: &Ledger) -> Self {
        let timeline = ledger.timeline(watch.epoch);
        let seen = before.and_then(|before| before.worlds[0].seen.as_ref());
        let stands = |seen: &&Change| timeline.changes_at(seen.kv.mod_revision).contains(seen);
        // A part of a revision is seen again.
        let is_whole = |seen: &&Change| seen.kv.mod_revision < watch.ask.start_revision;
        let lost = seen.filter(is_whole).filter(|seen| !stands(seen));
        Self {
            worlds: vec![World::new(watch, lost.cloned(), ledger)],
        }
    }

    pub fn place(&self) -> Place {
        self.worlds[0].place
    }

    /// The newest revision that it was told of; 0 if none.
    pub fn last(&self) -> i64 {
        self.worlds[0].last.0
    }

    /// Whether it is told of what is applied, before it is durable.
    pub fn is_early(&self) -> bool {
        self.worlds[0].early
    }

    /// Of what was written up to `newest`, everything after `revision` has gone out of sight.
    pub fn hide(&mut self, revision: i64, newest: i64) {
        for world in &mut self.worlds {
            world.hide(revision, newest);
        }
    }

    /// It is to be canceled, when the newest revision is `newest`.
    pub fn cancel(&mut self, newest: i64) {
        for world in &mut self.worlds {
            world.canceled_at.get_or_insert(newest);
        }
    }

    /// Judges what it is told while its process is in `epoch`.
    pub fn told(&mut self, told: &Told, ledger: &Ledger, epoch: i64) -> Verdict {
        self.change_over(ledger, epoch);
        let present = ledger.timeline(epoch);
        self.in_some_world(|world| world.told(told, ledger, present, epoch))
    }

    /// Everything up to `revision` is said to have been told.
    pub fn progress(&mut self, revision: i64, ledger: &Ledger, epoch: i64) -> Verdict {
        self.change_over(ledger, epoch);
        self.in_some_world(|world| world.progress(revision, ledger, epoch))
    }

    /// There was nothing more to say: everything that is published has been told.
    pub fn drained(&mut self, published: i64, ledger: &Ledger, epoch: i64) -> Verdict {
        self.change_over(ledger, epoch);
        self.in_some_world(|world| world.drained(published, ledger, epoch))
    }

    /// Adds the worlds of later epochs, in which all that it was told is true as well.
    fn change_over(&mut self, ledger: &Ledger, epoch: i64) {
        let first = self.worlds[0].epoch;
        for later in first + 1..=epoch {
            let known = self.worlds.iter().any(|world| world.epoch == later);
            let old = self.worlds.iter().find(|world| {
                let cut = ledger.cut_between(world.epoch, later);
                world.epoch < later && cut.is_some_and(|cut| world.last.0 <= cut)
            });
            if let (false, Some(old)) = (known, old) {
                let mut world = old.clone();
                world.epoch = later;
                let cut = ledger.cut_between(old.epoch, later).unwrap_or(i64::MAX);
                world.known = world.known.min(cut.max(world.start - 1));
                self.worlds.push(world);
            }
        }
    }

    /// Goes on with the worlds in which no promise is broken.
    fn in_some_world(&mut self, mut judge: impl FnMut(&mut World) -> Verdict) -> Verdict {
        let mut broken = None;
        self.worlds.retain_mut(|world| match judge(world) {
            Ok(()) => true,
            Err(how) => {
                broken.get_or_insert(how);
                false
            }
        });
        match broken {
            Some(broken) if self.worlds.is_empty() => Err(broken),
            _ => Ok(()),
        }
    }
}
