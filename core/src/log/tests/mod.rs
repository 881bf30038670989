//! What the log promises, over page stores that lose, tear and turn bits.

mod crash;
mod damage;
mod follow;
mod lend;
mod round_trip;
mod rules;
mod salvage;
mod sparse;
mod sweep;

use alloc::vec;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::format::frame;
use super::format::record::{Entry, Record};
use super::handle::{EpochStart, Log, LogOptions, Opened, Position};
use super::learner::Learner;
use crate::error::Result;
use crate::page::PageStore;
use crate::page::fault::{FaultPages, Random};
use crate::record::{Change, EventKind, KeyValue};
use crate::revision::Revision;

pub(super) const STORE_ID: [u8; 16] = *b"a store for test";

/// An entry as its frame, which says everything about it.
type Frame = Vec<u8>;
/// The entries of one transaction.
type Transaction = Vec<Frame>;

#[test]
fn a_log_can_be_read_by_many_threads() {
    fn is_sync<T: Send + Sync>() {}
    is_sync::<Log<crate::page::MemoryPages>>();
}

/// A disk; every other one promises that it grows by zeros.
fn fault_pages(page_size: usize, seed: u64) -> FaultPages {
    let pages = FaultPages::new(page_size, seed);
    if seed.is_multiple_of(2) {
        pages
    } else {
        pages.gaining_zeros()
    }
}

fn options(read_only: bool) -> LogOptions {
    LogOptions {
        read_only,
        store_id: STORE_ID,
        cache_bytes: 8 * 512,
    }
}

fn frame_of(entry: &Entry<'_>) -> Frame {
    frame::encode(entry, &mut Vec::new()).unwrap().to_vec()
}

/// What a replay brought, as transactions.
#[derive(Debug, Default)]
struct Replayed {
    transactions: Vec<Transaction>,
    open: Transaction,
    positions: Vec<Position>,
    newest: Option<Revision>,
}

impl Replayed {
    fn take(&mut self, position: Position, entry: &Entry<'_>) {
        assert!(self.newest.is_none_or(|newest| newest < entry.revision));
        assert!(self.positions.last().is_none_or(|last| *last < position));
        self.newest = Some(entry.revision);
        self.positions.push(position);
        self.open.push(frame_of(entry));
        if entry.last {
            self.transactions.push(core::mem::take(&mut self.open));
        }
    }
}

impl Learner for Replayed {
    fn learn(&mut self, position: Position, entry: &Entry<'_>) -> Result<()> {
        self.take(position, entry);
        Ok(())
    }
}

/// Learns each entry by a closure.
struct Each<F>(F);

impl<F: FnMut(&Entry<'_>)> Learner for Each<F> {
    fn learn(&mut self, _: Position, entry: &Entry<'_>) -> Result<()> {
        (self.0)(entry);
        Ok(())
    }
}

fn open<P: PageStore>(pages: P) -> Result<(Log<P>, Opened, Replayed)> {
    open_with(pages, options(false))
}

fn open_with<P: PageStore>(pages: P, options: LogOptions) -> Result<(Log<P>, Opened, Replayed)> {
    let mut replayed = Replayed::default();
    let (log, opened) = Log::open(pages, options, &mut replayed)?;
    assert!(replayed.open.is_empty(), "whole transactions only");
    Ok((log, opened, replayed))
}

/// Makes transactions with revisions that go on from the log's.
struct Author {
    main: i64,
    value: Vec<u8>,
    /// What was appended last, or should have been.
    attempted: Transaction,
}

impl Author {
    fn after(replayed: &Replayed) -> Self {
        Self {
            main: replayed.newest.map_or(1, |newest| newest.main),
            value: Vec::new(),
            attempted: Transaction::new(),
        }
    }

    /// Appends a transaction of puts with values of these lengths, and says what it consisted of.
    fn append<P: PageStore>(&mut self, log: &mut Log<P>, lengths: &[usize]) -> Result<Transaction> {
        self.main += 1;
        self.append_entries(log, lengths, true)
    }

