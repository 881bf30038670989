//! What the log holds: changes of keys, and state that has no revision of its own.

use serde::{Deserialize, Serialize};

use crate::record::{Change, EventKind, KeyValueRef};
use crate::revision::Revision;

/// One record of the log under its revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// Where it stands in history; no two entries share one. State records follow the changes of
    /// the current transaction with the next `sub`.
    pub(crate) revision: Revision,
    /// Whether it ends its transaction. Recovery cuts the log back to such an entry.
    pub(crate) last: bool,
    pub(crate) record: Record<'a>,
}

/// A change or a piece of state. The order of the variants is part of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record<'a> {
    /// A key was created or changed.
    Put {
        #[serde(with = "serde_bytes", borrow)]
        key: &'a [u8],
        #[serde(with = "serde_bytes", borrow)]
        value: &'a [u8],
        /// The entry's main revision less the key's `create_revision`: small for young keys.
        age: u64,
        version: u64,
        lease: i64,
    },
    /// A key was deleted.
    Delete {
        #[serde(with = "serde_bytes", borrow)]
        key: &'a [u8],
    },
    /// History before `revision` may no longer be asked for.
    Compact { revision: u64 },
    /// A lease was granted.
    LeaseGrant { id: i64, ttl_ms: u64 },
    /// A lease had this long to live when the entry was written.
    LeaseRemaining { id: i64, remaining_ms: u64 },
    /// A lease was revoked or has expired.
    LeaseRevoke { id: i64 },
    /// A writer opened a store that was not closed: revisions after `cut` were lost.
    Epoch { epoch: u64, cut: u64 },
    /// Ends a transaction whose last operation turned out to change nothing.
    End,
    /// A cursor was made, moved or changed: this is all that it is.
    Cursor {
        id: u64,
        #[serde(with = "serde_bytes", borrow)]
        name: &'a [u8],
        #[serde(with = "serde_bytes", borrow)]
        key: &'a [u8],
        #[serde(with = "serde_bytes", borrow)]
        range_end: &'a [u8],
        /// The entry's main revision less the one that was acknowledged.
        lag: u64,
        /// Whether compaction waits for it.
        hold: bool,
    },
    /// Everything up to the entry's main revision less `lag` was acknowledged.
    CursorAck { id: u64, lag: u64 },
    /// A cursor was deleted.
    CursorDelete { id: u64 },
}

impl<'a> Entry<'a> {
    /// What the entry changes, if it changes a key.
    #[inline]
    pub(crate) fn change(&self) -> Option<Change<'a>> {
        let mod_revision = self.revision.main;
        match self.record {
            Record::Put {
                key,
                value,
                age,
                version,
                lease,
            } => {
                let kv = KeyValueRef {
                    key,
                    value,
                    create_revision: mod_revision.saturating_sub(age as i64),
                    mod_revision,
                    version: version as i64,
                    lease,
                };
                Some((EventKind::Put, kv))
            }
            Record::Delete { key } => {
                let kv = KeyValueRef {
                    key,
                    mod_revision,
                    ..KeyValueRef::default()
                };
                Some((EventKind::Delete, kv))
            }
            _ => None,
        }
    }
}

impl Record<'_> {
    /// Bytes of what the record says besides numbers.
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len(),
            Self::Delete { key } => key.len(),
            Self::Cursor {
                name,
                key,
                range_end,
                ..
            } => name.len() + key.len() + range_end.len(),
            _ => 0,
        }
    }
}
