//! Every key with its history, by address.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use slab::Slab;

use super::chain::Chain;
use super::change::{Change, Found};
use super::heap::{Address, Heap};
use super::record::{self, HEADER_BYTES, Older, Record};
use super::run::Run;
use crate::prefetch;

/// The records of all keys, and what does not fit into them.
///
/// A history is one run of changes whose newest is in the key's record. When the run is full it is
/// closed and the next change begins another; the closed runs of a key, oldest first, make its long
/// history, and a lookup finds the right one by bisection.
#[derive(Debug, Default)]
pub(super) struct Records {
    heap: Heap,
    long: Slab<Long>,
    /// Newest changes with numbers too large for a record.
    wide: BTreeMap<Address, Change>,
}

/// A history of more than one run.
#[derive(Debug)]
struct Long {
    /// Full runs, oldest first; never empty.
    closed: VecDeque<Run>,
    /// What lies behind the newest change.
    open: Chain,
}

/// How far trimming a history got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trimmed {
    Kept,
    /// Nothing is left of the key but an old delete: the key can be forgotten.
    Forgettable,
    /// The steps did not suffice.
    Unfinished,
}

impl Records {
    /// Adds a record for a key, which has none, with its first change.
    pub(super) fn create(&mut self, key: &[u8], change: Change) -> Address {
        let address = self.heap.allocate(HEADER_BYTES + key.len());
        record::write_key(key, self.heap.bytes_mut(address));
        self.write(address, change, Older::Short(Chain::EMPTY));
        address
    }

    /// Adds a record for a key, which has none, with all its changes: the newest, its full runs, the
    /// oldest first, and the bytes behind the newest change. Each run is its newest change and the bytes
    /// behind it, of which no chain has more than 255.
    pub(super) fn create_with(
        &mut self,
        key: &[u8],
        newest: Change,
        closed: &[(Change, &[u8])],
        open: &[u8],
    ) -> Address {
        let heap = &mut self.heap;
        let address = heap.allocate(HEADER_BYTES + key.len());
        record::write_key(key, heap.bytes_mut(address));
        let open = Chain::of(open, heap);
        let older = if closed.is_empty() {
            Older::Short(open)
        } else {
            let run = |&(newest, older): &(Change, &[u8])| Run {
                newest,
                older: Chain::of(older, heap),
            };
            let closed = closed.iter().map(run).collect();
            Older::Long(self.long.insert(Long { closed, open }) as u32)
        };
        self.write(address, newest, older);
        address
    }

    /// Removes a key's record and history. Nothing may refer to it any more.
    pub(super) fn remove(&mut self, address: Address) {
        let record = self.record(address);
        if record.wide {
            self.wide.remove(&address);
        }
        let mut chain = match record.older {
            Older::Short(chain) => chain,
            Older::Long(number) => {
                let long = self.long.remove(number as usize);
                for mut run in long.closed {
                    run.older.free(&mut self.heap);
                }
                long.open
            }
        };
        chain.free(&mut self.heap);
        let bytes = HEADER_BYTES + self.key(address).len();
        self.heap.free(address, bytes);
    }

    #[inline]
    pub(super) fn key(&self, address: Address) -> &[u8] {
        let block = self.heap.bytes(address);
        record::key_of(header_of(block), block)
    }

    /// Asks for records whose puts will be wanted soon.
    #[inline]
    pub(super) fn touch(&self, addresses: &[Address]) {
        prefetch::touch(addresses.iter().map(|&address| {
            // Two cache lines, as a rule.
            let header = self.header(address);
            header[0] ^ header[HEADER_BYTES - 1]
        }));
    }

    /// The put that a key was the result of as of `main`, if it existed then.
    #[inline]
    pub(super) fn found(&self, address: Address, main: i64) -> Option<Found> {
        let record = self.record(address);
        if record.wide || record.newest.revision.main > main {
            return self.at(address, main)?.found();
        }
        record.newest.found()
    }

    /// The newest change of a key up to `main`.
    #[inline(never)]
    pub(super) fn at(&self, address: Address, main: i64) -> Option<Change> {
        let record = self.record(address);
        if record.newest.revision.main <= main {
            return Some(self.newest_of(address, &record));
        }
        self.older_at(address, &record, main)
    }

