//! What happens by itself, one bounded slice at a time.

use super::history::{Turn, take_turns};
use super::options::Durability;
use super::store::Store;
use crate::cursor::Cursors;
use crate::error::{Error, Result};
use crate::lease::Lessor;
use crate::log::{Position, Refresh};
use crate::page::PageStore;
use crate::record::Event;
use crate::store::{Lesson, event_of};
use crate::watch::Hub;
use alloc::vec::Vec;
use core::mem;

/// How often what leases have left is compared with what the log knows, and how many of those that
/// differ are then saved at most.
const SAVE_EVERY_MS: i64 = 5_000;
const LEASES_PER_SAVE: usize = 4_096;

/// Events of another process's writes that are handed to watchers at once, in bytes of keys and
/// values; beyond, watchers read them from history.
const REFRESHED_BYTES: usize = 4 * 1024 * 1024;

/// Without a write for so long, a store counts as idle.
const IDLE_AFTER_MS: i64 = 1_000;

/// Where the log ended when it was last seen to have grown, and what is left to be done for it.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) end: Position,
    /// The host's time at which the store counts as idle; `None` once that was seen to.
    pub(super) mark_due_ms: Option<i64>,
}

/// When a store next wants to be stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The host's time by which to step again, sooner if something is changed; `None` if nothing
    /// waits for time to pass.
    pub next_ms: Option<i64>,
}

/// A step that has begun.
pub(crate) struct Begun {
    now_ms: i64,
    outcome: Result<()>,
    /// What may be read for watchers to catch up, if there are any.
    pub(crate) share: Option<Share>,
}

/// Bytes of history that a step may still hand out, to watchers of what is published and to those that
/// are told early.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    late: usize,
    early: usize,
}

impl<P: PageStore> Store<P> {
    /// Does one slice of the work that waits: revokes leases whose time is over, makes a batch
    /// durable, compacts what retention lets go, reads about `budget_bytes` of history for watchers
    /// that are behind, reclaims about as much of what was compacted, and in a store opened
    /// read-only takes in what another process wrote.
    ///
    /// To reclaim it reads at most three times `budget_bytes` and writes at most as many once, and
    /// beside that what the longest entry takes, three times and once, and two dozen pages.
    ///
    /// A sweep reads and writes all of the log for an eighth of it that is dead. So to stay within half
    /// more than what is kept, a store that is overwritten all the time wants about sixteen times what was
    /// written since the last step.
    ///
    /// `now_ms` is the host's clock in milliseconds; only differences count, and time never runs
    /// backwards. Cheap when nothing waits.
    ///
    /// A slice that fails keeps no other from its turn; the first error is answered.
    pub fn step(&mut self, now_ms: i64, budget_bytes: usize) -> Result<Step> {
        let begun = self.begin_step(now_ms, budget_bytes, true);
        let caught_up = match begun.share {
            Some(mut share) => take_turns(&mut *self, |store| Ok(store.catch_up_turn(&mut share))),
            None => Ok(false),
        };
        self.end_step(begun, caught_up, budget_bytes)
    }

    /// Begins a step: what is due is done. A step that could not go on without a sync is begun again
    /// after one; it is the same step then.
    pub(crate) fn begin_step(
        &mut self,
        now_ms: i64,
        budget_bytes: usize,
        is_another: bool,
    ) -> Begun {
        if is_another {
            self.expiries_left = self.options.limits.lease_expiries_per_step.max(1);
        }
        let now_ms = self.now_ms.map_or(now_ms, |then_ms| then_ms.max(now_ms));
        self.now_ms = Some(now_ms);
        self.lessor.advance(now_ms);
        let mut outcome = Ok(());
        if self.options.read_only {
            outcome = self.refresh();
        } else if !self.revisions.log().is_poisoned() {
            outcome = self.do_chores(now_ms);
        }
        Begun {
            now_ms,
            outcome,
            share: self.share_for_catching_up(budget_bytes),
        }
    }

    /// A turn of catching up within a step. Answers whether more is to be done.
    pub(crate) fn catch_up_turn(&mut self, share: &mut Share) -> Turn<bool, P> {
        let mut is_behind = false;
        for (left, is_early) in [(&mut share.late, false), (&mut share.early, true)] {
            if *left > 0 {
                let (hub, view) = self.hub_and_view(is_early);
                match hub.catch_up(left, &view) {
                    crate::watch::Turn::Done(more) => is_behind |= more,
                    wants @ crate::watch::Turn::Read(_) => return self.send_for(wants, is_early),
                }
            }
        }
        Turn::Done(is_behind)
    }

