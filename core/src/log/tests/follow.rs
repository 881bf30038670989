//! Readers in other processes: the writer and the reader have a page store each over the same pages.

use alloc::vec::Vec;

use super::super::read::follow::Refresh;
use super::*;
use crate::page::fault::{Crash, FaultDisk, FaultPages, Random};

struct Reader {
    disk: FaultDisk,
    log: Log<FaultDisk>,
    replayed: Replayed,
}

impl Reader {
    fn open(disk: &FaultDisk) -> Self {
        let (log, _, replayed) = open_with(disk.clone(), options(true)).unwrap();
        Self {
            disk: disk.clone(),
            log,
            replayed,
        }
    }

    fn refresh(&mut self) -> Refresh {
        let before = self.replayed.transactions.len();
        let replayed = &mut self.replayed;
        let refresh = self.log.refresh(replayed).unwrap();
        assert!(self.replayed.open.is_empty(), "whole transactions only");
        let grown = self.replayed.transactions.len() > before;
        assert_eq!(refresh == Refresh::Grown, grown);
        if matches!(refresh, Refresh::Replaced | Refresh::Overtaken) {
            *self = Self::open(&self.disk);
        }
        refresh
    }

    /// Looks until it has everything; a recovery is noticed a few polls late.
    fn expect(&mut self, history: &[Transaction]) {
        for _ in 0..20 {
            if self.replayed.transactions == history {
                break;
            }
            self.refresh();
        }
        assert!(
            self.replayed.transactions == history,
            "the reader has what the writer wrote"
        );
        let frames: Vec<Frame> = scanned(&self.log, Revision::first_of(0))
            .into_iter()
            .map(|(_, frame)| frame)
            .collect();
        assert_eq!(frames, history.concat());
    }
}

#[test]
fn a_reader_that_looks_after_each_commit_reads_one_page_for_nothing_new() {
    let disk = FaultDisk::new(FaultPages::new(512, 1));
    let (mut log, _, replayed) = open(disk.clone()).unwrap();
    let mut author = Author::after(&replayed);
    let mut reader = Reader::open(&disk);
    let mut history = Vec::new();
    let mut random = Random::new(2);
    for _ in 0..100 {
        history.push(author.append(&mut log, &some_lengths(&mut random)).unwrap());
        log.sync().unwrap();
        assert_eq!(reader.refresh(), Refresh::Grown);
        assert_eq!(reader.replayed.transactions, history);
        let before = disk.now().counts().reads;
        assert_eq!(reader.refresh(), Refresh::Unchanged);
        assert!(disk.now().counts().reads - before <= 2);
    }
    let before = disk.now().counts().reads;
    for _ in 0..80 {
        assert_eq!(reader.refresh(), Refresh::Unchanged);
    }
    assert_eq!(disk.now().counts().reads - before, 90);
}

#[test]
fn a_reader_that_fell_behind_catches_up_without_a_survey() {
    let disk = FaultDisk::new(FaultPages::new(512, 1));
    let (mut log, _, replayed) = open(disk.clone()).unwrap();
    let mut author = Author::after(&replayed);
    let mut history = Vec::new();
    let mut random = Random::new(3);
    for _ in 0..200 {
        history.push(author.append(&mut log, &[100]).unwrap());
        log.sync().unwrap();
    }
    let mut reader = Reader::open(&disk);
    for _ in 0..50 {
        for _ in 0..random.below(40) {
            history.push(author.append(&mut log, &some_lengths(&mut random)).unwrap());
            log.sync().unwrap();
        }
        let live = log.directory.pages().len() as u64;
        let before = disk.now().counts().reads;
        reader.refresh();
        assert!(
            disk.now().counts().reads - before < live.max(60),
            "that was a survey"
        );
        assert_eq!(reader.replayed.transactions, history);
        assert!(log.directory.pages().len() < 1000);
    }
}