    /// The newest change of a key.
    #[inline]
    pub(super) fn newest(&self, address: Address) -> Change {
        self.newest_of(address, &self.record(address))
    }

    /// The full runs of a key, if it has any, the oldest first; and the one that goes on.
    pub(super) fn runs(&self, address: Address) -> (Option<&VecDeque<Run>>, Run) {
        let record = self.record(address);
        let closed = match record.older {
            Older::Short(_) => None,
            Older::Long(number) => Some(&self.long[number as usize].closed),
        };
        let open = Run {
            newest: self.newest_of(address, &record),
            older: self.open_chain(&record),
        };
        (closed, open)
    }

    /// Appends the bytes behind a run's newest change to `out`.
    pub(super) fn copy_older(&self, run: &Run, out: &mut Vec<u8>) {
        run.older.copy_to(&self.heap, out);
    }

    /// Adds a change to a key; it must be newer than all. Answers what was the newest before.
    pub(super) fn push(&mut self, address: Address, change: Change) -> Change {
        let record = self.record(address);
        let before = self.newest_of(address, &record);
        let mut run = Run {
            newest: before,
            older: self.open_chain(&record),
        };
        let older = if run.push(change, &mut self.heap) {
            self.with_open_chain(record.older, run.older)
        } else {
            self.close(record.older, run)
        };
        self.write(address, change, older);
        before
    }

    /// Drops what no read at `revision` or later can see. Takes a step from `steps` for each full
    /// run that goes, and stops when there are none left.
    pub(super) fn trim(&mut self, address: Address, revision: i64, steps: &mut usize) -> Trimmed {
        let record = self.record(address);
        let mut open = Run {
            newest: self.newest_of(address, &record),
            older: self.open_chain(&record),
        };
        let is_state = open.newest.revision.main <= revision;
        let mut finished = true;
        if let Older::Long(number) = record.older {
            let closed = &mut self.long[number as usize].closed;
            finished = if is_state {
                clear(closed, &mut self.heap, steps)
            } else {
                trim_closed(closed, &mut open, revision, &mut self.heap, steps)
            };
        } else if !is_state {
            open.trim(revision, &mut self.heap);
        }
        if is_state {
            open.older.free(&mut self.heap);
        }
        let older = self.with_open_chain(record.older, open.older);
        let older = self.short_if_possible(older);
        self.write(address, open.newest, older);
        match (finished, is_state && !open.newest.outlives(revision)) {
            (false, _) => Trimmed::Unfinished,
            (true, true) => Trimmed::Forgettable,
            (true, false) => Trimmed::Kept,
        }
    }

    /// Panics if what belongs to no key any more is still kept.
    #[cfg(test)]
    pub(super) fn check(&self, addresses: impl Iterator<Item = Address>) {
        let (mut wide, mut long) = (0, 0);
        for address in addresses {
            let record = self.record(address);
            wide += usize::from(record.wide);
            long += usize::from(matches!(record.older, Older::Long(_)));
        }
        assert_eq!((self.wide.len(), self.long.len()), (wide, long));
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.heap.size()
    }

    fn older_at(&self, address: Address, record: &Record, main: i64) -> Option<Change> {
        let mut open = Run {
            newest: self.newest_of(address, record),
            older: Chain::EMPTY,
        };
        let number = match record.older {
            Older::Short(chain) => {
                open.older = chain;
                return open.at(main, &self.heap);
            }
            Older::Long(number) => number,
        };
        // The run after the last one that ends by `main` may have a later change up to `main`.
        let long = &self.long[number as usize];
        open.older = long.open;
        let closed = &long.closed;
        let ended = closed.partition_point(|run| run.newest.revision.main <= main);
        let next = closed.get(ended).unwrap_or(&open);
        let in_next = next.at(main, &self.heap);
        in_next.or_else(|| Some(closed[ended.checked_sub(1)?].newest))
    }

    #[inline]
    fn record(&self, address: Address) -> Record {
        Record::read(self.header(address))
    }

    #[inline]
    fn header(&self, address: Address) -> &[u8; HEADER_BYTES] {
        self.heap.first_bytes(address)
    }