    fn append_entries<P: PageStore>(
        &mut self,
        log: &mut Log<P>,
        lengths: &[usize],
        complete: bool,
    ) -> Result<Transaction> {
        self.attempted.clear();
        log.reserve(lengths.iter().sum::<usize>() + 100 * lengths.len())?;
        let mut failure = None;
        for (sub, &length) in lengths.iter().enumerate() {
            self.value.clear();
            self.value
                .resize(length, (self.main * 7 + sub as i64) as u8);
            let entry = Entry {
                revision: Revision {
                    main: self.main,
                    sub: sub as u32,
                },
                last: complete && sub + 1 == lengths.len(),
                record: Record::Put {
                    key: b"a key",
                    value: &self.value,
                    age: 0,
                    version: 1,
                    lease: 0,
                },
            };
            if failure.is_none() {
                failure = log.append(&entry).err();
            }
            self.attempted.push(frame_of(&entry));
        }
        failure.map_or_else(|| Ok(self.attempted.clone()), Err)
    }
}

/// Lengths of the values of a transaction: mostly small, sometimes over several pages.
fn some_lengths(random: &mut Random) -> Vec<usize> {
    let count = [1, 1, 1, 2, 6][random.below(5)];
    let length = |random: &mut Random| match random.below(20) {
        0 => 400 + random.below(1600),
        1..5 => random.below(300),
        _ => random.below(30),
    };
    (0..count).map(|_| length(random)).collect()
}

/// All entries from `from` on, as a scan gives them.
fn scanned<P: PageStore>(log: &Log<P>, from: Revision) -> Vec<(Position, Frame)> {
    let mut scan = log.scan(from);
    let (mut entries, mut seen) = (vec![], vec![]);
    while let Some((position, stored)) = scan.next(log).unwrap() {
        let entry = stored.entry();
        seen.push(Seen::of(entry.revision, entry.change()));
        entries.push((position, frame_of(&entry)));
    }
    assert_eq!(shown(log, from, 3), seen);
    assert_eq!(shown(log, from, usize::MAX), seen);
    for window_bytes in [1, 700, 5_000] {
        assert_eq!(windowed(log, from, window_bytes), seen);
    }
    for (position, frame) in &entries {
        assert_eq!(put_in_a_window(log, *position), *frame);
    }
    entries
}

/// What is shown of an entry.
#[derive(Debug, PartialEq)]
struct Seen {
    revision: Revision,
    change: Option<(EventKind, KeyValue)>,
}

impl Seen {
    fn of(revision: Revision, change: Option<Change<'_>>) -> Self {
        let change = change.map(|(kind, kv)| (kind, kv.to_owned()));
        Self { revision, change }
    }
}

/// The same, as it is shown through windows, each of which is wider than the one before if that showed nothing.
fn windowed<P: PageStore>(log: &Log<P>, from: Revision, window_bytes: usize) -> Vec<Seen> {
    let mut scan = log.scan(from);
    let (mut seen, mut bytes) = (vec![], window_bytes);
    loop {
        let window = log.window(scan.position(), bytes);
        let before = seen.len();
        scan.visit(&window, |revision, change| {
            seen.push(Seen::of(revision, change));
            ControlFlow::Continue(())
        })
        .unwrap();
        if window.is_last() {
            return seen;
        }
        bytes = if seen.len() == before {
            2 * bytes
        } else {
            window_bytes
        };
    }
}

/// The entry at a position, all of which are puts or the beginning of an epoch.
fn put_in_a_window<P: PageStore>(log: &Log<P>, position: Position) -> Frame {
    let stored = log.read(position).unwrap();
    if !matches!(stored.entry().record, Record::Put { .. }) {
        return frame_of(&stored.entry());
    }
    let widths = (0..).map(|doublings| 1 << doublings);
    let found = widths
        .map(|bytes| log.window(position, bytes).put_at(position).unwrap())
        .find_map(|stored| stored.map(|stored| frame_of(&stored.entry())));
    found.expect("some window is wide enough")
}

/// The same, as it is shown to who breaks off after every so many.
fn shown<P: PageStore>(log: &Log<P>, from: Revision, together: usize) -> Vec<Seen> {
    let mut scan = log.scan(from);
    let mut seen: Vec<Seen> = vec![];
    loop {
        let before = seen.len();
        scan.visit(log, |revision, change| {
            let last = seen.last().map(|last| last.revision);
            assert!(last < Some(revision), "shown again");
            seen.push(Seen::of(revision, change));
            if seen.len() - before < together {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })
        .unwrap();
        if seen.len() == before {
            return seen;
        }
    }
}

fn epoch_frame(start: EpochStart, revision: Revision) -> Frame {
    frame_of(&Entry {
        revision,
        last: true,
        record: Record::Epoch {
            epoch: start.epoch as u64,
            cut: start.cut as u64,
        },
    })
}
