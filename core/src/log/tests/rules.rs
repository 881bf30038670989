//! One test for each of the log's rules, which fails without it.

use alloc::vec;
use alloc::vec::Vec;

use super::super::format::header::{self, COPIES};
use super::super::format::layout::{HEADER_BYTES, Identity, Mark, NO_FRAME, NO_SLOT, PageHeader};
use super::super::open::survey::Survey;
use super::*;
use crate::error::Error;
use crate::page::MemoryPages;
use crate::page::fault::{Crash, Fate, FaultPages};

/// Pages of this store as they read now, with their slots.
fn valid_pages(pages: &FaultPages) -> Vec<(u32, PageHeader)> {
    let identity = Identity {
        store_id: STORE_ID,
        page_size: 512,
    };
    let survey = Survey::take(pages, identity).unwrap();
    survey
        .found
        .iter()
        .map(|found| (found.slot, found.header))
        .collect()
}

/// The power goes, and all that was written survives but the page write with this number.
fn lose_only(pages: &FaultPages, number: u64) -> FaultPages {
    let newest = Fate::Whole(usize::MAX);
    let kept = valid_pages(pages)
        .into_iter()
        .filter(|(_, header)| header.number != number);
    pages.crash_as(&Crash {
        len: pages.len().unwrap(),
        fates: kept.map(|(slot, _)| (slot, newest)).collect(),
    })
}

/// A store with one durable transaction.
fn store_with_one_transaction() -> (FaultPages, Log<FaultPages>, Author, Vec<Transaction>) {
    let pages = FaultPages::new(512, 1);
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    let mut author = Author::after(&replayed);
    let history = vec![author.append(&mut log, &[50]).unwrap()];
    log.sync().unwrap();
    (pages, log, author, history)
}

fn without_epochs(mut transactions: Vec<Transaction>) -> Vec<Transaction> {
    transactions.retain(|transaction| {
        let body = &transaction[0][1..];
        !frame::decode(body).is_some_and(|entry| matches!(entry.record, Record::Epoch { .. }))
    });
    transactions
}

#[test]
fn order_a_page_after_a_missing_one_never_happened() {
    let (pages, mut log, mut author, history) = store_with_one_transaction();
    let first_lost = log.last_write.number + 1;
    author.append(&mut log, &[900]).unwrap();
    log.write_tail().unwrap();
    assert!(log.last_write.number > first_lost);
    let survivor = lose_only(&pages, first_lost);
    assert!(
        valid_pages(&survivor)
            .iter()
            .any(|(_, header)| header.number > first_lost)
    );
    let (_, _, replayed) = open(survivor).unwrap();
    assert_eq!(without_epochs(replayed.transactions), history);
}

#[test]
fn erasure_what_one_recovery_rejected_no_later_one_accepts() {
    let (pages, mut log, mut author, mut history) = store_with_one_transaction();
    let first_lost = log.last_write.number + 1;
    for _ in 0..6 {
        author.append(&mut log, &[1]).unwrap();
        log.write_tail().unwrap();
    }
    let last_rejected = log.last_write.number;
    let survivor = lose_only(&pages, first_lost);
    let (mut log, _, replayed) = open(survivor.clone()).unwrap();
    assert!(
        log.last_write.number < last_rejected,
        "or it proves nothing"
    );
    let mut author = Author::after(&replayed);
    loop {
        history.push(author.append(&mut log, &[2]).unwrap());
        log.sync().unwrap();
        let (_, _, replayed) = open(survivor.fork()).unwrap();
        assert_eq!(without_epochs(replayed.transactions), history);
        if log.last_write.number > last_rejected {
            break;
        }
    }
}

#[test]
fn reuse_no_slot_is_written_that_a_mark_on_disk_still_needs() {
    for (synced, unsynced) in
        (0..10).flat_map(|synced| [1, 2, 3].map(|unsynced| (synced, unsynced)))
    {
        let (pages, mut log, mut author, mut history) = store_with_one_transaction();
        for _ in 0..synced {
            history.push(author.append(&mut log, &[5]).unwrap());
            log.sync().unwrap();
        }
        let durable = history.len();
        for _ in 0..unsynced {
            history.push(author.append(&mut log, &[5]).unwrap());
            log.write_tail().unwrap();
        }
        for crash in pages.every_crash() {
            let (_, _, replayed) =
                open(pages.crash_as(&crash)).unwrap_or_else(|error| panic!("{error} {crash:?}"));
            let found = without_epochs(replayed.transactions);
            assert!(
                found.len() >= durable && found[..] == history[..found.len()],
                "{crash:?}"
            );
        }
    }
}

