//! Stores that are closed with a checkpoint, and opened by it: the power goes while it is written,
//! while it stands, and while the first changes after it are made.

use revwatch::Durability;
use revwatch::page::fault::Random;

use crate::command::{Command, Commands};
use crate::explore::{
    Breadth, CUT_AFTER_RECOVERY, CUT_IN_RECOVERY, CUT_IN_SYNC, CUT_IN_WRITE, Explorer, KILLED,
    OPENED_BY_CHECKPOINT, run_or_be_full,
};
use crate::power::BATCH;
use crate::reclaim::{compact, step};
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};

const KINDS: [&str; 5] = [
    CUT_IN_WRITE,
    CUT_IN_SYNC,
    CUT_IN_RECOVERY,
    CUT_AFTER_RECOVERY,
    KILLED,
];

/// A store whose log is long enough for a checkpoint.
pub fn filled(setup: &Setup, random: &mut Random) -> (Session, Commands) {
    let mut session = Session::create(setup);
    let mut choice = Commands::new(random.next_u64(), setup.page_size);
    for _ in 0..20 + random.below(20) {
        let put = Command::Put(choice.put(session.history()));
        run_or_be_full(&mut session, &put);
    }
    (session, choice)
}

/// Sessions that do little, so that the body of the checkpoint outlives them, and now and then a lot.
pub fn sessions(setup: &Setup, random: &mut Random) -> Session {
    let (mut session, mut choice) = filled(setup, random);
    session.take_points();
    for _ in 0..2 + random.below(2) {
        // A sweep may be the first that the next session writes.
        let is_swept = random.percent(30);
        if is_swept {
            compact(&mut session, 0);
        }
        run_or_be_full(&mut session, &Command::Close);
        if is_swept {
            step(&mut session, 1 + random.below(4));
        }
        for _ in 0..[0, 1, 1, 2, 12][random.below(5)] {
            let command = choice.next(session.history());
            run_or_be_full(&mut session, &command);
        }
    }
    session
}

pub fn every_stop(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH, Durability::Never][random.below(3)],
        page_size: 512,
        capacity: [90, 200][random.below(2)],
    };
    let points = sessions(&setup, &mut random).take_points();
    let mut explorer = Explorer {
        setup: &setup,
        random,
        tally,
    };
    for (position, point) in points.iter().enumerate() {
        let _position = note(position);
        let breadth = Breadth {
            first: 5,
            second: 1,
        };
        explorer.crash(point, breadth);
        if position % 4 == 0 {
            explorer.kill(point, 1);
        }
    }
}

#[test]
fn every_stop_of_a_store_with_a_checkpoint_leads_back_to_what_was_promised() {
    let tally = Tally::new("every_stop_of_a_store_with_a_checkpoint", &KINDS);
    tally.expect(OPENED_BY_CHECKPOINT).run(every_stop);
}
