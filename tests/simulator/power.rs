//! Crashes: the power goes at every operation of the page store, in every way that it can.

use std::collections::BTreeSet;

use revwatch::Durability;
use revwatch::page::fault::Random;

use crate::command::Commands;
use crate::explore::{
    Breadth, CUT_AFTER_RECOVERY, CUT_IN_RECOVERY, CUT_IN_SET_LEN, CUT_IN_SYNC, CUT_IN_WRITE,
    Explorer, KILLED, run_or_be_full,
};
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::Point;

pub const BATCH: Durability = Durability::Batch {
    max_ms: 100,
    max_writes: 4,
};

const KINDS: [&str; 6] = [
    CUT_IN_WRITE,
    CUT_IN_SYNC,
    CUT_IN_SET_LEN,
    CUT_IN_RECOVERY,
    CUT_AFTER_RECOVERY,
    KILLED,
];

/// The store grows by a few pages at a time, and slots are used again soon.
pub fn with_little_room(seed: u64, durability: Durability) -> Setup {
    Setup {
        seed,
        durability,
        page_size: 512,
        capacity: 48,
    }
}

/// A store that has done some work, and all moments at which the power could have gone meanwhile.
pub fn work(setup: &Setup, commands: usize) -> Vec<Point> {
    let mut session = Session::create(setup);
    let mut choice = Commands::new(setup.seed, setup.page_size);
    for _ in 0..commands {
        let command = choice.next(session.history());
        run_or_be_full(&mut session, &command);
    }
    session.take_points()
}

/// Every stop position of short workloads, every fate of the unsynced pages as far as there are few,
/// and the same again at every stop position after the crash.
pub fn every_stop(tally: &mut Tally, seed: u64, durability: Durability) {
    let mut random = Random::new(seed);
    let setup = with_little_room(seed, durability);
    let points = work(&setup, 4 + random.below(5));
    let mut explorer = Explorer {
        setup: &setup,
        random,
        tally,
    };
    for (position, point) in points.iter().enumerate() {
        let _position = note(position);
        explorer.crash(
            point,
            Breadth {
                first: 9,
                second: 2,
            },
        );
        explorer.kill(point, 2);
    }
}

#[test]
fn every_stop_of_a_store_that_syncs_each_commit_leads_back_to_the_last_acknowledged_one() {
    let test = "every_stop_of_a_store_that_syncs_each_commit";
    let tally = Tally::new(test, &KINDS);
    tally.run(|tally, seed| every_stop(tally, seed, Durability::Commit));
}

#[test]
fn every_stop_of_a_store_that_syncs_batches_leads_back_to_the_last_batch_or_beyond() {
    let test = "every_stop_of_a_store_that_syncs_batches";
    let tally = Tally::new(test, &KINDS);
    tally.run(|tally, seed| every_stop(tally, seed, BATCH));
}

#[test]
fn every_stop_of_a_store_that_never_syncs_leads_back_to_the_last_flush_or_beyond() {
    let test = "every_stop_of_a_store_that_never_syncs";
    let tally = Tally::new(test, &KINDS);
    tally.run(|tally, seed| every_stop(tally, seed, Durability::Never));
}

/// Crash upon crash: a disk on which store after store works, closes, is killed or loses its power.
pub fn long_life(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH, Durability::Never][random.below(3)],
        page_size: [512, 512, 1024, 4096][random.below(4)],
        capacity: [100, u32::MAX][random.below(2)],
    };
    let mut session = Session::create(&setup);
    for generation in 0..2 + random.below(6) {
        let _generation = note(generation);
        let mut choice = Commands::new(random.next_u64(), setup.page_size);
        for _ in 0..random.below(30) {
            let command = choice.next(session.history());
            run_or_be_full(&mut session, &command);
        }
        let points = session.take_points();
        let mut explorer = Explorer {
            setup: &setup,
            random: Random::new(random.next_u64()),
            tally: &mut *tally,
        };
        let mut tried = BTreeSet::new();
        for _ in 0..6 {
            let position = random.below(points.len());
            if !tried.insert(position) {
                continue;
            }
            let point = &points[position];
            explorer.crash(
                point,
                Breadth {
                    first: 1,
                    second: 1,
                },
            );
        }
        let end = &points[random.below(points.len())];
        explorer.kill(end, 1);
        let disk = end.disk.crash(&mut random);
        session = explorer.recover(disk, &end.standing);
    }
}

#[test]
fn a_long_life_of_crashes_loses_nothing_that_was_promised() {
    let tally = Tally::new("a_long_life_of_crashes", &KINDS);
    tally.run(long_life);
}
