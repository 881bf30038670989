//! A node of the ordered tree.
//!
//! A node holds up to 64 keys in order: of each its *head*, eight bytes of it as a number, and the
//! address of its record. A search compares heads, which lie side by side, and looks at whole keys
//! only where heads are equal; a node of plain keys would cost a cache miss for every comparison.
//!
//! Keys often begin alike (`/registry/pods/default/...`), and their first eight bytes would tell
//! nothing. So a node *skips* bytes that all its keys have in common, and takes the heads behind
//! them. A search then first compares the skipped bytes with those of the node's first key: one
//! miss instead of one for each comparison. For the keys
//!
//! ```text
//! /pods/a     /pods/abc      skip 6:  heads "a", "abc"  (zeros follow)
//! ```
//!
//! the key `/nodes/x` is before them all because `/nodes` is before `/pods/`. Heads at a fixed
//! depth, and prefixes taken out of a node, are from prefix B-trees (Bayer and Unterauer, 1977) and
//! from "poor man's normalized keys" (Graefe and Larson, 2001).
//!
//! The keys of an inner node are the least keys of its children, of which it has one for each key.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::heap::Address;
use super::records::Records;
use crate::prefetch;

pub(super) const CAPACITY: usize = 64;
const HEAD_BYTES: usize = 8;
const KEYS_PER_CACHE_LINE: usize = 16;
/// Heads are taken elsewhere only if they gain as many bytes: a node's heads are all taken anew.
const WORTHWHILE_BYTES: usize = 4;

pub(super) struct Node {
    len: usize,
    /// How many bytes before their heads all keys of this node have in common.
    skip: usize,
    heads: [u64; CAPACITY],
    keys: [Address; CAPACITY],
    /// None in a leaf.
    #[expect(clippy::vec_box, reason = "children move when another comes between")]
    children: Vec<Box<Node>>,
}

impl Node {
    /// An empty leaf.
    pub(super) fn new() -> Self {
        Self {
            len: 0,
            skip: 0,
            heads: [0; CAPACITY],
            keys: [Address::NONE; CAPACITY],
            children: Vec::new(),
        }
    }

    /// A leaf of these keys, which are in order and at least one.
    pub(super) fn leaf(keys: &[Address], records: &Records) -> Box<Self> {
        let mut node = Box::new(Self::new());
        node.len = keys.len();
        node.keys[..keys.len()].copy_from_slice(keys);
        for end in [0, keys.len() - 1] {
            node.heads[end] = head_of(records.key(keys[end]), 0);
        }
        if node.heads_are_alike() {
            node.take_heads_behind_common_bytes(records);
        } else {
            node.take_heads_behind(0, records);
        }
        node
    }

    /// The node above these, which are in order and at least one.
    #[expect(clippy::vec_box, reason = "children move when another comes between")]
    pub(super) fn over(mut children: Vec<Box<Self>>, records: &Records) -> Box<Self> {
        let least: Vec<Address> = children.iter().map(|child| child.keys[0]).collect();
        let mut node = Self::leaf(&least, records);
        children.reserve_exact(CAPACITY - children.len());
        node.children = children;
        node
    }

    /// Asks for the keys, which will be wanted soon.
    pub(super) fn touch(&self) {
        let each_line = self.keys.iter().step_by(KEYS_PER_CACHE_LINE);
        let keys = each_line.map(|key| key.0 as u8);
        prefetch::touch(keys.chain([self.len as u8]));
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == CAPACITY
    }

    pub(super) fn keys(&self) -> &[Address] {
        &self.keys[..self.len]
    }

    pub(super) fn children(&self) -> &[Box<Self>] {
        &self.children
    }

    pub(super) fn child_mut(&mut self, at: usize) -> &mut Self {
        &mut self.children[at]
    }

    /// The only child of a node with one key.
    pub(super) fn take_only_child(&mut self) -> Option<Box<Self>> {
        if self.len == 1 {
            self.children.pop()
        } else {
            None
        }
    }

    /// Where `key` is, or where it belongs.
    pub(super) fn search(&self, key: &[u8], records: &Records) -> Result<usize, usize> {
        if self.skip > 0 {
            let first = records.key(self.keys[0]);
            let start = &key[..key.len().min(self.skip)];
            match start.cmp(&first[..self.skip]) {
                Ordering::Less => return Err(0),
                Ordering::Greater => return Err(self.len),
                Ordering::Equal => {}
            }
        }
        let head = head_of(key, self.skip);
        let heads = &self.heads[..self.len];
        let from = heads.partition_point(|&other| other < head);
        if heads.get(from) != Some(&head) {
            return Err(from);
        }
        let to = from + heads[from..].partition_point(|&other| other == head);
        let rest = &key[self.skip..];
        self.keys[from..to]
            .binary_search_by(|&other| records.key(other)[self.skip..].cmp(rest))
            .map(|at| from + at)
            .map_err(|at| from + at)
    }

