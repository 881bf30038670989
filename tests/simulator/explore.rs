//! Crashes at recorded points, and what must be true after them.

use revwatch::ErrorCode;
use revwatch::page::fault::{Crash, FaultPages, Random};

use crate::command::{Command, Commands};
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::{Operation, Point, Standing};

/// The commands that a recovered store is given to show that it goes on working.
const COMMANDS_AFTER_RECOVERY: usize = 4;

pub const CUT_IN_WRITE: &str = "power cut in a write";
pub const CUT_IN_SYNC: &str = "power cut in a sync";
pub const CUT_IN_SET_LEN: &str = "power cut in a change of length";
pub const CUT_IN_RECOVERY: &str = "and again in the recovery";
pub const CUT_AFTER_RECOVERY: &str = "and again after the recovery";
pub const KILLED: &str = "process killed";
/// Of the stores that were opened: no point of its own.
pub const OPENED_BY_CHECKPOINT: &str = "opened by a checkpoint";
pub const OPENED_WITH_MORE_ROOM: &str = "full, and opened with more room";

/// How many outcomes of a crash are tried: all, if there are no more than this; else as many, drawn.
#[derive(Clone, Copy, Debug)]
pub struct Breadth {
    pub first: u64,
    /// Of a second crash in the recovery; of one after it, a single one.
    pub second: u64,
}

/// Tries crashes.
pub struct Explorer<'a> {
    pub setup: &'a Setup,
    pub random: Random,
    pub tally: &'a mut Tally,
}

impl Explorer<'_> {
    /// Lets the power go at a point, in many ways, and in each of the recoveries again.
    pub fn crash(&mut self, point: &Point, breadth: Breadth) {
        let _operation = note(point.operation);
        let kind = match point.operation {
            Operation::Write => CUT_IN_WRITE,
            Operation::Sync => CUT_IN_SYNC,
            Operation::SetLen => CUT_IN_SET_LEN,
        };
        for crash in self.outcomes(point, breadth.first) {
            let _crash = note(&crash);
            self.tally.count(kind);
            let disk = point.disk.crash_as(&crash);
            let mut session = self.recover(disk, &point.standing);
            let recovery = session.take_points();
            self.go_on(&mut session);
            let after = session.take_points();
            for point in recovery {
                self.crash_again(&point, CUT_IN_RECOVERY, breadth.second);
            }
            for point in after {
                self.crash_again(&point, CUT_AFTER_RECOVERY, 1);
            }
        }
    }

    /// Lets the power go at a point of a session that comes after a crash.
    pub fn crash_again(&mut self, point: &Point, kind: &'static str, breadth: u64) {
        for crash in self.outcomes(point, breadth) {
            let _crash = note(&crash);
            self.tally.count(kind);
            let disk = point.disk.crash_as(&crash);
            self.recover_and_close(disk, &point.standing);
        }
    }

    /// Ends the process at a point: what was written is there, and the power can go later.
    pub fn kill(&mut self, point: &Point, breadth: u64) {
        self.tally.count(KILLED);
        let mut session = self.recover(point.disk.fork(), &point.standing);
        for point in session.take_points() {
            self.crash_again(&point, CUT_IN_RECOVERY, breadth);
        }
        self.go_on(&mut session);
        for point in session.take_points() {
            self.crash_again(&point, CUT_AFTER_RECOVERY, breadth);
        }
    }

    /// Opens a store that a crash has left, uses and closes it.
    pub fn recover_and_close(&mut self, disk: FaultPages, promised: &Standing) {
        let mut session = self.recover(disk, promised);
        self.go_on(&mut session);
    }

    /// Opens a store that a crash has left. One that has no room to recover in must open once it
    /// has.
    pub fn recover(&mut self, disk: FaultPages, promised: &Standing) -> Session {
        match Session::recover(self.setup, disk.clone(), promised) {
            Ok(session) => {
                if session.was_opened_by_checkpoint() {
                    self.tally.observe(OPENED_BY_CHECKPOINT);
                }
                session
            }
            Err(error) if error.code() == ErrorCode::NoSpace => {
                self.tally.count(OPENED_WITH_MORE_ROOM);
                disk.set_capacity_limit(u32::MAX);
                let promised = Standing {
                    epoch_limit: promised.epoch_limit + 1,
                    ..promised.clone()
                };
                Session::recover(self.setup, disk, &promised).expect("there is room now")
            }
            Err(error) => panic!("the store cannot be opened: {error}"),
        }
    }

    /// Shows that a recovered store works as any other.
    pub fn go_on(&mut self, session: &mut Session) {
        let mut commands = Commands::new(self.random.next_u64(), self.setup.page_size);
        for _ in 0..COMMANDS_AFTER_RECOVERY {
            let command = commands.next(session.history());
            run_or_be_full(session, &command);
        }
        run_or_be_full(session, &Command::Close);
        session.store().check().unwrap();
    }

    pub fn outcomes(&mut self, point: &Point, most: u64) -> Vec<Crash> {
        let every = point.disk.every_crash();
        if every.total() <= most {
            return every.collect();
        }
        draw_crashes(&point.disk, most, &mut self.random)
    }
}

/// Draws so many outcomes of a crash, no two of them alike.
pub fn draw_crashes(disk: &FaultPages, count: u64, random: &mut Random) -> Vec<Crash> {
    let mut drawn: Vec<Crash> = Vec::new();
    for _ in 0..4 * count {
        let crash = disk.draw_crash(random);
        if drawn.len() < count as usize && !drawn.contains(&crash) {
            drawn.push(crash);
        }
    }
    drawn
}

/// Runs a command for which there may be no space. Answers whether there was.
pub fn run_or_be_full(session: &mut Session, command: &Command) -> bool {
    let _command = note(command);
    match session.run(command) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(
                error.code(),
                ErrorCode::NoSpace,
                "{command:?} failed: {error}"
            );
            assert!(
                !session.store().status().poisoned,
                "want of space poisoned the store"
            );
            false
        }
    }
}
