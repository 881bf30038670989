//! Stores that reclaim what was compacted: swept, and cut shorter.

use std::mem;

use revwatch::Durability;
use revwatch::page::PageStore;
use revwatch::page::fault::Random;

use crate::command::{Command, Commands};
use crate::damage::open_damaged;
use crate::explore::{
    Breadth, CUT_AFTER_RECOVERY, CUT_IN_RECOVERY, CUT_IN_SET_LEN, CUT_IN_SYNC, CUT_IN_WRITE,
    Explorer, run_or_be_full,
};
use crate::history::Change;
use crate::power::BATCH;
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::Point;

const FLIPPED: &str = "bit flipped after a sweep";
const REVERTED: &str = "page as it was before the sweep";
const REFUSED: &str = "damage after a sweep refused";

const KINDS: [&str; 4] = [
    CUT_IN_WRITE,
    CUT_IN_SYNC,
    CUT_IN_RECOVERY,
    CUT_AFTER_RECOVERY,
];

fn durability(random: &mut Random) -> Durability {
    [Durability::Commit, BATCH, Durability::Never][random.below(3)]
}

/// Steps in which little time passes, so that nothing but reclaiming happens.
pub fn step(session: &mut Session, steps: usize) {
    for _ in 0..steps {
        run_or_be_full(session, &Command::Step { elapsed_ms: 1 });
    }
}

pub fn compact(session: &mut Session, keep: usize) {
    let (newest, compact_revision) = {
        let now = session.history().last();
        (now.revision, now.compact_revision)
    };
    let revision = newest - keep as i64;
    if session.history().held_from() < revision {
        run_or_be_full(session, &Command::DeleteCursor("holding"));
    }
    if revision > compact_revision.max(0) {
        run_or_be_full(session, &Command::Compact { revision });
    }
}

/// A store that was written to and compacted, and is being swept.
fn swept(setup: &Setup, random: &mut Random) -> Session {
    let mut session = Session::create(setup);
    let mut choice = Commands::new(random.next_u64(), setup.page_size);
    // What stays lies beside what goes, so that the first slice of a sweep has something to write.
    for number in 0..3 {
        for (name, length) in [("key/0", 40), ("stays", setup.page_size)] {
            let put = Change::Put {
                key: format!("{name}/{number}").into_bytes(),
                value: vec![number; length],
                lease: 0,
            };
            run_or_be_full(&mut session, &Command::Put(put.clone()));
            if name != "stays" {
                run_or_be_full(&mut session, &Command::Put(put));
            }
        }
    }
    for _ in 0..25 + random.below(25) {
        let command = choice.next(session.history());
        // Compaction comes all at once, so that there is something to sweep.
        if !matches!(command, Command::Compact { .. } | Command::Close) {
            run_or_be_full(&mut session, &command);
        }
    }
    session.take_points();
    if random.percent(30) {
        run_or_be_full(&mut session, &Command::DeleteAll);
    }
    for _ in 0..random.below(4) {
        let put = Command::Put(choice.put(session.history()));
        run_or_be_full(&mut session, &put);
    }
    compact(&mut session, random.below(3));
    for _ in 0..4 + random.below(12) {
        let command = choice.next(session.history());
        // What is not written yet kills what is about to be swept.
        if random.percent(35) && !matches!(command, Command::Compact { .. } | Command::Close) {
            run_or_be_full(&mut session, &command);
        }
        step(&mut session, 1);
    }
    session
}

fn try_all(tally: &mut Tally, setup: &Setup, random: Random, points: &[Point], first: u64) {
    let mut explorer = Explorer {
        setup,
        random,
        tally,
    };
    for (position, point) in points.iter().enumerate() {
        let _position = note(position);
        explorer.crash(point, Breadth { first, second: 1 });
    }
}

pub fn sweep_and_stop(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed,
        durability: durability(&mut random),
        page_size: 512,
        capacity: 200,
    };
    let points = swept(&setup, &mut random).take_points();
    try_all(tally, &setup, random, &points, 4);
}

#[test]
fn every_stop_of_a_store_that_is_swept_leads_back_to_what_was_promised() {
    let tally = Tally::new("every_stop_of_a_store_that_is_swept", &KINDS);
    tally.run(sweep_and_stop);
}

/// A store that grew large and of which little is left; and all moments around that at which it is
/// cut shorter.
fn shrunk(setup: &Setup, random: &mut Random) -> (Session, Vec<Point>) {
    let mut session = Session::create(setup);
    let mut choice = Commands::new(random.next_u64(), setup.page_size);
    for number in 0..110 {
        let mut put = choice.put(session.history());
        if let Change::Put { value, .. } = &mut put {
            value.resize(3 * setup.page_size + random.below(setup.page_size), number);
        }
        run_or_be_full(&mut session, &Command::Put(put));
        session.take_points();
    }
    compact(&mut session, 0);
    let mut latest = Vec::new();
    for _ in 0..600 {
        let length = session.disk().len().unwrap();
        let before = mem::replace(&mut latest, session.take_points());
        step(&mut session, 1);
        if session.disk().len().unwrap() < length {
            let mut points = before;
            points.append(&mut latest);
            points.append(&mut session.take_points());
            return (session, points);
        }
    }
    (session, Vec::new())
}

pub fn shrink_and_stop(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed,
        durability: durability(&mut random),
        page_size: 512,
        capacity: u32::MAX,
    };
    let (_, points) = shrunk(&setup, &mut random);
    try_all(tally, &setup, random, &points, 8);
}

#[test]
fn every_stop_of_a_store_that_shrinks_leads_back_to_what_was_promised() {
    let kinds = [CUT_IN_SET_LEN, CUT_IN_RECOVERY, CUT_AFTER_RECOVERY];
    let tally = Tally::new("every_stop_of_a_store_that_shrinks", &kinds);
    tally.run(shrink_and_stop);
}

/// Pages that a sweep has left behind are older versions of the same part of the log: they must not
/// stand in for the newer ones when those are damaged.
pub fn damage_swept(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH][random.below(2)],
        page_size: 512,
        capacity: u32::MAX,
    };
    let mut session = swept(&setup, &mut random);
    run_or_be_full(&mut session, &Command::Flush);
    for _ in 0..3 {
        let rest = Command::Step { elapsed_ms: 1_100 };
        run_or_be_full(&mut session, &rest);
    }
    let promised = session.standing();
    let floor = promised.floor_without_last_sync;
    let before = session.take_points();
    let judge = |tally: &mut Tally, disk, kind| {
        let opened = open_damaged(&setup, disk, &promised, floor);
        tally.count(if opened { kind } else { REFUSED });
    };
    for page in 0..session.disk().len().unwrap() {
        let _page = note(page);
        let disk = session.disk().fork();
        disk.flip_bit(page, random.below(8 * setup.page_size));
        judge(tally, disk, FLIPPED);
        let old = &before[random.below(before.len())].disk;
        let mut bytes = vec![0; setup.page_size];
        if old.read(page, &mut bytes).is_ok() {
            let disk = session.disk().fork();
            disk.write(page, &bytes).unwrap();
            disk.sync().unwrap();
            judge(tally, disk, REVERTED);
        }
    }
}

#[test]
fn an_older_page_that_a_sweep_has_left_does_not_stand_in_for_a_damaged_one() {
    let kinds = [FLIPPED, REVERTED, REFUSED];
    let tally = Tally::new("an_older_page_that_a_sweep_has_left", &kinds);
    tally.run(damage_swept);
}