    /// The child that has `key`, or that it belongs to.
    pub(super) fn child_for(&self, key: &[u8], records: &Records) -> usize {
        match self.search(key, records) {
            Ok(at) => at,
            Err(after) => after.saturating_sub(1),
        }
    }

    /// Inserts a key, and in an inner node its child. There must be room.
    pub(super) fn insert(
        &mut self,
        at: usize,
        address: Address,
        child: Option<Box<Self>>,
        records: &Records,
    ) {
        // What lies between others has in common with them what they have.
        if at == 0 || at == self.len {
            self.make_alike(address, records);
        }
        self.heads.copy_within(at..self.len, at + 1);
        self.keys.copy_within(at..self.len, at + 1);
        self.heads[at] = head_of(records.key(address), self.skip);
        self.keys[at] = address;
        self.len += 1;
        if let Some(child) = child {
            self.children.insert(at, child);
        }
        // Seldom, so that it costs little, but also in nodes that are never split.
        if self.len.is_power_of_two() && self.heads_are_alike() {
            self.take_heads_behind_common_bytes(records);
        }
    }

    /// Puts another key in a key's place, without a change of the order.
    pub(super) fn replace(&mut self, at: usize, address: Address, records: &Records) {
        if at == 0 || at + 1 == self.len {
            self.make_alike(address, records);
        }
        self.heads[at] = head_of(records.key(address), self.skip);
        self.keys[at] = address;
    }

    /// Removes a key, and in an inner node its child.
    pub(super) fn remove(&mut self, at: usize) -> Option<Box<Self>> {
        self.heads.copy_within(at + 1..self.len, at);
        self.keys.copy_within(at + 1..self.len, at);
        self.len -= 1;
        if self.len == 0 {
            self.skip = 0;
        }
        (at < self.children.len()).then(|| self.children.remove(at))
    }

    /// Moves the keys from `at` on to a new node; `at` may be the end.
    pub(super) fn split_off(&mut self, at: usize, records: &Records) -> Box<Self> {
        let mut right = Box::new(Self::new());
        right.len = self.len - at;
        right.skip = if right.len == 0 { 0 } else { self.skip };
        right.heads[..right.len].copy_from_slice(&self.heads[at..self.len]);
        right.keys[..right.len].copy_from_slice(&self.keys[at..self.len]);
        if !self.children.is_empty() {
            right.children.reserve_exact(CAPACITY);
            right.children.extend(self.children.drain(at..));
        }
        self.len = at;
        for half in [&mut *self, &mut *right] {
            if half.heads_are_alike() {
                half.take_heads_behind_common_bytes(records);
            }
        }
        right
    }

    /// Adds all keys of a node that comes after this one. There must be room.
    pub(super) fn append(&mut self, right: &mut Self, records: &Records) {
        let len = self.len + right.len;
        self.keys[self.len..len].copy_from_slice(right.keys());
        self.children.append(&mut right.children);
        self.len = len;
        self.take_heads_behind_common_bytes(records);
    }

    /// Skips no more bytes than those that all keys have in common with this one too.
    fn make_alike(&mut self, address: Address, records: &Records) {
        if self.skip == 0 {
            return;
        }
        let common = common_bytes(records.key(address), records.key(self.keys[0]));
        if common < self.skip {
            self.take_heads_behind(common, records);
        }
    }

    /// Whether the heads have so many bytes in common that others would say more. Looks at no key.
    fn heads_are_alike(&self) -> bool {
        let different = self.heads[0] ^ self.heads[self.len.saturating_sub(1)];
        self.len > 1 && different.leading_zeros() as usize >= 8 * WORTHWHILE_BYTES
    }

    fn take_heads_behind_common_bytes(&mut self, records: &Records) {
        let (first, last) = (self.keys[0], self.keys[self.len - 1]);
        // The keys are in order, so what the outer ones have in common all have.
        let skip = if first == last {
            0
        } else {
            common_bytes(records.key(first), records.key(last))
        };
        self.take_heads_behind(skip, records);
    }

    fn take_heads_behind(&mut self, skip: usize, records: &Records) {
        self.skip = skip;
        for (head, &address) in self.heads.iter_mut().zip(&self.keys[..self.len]) {
            *head = head_of(records.key(address), skip);
        }
    }
}

/// Eight bytes of a key as a number, zeros behind its end: of two heads of which one is less, so is
/// its key. Of equal heads it says nothing.
pub(super) fn head_of(key: &[u8], skip: usize) -> u64 {
    let rest = key.get(skip..).unwrap_or_default();
    if let Some(head) = rest.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; HEAD_BYTES];
    head[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(head)
}

