//! A node of the interval tree.
//!
//! A node has up to 32 entries: ranges in a leaf, children in an inner node, in order of where they
//! start. Of each entry it keeps two *codes*, a number for the least start and one for the greatest
//! end below it, so that a query compares numbers that lie side by side. It looks at a range only to
//! report it, or where codes are equal.
//!
//! Ranges often begin alike, so a node knows what all its starts have in *common*, and its codes
//! begin behind that (`code`).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::code::{MAX_COMMON_BYTES, bytes_alike, code_of, end_code};
use super::ranges::{Bounds, End, RangeId, Ranges};

pub(super) const CAPACITY: usize = 32;
/// Of the common bytes, so many are kept in the node; for more it must look at its first range.
const INLINE_BYTES: usize = 56;
/// Codes are taken elsewhere only if they gain as many bytes: all are taken anew then, and each
/// costs a look at its range.
const WORTHWHILE_BYTES: usize = 4;

#[derive(Debug)]
pub(super) struct Node {
    len: u32,
    /// How many bytes the starts have in common, as far as the codes know.
    common_bytes: u32,
    common: [u8; INLINE_BYTES],
    starts: [u64; CAPACITY],
    ends: [u64; CAPACITY],
    /// The least range of each entry.
    least: [RangeId; CAPACITY],
    /// None in a leaf.
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    node: Box<Node>,
    /// A range below it that ends last.
    most: RangeId,
}

impl Node {
    /// An empty leaf.
    pub(super) fn new() -> Self {
        Self {
            len: 0,
            common_bytes: 0,
            common: [0; INLINE_BYTES],
            starts: [0; CAPACITY],
            ends: [0; CAPACITY],
            least: [RangeId::NONE; CAPACITY],
            children: Vec::new(),
        }
    }

