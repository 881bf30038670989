//! All ranges that are watched, each once.
//!
//! ```text
//! offset  bytes
//!      0      4  first member
//!      4      4  length of the start
//!      8      1  kind
//!      9         the start
//! ```
//!
//! or, of a kind that is found by a tree,
//!
//! ```text
//!      9      4  the watcher that has this range and no other, if there is one
//!     13      4  length of the end
//!     17         the start, the end
//! ```
//!
//! All little-endian, in a heap of the index's sort. A key or a prefix has that watcher in its cell of the
//! hash table, so that the watcher and the bytes to compare are asked for at once: a change of a
//! watched key costs two cache misses on its way to the watcher, one after the other, and not three.

use core::iter;
#[cfg(test)]
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::cells::{CellPlace, Cells};
use super::lengths::Lengths;
use super::members::MemberId;
use super::same::is_same;
use super::shape::{Kind, Shape};
use crate::index::heap::{Address, Heap};
use crate::key_hasher::KeyHasher;
use crate::prefetch;
use crate::range::KeyRange;
use crate::watch::watcher::WatcherKey;

const FIRST: usize = 0;
const START_LENGTH: usize = FIRST + 4;
const KIND: usize = START_LENGTH + 4;
const TEXT: usize = KIND + 1;
/// Of a kind that is found by a tree.
const SOLE: usize = KIND + 1;
const END_LENGTH: usize = SOLE + 4;
const TEXTS: usize = END_LENGTH + 4;

const NO_WATCHER: u32 = u32::MAX;

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

/// Where a range is; good until one comes or goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) id: RangeId,
    at: CellPlace,
}

#[derive(Debug)]
pub(super) struct Ranges {
    heap: Heap,
    /// All of them. Of keys and prefixes a cell also has the watcher, or nobody.
    by_hash: Cells,
    hasher: KeyHasher,
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

/// A range that was found, with the watcher that has it and no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: RangeId,
    pub(super) sole: Option<WatcherKey>,
}

