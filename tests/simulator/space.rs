//! A disk that is full: what then fails changes nothing, and what makes room goes on.

use revwatch::Durability;
use revwatch::page::PageStore;
use revwatch::page::fault::{Crash, Fate, Fault, FaultPages, Random};

use crate::command::{Command, Commands};
use crate::explore::{Explorer, run_or_be_full};
use crate::history::Change;
use crate::power::BATCH;
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::{Point, Standing};

const REFUSED: &str = "growth refused";
const CUT_AFTER_REFUSAL: &str = "power cut after that";
const FULL: &str = "full store used";
const CUT_WHEN_FULL: &str = "power cut when full";
const CUT_AFTER_LOST_GROWTH: &str = "power cut after a growth was lost";
const CUT_AGAIN_AND_AGAIN: &str = "power cut in one recovery after the other";
/// So many recoveries in a row are cut off.
const STOPS: usize = 8;
const LONGEST_PAGES: usize = 40;
/// The power goes more often at one of these than at one before.
const LAST_POINTS: usize = 60;
const LAST_POINTS_OF_RECOVERY: usize = 5;

/// A growth is refused once: the command fails as if it had never been given, and then succeeds.
pub fn refuse_growth(tally: &mut Tally, seed: u64) {
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH, Durability::Never][seed as usize % 3],
        page_size: 512,
        capacity: 100,
    };
    for growths in 0.. {
        let _growths = note(growths);
        let mut session = Session::create(&setup);
        let mut choice = Commands::new(seed, setup.page_size);
        // The second one refuses the smaller growth that is tried next.
        session.disk().fail_after(growths, Fault::GrowthRefused);
        session.disk().fail_after(growths, Fault::GrowthRefused);
        let mut refused = false;
        for _ in 0..15 {
            let command = choice.next(session.history());
            if !run_or_be_full(&mut session, &command) {
                refused = true;
                assert!(
                    run_or_be_full(&mut session, &command),
                    "{command:?} fails again"
                );
            }
        }
        if !refused {
            break;
        }
        tally.count(REFUSED);
        let points = session.take_points();
        let mut explorer = Explorer {
            setup: &setup,
            random: Random::new(seed),
            tally: &mut *tally,
        };
        for point in &points {
            explorer.crash_again(point, CUT_AFTER_REFUSAL, 1);
        }
    }
}

#[test]
fn a_command_that_finds_no_space_changes_nothing_and_can_be_given_again() {
    let tally = Tally::new(
        "a_command_that_finds_no_space",
        &[REFUSED, CUT_AFTER_REFUSAL],
    );
    tally.run(refuse_growth);
}

/// Puts until there is no more room, one of them as long as there is room for, which a recovery may have
/// to write again. Answers the put that was refused.
fn fill(session: &mut Session, commands: &mut Commands, random: &mut Random) -> Command {
    for _ in 0..random.below(20) {
        run_or_be_full(session, &Command::Put(commands.put(session.history())));
    }
    let page_size = session.setup().page_size;
    for pages in (1..LONGEST_PAGES).rev() {
        let mut put = commands.put(session.history());
        if let Change::Put { value, .. } = &mut put {
            value.resize(pages * page_size, pages as u8);
        }
        if run_or_be_full(session, &Command::Put(put)) {
            break;
        }
    }
    loop {
        let command = Command::Put(commands.put(session.history()));
        if !run_or_be_full(session, &command) {
            return command;
        }
    }
}

fn full_store(tally: &mut Tally, random: &mut Random, seed: u64) -> (Setup, Session) {
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH, Durability::Never][random.below(3)],
        page_size: 512,
        // What is kept back for recovery, the sweep and what frees is 20 pages of this size.
        capacity: 30 + random.below(30) as u32,
    };
    let mut session = Session::create(&setup);
    let mut commands = Commands::new(seed, setup.page_size);
    let put = fill(&mut session, &mut commands, random);
    tally.count(FULL);
    assert!(
        !run_or_be_full(&mut session, &put),
        "there was space after all"
    );
    (setup, session)
}

/// Runs commands that a full store must have room for.
fn run_all(session: &mut Session, commands: &[Command]) {
    for command in commands {
        assert!(
            run_or_be_full(session, command),
            "{command:?} found no space"
        );
    }
}

#[test]
fn a_full_store_can_be_read_flushed_closed_and_opened() {
    let tally = Tally::new("a_full_store_can_be_read", &[FULL]);
    tally.run(|tally, seed| {
        let (_, mut session) = full_store(tally, &mut Random::new(seed), seed);
        session.store().check().unwrap();
        run_all(&mut session, &[Command::Flush, Command::Close]);
        session.store().check().unwrap();
    });
}