#[test]
fn a_reader_sees_whole_transactions_of_writers_that_come_go_and_crash() {
    for seed in 0..40 {
        let disk = FaultDisk::new(FaultPages::new(512, 1));
        let mut random = Random::new(seed);
        let (log, _, _) = open(disk.clone()).unwrap();
        drop(log);
        let mut reader = Reader::open(&disk);
        for _ in 0..8 {
            let (mut log, _, replayed) = open(disk.clone()).unwrap();
            let mut author = Author::after(&replayed);
            let mut history = replayed.transactions;
            reader.expect(&history);
            for _ in 0..random.below(30) {
                history.push(author.append(&mut log, &some_lengths(&mut random)).unwrap());
                match random.below(4) {
                    0 | 1 => log.sync().unwrap(),
                    2 => log.write_tail().unwrap(),
                    _ => {}
                }
                if random.percent(30) {
                    reader.refresh();
                    let seen = reader.replayed.transactions.len();
                    assert_eq!(reader.replayed.transactions, history[..seen]);
                }
            }
            match random.below(4) {
                0 => log.close(None).unwrap(),
                1 => {
                    author.main += 1;
                    author.append_entries(&mut log, &[10, 700], false).unwrap();
                    log.write_tail().unwrap();
                    reader.refresh();
                }
                // The power of the writer's machine goes; the reader's does not.
                2 => disk.crash(&mut random),
                _ => {}
            }
        }
    }
}

#[test]
fn a_reader_that_saw_what_was_lost_is_told_even_where_all_positions_agree() {
    for further in 0..6 {
        let disk = FaultDisk::new(FaultPages::new(512, 1));
        let (mut log, _, replayed) = open(disk.clone()).unwrap();
        let mut author = Author::after(&replayed);
        author.append(&mut log, &[1]).unwrap();
        log.sync().unwrap();
        let mut reader = Reader::open(&disk);
        let lost = author.append(&mut log, &[60]).unwrap();
        log.write_tail().unwrap();
        assert_eq!(reader.refresh(), Refresh::Grown);

        let nothing_survives = Crash {
            len: disk.len().unwrap(),
            fates: Vec::new(),
        };
        let survivor = disk.now().crash_as(&nothing_survives);
        disk.replace(survivor);
        let (mut log, _, replayed) = open(disk.clone()).unwrap();
        let mut history = replayed.transactions;
        // As long, with the entry that begins the epoch, as what was lost.
        let epoch = &history.last().unwrap()[0];
        let mut author = Author::after(&Replayed::default());
        author.main = 2;
        history.push(author.append(&mut log, &[60 - epoch.len()]).unwrap());
        assert_eq!(log.end().0, reader.log.end().0);
        assert_ne!(history.last(), Some(&lost));
        for _ in 0..further {
            history.push(author.append(&mut log, &[5]).unwrap());
            log.sync().unwrap();
        }
        log.sync().unwrap();
        reader.expect(&history);
    }
}

#[cfg(feature = "std")]
#[test]
fn a_reader_beside_a_busy_writer_misses_nothing_and_reads_nothing_torn() {
    use std::thread;
    let disk = FaultDisk::new(FaultPages::new(512, 1));
    let (mut log, _, replayed) = open(disk.clone()).unwrap();
    let mut author = Author::after(&replayed);
    let writer = thread::spawn(move || {
        let mut history = Vec::new();
        let mut random = Random::new(4);
        for _ in 0..1500 {
            history.push(author.append(&mut log, &some_lengths(&mut random)).unwrap());
            log.sync().unwrap();
        }
        history
    });
    let mut reader = Reader::open(&disk);
    while !writer.is_finished() {
        reader.refresh();
        if reader.replayed.transactions.len().is_multiple_of(100) {
            // Opening beside it works as well.
            let _ = open_with(disk.clone(), options(true));
        }
    }
    let history = writer.join().unwrap();
    reader.expect(&history);
}