impl Ranges {
    /// None; `seed` keeps chosen ranges from flooding the hash.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            heap: Heap::default(),
            by_hash: Cells::default(),
            hasher: KeyHasher::with_seed(seed),
            lengths: Lengths::default(),
            keys: 0,
            #[cfg(test)]
            work: Work::default(),
        }
    }

    /// The range that holds what `range` holds, and whether it is a new one because there was none.
    pub(super) fn intern(&mut self, range: &KeyRange) -> (Spot, bool) {
        let shape = self.shape(range);
        let hash = self.hash(shape.kind, shape.start, &shape.end);
        match self.find(hash, shape.kind, shape.start, &shape.end) {
            Some(at) => (self.spot(at), false),
            None => (self.add(hash, &shape), true),
        }
    }

    /// The range that holds what `range` holds, if it would be found where a new one would be put.
    pub(super) fn known(&self, range: &KeyRange) -> Option<Spot> {
        let shape = self.shape(range);
        let hash = self.hash(shape.kind, shape.start, &shape.end);
        let at = self.find(hash, shape.kind, shape.start, &shape.end)?;
        Some(self.spot(at))
    }

    /// Where a range is.
    pub(super) fn spot_of(&self, id: RangeId) -> Option<Spot> {
        let (kind, start, end) = self.read(id);
        self.spot_by_hash(id, self.hash(kind, start, end))
    }

    /// The same with its hash at hand, which spares waiting for the range.
    pub(super) fn spot_by_hash(&self, id: RangeId, hash: u32) -> Option<Spot> {
        let at = self.by_hash.find(hash, |other| other == id)?;
        Some(Spot { id, at })
    }

    pub(super) fn hash_at(&self, spot: Spot) -> u32 {
        self.by_hash.hash(spot.at)
    }

    fn spot(&self, at: CellPlace) -> Spot {
        let id = self.by_hash.id(at);
        Spot { id, at }
    }

    fn shape<'a>(&self, range: &'a KeyRange) -> Shape<'a> {
        let shape = Shape::of(range);
        if shape.kind == Kind::Prefix && !self.lengths.admits(shape.start) {
            Shape::of_prefix_in_tree(shape.start)
        } else {
            shape
        }
    }

    fn add(&mut self, hash: u32, shape: &Shape<'_>) -> Spot {
        match shape.kind {
            Kind::Key => self.keys += 1,
            Kind::Prefix => self.lengths.add(shape.start),
            Kind::Span | Kind::From | Kind::Empty => {}
        }
        let length = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len());
            length.expect("keys are shorter than 4 GiB").to_le_bytes()
        };
        let mut head = [0xff; TEXTS];
        head[START_LENGTH..KIND].copy_from_slice(&length(shape.start));
        head[KIND] = shape.kind as u8;
        head[END_LENGTH..].copy_from_slice(&length(&shape.end));
        let start = head_bytes(shape.kind);
        let end = start + shape.start.len();
        let bytes = end + shape.end.len();
        let id = self.heap.allocate(bytes);
        let record = &mut self.heap.bytes_mut(id)[..bytes];
        record[..start].copy_from_slice(&head[..start]);
        record[start..end].copy_from_slice(shape.start);
        record[end..].copy_from_slice(&shape.end);
        let at = self.by_hash.insert(hash, id, NO_WATCHER);
        Spot { id, at }
    }

    /// Drops a range that has no members and is in no tree.
    pub(super) fn forget(&mut self, Spot { id, at }: Spot) {
        let (kind, start, end) = read(&self.heap, id);
        let bytes = head_bytes(kind) + start.len() + end.len();
        match kind {
            Kind::Key => self.keys -= 1,
            Kind::Prefix => self.lengths.remove(start),
            Kind::Span | Kind::From | Kind::Empty => {}
        }
        self.by_hash.remove(at);
        self.heap.free(id, bytes);
    }

    /// The range of `key` alone.
    #[inline]
    pub(super) fn of_key(&self, key: &[u8]) -> Option<Found> {
        if self.keys == 0 {
            return None;
        }
        self.look_up(Kind::Key, key)
    }

    /// Who may have `key` alone and no other range, without a look at the range: that is only asked for.
    #[inline]
    pub(super) fn foresee(&self, key: &[u8]) -> Option<WatcherKey> {
        if self.keys == 0 {
            return None;
        }
        let hash = self.hash(Kind::Key, key, &[]);
        let at = self.by_hash.find(hash, |_| true)?;
        prefetch::touch(
            self.heap
                .bytes(self.by_hash.id(at))
                .first()
                .copied()
                .into_iter(),
        );
        watcher(self.by_hash.beside(at))
    }

    /// The prefixes of `key` that are found by their length.
    #[inline]
    pub(super) fn prefixes_of(&self, key: &[u8]) -> impl Iterator<Item = Found> {
        let beginnings = self.lengths.beginnings(key);
        beginnings.filter_map(|beginning| self.look_up(Kind::Prefix, beginning))
    }

    #[inline]
    fn look_up(&self, kind: Kind, text: &[u8]) -> Option<Found> {
        let at = self.find(self.hash(kind, text, &[]), kind, text, &[])?;
        Some(Found {
            id: self.by_hash.id(at),
            sole: watcher(self.by_hash.beside(at)),
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

    /// A range that is in a tree, as it was found there.
    #[inline]
    pub(super) fn found_in_tree(&self, id: RangeId) -> Found {
        Found {
            id,
            sole: watcher(number_at(self.heap.bytes(id), SOLE)),
        }
    }

    /// The watcher that has this range and no other.
    pub(super) fn sole(&self, spot: Spot) -> Option<WatcherKey> {
        if self.kind(spot.id).is_looked_up() {
            watcher(self.by_hash.beside(spot.at))
        } else {
            self.found_in_tree(spot.id).sole
        }
    }

    pub(super) fn set_sole(&mut self, spot: Spot, sole: Option<u32>) {
        let sole = sole.unwrap_or(NO_WATCHER);
        if self.kind(spot.id).is_looked_up() {
            self.by_hash.set_beside(spot.at, sole);
        } else {
            let record = self.heap.bytes_mut(spot.id);
            record[SOLE..END_LENGTH].copy_from_slice(&sole.to_le_bytes());
        }
    }

    /// The first of the other watchers of a range.
    #[inline]
    pub(super) fn first(&self, id: RangeId) -> MemberId {
        MemberId(number_at(self.heap.bytes(id), FIRST))
    }

    pub(super) fn set_first(&mut self, id: RangeId, first: MemberId) {
        self.heap.bytes_mut(id)[FIRST..START_LENGTH].copy_from_slice(&first.0.to_le_bytes());
    }

    #[cfg(test)]
    pub(super) fn ids(&self) -> impl Iterator<Item = RangeId> {
        self.by_hash.ids()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Bytes that are asked for, unused parts included.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.heap.size() + self.by_hash.size()
    }

    #[inline]
    fn find(&self, hash: u32, kind: Kind, start: &[u8], end: &[u8]) -> Option<CellPlace> {
        #[cfg(test)]
        Work::count(&self.work.looks);
        self.by_hash.find(hash, |id| {
            let (its_kind, its_start, its_end) = self.read(id);
            its_kind == kind && is_same(its_start, start) && is_same(its_end, end)
        })
    }

    #[inline]
    fn read(&self, id: RangeId) -> (Kind, &[u8], &[u8]) {
        #[cfg(test)]
        Work::count(&self.work.records);
        read(&self.heap, id)
    }

    #[inline]
    fn hash(&self, kind: Kind, start: &[u8], end: &[u8]) -> u32 {
        let end = kind.has_end().then_some(end);
        // A key and a prefix of the same bytes are two ranges.
        self.hasher.hash_of(iter::once(start).chain(end)) ^ (kind as u32) << (u32::BITS - 3)
    }
}

/// Bytes of a record before its start.
fn head_bytes(kind: Kind) -> usize {
    if kind.is_looked_up() { TEXT } else { TEXTS }
}

/// A range's kind, start and end; the end is empty if the kind has none.
#[inline]
fn read(heap: &Heap, id: RangeId) -> (Kind, &[u8], &[u8]) {
    let record = heap.bytes(id);
    let kind = Kind::from_byte(record[KIND]);
    let start_length = number_at(record, START_LENGTH) as usize;
    if kind.is_looked_up() {
        return (kind, &record[TEXT..TEXT + start_length], &[]);
    }
    let (start, rest) = record[TEXTS..].split_at(start_length);
    (kind, start, &rest[..number_at(record, END_LENGTH) as usize])
}

fn watcher(number: u32) -> Option<WatcherKey> {
    (number != NO_WATCHER).then_some(number as WatcherKey)
}

#[inline]
fn number_at(record: &[u8], at: usize) -> u32 {
    let bytes = record[at..].first_chunk();
    u32::from_le_bytes(*bytes.expect("a record has its header"))
}