#[test]
fn a_full_store_can_be_deleted_from_and_compacted_and_has_room_again() {
    let tally = Tally::new("a_full_store_can_be_deleted_from", &[FULL]);
    tally.run(|tally, seed| {
        let (_, mut session) = full_store(tally, &mut Random::new(seed), seed);
        // Which keys fill it is the seed's choice.
        let deletes: Vec<Command> = (0..10)
            .map(|number| Command::Delete(format!("key/{number}").into_bytes()))
            .collect();
        run_all(&mut session, &deletes);
        let revision = session.history().last().revision;
        let room_makers = [
            Command::Compact { revision },
            Command::Step { elapsed_ms: 200 },
            Command::Flush,
            Command::Close,
        ];
        run_all(&mut session, &room_makers);
        for _ in 0..200 {
            run_or_be_full(&mut session, &Command::Step { elapsed_ms: 10 });
        }
        let small = Command::Put(Change::Put {
            key: b"key/0".to_vec(),
            value: b"there is room".to_vec(),
            lease: 0,
        });
        assert!(
            run_or_be_full(&mut session, &small),
            "compaction made no room"
        );
    });
}

/// The power goes at any operation of a store that gets full, and again in the recoveries.
pub fn fill_and_stop(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let (setup, mut session) = full_store(tally, &mut random, seed);
    let points = session.take_points();
    for _ in 0..20 {
        let point = draw_point(&points, LAST_POINTS, &mut random);
        let crash = point.disk.draw_crash(&mut random);
        let _crash = note(&crash);
        let mut recovered = open(&setup, point.disk.crash_as(&crash), &point.standing);
        for again in recovered.take_points() {
            let crash = again.disk.draw_crash(&mut random);
            let _crash = note(&crash);
            tally.count(CUT_WHEN_FULL);
            open(&setup, again.disk.crash_as(&crash), &again.standing);
        }
        stop_often(tally, &mut random, &setup, point);
    }
}

/// Any of the points, and one of the last more often.
fn draw_point<'a>(points: &'a [Point], last: usize, random: &mut Random) -> &'a Point {
    let among = if random.percent(50) {
        points.len()
    } else {
        points.len().min(last)
    };
    &points[points.len() - 1 - random.below(among)]
}

/// Recoveries that are cut off one after the other, most of them at the same place, take no more slots
/// than one.
fn stop_often(tally: &mut Tally, random: &mut Random, setup: &Setup, first: &Point) {
    let from_the_end = random.below(LAST_POINTS_OF_RECOVERY);
    let mut point = first;
    let mut points;
    for _ in 0..STOPS {
        let disk = if random.percent(80) {
            // All that was written is there, as when a process is killed.
            point.disk.fork()
        } else {
            point.disk.crash(random)
        };
        tally.count(CUT_AGAIN_AND_AGAIN);
        points = open(setup, disk, &point.standing).take_points();
        point = &points[points.len().saturating_sub(1 + from_the_end)];
    }
}

#[test]
fn a_full_store_that_crashed_can_be_opened_and_has_lost_nothing() {
    let kinds = [FULL, CUT_WHEN_FULL, CUT_AGAIN_AND_AGAIN];
    Tally::new("a_full_store_that_crashed", &kinds).run(fill_and_stop);
}

fn open(setup: &Setup, disk: FaultPages, promised: &Standing) -> Session {
    match Session::recover(setup, disk, promised) {
        Ok(session) => session,
        Err(error) => panic!("the full store cannot be opened: {error}"),
    }
}

/// A crash takes a growth and not what was written there; then the store grows again, and the numbers
/// of the pages that lie there come up.
pub fn lose_growths(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = Setup {
        seed,
        durability: [Durability::Commit, BATCH, Durability::Never][random.below(3)],
        page_size: 512,
        capacity: 110,
    };
    let mut session = Session::create(&setup);
    run_or_be_full(&mut session, &long_put(0, 10));
    session.take_points();
    // More than is kept back, so that slots are written that were only just gained.
    let pages = 26 + random.below(10);
    run_or_be_full(&mut session, &long_put(1, pages * setup.page_size));
    let mut points = session.take_points();
    points.drain(..points.len().saturating_sub(5));
    let mut explorer = Explorer {
        setup: &setup,
        random,
        tally,
    };
    for point in points {
        let Some(crash) = lost_growth(&point, &mut explorer.random) else {
            continue;
        };
        let _crash = note(&crash);
        let mut session = explorer.recover(point.disk.crash_as(&crash), &point.standing);
        for number in 0..32 {
            run_or_be_full(&mut session, &long_put(number, setup.page_size / 2));
        }
        for point in session.take_points() {
            explorer.crash_again(&point, CUT_AFTER_LOST_GROWTH, 1);
        }
    }
}

fn long_put(number: usize, length: usize) -> Command {
    Command::Put(Change::Put {
        key: format!("key/{number}").into_bytes(),
        value: vec![number as u8; length],
        lease: 0,
    })
}

/// A crash that takes a growth, if there is one to take, and none of the pages.
fn lost_growth(point: &Point, random: &mut Random) -> Option<Crash> {
    let len = point.disk.len().unwrap();
    let mut drawn = (0..8).map(|_| point.disk.draw_crash(random));
    let mut crash = drawn.find(|crash| crash.len < len)?;
    for (_, fate) in &mut crash.fates {
        *fate = Fate::Whole(usize::MAX);
    }
    Some(crash)
}

#[test]
fn a_growth_that_a_crash_took_brings_nothing_back() {
    let kinds = [CUT_AFTER_LOST_GROWTH];
    Tally::new("a_growth_that_a_crash_took", &kinds).run(lose_growths);
}
