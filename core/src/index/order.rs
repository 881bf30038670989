//! All keys in bytewise order.
//!
//! A B+ tree (Comer, "The Ubiquitous B-Tree", 1979) of wide nodes. A full node is split in two when
//! a key comes; two neighbours are made one when a key goes and both fit into three quarters of a
//! node. Keys that come in rising order, as queues and logs have them, leave full nodes behind.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter;
use core::mem;
use core::slice;

use super::heap::Address;
use super::node::{CAPACITY, Node, common_bytes, head_of};
use super::records::Records;

/// A node with fewer keys looks for a neighbour to become one with.
const SPARSE: usize = CAPACITY / 4;
/// Neighbours with more keys than this stay two: the next keys would split them again.
const MERGED: usize = CAPACITY / 4 * 3;

pub(super) struct Order {
    root: Box<Node>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            root: Box::new(Node::new()),
        }
    }
}

impl Order {
    /// The order of these keys, which stand in it: from the leaves up, all nodes but the last ones full.
    pub(super) fn of(keys: &[Address], records: &Records) -> Self {
        let leaves = keys.chunks(CAPACITY);
        let mut nodes: Vec<Box<Node>> = leaves.map(|keys| Node::leaf(keys, records)).collect();
        while nodes.len() > 1 {
            let mut below = nodes.into_iter();
            let above = iter::from_fn(|| {
                let children: Vec<_> = below.by_ref().take(CAPACITY).collect();
                (!children.is_empty()).then(|| Node::over(children, records))
            });
            nodes = above.collect();
        }
        nodes.pop().map_or_else(Self::default, |root| Self { root })
    }

    /// The order of these keys, which come as they like.
    pub(super) fn of_unsorted(keys: &[Address], records: &Records) -> Self {
        let Some(&first) = keys.first() else {
            return Self::default();
        };
        let first = records.key(first);
        let common = keys
            .iter()
            .map(|&key| common_bytes(first, records.key(key)));
        // Behind what all keys have in common eight bytes nearly always tell two of them apart.
        let skip = common.min().unwrap_or(0);
        let with_head = |&key: &Address| (head_of(records.key(key), skip), key);
        let mut sorted: Vec<(u64, Address)> = keys.iter().map(with_head).collect();
        sorted.sort_unstable_by_key(|&(head, _)| head);
        for alike in sorted.chunk_by_mut(|(head, _), (next, _)| head == next) {
            alike.sort_unstable_by(|&(_, key), &(_, other)| {
                records.key(key).cmp(records.key(other))
            });
        }
        let sorted: Vec<Address> = sorted.into_iter().map(|(_, key)| key).collect();
        Self::of(&sorted, records)
    }

    /// Adds a key, which is not there, by its record.
    pub(super) fn insert(&mut self, address: Address, records: &Records) {
        let key = records.key(address);
        if let Some(right) = insert(&mut self.root, address, key, true, records) {
            let left = mem::replace(&mut self.root, Box::new(Node::new()));
            self.root = Node::over(Vec::from([left, right]), records);
        }
    }

    /// Removes a key, whose record must still be there.
    pub(super) fn remove(&mut self, address: Address, records: &Records) {
        remove(&mut self.root, records.key(address), records);
        while let Some(child) = self.root.take_only_child() {
            self.root = child;
        }
    }

    /// Panics unless every node is sound and all leaves are equally deep. Answers how many nodes
    /// there are.
    #[cfg(test)]
    pub(super) fn check(&self, records: &Records) -> usize {
        self.root.check(records).nodes
    }

    /// The keys from `key` on.
    pub(super) fn from(&self, key: &[u8], records: &Records) -> Cursor<'_> {
        let mut above = Vec::new();
        let mut node = &*self.root;
        while !node.children().is_empty() {
            let at = node.child_for(key, records);
            above.push(node.children()[at + 1..].iter());
            node = &node.children()[at];
        }
        let (Ok(at) | Err(at)) = node.search(key, records);
        Cursor {
            above,
            leaf: node.keys()[at..].iter(),
        }
    }
}

/// Goes through keys in order.
pub(super) struct Cursor<'a> {
    /// From the root down, the children to the right of the way to the leaf.
    above: Vec<slice::Iter<'a, Box<Node>>>,
    leaf: slice::Iter<'a, Address>,
}