    /// The node above these two, which are in order.
    pub(super) fn above(left: Box<Self>, right: Box<Self>, ranges: &Ranges) -> Self {
        let mut node = Self::new();
        node.children.reserve_exact(CAPACITY);
        for (at, child) in [left, right].into_iter().enumerate() {
            node.insert_child(at, child, ranges);
        }
        node
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    pub(super) fn child(&self, at: usize) -> &Self {
        &self.children[at].node
    }

    pub(super) fn child_mut(&mut self, at: usize) -> &mut Self {
        &mut self.children[at].node
    }

    /// The only child of a node with one entry.
    pub(super) fn take_only_child(&mut self) -> Option<Box<Self>> {
        if self.len == 1 {
            self.children.pop().map(|child| child.node)
        } else {
            None
        }
    }

    /// How many entries start at or before `key`, and those of them in which something ends after it.
    /// `started` says that all entries start there as a whole.
    #[inline]
    pub(super) fn stab(&self, key: &[u8], started: bool, ranges: &Ranges) -> (usize, Entries) {
        #[cfg(test)]
        super::ranges::Work::count(&ranges.work.nodes);
        let common = self.common(ranges);
        if key < common {
            return (0, Entries(0));
        }
        let code = code_of(key, common);
        let count = if started {
            self.len()
        } else {
            self.started(key, code, ranges)
        };
        let (mut after, mut alike) = (0_u32, 0_u32);
        for (at, &end) in self.ends[..count].iter().enumerate() {
            after |= u32::from(end > code) << at;
            alike |= u32::from(end == code) << at;
        }
        for at in Entries(alike) {
            after |= u32::from(ranges.end(self.most(at)) > End::At(key)) << at;
        }
        (count, Entries(after))
    }

    /// How many entries start at or before a key, which has this code.
    #[inline]
    fn started(&self, key: &[u8], code: u64, ranges: &Ranges) -> usize {
        let starts = &self.starts[..self.len()];
        let before = starts.partition_point(|&start| start < code);
        let alike = starts[before..].partition_point(|&start| start == code);
        let alike = &self.least[before..before + alike];
        before + alike.partition_point(|&id| ranges.start(id) <= key)
    }

    /// Where a range is, or where it belongs.
    pub(super) fn search(&self, range: &Bounds<'_>, ranges: &Ranges) -> Result<usize, usize> {
        let common = self.common(ranges);
        if range.start < common {
            return Err(0);
        }
        let code = code_of(range.start, common);
        let starts = &self.starts[..self.len()];
        let before = starts.partition_point(|&start| start < code);
        let alike = starts[before..].partition_point(|&start| start == code);
        self.least[before..before + alike]
            .binary_search_by(|&other| ranges.bounds(other).cmp(range))
            .map(|at| before + at)
            .map_err(|at| before + at)
    }

    /// Inserts a range into a leaf, in which there must be room.
    pub(super) fn insert(&mut self, at: usize, id: RangeId, ranges: &Ranges) {
        self.make_room(at, id);
        self.encode_new(at, ranges);
    }

    /// Inserts a child into an inner node, in which there must be room.
    pub(super) fn insert_child(&mut self, at: usize, node: Box<Self>, ranges: &Ranges) {
        self.make_room(at, node.least[0]);
        let most = node.most_of_all(ranges);
        self.children.insert(at, Child { node, most });
        self.encode_new(at, ranges);
    }

    fn make_room(&mut self, at: usize, least: RangeId) {
        let len = self.len();
        self.starts.copy_within(at..len, at + 1);
        self.ends.copy_within(at..len, at + 1);
        self.least.copy_within(at..len, at + 1);
        self.least[at] = least;
        self.len += 1;
    }

    /// Takes out an entry.
    pub(super) fn remove(&mut self, at: usize) -> Option<Box<Self>> {
        let len = self.len();
        self.starts.copy_within(at + 1..len, at);
        self.ends.copy_within(at + 1..len, at);
        self.least.copy_within(at + 1..len, at);
        self.len -= 1;
        if self.len == 0 {
            self.common_bytes = 0;
        }
        (at < self.children.len()).then(|| self.children.remove(at).node)
    }

    /// Takes note that `id` came into a child that was not split.
    pub(super) fn child_grew(
        &mut self,
        at: usize,
        id: RangeId,
        range: &Bounds<'_>,
        ranges: &Ranges,
    ) {
        if self.child(at).least[0] == id {
            self.least[at] = id;
            self.encode_new(at, ranges);
        }
        let end = end_code(range.end, self.common(ranges));
        let most = self.children[at].most;
        if end > self.ends[at] || end == self.ends[at] && range.end > ranges.end(most) {
            self.children[at].most = id;
            self.ends[at] = end;
        }
    }

    /// Whether a range is the least of an entry, or the one that ends last.
    pub(super) fn is_bound(&self, at: usize, id: RangeId) -> bool {
        self.least[at] == id || self.most(at) == id
    }

    /// Takes note that a child has another least range, or another that ends last.
    pub(super) fn child_changed(&mut self, at: usize, ranges: &Ranges) {
        let child = &mut self.children[at];
        child.most = child.node.most_of_all(ranges);
        self.least[at] = child.node.least[0];
        self.encode_new(at, ranges);
    }

    /// Moves the entries from `at` on to a new node; `at` may be the end.
    pub(super) fn split_off(&mut self, at: usize, ranges: &Ranges) -> Box<Self> {
        let mut right = Box::new(Self::new());
        let moved = self.len() - at;
        right.len = moved as u32;
        right.common_bytes = if moved == 0 { 0 } else { self.common_bytes };
        right.common = self.common;
        right.starts[..moved].copy_from_slice(&self.starts[at..self.len()]);
        right.ends[..moved].copy_from_slice(&self.ends[at..self.len()]);
        right.least[..moved].copy_from_slice(&self.least[at..self.len()]);
        if !self.is_leaf() {
            right.children.reserve_exact(CAPACITY);
            right.children.extend(self.children.drain(at..));
        }
        self.len = at as u32;
        for half in [&mut *self, &mut *right] {
            let common = half.common_with_all(ranges);
            if common >= half.common_bytes as usize + WORTHWHILE_BYTES {
                half.encode(common, ranges);
            }
        }
        right
    }

    /// Adds all entries of a node that comes after this one. There must be room.
    pub(super) fn append(&mut self, mut right: Box<Self>, ranges: &Ranges) {
        let (middle, len) = (self.len(), self.len() + right.len());
        self.least[middle..len].copy_from_slice(&right.least[..right.len()]);
        self.children.append(&mut right.children);
        self.len = len as u32;
        self.encode(self.common_with_all(ranges), ranges);
    }

    /// A range in or below this node that ends last.
    fn most_of_all(&self, ranges: &Ranges) -> RangeId {
        let greatest = self.ends[..self.len()].iter().max();
        let is_greatest = |at: &usize| Some(&self.ends[*at]) == greatest;
        (0..self.len())
            .filter(is_greatest)
            .map(|at| self.most(at))
            .max_by_key(|&id| ranges.end(id))
            .unwrap_or(RangeId::NONE)
    }

    /// The range of an entry, or the one below it that ends last.
    pub(super) fn most(&self, at: usize) -> RangeId {
        match self.children.get(at) {
            Some(child) => child.most,
            None => self.least[at],
        }
    }

    #[inline]
    fn common<'a>(&'a self, ranges: &'a Ranges) -> &'a [u8] {
        let bytes = self.common_bytes as usize;
        match self.common.get(..bytes) {
            Some(common) => common,
            None => &ranges.start(self.least[0])[..bytes],
        }
    }

    /// Takes the codes of one entry whose ranges changed, and of all if they have less in common now.
    fn encode_new(&mut self, at: usize, ranges: &Ranges) {
        // What lies between others has in common with them what they have.
        if at == 0 || at + 1 == self.len() {
            let common = self.common_with_all(ranges);
            if self.len == 1 || common < self.common_bytes as usize {
                return self.encode(common, ranges);
            }
        }
        self.encode_one(at, ranges);
    }

    fn encode_one(&mut self, at: usize, ranges: &Ranges) {
        let common = self.common(ranges);
        let start = code_of(ranges.start(self.least[at]), common);
        let end = end_code(ranges.end(self.most(at)), common);
        (self.starts[at], self.ends[at]) = (start, end);
    }

    /// Takes all codes anew, behind so many bytes in common.
    fn encode(&mut self, common_bytes: usize, ranges: &Ranges) {
        let common = &ranges.start(self.least[0])[..common_bytes];
        let inline = common_bytes.min(INLINE_BYTES);
        self.common[..inline].copy_from_slice(&common[..inline]);
        self.common_bytes = common_bytes as u32;
        for at in 0..self.len() {
            self.encode_one(at, ranges);
        }
    }

    /// How many bytes all starts have in common: what the outer ones have, as they are in order.
    fn common_with_all(&self, ranges: &Ranges) -> usize {
        let Some(last) = self.len().checked_sub(1) else {
            return 0;
        };
        let first = ranges.start(self.least[0]);
        let bytes = if last == 0 {
            first.len()
        } else {
            bytes_alike(first, ranges.start(self.least[last]))
        };
        bytes.min(MAX_COMMON_BYTES)
    }
}

/// Some entries of a node, in order: a bit for each.
#[derive(Debug)]
pub(super) struct Entries(u32);

impl Iterator for Entries {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let at = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (at < u32::BITS).then_some(at as usize)
    }
}

