//! Matching: which watchers a change of a key concerns.
//!
//! Every put asks this, with a million watchers as with one, so it is counted in cache misses. The
//! question has three parts, each with the structure that fits it:
//!
//! - *Single keys* (`ranges`, `cells`): a hash table. One look, however many there are.
//! - *Prefixes*, which are most of all ranges (`lengths`): the same hash table, looked into once for
//!   each length that prefixes have, with the key cut to that length. Of those lengths only the ones
//!   count whose prefixes end with the byte that the key has there: where names end with a slash, the
//!   slashes of the key are looked at and nothing else.
//! - *Spans*, and what has no end (`tree`, `node`, `code`): an interval tree, balanced, of wide nodes.
//!
//! ```text
//!                    ranges: each distinct range once      members: who watches it
//! key ── hash ─────► "/jobs/7", watcher 3
//!     ── hash ─────► "/jobs/" and all below     ─────────► watcher 1 ──► watcher 9 ──► watcher 4
//! key ── tree ─────► "/jobs/5" to "/jobs/8"     ─────────► watcher 8
//! ```
//!
//! A range is kept once however many watch it (`ranges`). It names one watcher that has no other range;
//! of all others it has a list (`members`), of which one among a million leaves in one step. A watcher
//! may have several ranges.
//!
//! Ranges are told apart by what they hold, not by how they were said (`shape`): the span from
//! `/jobs/` to `/jobs0`, which is how etcd says a prefix, is a prefix.
//!
//! With n ranges, of which k hold the key:
//!
//! | operation | cost |
//! |---|---|
//! | a key's watchers | a look for the key, at most 32 for prefixes, O(log n + k) for spans, and the watchers |
//! | a watcher comes or goes | O(1) for each of its keys and prefixes, O(log n) for a span |
//! | memory beyond the range's bytes | 40 bytes for a watcher with one range of its own, 70 if it is in the tree; 20 for each range more that is there already |
//!
//! Nothing in here depends on how many watch what, in which order they came, or on how their ranges
//! lie: nested, alike, overlapping or in chains.

mod cells;
mod code;
mod lengths;
mod matcher;
#[cfg(feature = "measured")]
mod measured;
mod members;
mod node;
mod ranges;
mod same;
mod shape;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use matcher::{Matcher, Membership};
#[cfg(feature = "measured")]
pub use measured::MeasuredMatcher;
pub(super) use ranges::RangeId;
