//! The narrow door through which watching sees the store.

use alloc::vec::Vec;

use crate::error::Result;
use crate::record::Event;

/// A part of history.
pub(crate) struct Reach {
    /// The events, of whole revisions, in order.
    pub(crate) events: Vec<Event>,
    /// All events up to and including this revision are among them.
    pub(crate) revision: i64,
}

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

    /// The events from revision `from` on, which is not compacted: whole revisions, at least one,
    /// no further one after `max_revisions` with events or once `max_bytes` of keys and values are
    /// reached, none beyond what is published.
    fn events(
        &self,
        from: i64,
        max_revisions: usize,
        max_bytes: usize,
        prev_kv: bool,
    ) -> Result<Reach>;
}
