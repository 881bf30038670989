//! Making pages durable: syncs that are begun and finished, by the log or by whoever drives it.
//!
//! A sync may run while others read and append: its [`SyncTicket`] says what is true once it has
//! succeeded, and nothing written after it began counts. One at a time: of two that overlap, one may
//! be told of a failure that concerns both. What needs a sync before it can go on, and may not carry
//! one out by itself, fails with [`Error::SyncPending`] and has changed nothing that matters: it is to
//! be asked again once a sync has run.

use alloc::string::ToString;
use alloc::sync::{Arc, Weak};

use super::writer::RECOVERY_WRITES;
use crate::error::{Error, Result};
use crate::log::checkpoint::write::RootState;
use crate::log::format::layout::Mark;
use crate::log::handle::{Log, Position};
use crate::page::{PageError, PageStore};
use crate::seeded_bug::is_seeded;

/// So many page writes are never covered: the one that carries the mark, and one before it.
const PAGES_OF_A_MARK: u64 = 2;

/// A sync that was begun: to be finished with what the page store said.
#[derive(Debug)]
#[must_use = "a sync counts only when it is finished"]
pub(crate) struct SyncTicket<P> {
    pages: Arc<P>,
    /// What is going to be true when the sync is complete.
    mark: Mark,
    /// The mark that the newest page carries; it is durable then, and frees slots.
    carries: u64,
    /// The length that the page store was given before; its new slots can be used then.
    grown: Option<u32>,
    /// The root of the last checkpoint was overwritten before.
    breaks_root: bool,
    /// By this the log knows its ticket, and whether it was dropped.
    held: Arc<()>,
}

/// What was appended and written until some moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyncGoal {
    end: Position,
    number: u64,
}

impl<P: PageStore> SyncTicket<P> {
    /// Has the page store do it.
    pub(crate) fn sync(&self) -> Result<(), PageError> {
        if is_seeded!(SkipSync) {
            return Ok(());
        }
        self.pages.sync()
    }
}

impl<P: PageStore> Log<P> {
    /// From now on the log carries out no sync by itself: whoever drives it does, by tickets. One that
    /// is out already counts as dropped: who waited for its end might wait for ever.
    pub(crate) fn leave_syncs_to_the_caller(&mut self) {
        self.is_synced_by_caller = true;
        self.poisoned |= self.running_sync.take().is_some();
    }

    /// Makes everything that was appended durable.
    pub(crate) fn sync(&mut self) -> Result<()> {
        if self.is_synced_by_caller {
            self.check_writable()?;
            return if self.has_nothing_to_sync() {
                Ok(())
            } else {
                Err(Error::SyncPending)
            };
        }
        while let Some(ticket) = self.begin_sync()? {
            let outcome = ticket.sync();
            self.finish_sync(&ticket, outcome)?;
        }
        Ok(())
    }

    /// Writes what a sync is to cover. `None` if all is durable already; otherwise the caller syncs
    /// the page store, with or without the log at hand, and finishes with the outcome. Fails with
    /// `SyncPending` while an earlier ticket is not finished. A ticket that was dropped counts as a
    /// sync that failed: nobody can say what became of it.
    pub(crate) fn begin_sync(&mut self) -> Result<Option<SyncTicket<P>>> {
        if let Some(running) = &self.running_sync {
            if running.strong_count() > 0 {
                return Err(Error::SyncPending);
            }
            self.running_sync = None;
            self.poisoned = true;
        }
        self.write_tail()?;
        if self.is_synced() && self.owes_mark() {
            self.write_page(false)?;
        }
        if self.has_nothing_to_sync() {
            return Ok(None);
        }
        let held = Arc::new(());
        self.running_sync = Some(Arc::downgrade(&held));
        Ok(Some(SyncTicket {
            pages: Arc::clone(&self.pages),
            mark: Mark {
                number: self.last_write.number,
                end: self.directory.end(),
                census: self.directory.census(),
            },
            carries: self.last_write.carries,
            grown: self.growing,
            breaks_root: self.checkpoint.root == RootState::Going,
            held,
        }))
    }

