//! Changes, and the syncs that their threads share.
//!
//! A change is applied with the store locked. If it is to be durable before it is answered it owes a
//! sync, and its thread goes through this, until what it has applied is durable:
//!
//! ```text
//!            ┌ reached ──────────────────────────────── answer
//! goal? ─────┼ no sync runs ─ begin ─ (unlocked) sync ─ finish, ring ─ goal?
//!            └ a sync runs ── (unlocked) wait for the bell ─────────── goal?
//! ```
//!
//! Whether a sync runs is known with the store locked; the count of the bell's rings that a thread then
//! waits on is taken before, so that a sync cannot end unnoticed between the two. A sync counts for all that was
//! applied before it began, so those who came while it ran need one more, which one of them begins for
//! all.
//!
//! A change that cannot even be begun without a sync (the page store has grown, say) fails with
//! `SyncPending` and has changed nothing. It is tried again after a sync.

use super::{Shared, SharedStore};
use crate::engine::{
    ApplyChangesResponse, CompactResponse, CursorId, Durability, Step, Store, SyncTicket,
    take_turns,
};
use crate::error::{Error, Result};
use crate::lease::{LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse};
use crate::log::SyncGoal;
use crate::page::{PageError, PageStore};
use crate::store::{DeleteRangeResponse, PutResponse};
use crate::txn::TxnResponse;

/// So many syncs one step carries out before it has done its slice. Others may write so much that
/// more are needed; then the next step goes on.
const SYNCS_PER_STEP: usize = 4;

/// What changes are answered with.
pub(super) trait Answer {
    /// It is durable now. What does not say so need not know.
    fn set_durable(&mut self) {}
}

macro_rules! answers {
    ($($name:ident)+) => {
        $(impl Answer for $name {
            fn set_durable(&mut self) {
                self.durable = true;
            }
        })+
    };
}

answers! {
    PutResponse DeleteRangeResponse TxnResponse CompactResponse ApplyChangesResponse
    LeaseGrantResponse LeaseRevokeResponse LeaseKeepAliveResponse
}

impl Answer for () {}
impl Answer for CursorId {}

impl<P: PageStore> SharedStore<P> {
    /// See [`Store::step`]. Its syncs run with the store unlocked. It does not wait for one that
    /// another thread carries out, but says that it wants to be called again at once.
    pub fn step(&self, now_ms: i64, budget_bytes: usize) -> Result<Step> {
        for round in 0..SYNCS_PER_STEP {
            let (step, owed) = self.step_once(now_ms, budget_bytes, round == 0);
            let must_go_on = matches!(step, Err(Error::SyncPending));
            if owed.is_none() && !must_go_on {
                return step;
            }
            if !self.shared.sync_unless_one_runs()? {
                if owed.is_some() {
                    self.shared.store.write().sync_with_the_next_step();
                }
                break;
            }
            if !must_go_on {
                return step;
            }
        }
        let next_ms = Some(now_ms);
        Ok(Step { next_ms })
    }

    /// A step as the store takes it; answers also what is to be durable then. If history is to be read,
    /// that is done with the store unlocked.
    fn step_once(
        &self,
        now_ms: i64,
        budget_bytes: usize,
        is_another: bool,
    ) -> (Result<Step>, Option<SyncGoal>) {
        let (begun, owed) = self.shared.apply(None, |store| {
            let begun = store.begin_step(now_ms, budget_bytes, is_another);
            match begun.share {
                Some(share) => Ok(Err((begun, share))),
                None => store.end_step(begun, Ok(false), budget_bytes).map(Ok),
            }
        });
        let (begun, mut share) = match begun {
            Ok(Err(behind)) => behind,
            Ok(Ok(step)) => return (Ok(step), owed),
            Err(error) => return (Err(error), owed),
        };
        let caught_up = take_turns(&*self.shared, |store| Ok(store.catch_up_turn(&mut share)));
        let (step, owed_since) = self
            .shared
            .apply(None, |store| store.end_step(begun, caught_up, budget_bytes));
        (step, owed_since.or(owed))
    }

