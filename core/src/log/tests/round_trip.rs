//! What is appended is read back, at every page size, and what a commit costs.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::page::MemoryPages;
use crate::page::fault::FaultPages;

#[test]
fn what_was_appended_is_replayed_read_and_scanned_at_every_page_size() {
    for page_size in [512, 4096, 65_536] {
        for shares in [false, true] {
            if shares {
                let pages = MemoryPages::new(page_size);
                round_trip(|| pages.clone(), page_size);
            } else {
                let pages = FaultPages::new(page_size, 1);
                round_trip(|| pages.clone(), page_size);
            }
        }
    }
}

fn round_trip<P: PageStore>(pages: impl Fn() -> P, page_size: usize) {
    let mut random = Random::new(page_size as u64);
    let (mut log, opened, replayed) = open(pages()).unwrap();
    assert!(opened.created && opened.clean);
    let mut author = Author::after(&replayed);
    let mut written = Vec::new();
    for round in 0..110 {
        let mut lengths = some_lengths(&mut random);
        if round % 50 == 7 {
            // Over several pages, and to within a byte of a page's end.
            lengths = vec![3 * page_size + round, page_size - 130 - round % 40, 0];
        }
        written.push(author.append(&mut log, &lengths).unwrap());
        if random.percent(30) {
            log.sync().unwrap();
        }
        if random.percent(5) {
            check_reading(&log, &written);
        }
    }
    log.sync().unwrap();
    log.check().unwrap();
    log.close(None).unwrap();

    let (log, opened, replayed) = open(pages()).unwrap();
    assert!(opened.clean && !opened.created);
    assert_eq!(replayed.transactions, written);
    check_reading(&log, &written);
    log.check().unwrap();
    for (position, frame) in replayed.positions.iter().zip(written.concat()) {
        assert_eq!(frame_of(&log.read(*position).unwrap().entry()), frame);
    }
}

fn check_reading<P: PageStore>(log: &Log<P>, written: &[Transaction]) {
    let all = scanned(log, Revision::first_of(0));
    let frames: Vec<Frame> = all.iter().map(|(_, frame)| frame.clone()).collect();
    assert_eq!(frames, written.concat());
    for (position, frame) in &all {
        assert_eq!(&frame_of(&log.read(*position).unwrap().entry()), frame);
    }
    let revision = |frame: &Frame| {
        let prefix = frame.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        frame::decode(&frame[prefix..]).unwrap().revision
    };
    for from in (0..all.len()).step_by(7) {
        let start = revision(&all[from].1);
        assert_eq!(scanned(log, start), all[from..], "from {start}");
    }
}

#[test]
fn a_scan_that_has_come_to_the_end_goes_on_with_what_is_added() {
    let (mut log, _, replayed) = open(FaultPages::new(512, 1)).unwrap();
    let mut author = Author::after(&replayed);
    let mut scan = log.scan(Revision::first_of(3));
    let mut random = Random::new(5);
    for main in 2..200 {
        let frames = author.append(&mut log, &some_lengths(&mut random)).unwrap();
        if main >= 3 {
            for frame in frames {
                let (_, stored) = scan.next(&log).unwrap().expect("just appended");
                assert_eq!(frame_of(&stored.entry()), frame);
            }
        }
        assert!(scan.next(&log).unwrap().is_none());
        if random.percent(20) {
            log.sync().unwrap();
        }
    }
}

#[test]
fn a_small_durable_commit_is_one_page_write_and_one_sync() {
    let pages = FaultPages::new(4096, 1);
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    let mut author = Author::after(&replayed);
    for _ in 0..30 {
        author.append(&mut log, &[20]).unwrap();
        let before = pages.counts();
        log.sync().unwrap();
        let after = pages.counts();
        assert_eq!(
            (after.writes - before.writes, after.syncs - before.syncs),
            (1, 1)
        );
        assert_eq!(
            (after.reads, after.set_lens),
            (before.reads, before.set_lens)
        );
    }
    let before = pages.counts();
    log.sync().unwrap();
    assert_eq!(pages.counts(), before, "nothing to do");
}

