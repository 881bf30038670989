//! The narrow door through which watching sees the store.
//!
//! What is known of history is asked at once. History itself is not: an operation that needs a part of
//! it answers so, whoever drives the hub has that part read, beside whatever else is done to the hub
//! meanwhile, brings it back, and asks again. What was read is matched against the hub as it is *then*:
//!
//! ```text
//!   poll, step ─► Turn::Read(Wanted) ─► (read, nothing held) ─► take_in(Part) ─► poll, step ─► Turn::Done
//! ```
//!
//! Nothing is reserved for a part on its way. Watchers may come and end, others may bring the same part
//! first, compaction or a recovery may overtake it: then it is dropped, or used by nobody, and the
//! operation asks for what it needs now.

use alloc::vec::Vec;

use super::holder::Holder;
use super::listing::Listing;
use crate::range::KeyRange;

/// What the hub needs to know of the store.
pub(crate) trait History {
    /// The newest revision that watchers may see.
    fn published(&self) -> i64;

    /// What is yet to be published of later revisions than this one will be given to the synced
    /// watchers, if `prev_kv` with what keys were before. Not less than what is published.
    fn told_from_history(&self, prev_kv: bool) -> i64;

    /// History before this is gone; -1 before any compaction.
    fn compact_revision(&self) -> i64;

    /// The revision of the newest published change of a key.
    fn newest_change(&self, key: &[u8]) -> Option<i64>;
}

/// What an operation on the hub has come to.
#[derive(Debug)]
pub(crate) enum Turn<T, W = Wanted> {
    Done(T),
    /// It needs this part of history first. Until then it has done nothing that asking again would not
    /// do.
    Read(W),
}

/// A part of history that is to be read.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The first revision, which is not compacted, and the last one that watchers may see.
    pub(crate) from: i64,
    pub(crate) published: i64,
    /// Whether with what keys were before.
    pub(crate) prev_kv: bool,
    /// Whole revisions, at least one: no further one after so many with events, or once there are so
    /// many bytes of keys and values.
    pub(crate) max_revisions: usize,
    pub(crate) max_bytes: usize,
    /// The compaction that it is read as of.
    pub(crate) compact_revision: i64,
    /// The stream that waits for it.
    pub(crate) stream: Waiting,
    /// What was read at another time was read of another past.
    pub(super) past: u32,
    /// Who was behind before this part, was behind when it was asked for.
    pub(super) number: u32,
    /// Who has which ranges, if only a few are behind: they are then told what they want beside the
    /// hub too.
    pub(super) few: Vec<(Holder, Vec<KeyRange>)>,
}

/// A stream that waits for history, if it is still there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting(pub(super) u32);

/// A part of history that was read.
#[derive(Debug)]
pub(crate) struct ReadPart {
    pub(super) wanted: Wanted,
    pub(super) events: Listing,
    /// All events up to and including this revision are among them.
    pub(super) to: i64,
    /// Bytes that the events take in memory.
    pub(super) bytes: usize,
    /// Which events are in the ranges of those few.
    pub(super) choices: Vec<(Holder, Vec<u32>)>,
}

impl Wanted {
    /// What was asked for: the events, of whole revisions, in order, up to and including revision `to`.
    pub(crate) fn found(mut self, events: impl Into<Listing>, to: i64) -> ReadPart {
        let events = events.into();
        let few = core::mem::take(&mut self.few);
        let choose = |(holder, ranges): (Holder, Vec<KeyRange>)| (holder, within(&ranges, &events));
        ReadPart {
            choices: few.into_iter().map(choose).collect(),
            bytes: events.bytes(),
            wanted: self,
            events,
            to,
        }
    }
}

/// Which events are in one of the ranges.
pub(super) fn within(ranges: &[KeyRange], events: &Listing) -> Vec<u32> {
    if ranges.contains(&KeyRange::All) {
        return (0..events.len() as u32).collect();
    }
    let is_within = |key: &[u8]| ranges.iter().any(|range| range.contains(key));
    let places = events.keys().enumerate();
    let wanted = places.filter(|(_, key)| is_within(key));
    wanted.map(|(index, _)| index as u32).collect()
}