    /// Carries out a change, and returns when it is as durable as was asked for.
    pub(super) fn change<T: Answer>(
        &self,
        mut change: impl FnMut(&mut Store<P>) -> Result<T>,
    ) -> Result<T> {
        loop {
            let (mut answer, owed) = self.shared.apply(self.durability, &mut change);
            if let Some(goal) = owed {
                self.shared.reach(goal)?;
                if let Ok(answer) = &mut answer {
                    answer.set_durable();
                }
            }
            match answer {
                Err(Error::SyncPending) => self.shared.sync_once()?,
                answer => return answer,
            }
        }
    }
}

impl<P: PageStore> Shared<P> {
    /// Does something to the store; answers also what must be durable before anybody is told of it.
    fn apply<T>(
        &self,
        durability: Option<Durability>,
        operation: impl FnOnce(&mut Store<P>) -> Result<T>,
    ) -> (Result<T>, Option<SyncGoal>) {
        let (outcome, owed, is_news) = self.with(|store| {
            let seen = |store: &Store<P>| (store.resume_token(), store.newest_frontier());
            let before = seen(store);
            store.set_level(durability);
            let outcome = operation(store);
            store.set_level(None);
            let owed = store.take_owed_sync();
            (outcome, owed, seen(store) != before)
        });
        // Waiters step too: a bell for every step would keep them awake for nothing.
        if is_news {
            self.changed.ring();
        }
        (outcome, owed)
    }

    /// Returns when a goal is durable.
    fn reach(&self, goal: SyncGoal) -> Result<()> {
        loop {
            if self.store.read().has_reached(goal) {
                return Ok(());
            }
            self.sync_once()?;
        }
    }

    /// Carries out a sync of all that was applied, or waits for the end of the one that runs.
    fn sync_once(&self) -> Result<()> {
        let seen = self.synced.rings();
        if !self.sync_unless_one_runs()? {
            // It ran when it was looked for, so it rings after `seen` was taken.
            self.synced.wait(seen);
        }
        Ok(())
    }

    /// Carries out a sync of all that was applied. `false`, and nothing is done, while one runs.
    fn sync_unless_one_runs(&self) -> Result<bool> {
        match self.with(Store::begin_sync) {
            Ok(Some(ticket)) => self.carry_out(ticket)?,
            Ok(None) => self.changed.ring(),
            Err(Error::SyncPending) => return Ok(false),
            Err(error) => {
                // What went out of sight with it may have been told early.
                self.changed.ring();
                return Err(error);
            }
        }
        Ok(true)
    }

    fn carry_out(&self, ticket: SyncTicket<P>) -> Result<()> {
        let mut running = Running {
            shared: self,
            ticket: Some(ticket),
        };
        let outcome = running.sync();
        running.finish(outcome)
    }
}

/// A sync that runs with the store unlocked. It is finished whatever happens, or all would wait for it
/// for ever: also if the page store panics.
struct Running<'a, P: PageStore> {
    shared: &'a Shared<P>,
    /// `None` once it is finished.
    ticket: Option<SyncTicket<P>>,
}

impl<P: PageStore> Running<'_, P> {
    fn sync(&self) -> Result<(), PageError> {
        self.ticket.as_ref().map_or(Ok(()), SyncTicket::sync)
    }

    fn finish(&mut self, outcome: Result<(), PageError>) -> Result<()> {
        let Some(ticket) = self.ticket.take() else {
            return Ok(());
        };
        let finished = self.shared.with(|store| store.finish_sync(ticket, outcome));
        self.shared.synced.ring();
        self.shared.changed.ring();
        finished
    }
}

impl<P: PageStore> Drop for Running<'_, P> {
    fn drop(&mut self) {
        let _ = self.finish(Err(PageError::other("the page store panicked in a sync")));
    }
}