#[test]
fn a_store_that_gains_zeros_grows_without_a_write_or_a_sync() {
    for gains_zeros in [false, true] {
        let mut pages = FaultPages::new(512, 1);
        if gains_zeros {
            pages = pages.gaining_zeros();
        }
        let (mut log, _, replayed) = open(pages.clone()).unwrap();
        let mut author = Author::after(&replayed);
        let before = pages.counts();
        for _ in 0..1000 {
            author.append(&mut log, &[400]).unwrap();
        }
        let counts = pages.counts();
        assert!(counts.set_lens > before.set_lens + 1);
        let written = counts.writes - before.writes;
        let filled = log.size_in_use() / 512;
        assert_eq!(written <= filled, gains_zeros, "{written} pages written");
        assert_eq!(counts.syncs == before.syncs, gains_zeros);
    }
}

#[test]
fn many_small_commits_move_through_few_slots() {
    let pages = FaultPages::new(65_536, 1);
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    let mut author = Author::after(&replayed);
    for _ in 0..200 {
        author.append(&mut log, &[20]).unwrap();
        log.sync().unwrap();
    }
    assert!(log.size_in_use() <= 3 * 65_536);
    assert!(
        log.size_allocated() <= 22 * 65_536,
        "{}",
        log.size_allocated()
    );
}

#[test]
fn a_clean_store_that_is_opened_and_closed_is_not_touched() {
    let pages = FaultPages::new(512, 1);
    for length in [0, 10, 5000] {
        let (mut log, _, replayed) = open(pages.clone()).unwrap();
        if length > 0 {
            Author::after(&replayed)
                .append(&mut log, &[length])
                .unwrap();
        }
        log.close(None).unwrap();
        drop(log);
        let (bytes, before) = (pages.to_bytes(), pages.counts());
        let (mut log, opened, _) = open(pages.clone()).unwrap();
        assert!(opened.clean && log.epoch() == 1);
        log.sync().unwrap();
        log.close(None).unwrap();
        let after = pages.counts();
        assert_eq!((after.writes, after.syncs), (before.writes, before.syncs));
        assert!(pages.to_bytes() == bytes);
    }
}

#[test]
fn room_that_is_reserved_is_there_and_without_room_nothing_changes() {
    let pages = MemoryPages::new(512).with_capacity_limit(56);
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    let mut author = Author::after(&replayed);
    let mut written = Vec::new();
    let refused = loop {
        match author.append(&mut log, &[100]) {
            Ok(transaction) => written.push(transaction),
            Err(error) => break error,
        }
        log.sync().unwrap();
    };
    assert_eq!(refused.code(), crate::ErrorCode::NoSpace);
    assert!(!log.is_poisoned() && written.len() > 100);
    log.close(None).unwrap();
    let (_, opened, replayed) = open(pages).unwrap();
    assert!(opened.clean);
    assert_eq!(replayed.transactions, written);
}

#[test]
fn after_a_failed_page_write_or_sync_nothing_is_written_and_reading_goes_on() {
    use crate::page::fault::Fault;
    for fault in [Fault::WriteFails, Fault::ShortWrite, Fault::SyncFails] {
        let pages = FaultPages::new(512, 1);
        let (mut log, _, replayed) = open(pages.clone()).unwrap();
        let mut author = Author::after(&replayed);
        let first = author.append(&mut log, &[700]).unwrap();
        log.sync().unwrap();
        let second = author.append(&mut log, &[10]).unwrap();
        pages.fail_after(0, fault);
        assert_eq!(log.sync().unwrap_err().code(), crate::ErrorCode::Io);
        assert!(log.is_poisoned());
        let writes = pages.counts().writes;
        assert_eq!(log.sync().unwrap_err().code(), crate::ErrorCode::Poisoned);
        assert_eq!(
            author.append(&mut log, &[1]).unwrap_err().code(),
            crate::ErrorCode::Poisoned
        );
        assert_eq!(
            log.close(None).unwrap_err().code(),
            crate::ErrorCode::Poisoned
        );
        assert_eq!(pages.counts().writes, writes);
        let frames: Vec<Frame> = scanned(&log, Revision::first_of(0))
            .into_iter()
            .map(|(_, frame)| frame)
            .collect();
        assert_eq!(frames, [first, second].concat());
    }
}
