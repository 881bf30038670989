//! Following a range: its state first, then every change after it, with no gap between.

use alloc::vec::Vec;

use super::events::Events;
use super::stream::StreamId;
use crate::range::KeyRange;
use crate::record::KeyValue;
use crate::revision::ResumeToken;

/// The next thing that a follower is told.
///
/// In this order: `State` until all of the range has been told as of one pinned revision, `Synced`
/// with that revision, then `Events` for ever. Apply `State` and `Events` to a map as they come and
/// the map is the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowResponse {
    /// More of the range's state, in key order.
    State {
        /// Some of its keys; never empty.
        kvs: Vec<KeyValue>,
    },
    /// The state is complete as of this revision.
    Synced {
        /// The revision of the state.
        revision: i64,
    },
    /// Changes, whole revisions at a time.
    Events {
        /// Everything up to and including this revision has been told now.
        revision: i64,
        /// In order of revision; never empty.
        events: Events,
    },
    /// Compaction or a crash took what the follower had yet to see, or a failed sync what it was told
    /// early: forget what was told, the state comes again.
    Reset {
        /// The revision of the state to come.
        revision: i64,
    },
    /// Nothing now.
    Idle,
}

/// A follower and how far it has come.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) range: KeyRange,
    /// Of its own stream.
    pub(crate) early: bool,
    pub(crate) phase: Phase,
    /// Everything up to here has been told; `None` until the state is complete.
    pub(crate) told: Option<ResumeToken>,
}

#[derive(Debug)]
pub(crate) enum Phase {
    /// Tells the state as of `revision`; the keys up to `after` have been told.
    State {
        revision: i64,
        after: Option<Vec<u8>>,
    },
    /// Has been told a state that was lost in a crash.
    Lost,
    /// Tells what changes, through a stream of its own.
    /// The epoch is that in which it began: what is queued may be older than the store's.
    Changes { stream: StreamId, epoch: i64 },
}

impl Phase {
    /// The beginning of the state as of `revision`.
    pub(crate) fn state_at(revision: i64) -> Self {
        Self::State {
            revision,
            after: None,
        }
    }
}