pub(super) fn common_bytes(a: &[u8], b: &[u8]) -> usize {
    // Eight at a time, and then one by one.
    let eights = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let alike = 8 * eights.take_while(|(a, b)| a == b).count();
    let rest = a[alike..].iter().zip(&b[alike..]);
    alike + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
pub(super) struct Checked {
    pub(super) nodes: usize,
    depth: usize,
}

#[cfg(test)]
impl Node {
    pub(super) fn check(&self, records: &Records) -> Checked {
        let keys: Vec<&[u8]> = self.keys().iter().map(|&key| records.key(key)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        for (key, &head) in keys.iter().zip(&self.heads) {
            assert_eq!(key[..self.skip], keys[0][..self.skip]);
            assert_eq!(head_of(key, self.skip), head);
        }
        let below: Vec<_> = self
            .children
            .iter()
            .map(|child| child.check(records))
            .collect();
        let Some(first) = below.first() else {
            return Checked { nodes: 1, depth: 0 };
        };
        let least = self.children.iter().map(|child| child.keys[0]);
        assert!(self.keys().iter().copied().eq(least));
        assert!(below.iter().all(|child| child.depth == first.depth));
        Checked {
            nodes: 1 + below.iter().map(|child| child.nodes).sum::<usize>(),
            depth: 1 + first.depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::change::Change;
    use crate::log::Position;
    use crate::revision::Revision;

    fn leaf(keys: &[&str]) -> (Node, Records) {
        let mut records = Records::default();
        let mut node = Node::new();
        for key in keys {
            let change = Change::delete(Revision::first_of(2), Position(0));
            let address = records.create(key.as_bytes(), change);
            node.insert(node.len, address, None, &records);
        }
        (node, records)
    }

    fn texts(node: &Node, records: &Records) -> Vec<alloc::string::String> {
        let text = |&key: &Address| alloc::string::String::from_utf8_lossy(records.key(key)).into();
        node.keys().iter().map(text).collect()
    }

    #[test]
    fn heads_are_in_the_order_of_their_keys() {
        let keys: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\0\0\x01",
            b"a",
            b"a\0",
            b"ab",
            b"abcdefgh",
            b"abcdefghi",
        ];
        for a in keys {
            for b in keys {
                let order = head_of(a, 0).cmp(&head_of(b, 0));
                assert!(order == Ordering::Equal || order == a.cmp(b));
            }
        }
        assert_eq!(head_of(b"/p/abcdefghi", 3), head_of(b"abcdefgh", 0));
        assert_eq!(head_of(b"abc", 7), 0);
    }

    #[test]
    fn a_search_finds_keys_and_the_places_between_them() {
        let keys = [
            "/pods/a",
            "/pods/a\0",
            "/pods/abcdefghij",
            "/pods/abcdefghik",
            "/pods/b",
        ];
        let (mut node, records) = leaf(&keys);
        for skips in [0, 3, 6] {
            node.take_heads_behind(skips, &records);
            for (at, key) in keys.iter().enumerate() {
                assert_eq!(node.search(key.as_bytes(), &records), Ok(at));
                let next = alloc::format!("{key}\0");
                if !keys.contains(&&*next) {
                    assert_eq!(node.search(next.as_bytes(), &records), Err(at + 1));
                }
            }
            for (key, at) in [
                ("", 0),
                ("/", 0),
                ("/pods/", 0),
                ("/node", 0),
                ("/q", 5),
                ("0", 5),
            ] {
                assert_eq!(node.search(key.as_bytes(), &records), Err(at));
            }
        }
    }

    #[test]
    fn split_and_joined_again_a_node_is_the_same() {
        let keys = ["/a/1", "/a/common/1", "/a/common/2", "/a/common/3"];
        for at in 1..4 {
            let (mut node, records) = leaf(&keys);
            let mut right = node.split_off(at, &records);
            node.check(&records);
            right.check(&records);
            assert_eq!(texts(&node, &records), keys[..at]);
            assert_eq!(texts(&right, &records), keys[at..]);
            node.append(&mut right, &records);
            node.check(&records);
            assert_eq!(texts(&node, &records), keys);
            assert_eq!(node.skip, "/a/".len());
        }
    }

    #[test]
    fn removing_keys_one_by_one_leaves_the_others() {
        let keys = ["/a/1", "/a/2", "/a/3"];
        let (mut node, records) = leaf(&keys);
        node.take_heads_behind_common_bytes(&records);
        assert_eq!(node.skip, 3);
        node.remove(1);
        assert_eq!(texts(&node, &records), ["/a/1", "/a/3"]);
        node.remove(0);
        node.check(&records);
        assert_eq!(node.search(b"/a/3", &records), Ok(0));
        node.remove(0);
        assert_eq!(node.search(b"/a/3", &records), Err(0));
    }
}