impl<'a> Cursor<'a> {
    /// Steps over the next keys that lie side by side, at most so many; none at the end.
    pub(super) fn next_run(&mut self, most: usize) -> &'a [Address] {
        if self.leaf.as_slice().is_empty() {
            self.go_to_next_leaf();
        }
        let rest = self.leaf.as_slice();
        let (run, rest) = rest.split_at(most.min(rest.len()));
        self.leaf = rest.iter();
        run
    }

    /// Goes to the next leaf, if there is one.
    #[cold]
    fn go_to_next_leaf(&mut self) -> Option<()> {
        // Only the root can be a leaf without keys, and nothing comes after it.
        let mut node = loop {
            match self.above.last_mut()?.next() {
                Some(child) => break child,
                None => drop(self.above.pop()),
            }
        };
        while let Some((first, others)) = node.children().split_first() {
            self.above.push(others.iter());
            node = first;
        }
        self.leaf = node.keys().iter();
        if let Some(next) = self.above.last().and_then(|right| right.as_slice().first()) {
            next.touch();
        }
        Some(())
    }
}

impl Iterator for Cursor<'_> {
    type Item = Address;

    #[inline]
    fn next(&mut self) -> Option<Address> {
        if self.leaf.as_slice().is_empty() {
            self.go_to_next_leaf();
        }
        self.leaf.next().copied()
    }
}

/// Inserts a key below a node. Answers the node that must follow this one if it had to be split.
/// `rightmost` says that no key is to the right of this node.
fn insert(
    node: &mut Node,
    address: Address,
    key: &[u8],
    rightmost: bool,
    records: &Records,
) -> Option<Box<Node>> {
    if node.children().is_empty() {
        let (Ok(at) | Err(at)) = node.search(key, records);
        return add(node, at, address, None, rightmost, records);
    }
    let at = match node.search(key, records) {
        Err(0) => {
            // The least of all keys: it is the least of each node on its way.
            node.replace(0, address, records);
            0
        }
        Ok(at) => at,
        Err(after) => after - 1,
    };
    let is_last = at + 1 == node.keys().len();
    let right = insert(
        node.child_mut(at),
        address,
        key,
        rightmost && is_last,
        records,
    )?;
    let least = right.keys()[0];
    add(node, at + 1, least, Some(right), rightmost, records)
}

/// Adds a key to a node itself; splits it if it is full.
fn add(
    node: &mut Node,
    at: usize,
    address: Address,
    child: Option<Box<Node>>,
    rightmost: bool,
    records: &Records,
) -> Option<Box<Node>> {
    if !node.is_full() {
        node.insert(at, address, child, records);
        return None;
    }
    // Keys in rising order come behind the last one each: the full node then stays as it is, or,
    // where other keys follow, nearly so. (Were it to stay full there, keys in falling order would
    // each get a node of their own.)
    let middle = match at {
        CAPACITY if rightmost => CAPACITY,
        CAPACITY => CAPACITY / 4 * 3,
        _ => CAPACITY / 2,
    };
    let mut right = node.split_off(middle, records);
    if at < middle {
        node.insert(at, address, child, records);
    } else {
        right.insert(at - middle, address, child, records);
    }
    Some(right)
}

/// Removes a key below a node. The node's own least key may be another one afterwards, or none.
fn remove(node: &mut Node, key: &[u8], records: &Records) {
    if node.children().is_empty() {
        if let Ok(at) = node.search(key, records) {
            node.remove(at);
        }
        return;
    }
    let at = node.child_for(key, records);
    remove(node.child_mut(at), key, records);
    let Some(&least) = node.children()[at].keys().first() else {
        node.remove(at);
        return;
    };
    if least != node.keys()[at] {
        node.replace(at, least, records);
    }
    if node.children()[at].keys().len() < SPARSE && !merge(node, at, records) && at > 0 {
        merge(node, at - 1, records);
    }
}

/// Makes one of a child and the next, if they are few keys together.
fn merge(node: &mut Node, at: usize, records: &Records) -> bool {
    let children = node.children();
    let together = match children.get(at + 1) {
        Some(next) => children[at].keys().len() + next.keys().len(),
        None => return false,
    };
    if together > MERGED {
        return false;
    }
    if let Some(mut right) = node.remove(at + 1) {
        node.child_mut(at).append(&mut right, records);
    }
    true
}
