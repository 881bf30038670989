//! Damage that the page store's contract rules out: bits that turn, writes that land elsewhere, reads
//! that lie. The store then opens to a state of its history or says that it is damaged; it is never
//! wrong.
//!
//! Nothing can tell damage to the pages of the very last sync from a write that the power took, so
//! that there the state may be the one before that sync.

use std::rc::Rc;

use revwatch::page::PageStore;
use revwatch::page::fault::{Fault, FaultPages, Random};
use revwatch::{Durability, ErrorCode, Store};

use crate::checkpoint::filled;
use crate::command::{Command, Commands};
use crate::explore::{Explorer, run_or_be_full};
use crate::power::BATCH;
use crate::session::Session;
use crate::setup::Setup;
use crate::tally::{Tally, note};
use crate::tape::Standing;

const FLIPPED_OPENED: &str = "bit flipped, and opened";
const FLIPPED_REFUSED: &str = "bit flipped, and refused";
const FLIPPED_TWICE: &str = "two bits flipped";
const REVERTED_OPENED: &str = "page as it was before, and opened";
const REVERTED_REFUSED: &str = "page as it was before, and refused";
const COPIED: &str = "page copied to another slot";
const MISDIRECTED_OPENED: &str = "write misdirected, and opened";
const MISDIRECTED_REFUSED: &str = "write misdirected, and refused";
const LYING_READ_OPENED: &str = "read lied, and opened";
const LYING_READ_REFUSED: &str = "read lied, and refused";

fn setup(seed: u64, random: &mut Random) -> Setup {
    Setup {
        seed,
        durability: [Durability::Commit, BATCH][random.below(2)],
        page_size: [512, 1024][random.below(2)],
        capacity: 120,
    }
}

/// A store at rest: fresh from a commit, or idle, or closed.
fn work_and_rest(setup: &Setup, random: &mut Random) -> Session {
    let (mut session, mut choice) = if random.percent(50) {
        let (mut session, choice) = filled(setup, random);
        run_or_be_full(&mut session, &Command::Close);
        (session, choice)
    } else {
        let choice = Commands::new(setup.seed, setup.page_size);
        (Session::create(setup), choice)
    };
    for _ in 0..3 + random.below(20) {
        let command = choice.next(session.history());
        run_or_be_full(&mut session, &command);
    }
    let rest = [
        &[Command::Flush][..],
        &[
            Command::Step { elapsed_ms: 1_100 },
            Command::Step { elapsed_ms: 1_100 },
            Command::Step { elapsed_ms: 1_100 },
        ],
        &[Command::Close],
    ];
    for command in rest[random.below(rest.len())] {
        run_or_be_full(&mut session, command);
    }
    session
}

/// Opens a damaged store, if it can be opened.
fn recover_damaged(
    setup: &Setup,
    disk: FaultPages,
    promised: &Standing,
    floor: usize,
) -> Option<Session> {
    let promised = Standing {
        floor,
        // What was lost with the last sync was durable, and others had seen it.
        shown: 0,
        must_advance: false,
        is_closed: false,
        epoch_limit: promised.epoch_limit + 1,
        tokens: Rc::default(),
        acked: Rc::default(),
        ..promised.clone()
    };
    match Session::recover(setup, disk, &promised) {
        Ok(session) => Some(session),
        Err(error) => {
            let told = [ErrorCode::Corrupt, ErrorCode::NotAStore];
            assert!(told.contains(&error.code()), "damage was told as {error}");
            None
        }
    }
}

/// Opens a damaged store and uses it. Answers whether it could be opened.
pub fn open_damaged(setup: &Setup, disk: FaultPages, promised: &Standing, floor: usize) -> bool {
    let Some(mut session) = recover_damaged(setup, disk, promised, floor) else {
        return false;
    };
    let mut explorer = Explorer {
        setup,
        random: Random::new(setup.seed),
        tally: &mut Tally::beside(),
    };
    explorer.go_on(&mut session);
    true
}

pub fn flip_bits(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = setup(seed, &mut random);
    let session = work_and_rest(&setup, &mut random);
    let promised = session.standing();
    let pages = session.disk().len().unwrap();
    for page in 0..pages {
        let disk = session.disk().fork();
        let bit = random.below(8 * setup.page_size);
        let _flipped = note((page, bit));
        disk.flip_bit(page, bit);
        let opened = open_damaged(&setup, disk, &promised, promised.floor_without_last_sync);
        tally.count(if opened {
            FLIPPED_OPENED
        } else {
            FLIPPED_REFUSED
        });
    }
    for _ in 0..pages {
        let disk = session.disk().fork();
        let flipped = [(); 2].map(|()| {
            (
                random.below(pages as usize) as u32,
                random.below(8 * setup.page_size),
            )
        });
        let _flipped = note(flipped);
        for (page, bit) in flipped {
            disk.flip_bit(page, bit);
        }
        open_damaged(
            &setup,
            disk,
            &promised,
            promised.floor_without_last_two_syncs,
        );
        tally.count(FLIPPED_TWICE);
    }
}