    #[inline]
    fn newest_of(&self, address: Address, record: &Record) -> Change {
        if record.wide {
            self.wide_newest_of(address)
        } else {
            record.newest
        }
    }

    #[cold]
    fn wide_newest_of(&self, address: Address) -> Change {
        self.wide[&address]
    }

    #[inline]
    fn write(&mut self, address: Address, newest: Change, older: Older) {
        let wide = !record::fits(&newest);
        if wide {
            self.wide.insert(address, newest);
        } else if !self.wide.is_empty() {
            self.wide.remove(&address);
        }
        let record = Record {
            newest,
            wide,
            older,
        };
        let header = self.heap.bytes_mut(address).first_chunk_mut();
        record.write(header.expect("a record begins with a header"));
    }

    #[inline]
    fn open_chain(&self, record: &Record) -> Chain {
        match record.older {
            Older::Short(chain) => chain,
            Older::Long(number) => self.long[number as usize].open,
        }
    }

    #[inline]
    fn with_open_chain(&mut self, older: Older, open: Chain) -> Older {
        match older {
            Older::Short(_) => Older::Short(open),
            Older::Long(number) => {
                self.long[number as usize].open = open;
                older
            }
        }
    }

    /// Adds a full run to the closed ones, and leaves an empty one open.
    fn close(&mut self, older: Older, run: Run) -> Older {
        let number = match older {
            Older::Long(number) => number as usize,
            Older::Short(_) => self.long.insert(Long {
                closed: VecDeque::new(),
                open: Chain::EMPTY,
            }),
        };
        let long = &mut self.long[number];
        long.open = Chain::EMPTY;
        if long.closed.len() == long.closed.capacity() {
            // A quarter more, not twice as many: a run is large.
            long.closed.reserve_exact(long.closed.len() / 4 + 1);
        }
        long.closed.push_back(run);
        // There is a key for each long history, and its address has 32 bits.
        Older::Long(number as u32)
    }

    fn short_if_possible(&mut self, older: Older) -> Older {
        match older {
            Older::Long(number) if self.long[number as usize].closed.is_empty() => {
                Older::Short(self.long.remove(number as usize).open)
            }
            older => older,
        }
    }
}

/// Drops all closed runs, as far as `steps` reach.
fn clear(closed: &mut VecDeque<Run>, heap: &mut Heap, steps: &mut usize) -> bool {
    while !closed.is_empty() {
        if !drop_oldest(closed, heap, steps) {
            return false;
        }
    }
    true
}

/// Trims a long history whose newest change is after `revision`, as far as `steps` reach.
fn trim_closed(
    closed: &mut VecDeque<Run>,
    open: &mut Run,
    revision: i64,
    heap: &mut Heap,
    steps: &mut usize,
) -> bool {
    let ends_by = |run: Option<&Run>| run.is_some_and(|run| run.newest.revision.main <= revision);
    while ends_by(closed.get(1)) {
        if !drop_oldest(closed, heap, steps) {
            return false;
        }
    }
    if !ends_by(closed.front()) {
        closed.front_mut().unwrap_or(open).trim(revision, heap);
        return true;
    }
    // The oldest run must go together with what the next one has up to `revision`: if that is a
    // delete, a put before it would come to light.
    if *steps == 0 {
        return false;
    }
    let next = closed.get_mut(1).unwrap_or(open);
    let state_is_in_next = next.trim(revision, heap);
    let oldest = &mut closed[0];
    oldest.older.free(heap);
    if state_is_in_next || !oldest.newest.outlives(revision) {
        return drop_oldest(closed, heap, steps);
    }
    true
}

fn drop_oldest(closed: &mut VecDeque<Run>, heap: &mut Heap, steps: &mut usize) -> bool {
    let Some(left) = steps.checked_sub(1) else {
        return false;
    };
    *steps = left;
    if let Some(mut run) = closed.pop_front() {
        run.older.free(heap);
    }
    true
}

#[inline]
fn header_of(block: &[u8]) -> &[u8; HEADER_BYTES] {
    block.first_chunk().expect("a record begins with a header")
}
