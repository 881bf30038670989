//! Every moment at which the power could go, kept while a store works.

use std::cell::RefCell;
use std::rc::Rc;

use revwatch::page::fault::{Call, FaultPages, Hook, HookedPages};
use revwatch::page::{PageError, PageStore};
use revwatch::{ResumeToken, Store};

use crate::cursors::Acked;
use crate::history::History;
use crate::inspect::is_at_one_of;

/// What is promised to hold after a crash at some moment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// All that happened, with what the command under way is going to do.
    pub history: Rc<History>,
    /// The oldest moment that a crash may lead back to.
    pub floor: usize,
    /// The floor once the pages of the last sync are damaged, and of the one before too.
    pub floor_without_last_sync: usize,
    pub floor_without_last_two_syncs: usize,
    /// The newest moment that a crash may leave.
    pub ceiling: usize,
    /// What cursors have acknowledged that no crash may take.
    pub acked: Rc<Acked>,
    /// The newest revision that a watcher was shown, if such a one may not be lost.
    pub shown: i64,
    /// Where watchers would have gone on from.
    pub tokens: Rc<Vec<Token>>,
    /// The epoch that was last served, and the newest that may have been begun.
    pub epoch: i64,
    pub epoch_limit: i64,
    /// Something durable was written since the store was last closed.
    pub must_advance: bool,
    /// The store is closed, so that no epoch may begin.
    pub is_closed: bool,
    /// What was promised when a write failed that a crash may yet complete.
    pub doubtful: Option<Rc<Standing>>,
}

impl Standing {
    /// Of a store that is only being created.
    pub fn of_nothing(history: History) -> Self {
        Self {
            history: Rc::new(history),
            floor: 0,
            floor_without_last_sync: 0,
            floor_without_last_two_syncs: 0,
            ceiling: 0,
            acked: Rc::default(),
            shown: 0,
            tokens: Rc::default(),
            epoch: 1,
            epoch_limit: 1,
            must_advance: false,
            is_closed: false,
            doubtful: None,
        }
    }

    /// What was promised of a store as it was found.
    pub fn as_found<P: PageStore>(&self, store: &Store<P>) -> Self {
        let at = |standing: &Self| {
            is_at_one_of(store, &standing.history, standing.floor..=standing.ceiling)
        };
        match &self.doubtful {
            Some(doubtful) if !at(self) && at(doubtful) => Self {
                tokens: Rc::clone(&self.tokens),
                shown: self.shown,
                epoch_limit: self.epoch_limit,
                ..doubtful.as_ref().clone()
            },
            _ => self.clone(),
        }
    }
}

/// A resume token that the store gave out.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub token: ResumeToken,
    /// A crash has taken its revision.
    pub lost: bool,
}

/// What the page store was being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Write,
    Sync,
    SetLen,
}

/// A moment at which the power could go: in the midst of an operation.
pub struct Point {
    pub operation: Operation,
    /// The disk, of which only a crash decides what it holds.
    pub disk: FaultPages,
    pub standing: Rc<Standing>,
}

/// Where points are recorded, and what is promised at present.
#[derive(Default)]
pub struct Tape {
    standing: RefCell<Option<Rc<Standing>>>,
    points: RefCell<Vec<Point>>,
}

impl Tape {
    /// What is promised from now on. Nothing is recorded before this is first said.
    pub fn promise(&self, standing: Rc<Standing>) {
        *self.standing.borrow_mut() = Some(standing);
    }

    pub fn promised(&self) -> Rc<Standing> {
        let standing = self.standing.borrow();
        Rc::clone(standing.as_ref().expect("something was promised"))
    }

    pub fn take_points(&self) -> Vec<Point> {
        self.points.take()
    }

    /// Records a moment at which the power could go.
    pub fn record(&self, operation: Operation, disk: &FaultPages) {
        if let Some(standing) = &*self.standing.borrow() {
            self.points.borrow_mut().push(Point {
                operation,
                disk: disk.fork(),
                standing: Rc::clone(standing),
            });
        }
    }
}

/// A disk that is recorded.
pub type RecordedPages = HookedPages<FaultPages, Recorder>;

pub fn recorded(disk: FaultPages, tape: Rc<Tape>) -> RecordedPages {
    let recorder = Recorder {
        disk: disk.clone(),
        tape,
    };
    HookedPages::new(disk, recorder)
}

/// Writes the tape.
pub struct Recorder {
    disk: FaultPages,
    tape: Rc<Tape>,
}

impl Hook for Recorder {
    /// In the midst of a sync, nothing of it can be relied upon.
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        if call == Call::Sync {
            self.tape.record(Operation::Sync, &self.disk);
        }
        Ok(())
    }

    /// A crash may undo a write or a change of length, so that the moment after it is the moment in its
    /// midst.
    fn after(&self, call: Call<'_>) {
        match call {
            Call::SetLen { .. } => self.tape.record(Operation::SetLen, &self.disk),
            Call::Write { .. } => self.tape.record(Operation::Write, &self.disk),
            Call::Read { .. } | Call::Sync => {}
        }
    }
}