    /// Ends a step: what may take its time has its turn.
    pub(crate) fn end_step(
        &mut self,
        begun: Begun,
        caught_up: Result<bool>,
        budget_bytes: usize,
    ) -> Result<Step> {
        let Begun {
            now_ms,
            mut outcome,
            ..
        } = begun;
        let mut more = false;
        match caught_up {
            Ok(is_behind) => more = is_behind,
            Err(error) => outcome = outcome.and(Err(error)),
        }
        self.hub.notify_progress(now_ms, self.published);
        self.notify_early_progress(now_ms);
        if self.is_compacting() && self.may_reclaim() && !self.is_held_by_a_snapshot() {
            match self.reclaim(budget_bytes) {
                Ok(is_reclaiming) => more |= is_reclaiming,
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        outcome?;
        let next_ms = if more {
            Some(now_ms)
        } else {
            self.next_due_ms(now_ms)
        };
        Ok(Step { next_ms })
    }

    /// What may be read for watchers that are behind, if there are any: half of it for those that are
    /// told early, where others are behind too.
    fn share_for_catching_up(&self, budget_bytes: usize) -> Option<Share> {
        let is_early_behind = self.early.as_ref().is_some_and(|hub| hub.is_behind());
        let budget_bytes = budget_bytes.max(2);
        let (late, early) = match (self.hub.is_behind(), is_early_behind) {
            (false, false) => return None,
            (true, false) => (budget_bytes, 0),
            (false, true) => (0, budget_bytes),
            (true, true) => (budget_bytes / 2, budget_bytes / 2),
        };
        Some(Share { late, early })
    }

    /// What is due. Changes among it are made durable together, by one sync.
    fn do_chores(&mut self, now_ms: i64) -> Result<()> {
        self.unsynced.begin_to_count(now_ms);
        let syncs_later = mem::replace(&mut self.syncs_later, true);
        let mut outcome = Ok(());
        let changing = [
            Self::expire_leases,
            Self::save_leases,
            Self::retain,
            Self::write_acks_if_due,
        ];
        for chore in changing {
            outcome = outcome.and(chore(self, now_ms));
        }
        self.syncs_later = syncs_later;
        outcome = self.or_not_now(outcome);
        for chore in [Self::sync_if_due, Self::carry_mark_when_idle] {
            let done = chore(self, now_ms);
            outcome = outcome.and(self.or_not_now(done));
        }
        outcome
    }

    /// While the host has a ticket, what needs another sync is left for later.
    fn or_not_now(&self, outcome: Result<()>) -> Result<()> {
        match outcome {
            Err(Error::SyncPending) if !self.syncs_later => Ok(()),
            outcome => outcome,
        }
    }

    fn may_reclaim(&self) -> bool {
        let log = self.revisions.log();
        !log.is_poisoned() && (self.syncs_later || !log.is_sync_running())
    }

    fn expire_leases(&mut self, _now_ms: i64) -> Result<()> {
        for id in self.lessor.due(self.expiries_left) {
            self.lease_revoke(id)?;
            self.expiries_left -= 1;
            // Nobody waits for the answer, so it is not taken back if it cannot be made durable.
            self.answered = self.revision();
        }
        Ok(())
    }

    /// Rides with the next sync.
    fn save_leases(&mut self, now_ms: i64) -> Result<()> {
        if self.lessor.len() == 0 || now_ms < self.leases_saved_ms.saturating_add(SAVE_EVERY_MS) {
            return Ok(());
        }
        let unsaved = self.lessor.take_unsaved(LEASES_PER_SAVE);
        self.log_remaining(unsaved)?;
        self.leases_saved_ms = now_ms;
        Ok(())
    }

    /// Makes durable what the chores before have changed, or a batch; else writes what is never
    /// synced.
    fn sync_if_due(&mut self, now_ms: i64) -> Result<()> {
        if mem::take(&mut self.owes_sync) || self.unsynced.is_due(now_ms) {
            let outcome = self.sync_now();
            self.owes_sync |= outcome.is_err();
            return outcome;
        }
        if self.write_due_ms.is_some_and(|due_ms| now_ms >= due_ms) {
            self.write_due_ms = None;
            return self.revisions.log_mut().write_tail();
        }
        Ok(())
    }

    /// Damage to the pages of the very last sync cannot be told from a torn write. Once nothing is
    /// written for a while, one page more says that they were synced.
    fn carry_mark_when_idle(&mut self, now_ms: i64) -> Result<()> {
        let waits_for_a_sync = self.unsynced.due_ms.is_some() || self.owes_sync;
        if self.options.durability == Durability::Never || waits_for_a_sync {
            return Ok(());
        }
        let end = self.revisions.log().end();
        if self.idle.end != end {
            self.idle = Idle {
                end,
                mark_due_ms: Some(now_ms.saturating_add(IDLE_AFTER_MS)),
            };
        } else if self.idle.mark_due_ms.is_some_and(|due_ms| now_ms >= due_ms) {
            self.revisions.log_mut().carry_mark()?;
            self.idle.mark_due_ms = None;
        }
        Ok(())
    }

    /// When [`step`](Self::step) next has something to do because time passes, in the host's
    /// milliseconds, as far as is known without stepping; `None` for never. What watchers have yet to
    /// read of history waits for no time, and is not counted. O(1).
    ///
    /// ```
    /// use revwatch::{Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.step(5_000, 1 << 20)?;
    /// store.lease_grant(7, 60_000)?;
    /// let next_ms = store.next_step_ms().unwrap();
    /// assert!((5_000..=65_000).contains(&next_ms));
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn next_step_ms(&self) -> Option<i64> {
        self.next_due_ms(self.now_ms.unwrap_or(0))
    }

    pub(super) fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let progress_ms = self.hubs().filter_map(Hub::progress_due_ms).min();
        // Who cannot write has nothing else due.
        if self.options.read_only || self.revisions.log().is_poisoned() {
            return progress_ms.map(|due_ms| due_ms.max(now_ms));
        }
        let lease_ms = self.lessor.next_due_in_ms();
        let lease_ms = lease_ms.map(|wait| now_ms.saturating_add(wait));
        let save_ms = lease_ms.map(|_| self.leases_saved_ms.saturating_add(SAVE_EVERY_MS));
        let due = [
            lease_ms,
            save_ms,
            self.unsynced.due_ms,
            self.write_due_ms,
            self.cursor_sessions.acks_due_ms,
            self.idle.mark_due_ms,
            self.retention_due_ms(),
            progress_ms,
        ];
        let due_ms = due.map(|due_ms| due_ms.unwrap_or(i64::MAX));
        let due_ms = due_ms.into_iter().min().filter(|due_ms| *due_ms < i64::MAX);
        due_ms.map(|due_ms| due_ms.max(now_ms))
    }

    /// Takes in what a writer in another process has written, and shows it to watchers.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let collect = self.hub.wants_events();
        let mut events: Vec<Event> = Vec::new();
        let mut bytes = 0;
        let (lessor, cursors) = (&mut self.lessor, &mut self.cursors);
        let epoch = self.revisions.log().epoch();
        let outcome = self.revisions.refresh(&mut |lesson| {
            lessor.take(&lesson);
            cursors.take(&lesson);
            let Lesson::Entry(entry) = lesson else {
                return;
            };
            if collect && bytes < REFRESHED_BYTES {
                let event = event_of(entry);
                bytes += event.as_ref().map_or(0, Event::bytes);
                events.extend(event);
            }
        });
        if let Ok(Refresh::Replaced | Refresh::Overtaken) = outcome {
            return self.begin_anew(epoch);
        }
        let whole = bytes < REFRESHED_BYTES && outcome.is_ok();
        let shown = whole
            && (!self.hub.wants_prev_kv() || self.revisions.attach_prev_kvs(&mut events).is_ok());
        if !shown {
            // They read it from history, in bounded parts, and meet the error there if there is one.
            self.hub.fall_behind(self.published);
            events.clear();
        }
        self.published = self.revision();
        for transaction in events.chunk_by(|a, b| a.kv.mod_revision == b.kv.mod_revision) {
            let revision = transaction[0].kv.mod_revision;
            self.hub.publish(revision, transaction.to_vec(), 0);
        }
        outcome.map(drop)
    }

    /// The writer has reclaimed some of what this reader has not read yet, or has crashed and
    /// recovered without some of what this reader has seen in `epoch`. Watchers go on from what they
    /// have seen, or are told that it is gone.
    fn begin_anew(&mut self, epoch: i64) -> Result<()> {
        let seen = self.published;
        self.read_again()?;
        self.hub.forget_history();
        if let Some(cut) = self.cut_since(epoch) {
            self.hub.rewind(cut, seen);
            self.rewind_follows(cut);
        }
        self.hub.fall_behind(seen);
        Ok(())
    }

    fn read_again(&mut self) -> Result<()> {
        let mut lessor = Lessor::with_seed(self.options.seed);
        let mut cursors = Cursors::default();
        self.revisions.read_again(&mut |lesson| {
            lessor.take(&lesson);
            cursors.take(&lesson);
        })?;
        if let Some(now_ms) = self.now_ms {
            lessor.advance(now_ms);
        }
        self.lessor = lessor;
        self.cursors = cursors;
        self.reclaim.begin_again();
        self.snapshots.let_go();
        self.published = self.revision();
        Ok(())
    }
}
