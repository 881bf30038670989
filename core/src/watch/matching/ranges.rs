//! All ranges that are watched, each once.
//!
//! ```text
//! offset  bytes
//!      0      4  first member
//!      4      4  the watcher that has this range and no other, if there is one
//!      8      4  length of the start
//!     12      1  kind
//!     13         the start
//! ```
//!
//! or, of a kind with an end,
//!
//! ```text
//!     13      4  length of the end
//!     17         the start, the end
//! ```
//!
//! All little-endian, in a heap of the index's sort. The watcher, the list and the bytes to compare lie
//! together, so that a range and a watcher of it are found with one cache miss.

use core::hash::{BuildHasher, Hasher};
#[cfg(test)]
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::lengths::Lengths;
use super::members::MemberId;
use super::same::is_same;
use super::shape::{Kind, Shape};

use crate::index::heap::{Address, Heap};
use crate::range::KeyRange;
use crate::watch::watcher::WatcherKey;

const FIRST: usize = 0;
const SOLE: usize = FIRST + 4;
const START_LENGTH: usize = SOLE + 4;
const NO_WATCHER: u32 = u32::MAX;
const KIND: usize = START_LENGTH + 4;
const TEXT: usize = KIND + 1;
const END_BYTES: usize = 4;

/// Names a range.
pub(in crate::watch) type RangeId = Address;

/// Where a range starts and ends; in the order of a tree: by start, then by end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bounds<'a> {
    pub(super) start: &'a [u8],
    pub(super) end: End<'a>,
}

/// Where a range ends. No end comes after every end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End<'a> {
    /// Before this key.
    At(&'a [u8]),
    None,
}

/// The watchers of a range.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfRange {
    /// One that has this range and no other. It needs no member.
    pub(super) sole: Option<WatcherKey>,
    /// The first of the others.
    pub(super) first: MemberId,
}

impl OfRange {
    pub(super) fn is_empty(self) -> bool {
        self.sole.is_none() && !self.first.is_some()
    }
}

#[derive(Debug)]
pub(super) struct Ranges {
    heap: Heap,
    by_hash: HashTable<Hashed>,
    hasher: FixedState,
    lengths: Lengths,
    /// Single keys among them.
    keys: usize,
    #[cfg(test)]
    pub(super) work: Work,
}

/// What was looked at: tests count it, since time says less.
#[cfg(test)]
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) nodes: AtomicUsize,
    pub(super) records: AtomicUsize,
    pub(super) looks: AtomicUsize,
}

#[cfg(test)]
impl Work {
    pub(super) fn count(what: &AtomicUsize) {
        what.fetch_add(1, Relaxed);
    }
}

/// A range in the hash table. With the hash at hand the table grows without looking at ranges.
#[derive(Clone, Copy, Debug)]
struct Hashed {
    hash: u32,
    id: RangeId,
}

