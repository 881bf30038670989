//! What happens by itself, one bounded slice at a time.

use super::options::Durability;
use super::store::Store;
use crate::error::Result;
use crate::lease::Lessor;
use crate::log::{Record, Refresh};
use crate::page::PageStore;
use crate::record::Event;
use crate::store::event_of;
use alloc::vec::Vec;

/// Leases whose remaining time one step saves at most.
const LEASES_SAVED_PER_STEP: usize = 64;

/// Without a write for so long, a store counts as idle.
const IDLE_AFTER_MS: i64 = 1_000;

/// When a store next wants to be stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The host's time by which to step again, sooner if something is changed; `None` if nothing
    /// waits for time to pass.
    pub next_ms: Option<i64>,
}

impl<P: PageStore> Store<P> {
    /// Does one slice of the work that waits: revokes leases whose time is over, makes a batch
    /// durable, compacts what retention lets go, reads about `budget_bytes` of history for watchers that are behind, and in a store
    /// opened read-only takes in what another process wrote.
    ///
    /// `now_ms` is the host's clock in milliseconds; only differences count, and time never runs
    /// backwards. Cheap when nothing waits.
    pub fn step(&mut self, now_ms: i64, budget_bytes: usize) -> Result<Step> {
        self.now_ms = Some(now_ms);
        self.lessor.advance(now_ms);
        if self.options.read_only {
            self.refresh()?;
        } else if !self.revisions.log().is_poisoned() {
            self.expire_leases()?;
            self.save_leases()?;
            self.retain(now_ms)?;
            self.write_if_due(now_ms)?;
            self.carry_mark_when_idle(now_ms)?;
        }
        let mut behind = false;
        if self.hub.is_behind() {
            let (hub, view) = self.hub_and_view();
            behind = hub.catch_up(budget_bytes.max(1), &view)?;
        }
        let next_ms = if behind {
            Some(now_ms)
        } else {
            self.next_due_ms(now_ms)
        };
        Ok(Step { next_ms })
    }

    fn expire_leases(&mut self) -> Result<()> {
        for id in self.lessor.due(self.options.limits.lease_expiries_per_step) {
            self.lease_revoke(id)?;
        }
        Ok(())
    }

    /// Logs what leases have left, for the next opening. Rides with the next sync.
    fn save_leases(&mut self) -> Result<()> {
        for (id, remaining_ms) in self.lessor.take_unsaved(LEASES_SAVED_PER_STEP) {
            let remaining_ms = remaining_ms as u64;
            self.revisions
                .append_state(Record::LeaseRemaining { id, remaining_ms })?;
        }
        Ok(())
    }

    fn write_if_due(&mut self, now_ms: i64) -> Result<()> {
        match (self.options.durability, self.write_due_ms) {
            (Durability::Batch { .. }, Some(due_ms)) if now_ms >= due_ms => self.flush(),
            (Durability::Never, Some(due_ms)) if now_ms >= due_ms => {
                self.write_due_ms = None;
                self.revisions.log_mut().write_tail()
            }
            // What was changed before the host first told the time is due from now on.
            (Durability::Batch { max_ms, .. }, None) if self.unsynced_writes > 0 => {
                self.write_due_ms = Some(now_ms.saturating_add(max_ms));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Damage to the pages of the very last sync cannot be told from a torn write. Once nothing is
    /// written for a while, one page more says that they were synced.
    fn carry_mark_when_idle(&mut self, now_ms: i64) -> Result<()> {
        if self.options.durability == Durability::Never || self.unsynced_writes > 0 {
            return Ok(());
        }
        let end = self.revisions.log().end();
        match self.idle_since {
            Some((position, since_ms)) if position == end => {
                if now_ms.saturating_sub(since_ms) < IDLE_AFTER_MS {
                    return Ok(());
                }
                self.revisions.log_mut().carry_mark()
            }
            _ => {
                self.idle_since = Some((end, now_ms));
                Ok(())
            }
        }
    }

    fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let lease_ms = self
            .lessor
            .next_due_in_ms()
            .map(|wait| now_ms.saturating_add(wait));
        // Who cannot write ends no lease, so it need not be called for that.
        let writable = !self.options.read_only && !self.revisions.log().is_poisoned();
        let lease_ms = lease_ms.filter(|_| writable);
        lease_ms.into_iter().chain(self.write_due_ms).min()
    }

    /// Takes in what a writer in another process has written, and shows it to watchers.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let collect = self.hub.wants_events();
        let mut events: Vec<Event> = Vec::new();
        let lessor = &mut self.lessor;
        let refresh = self.revisions.refresh(&mut |entry| {
            lessor.replay(entry);
            if collect {
                events.extend(event_of(entry));
            }
        })?;
        match refresh {
            Refresh::Unchanged => Ok(()),
            Refresh::Replaced => self.rewind(),
            Refresh::Grown => {
                if self.hub.wants_prev_kv() {
                    self.revisions.attach_prev_kvs(&mut events)?;
                }
                self.published = self.revision();
                for transaction in events.chunk_by(|a, b| a.kv.mod_revision == b.kv.mod_revision) {
                    let revision = transaction[0].kv.mod_revision;
                    self.hub.publish(revision, transaction.to_vec());
                }
                Ok(())
            }
        }
    }

    /// The writer crashed and has recovered without some of what this reader has seen.
    fn rewind(&mut self) -> Result<()> {
        let seen = self.published;
        let mut lessor = Lessor::default();
        self.revisions
            .read_again(&mut |entry| lessor.replay(entry))?;
        if let Some(now_ms) = self.now_ms {
            lessor.advance(now_ms);
        }
        self.lessor = lessor;
        self.published = self.revision();
        let cut = self
            .revisions
            .log()
            .epochs()
            .last()
            .map_or(seen, |start| start.cut);
        self.hub.rewind(cut, seen);
        self.rewind_follows(cut);
        Ok(())
    }
}
