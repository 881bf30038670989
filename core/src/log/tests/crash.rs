//! Power that goes at any moment, over and over: what was synced is there, what is there is a prefix
//! of what was written, whole transactions only.

use alloc::vec::Vec;

use super::*;
use crate::page::fault::{Fault, FaultPages, Random};

/// A store with what it was told, and how much of that it must still know after a crash.
struct Trial {
    pages: FaultPages,
    random: Random,
    /// All transactions, those of recovery too.
    history: Vec<Transaction>,
    /// So many of them are durable.
    durable: usize,
    epoch: i64,
    /// Losing something must be told by a new epoch.
    told: bool,
}

impl Trial {
    fn new(seed: u64, page_size: usize) -> Self {
        Self {
            pages: fault_pages(page_size, seed),
            random: Random::new(seed),
            history: Vec::new(),
            durable: 0,
            epoch: 1,
            told: true,
        }
    }

    /// Opens until no power cut comes in between.
    fn open(&mut self) -> (Log<FaultPages>, Author) {
        loop {
            if self.random.percent(30) {
                self.pages
                    .fail_after(self.random.below(8) as u64, Fault::PowerCut);
            }
            match open(self.pages.clone()) {
                Ok((log, opened, replayed)) => {
                    self.pages.forget_faults();
                    let author = Author::after(&replayed);
                    self.compare(&log, opened, replayed);
                    return (log, author);
                }
                Err(error) => {
                    assert_eq!(error.code(), crate::ErrorCode::Io, "{error}");
                    self.crash();
                }
            }
        }
    }

    fn compare(&mut self, log: &Log<FaultPages>, opened: Opened, replayed: Replayed) {
        let mut found = replayed.transactions;
        let began = (log.epoch() > self.epoch).then(|| *log.epochs().last().unwrap());
        if let Some(start) = began {
            let epoch = found.pop().expect("the entry that begins the epoch");
            assert_eq!(epoch, [epoch_frame(start, replayed.newest.unwrap())]);
            assert!(!opened.clean);
        }
        // Recovery may have been cut off after it began an epoch.
        let same = found
            .iter()
            .zip(&self.history)
            .take_while(|(a, b)| a == b)
            .count();
        let extra = &found[same..];
        assert!(
            extra.iter().all(is_epoch),
            "{} of {} transactions are those that were written",
            same,
            found.len()
        );
        assert!(
            same >= self.durable,
            "lost: {same} of {} durable ones are there",
            self.durable
        );
        let lost = self.history.len() - same;
        assert!(
            lost == 0 || began.is_some() || !extra.is_empty() || !self.told,
            "lost {lost} and told nobody"
        );
        self.history = found;
        if let Some(start) = began {
            self.history
                .push(Vec::from([epoch_frame(start, replayed.newest.unwrap())]));
        }
        self.durable = self.history.len();
        self.epoch = log.epoch();
        self.told = began.is_some();
        log.check().unwrap();
    }

    fn crash(&mut self) {
        self.pages = self.pages.crash(&mut self.random);
    }

    /// Writes, until the power goes or the log is closed.
    fn session(&mut self) -> Result<()> {
        let (mut log, mut author) = self.open();
        if self.random.percent(50) {
            self.pages
                .fail_after(self.random.below(60) as u64, Fault::PowerCut);
        } else if self.random.percent(20) {
            self.pages
                .fail_after(self.random.below(15) as u64, Fault::SyncFails);
        } else if self.random.percent(10) {
            self.pages
                .fail_after(self.random.below(30) as u64, Fault::ShortWrite);
        }
        if self.random.percent(50) {
            log.leave_clean()?;
            self.told = true;
        }
        let sync_percent = [5, 30, 100][self.random.below(3)];
        for _ in 0..self.random.below(60) {
            let lengths = some_lengths(&mut self.random);
            let complete = !self.random.percent(3);
            if complete {
                // Even if it fails, all of it may have been written.
                let outcome = author.append(&mut log, &lengths);
                self.history.push(author.attempted.clone());
                outcome?;
            }
            if self.random.percent(20) {
                log.write_tail()?;
            }
            if self.random.percent(sync_percent) {
                log.sync()?;
                self.durable = self.history.len();
            }
            if self.random.percent(3) {
                log.carry_mark()?;
                self.durable = self.history.len();
            }
            if !complete {
                author.main += 1;
                author.append_entries(&mut log, &lengths, false)?;
                return log.write_tail();
            }
        }
        if self.random.percent(40) {
            log.close(None)?;
            self.durable = self.history.len();
            self.told = true;
        }
        Ok(())
    }
}

fn is_epoch(transaction: &Transaction) -> bool {
    let body = &transaction[0][1..];
    transaction.len() == 1
        && frame::decode(body).is_some_and(|entry| matches!(entry.record, Record::Epoch { .. }))
}