/// What a check found out about a node.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) depth: usize,
    /// How many ranges are in it or below it.
    pub(super) ranges: usize,
}

#[cfg(test)]
impl Node {
    /// Panics unless this node and all below it are sound.
    pub(super) fn check(&self, ranges: &Ranges, is_root: bool) -> Checked {
        let entries = &self.least[..self.len()];
        assert!(entries.is_sorted_by(|&a, &b| ranges.bounds(a) < ranges.bounds(b)));
        let common = self.common(ranges);
        for (at, &id) in entries.iter().enumerate() {
            assert!(ranges.start(id).starts_with(common));
            assert_eq!(self.starts[at], code_of(ranges.start(id), common));
            assert_eq!(self.ends[at], end_code(ranges.end(self.most(at)), common));
        }
        if self.is_leaf() {
            assert!(is_root || self.len > 0);
            let ranges = self.len();
            return Checked { depth: 0, ranges };
        }
        assert_eq!(self.children.len(), self.len());
        assert!(!is_root || self.len > 1);
        let mut below = Vec::new();
        for (at, child) in self.children.iter().enumerate() {
            below.push(child.node.check(ranges, false));
            assert_eq!(child.node.least[0], self.least[at]);
            let most = child.node.most_of_all(ranges);
            assert_eq!(ranges.end(most), ranges.end(child.most));
            let last = child.node.last_range();
            let next = entries.get(at + 1);
            assert!(next.is_none_or(|&next| ranges.bounds(last) < ranges.bounds(next)));
        }
        let depth = below[0].depth;
        assert!(below.iter().all(|child| child.depth == depth));
        let ranges = below.iter().map(|child| child.ranges).sum();
        let depth = depth + 1;
        Checked { depth, ranges }
    }

    /// All ranges in this node and below it, in order.
    pub(super) fn collect(&self, into: &mut Vec<RangeId>) {
        if self.is_leaf() {
            into.extend(&self.least[..self.len()]);
        }
        self.children
            .iter()
            .for_each(|child| child.node.collect(into));
    }

    pub(super) fn size(&self) -> usize {
        let below: usize = self.children.iter().map(|child| child.node.size()).sum();
        size_of::<Self>() + self.children.capacity() * size_of::<Child>() + below
    }

    fn last_range(&self) -> RangeId {
        match self.children.last() {
            Some(child) => child.node.last_range(),
            None => self.least[self.len() - 1],
        }
    }
}