    /// Takes note of how a sync went. More may have been written since it began.
    pub(crate) fn finish_sync(
        &mut self,
        ticket: &SyncTicket<P>,
        outcome: Result<(), PageError>,
    ) -> Result<()> {
        let is_known = |running: &Weak<()>| running.as_ptr() == Arc::as_ptr(&ticket.held);
        if !self.running_sync.as_ref().is_some_and(is_known) {
            let message = "the ticket is of another store's sync: finish it with that store";
            return Err(Error::InvalidOption(message.to_string()));
        }
        self.running_sync = None;
        if let Err(error) = outcome {
            self.poisoned = true;
            return Err(error.into());
        }
        if let Some(length) = ticket.grown {
            self.slots.grown_to(length);
            self.growing = None;
        }
        if ticket.breaks_root {
            self.checkpoint.root = RootState::Gone;
        }
        self.carried = self.carried.max(ticket.carries);
        if ticket.mark.number > self.mark.number {
            self.mark = ticket.mark;
            self.synced = ticket.mark.number;
            self.slots.release(if is_seeded!(ReuseAfterSync) {
                ticket.mark.number
            } else {
                ticket.carries
            });
        }
        Ok(())
    }

    /// Whether all that was appended is durable, and can be recovered whatever room there is.
    pub(crate) fn is_durable(&self) -> bool {
        self.is_synced() && !self.owes_mark()
    }

    fn is_synced(&self) -> bool {
        !self.tail.has_unwritten() && self.last_write.number <= self.synced
    }

    /// Whether what is synced is not safe yet: recovery writes all pages again that no mark covers, and
    /// a full disk must have room for them. While it has not, a sync is followed by another one, of a
    /// page that carries its mark, before anybody is told that something is durable.
    pub(crate) fn owes_mark(&self) -> bool {
        let uncovered = self.last_write.number - self.carried.max(self.opened_at);
        let needed = usize::try_from(uncovered).unwrap_or(usize::MAX);
        uncovered > PAGES_OF_A_MARK
            && self.slots.available_to_recovery() < needed.saturating_add(RECOVERY_WRITES)
            && !self.read_only
            && !is_seeded!(ForgetRoomToRecover)
    }

    fn has_nothing_to_sync(&self) -> bool {
        let is_root_going = self.checkpoint.root == RootState::Going;
        self.is_durable() && self.growing.is_none() && !is_root_going
    }

    /// All that was appended and written until now.
    pub(crate) fn sync_goal(&self) -> SyncGoal {
        SyncGoal {
            end: self.end(),
            number: self.last_write.number,
        }
    }

    /// Whether all that a goal stands for is durable.
    pub(crate) fn has_reached(&self, goal: SyncGoal) -> bool {
        let is_synced = self.synced >= goal.number && self.mark.end >= goal.end.0;
        (is_synced && (self.carried >= goal.number || !self.owes_mark())) || self.is_durable()
    }

    /// Whether a ticket is out.
    pub(crate) fn is_sync_running(&self) -> bool {
        self.running_sync.is_some()
    }

    /// Whether syncs are carried out by whoever drives the log.
    pub(crate) fn is_synced_by_caller(&self) -> bool {
        self.is_synced_by_caller
    }

    /// The page write that a mark must cover for all that the log now consists of to be told from a
    /// write that was lost.
    pub(crate) fn last_content(&self) -> u64 {
        self.last_content
    }

    /// Writes the tail once more if the mark on disk does not cover all entries, and syncs: damage
    /// to them is from then on told from a write that was lost. For idle times.
    pub(crate) fn carry_mark(&mut self) -> Result<()> {
        self.write_tail()?;
        self.carry_mark_of(self.last_content)
    }

    /// The same for the page writes up to this one. Asked again after each `SyncPending`, it is done
    /// in the end however much is written meanwhile.
    pub(crate) fn carry_mark_of(&mut self, number: u64) -> Result<()> {
        loop {
            if self.carried >= number {
                return Ok(());
            }
            if self.has_nothing_to_sync() {
                if self.last_write.carries >= number {
                    return Ok(());
                }
                self.write_page(false)?;
            }
            self.sync()?;
        }
    }

    /// Whether a sync that the log needs is for somebody else to carry out, or must wait for one.
    pub(in crate::log) fn must_not_sync(&self) -> bool {
        self.is_synced_by_caller || self.running_sync.is_some()
    }
}