fn run(seed: u64, page_size: usize, sessions: usize) {
    let mut trial = Trial::new(seed, page_size);
    // A creation that is cut off is tried elsewhere.
    drop(open(trial.pages.clone()).unwrap());
    for _ in 0..sessions {
        let outcome = trial.session();
        let power_is_gone = trial.pages.len().is_err();
        trial.pages.forget_faults();
        // A process may die without the power going; its pages are then as it wrote them.
        if power_is_gone || (outcome.is_ok() && trial.random.percent(50)) {
            trial.crash();
        }
    }
}

#[test]
fn after_any_crash_the_log_is_a_prefix_of_whole_transactions_with_all_that_was_synced() {
    for seed in 0..100 {
        run(seed, 512, 12);
    }
    for seed in 0..8 {
        run(seed, 4096, 12);
    }
}

/// All that a loss of power can leave, at each operation of a short history, and then all that a
/// second one can leave during the recovery from it, as far as there are few outcomes.
#[test]
fn a_crash_at_every_write_loses_nothing_that_was_synced() {
    let base = FaultPages::new(512, 1);
    drop(open(base.clone()).unwrap());
    let script: &[(&[usize], bool)] = &[
        (&[10], true),
        (&[10], true),
        (&[300, 200], false),
        (&[20], true),
        (&[10], true),
        (&[900], true),
        (&[10], false),
        (&[30], true),
        (&[40], true),
    ];
    for cut in 0.. {
        let pages = base.fork();
        pages.fail_after(cut, Fault::PowerCut);
        let mut history = Vec::new();
        let mut durable = 0;
        let outcome = (|| {
            let (mut log, _, replayed) = open(pages.clone())?;
            let mut author = Author::after(&replayed);
            for (lengths, synced) in script {
                let outcome = author.append(&mut log, lengths);
                history.push(author.attempted.clone());
                outcome?;
                if *synced {
                    log.sync()?;
                    durable = history.len();
                } else {
                    log.write_tail()?;
                }
            }
            log.close(None)
        })();
        let done = outcome.is_ok();
        for crash in pages.every_crash().take(100) {
            let survivor = pages.crash_as(&crash);
            let expect = |pages: &FaultPages| {
                let (log, _, replayed) =
                    open(pages.clone()).unwrap_or_else(|error| panic!("{error}: {crash:?}"));
                log.check().unwrap();
                let mut found = replayed.transactions;
                found.retain(|transaction| !is_epoch(transaction));
                assert!(found.len() >= durable, "{crash:?}");
                assert_eq!(found[..], history[..found.len()], "{crash:?}");
            };
            expect(&survivor.fork());
            for second in 0..4 {
                let survivor = survivor.fork();
                survivor.fail_after(second, Fault::PowerCut);
                if open(survivor.clone()).is_err() {
                    let mut random = Random::new(second);
                    (0..3).for_each(|_| expect(&survivor.crash(&mut random)));
                }
            }
        }
        if done {
            break;
        }
    }
}

#[test]
fn a_creation_that_was_cut_off_is_begun_again() {
    let zeros = FaultPages::from_bytes(512, 1, &[0; 1024]).unwrap();
    for cut in 0..4 {
        let pages = zeros.fork();
        pages.fail_after(cut, Fault::PowerCut);
        if open(pages.clone()).is_ok() {
            continue;
        }
        for crash in pages.every_crash() {
            let survivor = pages.crash_as(&crash);
            match open(survivor.clone()) {
                Ok((mut log, opened, replayed)) => {
                    assert!(opened.clean && replayed.transactions.is_empty());
                    let written = Author::after(&replayed).append(&mut log, &[3]).unwrap();
                    log.close(None).unwrap();
                    assert_eq!(open(survivor).unwrap().2.transactions, [written]);
                }
                // A tear that left bytes of neither version looks like another program's file.
                Err(error) => assert_eq!(error.code(), crate::ErrorCode::NotAStore, "{crash:?}"),
            }
        }
    }
}

#[test]
fn a_file_of_another_program_is_refused_and_not_touched() {
    let mut image = [0; 4096];
    image[..16].copy_from_slice(b"SQLite format 3\0");
    let mut late = [0; 4096];
    late[4095] = 1;
    for image in [image, late, [0x20; 4096]] {
        let pages = FaultPages::from_bytes(512, 1, &image).unwrap();
        let error = open(pages.clone()).err().unwrap();
        assert_eq!(error.code(), crate::ErrorCode::NotAStore);
        assert_eq!(pages.counts().writes + pages.counts().set_lens, 0);
        assert!(pages.to_bytes() == image);
    }
}
