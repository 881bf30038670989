//! Ranges by where they start, and by where they end.
//!
//! An interval tree (Cormen, Leiserson and Rivest, "Introduction to Algorithms", 1990, section 15.3:
//! a search tree by start that knows of each subtree the last end) on a B+ tree of wide nodes (Comer,
//! "The Ubiquitous B-Tree", 1979). A query goes into the children that start at or before the key and
//! in which something ends after it. All but one child of a node that start there do so as a whole, so
//! that a node off the way to the key is entered only if a range in it holds the key: with k such
//! ranges, at most 1 + k nodes of each level are looked at, and k leaves besides one. There are four
//! levels for a million ranges, where a binary tree has twenty and more.
//!
//! A full node is split in two when a range comes; two neighbours are made one when a range goes and
//! both fit into three quarters of a node. Ranges that come in rising order leave full nodes behind.

use alloc::boxed::Box;
use core::mem;

use super::node::{CAPACITY, Node};
use super::ranges::{Bounds, RangeId, Ranges};

/// A node with fewer entries looks for a neighbour to become one with.
const SPARSE: usize = CAPACITY / 4;
/// Neighbours with more entries than this stay two: the next ranges would split them again.
const MERGED: usize = CAPACITY / 4 * 3;

#[derive(Debug)]
pub(super) struct Tree {
    root: Box<Node>,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            root: Box::new(Node::new()),
        }
    }
}

impl Tree {
    /// Adds a range, which is not there. It starts before it ends.
    pub(super) fn insert(&mut self, id: RangeId, ranges: &Ranges) {
        if let Some(right) = insert(&mut self.root, id, &ranges.bounds(id), true, ranges) {
            let left = mem::replace(&mut self.root, Box::new(Node::new()));
            *self.root = Node::above(left, right, ranges);
        }
    }

    /// Removes a range, whose record must still be there.
    pub(super) fn remove(&mut self, id: RangeId, ranges: &Ranges) {
        remove(&mut self.root, id, &ranges.bounds(id), ranges);
        while let Some(child) = self.root.take_only_child() {
            self.root = child;
        }
    }

    /// Calls `visit` with each range that holds `key`.
    #[inline]
    pub(super) fn stab(&self, key: &[u8], ranges: &Ranges, visit: &mut impl FnMut(RangeId)) {
        if self.root.len() > 0 {
            stab(&self.root, key, false, ranges, visit);
        }
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.root.size()
    }

    #[cfg(test)]
    pub(super) fn root(&self) -> &Node {
        &self.root
    }
}

/// `started` says that all ranges of the node start at or before the key.
fn stab(node: &Node, key: &[u8], started: bool, ranges: &Ranges, visit: &mut impl FnMut(RangeId)) {
    let (count, entries) = node.stab(key, started, ranges);
    if node.is_leaf() {
        return entries.for_each(|at| visit(node.most(at)));
    }
    for at in entries {
        // What is before an entry that starts there starts there as a whole.
        let started = started || at + 1 < count;
        stab(node.child(at), key, started, ranges, visit);
    }
}

/// Inserts a range below a node. Answers the node that must follow this one if it had to be split.
/// `rightmost` says that no range is to the right of this node.
fn insert(
    node: &mut Node,
    id: RangeId,
    range: &Bounds<'_>,
    rightmost: bool,
    ranges: &Ranges,
) -> Option<Box<Node>> {
    let Err(at) = node.search(range, ranges) else {
        unreachable!("a range joins a tree once");
    };
    if node.is_leaf() {
        return add(node, at, rightmost, ranges, |node, at| {
            node.insert(at, id, ranges);
        });
    }
    // A range before all others goes into the first child.
    let at = at.saturating_sub(1);
    let is_last = at + 1 == node.len();
    let Some(right) = insert(node.child_mut(at), id, range, rightmost && is_last, ranges) else {
        node.child_grew(at, id, range, ranges);
        return None;
    };
    node.child_changed(at, ranges);
    add(node, at + 1, rightmost, ranges, |node, at| {
        node.insert_child(at, right, ranges);
    })
}

/// Lets an entry be put into a node itself; splits it if it is full.
fn add(
    node: &mut Node,
    at: usize,
    rightmost: bool,
    ranges: &Ranges,
    put: impl FnOnce(&mut Node, usize),
) -> Option<Box<Node>> {
    if node.len() < CAPACITY {
        put(node, at);
        return None;
    }
    // Ranges in rising order come behind the last one each: the full node then stays as it is, or,
    // where others follow, nearly so. (Were it to stay full there, ranges in falling order would each
    // get a node of their own.)
    let middle = match at {
        CAPACITY if rightmost => CAPACITY,
        CAPACITY => CAPACITY / 4 * 3,
        _ => CAPACITY / 2,
    };
    let mut right = node.split_off(middle, ranges);
    if at < middle {
        put(node, at);
    } else {
        put(&mut right, at - middle);
    }
    Some(right)
}

/// Removes a range below a node, whose own bounds may be others afterwards, or none.
fn remove(node: &mut Node, id: RangeId, range: &Bounds<'_>, ranges: &Ranges) {
    let found = node.search(range, ranges);
    if node.is_leaf() {
        if let Ok(at) = found {
            node.remove(at);
        }
        return;
    }
    let at = found.unwrap_or_else(|after| after.saturating_sub(1));
    remove(node.child_mut(at), id, range, ranges);
    if node.child(at).len() == 0 {
        node.remove(at);
        return;
    }
    if node.is_bound(at, id) {
        node.child_changed(at, ranges);
    }
    if node.child(at).len() < SPARSE && !merge(node, at, ranges) && at > 0 {
        merge(node, at - 1, ranges);
    }
}

/// Makes one of a child and the next, if they are few entries together.
fn merge(node: &mut Node, at: usize, ranges: &Ranges) -> bool {
    if at + 1 == node.len() || node.child(at).len() + node.child(at + 1).len() > MERGED {
        return false;
    }
    if let Some(right) = node.remove(at + 1) {
        node.child_mut(at).append(right, ranges);
        node.child_changed(at, ranges);
    }
    true
}
