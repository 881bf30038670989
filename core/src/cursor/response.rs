//! What a cursor answers.

use alloc::vec::Vec;

use crate::range::KeyRange;
use crate::watch::Events;

/// The next thing that a cursor's consumer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorResponse {
    /// Changes, whole revisions at a time.
    Events {
        /// Everything up to and including this revision has been told now, and can be acknowledged.
        revision: i64,
        /// In order of revision; never empty.
        events: Events,
    },
    /// Compaction took history that the consumer had yet to see: how its range was changed before
    /// this is no longer known one by one. Polled on, the cursor goes on with the changes that are
    /// kept, from this revision on. Who needs the state reads the range as of this revision first.
    Compacted {
        /// Where history begins now.
        compact_revision: i64,
    },
    /// A crash took what the consumer says that it has seen. Polled on, the cursor goes on after
    /// what was acknowledged; [`seek_cursor`](crate::Store::seek_cursor) goes elsewhere.
    Rewound {
        /// The last revision of the consumer's past that still stands.
        revision: i64,
    },
    /// Nothing now.
    Idle {
        /// Everything up to and including this revision has been told, and can be acknowledged, also
        /// where nothing in it was for this cursor.
        revision: i64,
    },
}

/// What there is to know about a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorReport {
    /// Its name.
    pub name: Vec<u8>,
    /// Which keys.
    pub range: KeyRange,
    /// Everything up to and including this revision was acknowledged; the next opening goes on after
    /// it.
    pub acked_revision: i64,
    /// How many revisions the store has come beyond that.
    pub lag_revisions: i64,
    /// Whether it holds back compaction.
    pub hold: bool,
    /// Whether it is open in this store.
    pub open: bool,
}