impl Ranges {
    /// None; `seed` keeps chosen ranges from flooding the hash.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            heap: Heap::default(),
            by_hash: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            lengths: Lengths::default(),
            keys: 0,
            #[cfg(test)]
            work: Work::default(),
        }
    }

    /// The range that holds what `range` holds; a new one if there is none.
    pub(super) fn intern(&mut self, range: &KeyRange) -> RangeId {
        let shape = self.shape(range);
        let hash = self.hash(shape.kind, shape.start, &shape.end);
        match self.find(hash, shape.kind, shape.start, &shape.end) {
            Some(id) => id,
            None => self.add(hash, &shape),
        }
    }

    /// The range that holds what `range` holds, if it would be found where a new one would be put.
    pub(super) fn known(&self, range: &KeyRange) -> Option<RangeId> {
        let shape = self.shape(range);
        let hash = self.hash(shape.kind, shape.start, &shape.end);
        self.find(hash, shape.kind, shape.start, &shape.end)
    }

    fn shape<'a>(&self, range: &'a KeyRange) -> Shape<'a> {
        let shape = Shape::of(range);
        if shape.kind == Kind::Prefix && !self.lengths.admits(shape.start) {
            Shape::of_prefix_in_tree(shape.start)
        } else {
            shape
        }
    }

    fn add(&mut self, hash: u32, shape: &Shape<'_>) -> RangeId {
        match shape.kind {
            Kind::Key => self.keys += 1,
            Kind::Prefix => self.lengths.add(shape.start),
            Kind::Span | Kind::From | Kind::Empty => {}
        }
        let length = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len());
            length.expect("keys are shorter than 4 GiB").to_le_bytes()
        };
        let end_length = length(&shape.end);
        let end_length = &end_length[..if shape.kind.has_end() { END_BYTES } else { 0 }];
        let parts: [&[u8]; 6] = [
            &[0xff; START_LENGTH],
            &length(shape.start),
            &[shape.kind as u8],
            end_length,
            shape.start,
            &shape.end,
        ];
        let bytes = parts.iter().map(|part| part.len()).sum();
        let id = self.heap.allocate(bytes);
        let mut at = 0;
        let record = self.heap.bytes_mut(id);
        for part in parts {
            record[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        let entry = Hashed { hash, id };
        self.by_hash
            .insert_unique(spread(hash), entry, |entry| spread(entry.hash));
        id
    }

    /// Drops a range that has no members and is in no tree.
    pub(super) fn forget(&mut self, id: RangeId) {
        let (kind, start, end) = read(&self.heap, id);
        let hash = self.hash(kind, start, end);
        let bytes = TEXT + start.len() + end.len() + if kind.has_end() { END_BYTES } else { 0 };
        match kind {
            Kind::Key => self.keys -= 1,
            Kind::Prefix => self.lengths.remove(start),
            Kind::Span | Kind::From | Kind::Empty => {}
        }
        if let Ok(entry) = self
            .by_hash
            .find_entry(spread(hash), |entry| entry.id == id)
        {
            entry.remove();
        }
        self.heap.free(id, bytes);
    }

    /// The range of `key` alone.
    #[inline]
    pub(super) fn of_key(&self, key: &[u8]) -> Option<RangeId> {
        if self.keys == 0 {
            return None;
        }
        self.find(self.hash(Kind::Key, key, &[]), Kind::Key, key, &[])
    }

    /// The prefixes of `key` that are found by their length.
    #[inline]
    pub(super) fn prefixes_of(&self, key: &[u8]) -> impl Iterator<Item = RangeId> {
        self.lengths.beginnings(key).filter_map(|beginning| {
            let hash = self.hash(Kind::Prefix, beginning, &[]);
            self.find(hash, Kind::Prefix, beginning, &[])
        })
    }

    pub(super) fn kind(&self, id: RangeId) -> Kind {
        Kind::from_byte(self.heap.bytes(id)[KIND])
    }

    /// The first key of a range, or what all its keys begin with.
    #[inline]
    pub(super) fn start(&self, id: RangeId) -> &[u8] {
        self.read(id).1
    }

    /// The first key after a range that is in a tree.
    #[inline]
    pub(super) fn end(&self, id: RangeId) -> End<'_> {
        self.bounds(id).end
    }

    /// Where a range that is in a tree starts and ends.
    #[inline]
    pub(super) fn bounds(&self, id: RangeId) -> Bounds<'_> {
        let (kind, start, end) = self.read(id);
        let end = if kind.has_end() {
            End::At(end)
        } else {
            End::None
        };
        Bounds { start, end }
    }

    /// The range, said in the plainest way.
    pub(super) fn to_key_range(&self, id: RangeId) -> KeyRange {
        let (kind, start, end) = self.read(id);
        match kind {
            Kind::Key => KeyRange::one(start),
            Kind::Prefix => KeyRange::prefix(start),
            Kind::Span | Kind::Empty => KeyRange::span(start, end),
            Kind::From => KeyRange::from_key(start),
        }
    }

    /// Who watches a range.
    #[inline]
    pub(super) fn watchers(&self, id: RangeId) -> OfRange {
        let record = self.heap.bytes(id);
        let sole = number_at(record, SOLE);
        OfRange {
            sole: (sole != NO_WATCHER).then_some(sole as WatcherKey),
            first: MemberId(number_at(record, FIRST)),
        }
    }

    pub(super) fn set_first(&mut self, id: RangeId, first: MemberId) {
        self.heap.bytes_mut(id)[FIRST..SOLE].copy_from_slice(&first.0.to_le_bytes());
    }

    pub(super) fn set_sole(&mut self, id: RangeId, sole: Option<u32>) {
        let sole = sole.unwrap_or(NO_WATCHER).to_le_bytes();
        self.heap.bytes_mut(id)[SOLE..START_LENGTH].copy_from_slice(&sole);
    }

    #[cfg(test)]
    pub(super) fn ids(&self) -> impl Iterator<Item = RangeId> {
        self.by_hash.iter().map(|entry| entry.id)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Bytes that are asked for, unused parts included.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.heap.size() + self.by_hash.allocation_size()
    }

    #[inline]
    fn find(&self, hash: u32, kind: Kind, start: &[u8], end: &[u8]) -> Option<RangeId> {
        #[cfg(test)]
        Work::count(&self.work.looks);
        let is_it = |entry: &Hashed| {
            entry.hash == hash && {
                let (its_kind, its_start, its_end) = self.read(entry.id);
                its_kind == kind && is_same(its_start, start) && is_same(its_end, end)
            }
        };
        Some(self.by_hash.find(spread(hash), is_it)?.id)
    }

    #[inline]
    fn read(&self, id: RangeId) -> (Kind, &[u8], &[u8]) {
        #[cfg(test)]
        Work::count(&self.work.records);
        read(&self.heap, id)
    }

    #[inline]
    fn hash(&self, kind: Kind, start: &[u8], end: &[u8]) -> u32 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(start);
        if kind.has_end() {
            hasher.write(end);
        }
        let hash = hasher.finish();
        // A key and a prefix of the same bytes are two ranges.
        ((hash >> u32::BITS) ^ hash) as u32 ^ (kind as u32) << (u32::BITS - 3)
    }
}

/// A range's kind, start and end; the end is empty if the kind has none.
#[inline]
fn read(heap: &Heap, id: RangeId) -> (Kind, &[u8], &[u8]) {
    let record = heap.bytes(id);
    let kind = Kind::from_byte(record[KIND]);
    let start_length = number_at(record, START_LENGTH) as usize;
    if !kind.has_end() {
        return (kind, &record[TEXT..TEXT + start_length], &[]);
    }
    let (start, rest) = record[TEXT + END_BYTES..].split_at(start_length);
    (kind, start, &rest[..number_at(record, TEXT) as usize])
}

#[inline]
fn number_at(record: &[u8], at: usize) -> u32 {
    let bytes = record[at..].first_chunk();
    u32::from_le_bytes(*bytes.expect("a record has its header"))
}

/// The table takes its place and its tag from different bits of 64.
pub(in crate::watch) fn spread(hash: u32) -> u64 {
    u64::from(hash) << u32::BITS | u64::from(hash)
}