#[test]
fn census_an_older_page_in_the_place_of_a_damaged_one_is_noticed() {
    let pages = MemoryPages::new(512);
    let identity = header::create(&pages, STORE_ID).unwrap();
    pages.set_len(COPIES + 3).unwrap();
    let put = |slot: u32, number: u64, interval: (u64, u64), mark: Mark| {
        let mut page = vec![0; 512];
        let used = interval.1 - interval.0;
        page[HEADER_BYTES..][..used as usize].fill(number as u8);
        let mut header = PageHeader {
            checksum: 0,
            number,
            from: interval.0,
            to: interval.1,
            end: interval.1,
            epoch: 1,
            mark,
            next_slot: slot + 1,
            predecessor_slot: NO_SLOT,
            clean: false,
            sparse: false,
            used: used as u32,
            first_frame: NO_FRAME,
            pieces: 0,
        };
        header.seal(&mut page, identity, slot);
        pages.write(slot, &page).unwrap();
        header
    };
    put(2, 1, (0, 10), Mark::default());
    let newer = put(3, 2, (0, 10), Mark::default());
    let mark = Mark {
        number: 2,
        end: 10,
        census: newer.census_term(),
    };
    put(4, 3, (10, 20), mark);
    let accepted = Survey::take(&pages, identity).unwrap().accept().unwrap();
    assert_eq!((accepted.top, accepted.segments.len()), (3, 2));

    pages.write(3, &[0xab; 512]).unwrap();
    match Survey::take(&pages, identity).unwrap().accept() {
        Err(Error::Corrupt { page: 3, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn doubt_a_recovery_that_is_cut_off_harms_no_acknowledged_page() {
    let (pages, mut log, mut author, mut history) = store_with_one_transaction();
    // Acknowledged, but no page carries a mark that says so.
    history.push(author.append(&mut log, &[1200]).unwrap());
    log.sync().unwrap();
    for cut in 0..20 {
        let pages = pages.fork();
        pages.fail_after(cut, crate::page::fault::Fault::PowerCut);
        let _ = open(pages.clone());
        let mut random = Random::new(cut);
        for _ in 0..100 {
            let crash = pages.draw_crash(&mut random);
            let (_, _, replayed) = open(pages.crash_as(&crash)).unwrap();
            assert_eq!(without_epochs(replayed.transactions), history, "{crash:?}");
        }
    }
}

#[test]
fn doubt_what_a_failed_sync_left_readable_is_made_durable_before_it_is_served() {
    let (pages, mut log, mut author, mut history) = store_with_one_transaction();
    author.append(&mut log, &[1200]).unwrap();
    pages.fail_after(0, crate::page::fault::Fault::SyncFails);
    assert!(log.sync().is_err());
    history.push(author.attempted.clone());
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    assert_eq!(
        without_epochs(replayed.transactions.clone()),
        history,
        "it can be read"
    );
    let mut author = Author::after(&replayed);
    for _ in 0..4 {
        let (_, _, replayed) = open(pages.crash_as(&Crash {
            len: pages.len().unwrap(),
            fates: Vec::new(),
        }))
        .unwrap();
        assert_eq!(without_epochs(replayed.transactions), history);
        history.push(author.append(&mut log, &[3]).unwrap());
        log.sync().unwrap();
    }
}

#[test]
fn doubt_a_close_that_failed_takes_nothing_from_what_is_acknowledged_later() {
    let (pages, mut log, mut author, mut history) = store_with_one_transaction();
    history.push(author.append(&mut log, &[5]).unwrap());
    // The entries are synced; the page with the clean flag is not.
    pages.fail_after(1, crate::page::fault::Fault::SyncFails);
    assert!(log.close(None).is_err());
    let (mut log, opened, replayed) = open(pages.clone()).unwrap();
    assert!(opened.clean, "it can be read");
    let mut author = Author::after(&replayed);
    for _ in 0..4 {
        history.push(author.append(&mut log, &[3]).unwrap());
        log.sync().unwrap();
        let nothing_more = Crash {
            len: pages.len().unwrap(),
            fates: Vec::new(),
        };
        let (_, _, replayed) = open(pages.crash_as(&nothing_more)).unwrap();
        assert_eq!(without_epochs(replayed.transactions), history);
    }
}

#[test]
fn an_epoch_begins_when_a_store_that_let_others_see_more_has_lost_it() {
    let pages = FaultPages::new(512, 1);
    for round in 0..3 {
        let (mut log, opened, replayed) = open(pages.clone()).unwrap();
        assert!(opened.clean && log.epoch() == 1);
        if round < 2 {
            Author::after(&replayed).append(&mut log, &[1]).unwrap();
            log.close(None).unwrap();
            continue;
        }
        log.leave_clean().unwrap();
        Author::after(&replayed).append(&mut log, &[1]).unwrap();
        log.write_tail().unwrap();
        let nothing_survives = Crash {
            len: pages.len().unwrap(),
            fates: Vec::new(),
        };
        let (log, opened, replayed) = open(pages.crash_as(&nothing_survives)).unwrap();
        assert!(!opened.clean);
        assert_eq!(log.epochs(), [EpochStart { epoch: 2, cut: 3 }]);
        assert_eq!(replayed.newest, Some(Revision { main: 3, sub: 1 }));
    }
}
