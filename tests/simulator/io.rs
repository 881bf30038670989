//! Writes and syncs that fail while the power stays on, at each of a store's operations in turn.
//!
//! Nothing of the failed command is seen or shown, nothing more is written, and reads go on. Opened
//! again, by another process or after a loss of power, the store is what it was before the command
//! or after it.

use std::rc::Rc;

use revwatch::page::fault::{Fault, FaultPages, Random, Struck};
use revwatch::{Durability, Error, ErrorCode};

use crate::command::{Command, Commands};
use crate::explore::{Explorer, draw_crashes, run_or_be_full};
use crate::power::BATCH;
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::Standing;

const REOPENED: &str = "reopened after a failure";
const CUT_AFTER_FAILURE: &str = "power cut after a failure";
const CUT_AFTER_REOPENING: &str = "and in or after the reopening";
const GROWTH_FAILED: &str = "growth failed and nothing else did";

const KINDS: [&str; 4] = [
    REOPENED,
    CUT_AFTER_FAILURE,
    CUT_AFTER_REOPENING,
    GROWTH_FAILED,
];

/// Runs a workload whose page store fails once, after so many operations. Answers whether that
/// happened.
fn fail_once(tally: &mut Tally, setup: &Setup, operations: u64, fault: Fault) -> bool {
    let mut session = Session::create(setup);
    let mut choice = Commands::new(setup.seed, setup.page_size);
    session.disk().fail_after(operations, fault);
    for _ in 0..12 {
        let command = choice.next(session.history());
        let _command = note(&command);
        let Err(error) = session.run(&command) else {
            continue;
        };
        if error.code() == ErrorCode::NoSpace {
            continue;
        }
        match &error {
            Error::Page(error) => assert_eq!(Struck::fault_of(error), Some(fault)),
            error => panic!("{command:?} failed with {error}"),
        }
        if session.store().status().poisoned {
            let promised = session.promised();
            check_poisoned(&mut session);
            reopen(tally, setup, session.disk(), &promised, operations);
        } else {
            // Zeros could not be written into slots that were gained, and nothing else was begun.
            assert_ne!(
                fault,
                Fault::SyncFails,
                "a failed sync did not stop the writing"
            );
            tally.count(GROWTH_FAILED);
            run_or_be_full(&mut session, &command);
            run_or_be_full(&mut session, &Command::Close);
        }
        return true;
    }
    false
}

/// Each kind of change is refused, reads are not, and watchers are shown nothing.
fn check_poisoned(session: &mut Session) {
    let mut commands = Commands::new(1, 512);
    let put = commands.put(session.history());
    let shown = session.shown();
    for command in [
        Command::Put(put.clone()),
        Command::Txn(vec![put]),
        Command::Grant {
            id: 9,
            ttl_ms: 5_000,
        },
        Command::Flush,
    ] {
        let error = session
            .run(&command)
            .expect_err("a poisoned store took a change");
        assert_eq!(error.code(), ErrorCode::Poisoned, "{command:?}: {error}");
    }
    session.store().check().unwrap();
    assert_eq!(session.shown(), shown, "watchers were shown what failed");
    let closed = session.store().close().map_err(|error| error.code());
    let all_were_durable = session.setup().durability == Durability::Commit;
    let expected = if all_were_durable {
        Ok(())
    } else {
        Err(ErrorCode::Poisoned)
    };
    assert_eq!(
        closed, expected,
        "closing must tell of answers that did not wait for their sync"
    );
}

/// What the failed command began may have reached the disk or not.
fn reopen(tally: &mut Tally, setup: &Setup, disk: &FaultPages, promised: &Rc<Standing>, seed: u64) {
    let mut explorer = Explorer {
        setup,
        random: Random::new(setup.seed ^ seed),
        tally,
    };
    for crash in draw_crashes(disk, 3, &mut explorer.random) {
        let _crash = note(&crash);
        explorer.tally.count(CUT_AFTER_FAILURE);
        explorer.recover_and_close(disk.crash_as(&crash), promised);
    }
    explorer.tally.count(REOPENED);
    let mut reopened = explorer.recover(disk.clone(), promised);
    reopened.doubt(promised);
    explorer.go_on(&mut reopened);
    for point in reopened.take_points() {
        explorer.crash_again(&point, CUT_AFTER_REOPENING, 2);
    }
}

pub fn fail_everywhere(tally: &mut Tally, seed: u64, fault: Fault) {
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH, Durability::Never][seed as usize % 3],
        page_size: 512,
        capacity: 64,
    };
    for operations in 0.. {
        let _operations = note(operations);
        if !fail_once(tally, &setup, operations, fault) {
            break;
        }
    }
}

#[test]
fn a_failed_write_poisons_the_store_and_reopening_recovers() {
    let tally = Tally::new("a_failed_write", &KINDS);
    tally.run(|tally, seed| fail_everywhere(tally, seed, Fault::WriteFails));
}

#[test]
fn a_short_write_poisons_the_store_and_reopening_recovers() {
    let tally = Tally::new("a_short_write", &KINDS);
    tally.run(|tally, seed| fail_everywhere(tally, seed, Fault::ShortWrite));
}

#[test]
fn a_failed_sync_poisons_the_store_and_reopening_makes_certain_what_it_finds() {
    let tally = Tally::new("a_failed_sync", &KINDS[..3]);
    tally.run(|tally, seed| fail_everywhere(tally, seed, Fault::SyncFails));
}