/// What was synced is lost all the same: a page is as it was at an earlier time.
pub fn revert_pages(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = setup(seed, &mut random);
    let mut session = work_and_rest(&setup, &mut random);
    let promised = session.standing();
    let before = session.take_points();
    for page in 0..session.disk().len().unwrap() {
        let old = &before[random.below(before.len())].disk;
        let mut bytes = vec![0; setup.page_size];
        if old.read(page, &mut bytes).is_err() {
            continue;
        }
        let _reverted = note(page);
        let disk = session.disk().fork();
        disk.write(page, &bytes).unwrap();
        disk.sync().unwrap();
        let opened = open_damaged(&setup, disk, &promised, promised.floor_without_last_sync);
        tally.count(if opened {
            REVERTED_OPENED
        } else {
            REVERTED_REFUSED
        });
    }
}

#[test]
fn a_page_that_lost_a_synced_write_is_noticed_or_does_not_matter() {
    let kinds = [REVERTED_OPENED, REVERTED_REFUSED];
    Tally::new("a_page_that_lost_a_synced_write", &kinds).run(revert_pages);
}

/// Pages of the log as they were at one time or another appear in slots that hold nothing.
pub fn copy_pages(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = setup(seed, &mut random);
    let mut session = work_and_rest(&setup, &mut random);
    let disk = session.disk().fork();
    let read = |disk: &FaultPages, page| {
        let mut bytes = vec![0; setup.page_size];
        disk.read(page, &mut bytes).map(|()| bytes).ok()
    };
    let is_blank =
        |page: &u32| read(&disk, *page).is_some_and(|bytes| bytes.iter().all(|&b| b == 0));
    let blank: Vec<u32> = (0..disk.len().unwrap()).filter(is_blank).collect();
    let before = session.take_points();
    for slot in blank {
        let old = &before[random.below(before.len())].disk;
        let Some(bytes) = read(old, 2 + random.below(8) as u32) else {
            continue;
        };
        disk.write(slot, &bytes).unwrap();
    }
    disk.sync().unwrap();
    let promised = session.standing();
    let opened = open_damaged(&setup, disk, &promised, promised.floor);
    assert!(opened, "pages that are not in their place were believed");
    tally.count(COPIED);
}

#[test]
fn a_page_that_is_not_in_its_place_counts_for_nothing() {
    Tally::new("a_page_that_is_not_in_its_place", &[COPIED]).run(copy_pages);
}

#[test]
fn a_turned_bit_is_noticed_or_does_not_matter() {
    let kinds = [FLIPPED_OPENED, FLIPPED_REFUSED, FLIPPED_TWICE];
    Tally::new("a_turned_bit", &kinds).run(flip_bits);
}

/// Every write of a workload in turn lands elsewhere.
pub fn misdirect_writes(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = setup(seed, &mut random);
    for writes in 0.. {
        let _writes = note(writes);
        let mut session = Session::create(&setup);
        let mut choice = Commands::new(seed, setup.page_size);
        let disk = session.disk().clone();
        let strikes_at = disk.counts().writes + writes;
        disk.fail_after(writes, Fault::MisdirectedWrite);
        let mut syncs_when_struck = None;
        let mut failed = None;
        for _ in 0..10 {
            let command = choice.next(session.history());
            // It would have to be opened again, and that is what is to be seen below.
            let command = if matches!(command, Command::Close) {
                Command::Flush
            } else {
                command
            };
            let _command = note(&command);
            if session.run_blindly(&command).is_err() {
                failed = Some(session.promised());
                break;
            }
            if disk.counts().writes > strikes_at {
                syncs_when_struck.get_or_insert(session.syncs());
            }
        }
        if disk.counts().writes <= strikes_at {
            break;
        }
        let promised = failed.unwrap_or_else(|| Rc::new(session.standing()));
        let syncs_since = session.syncs() - syncs_when_struck.unwrap_or(session.syncs());
        // It has struck two pages: the one that it was for, and the one that it hit. A second sync
        // since has made a mark durable that covers both.
        let floor = if syncs_since < 2 {
            promised.floor_without_last_two_syncs
        } else {
            promised.floor
        };
        let opened = open_damaged(&setup, disk, &promised, floor);
        tally.count(if opened {
            MISDIRECTED_OPENED
        } else {
            MISDIRECTED_REFUSED
        });
    }
}

#[test]
fn a_misdirected_write_is_noticed_or_does_not_matter() {
    let kinds = [MISDIRECTED_OPENED, MISDIRECTED_REFUSED];
    Tally::new("a_misdirected_write", &kinds).run(misdirect_writes);
}

/// Every read of an opening in turn returns a page with a bit turned, which on the disk is whole.
pub fn lie_to_readers(tally: &mut Tally, seed: u64) {
    let mut random = Random::new(seed);
    let setup = setup(seed, &mut random);
    let session = work_and_rest(&setup, &mut random);
    let promised = session.standing();
    let opening = session.disk().fork();
    let before = opening.counts().reads;
    drop(Store::open(opening.clone(), setup.options()).unwrap());
    for reads in 0..opening.counts().reads - before {
        let _reads = note(reads);
        let disk = session.disk().fork();
        disk.fail_after(reads, Fault::BitFlipOnRead);
        let floor = promised.floor_without_last_sync;
        let opened = recover_damaged(&setup, disk.clone(), &promised, floor).is_some();
        // The next time it is told the truth.
        recover_damaged(&setup, disk, &promised, floor);
        tally.count(if opened {
            LYING_READ_OPENED
        } else {
            LYING_READ_REFUSED
        });
    }
}

#[test]
fn a_read_that_lies_when_the_store_is_opened_is_noticed_or_does_not_matter() {
    let kinds = [LYING_READ_OPENED, LYING_READ_REFUSED];
    Tally::new("a_read_that_lies", &kinds).run(lie_to_readers);
}
