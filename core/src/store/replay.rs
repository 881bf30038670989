//! Learning the state of a store from the entries of its log.

use alloc::vec::Vec;

use crate::error::{Error, Result};
use crate::index::KeyIndex;
use crate::log::{Entry, Numbers, Position, Record, put_varint};
use crate::revision::Revision;

/// Beyond every revision and version that a store can come to; adding to one below cannot overflow.
pub(super) const NUMBER_LIMIT: u64 = 1 << 62;

/// What a fold over the log's entries knows besides the keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// The revision of the newest complete transaction.
    pub(super) revision: i64,
    /// The sub revision that the next state record gets under the current main revision.
    pub(super) next_sub: u32,
    /// History before this may not be asked for; -1 before any compaction.
    pub(super) compact_revision: i64,
}

impl State {
    /// Of a store that has seen nothing.
    pub(super) const EMPTY: Self = Self {
        revision: 1,
        next_sub: 0,
        compact_revision: -1,
    };

    /// For a checkpoint.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(self.revision as u64, out);
        put_varint(u64::from(self.next_sub), out);
        put_varint((self.compact_revision + 1) as u64, out);
    }

    pub(super) fn decode(numbers: &mut Numbers<'_>) -> Option<Self> {
        let revision = numbers.next_below(NUMBER_LIMIT)? as i64;
        let next_sub = u32::try_from(numbers.next()?).ok()?;
        let compact_revision = numbers.next_below(NUMBER_LIMIT)? as i64 - 1;
        (revision > 0 && compact_revision <= revision).then_some(Self {
            revision,
            next_sub,
            compact_revision,
        })
    }

    /// Whether a store in this state can have written the entry.
    pub(super) fn could_have(&self, entry: &Entry<'_>) -> bool {
        check(entry).is_ok() && entry.revision.main <= self.revision
    }

    /// Whether the entry can be one that a store has written, whatever came before it.
    pub(super) fn check(entry: &Entry<'_>) -> Result<()> {
        check(entry).map_err(corrupt)
    }

    /// Takes in the next entry. A page can have the right checksum and yet hold what no store has
    /// written, so nothing is believed that could not be.
    pub(super) fn replay(
        &mut self,
        index: &mut KeyIndex,
        position: Position,
        entry: &Entry<'_>,
    ) -> Result<()> {
        check(entry).map_err(corrupt)?;
        let Revision { main, sub } = entry.revision;
        match entry.record {
            Record::Put {
                key, age, version, ..
            } => {
                let (create_revision, version) = (main - age as i64, version as i64);
                if !index.put_again(key, entry.revision, position, create_revision, version) {
                    return Err(corrupt("a key that exists is created again"));
                }
            }
            Record::Delete { key } => index.delete(key, entry.revision, position),
            Record::Compact { revision } => self.compact_revision = revision as i64,
            Record::LeaseGrant { .. }
            | Record::LeaseRemaining { .. }
            | Record::LeaseRevoke { .. }
            | Record::Epoch { .. }
            | Record::Cursor { .. }
            | Record::CursorAck { .. }
            | Record::CursorDelete { .. }
            | Record::End => {}
        }
        // Replay ends with a complete transaction, so the last entry's revision is one.
        self.revision = main;
        self.next_sub = sub + 1;
        Ok(())
    }
}

/// Whether the entry can be one that a store has written, whatever came before it.
pub(crate) fn is_possible(entry: &Entry<'_>) -> bool {
    check(entry).is_ok()
}

/// The log knows the page.
pub(super) fn corrupt(what: &str) -> Error {
    Error::Corrupt {
        page: 0,
        what: what.into(),
    }
}

/// Whether the entry can be one that a store has written.
fn check(entry: &Entry<'_>) -> core::result::Result<(), &'static str> {
    let Revision { main, sub } = entry.revision;
    let main = u64::try_from(main).unwrap_or(0);
    if main == 0 || main >= NUMBER_LIMIT || sub == u32::MAX {
        return Err("an entry has an impossible revision");
    }
    let lasts = |ms: u64| {
        if ms < NUMBER_LIMIT {
            Ok(())
        } else {
            Err("a lease lasts for ever")
        }
    };
    match entry.record {
        Record::Put { key: [], .. } | Record::Delete { key: [] } => Err("a key is empty"),
        Record::Put { age, version, .. } => {
            if age >= main || version == 0 || version >= NUMBER_LIMIT {
                Err("a key has an impossible create revision or version")
            } else {
                Ok(())
            }
        }
        Record::Compact { revision } if revision > main => Err("the future was compacted"),
        Record::Cursor { id, .. } if id >= NUMBER_LIMIT => Err("a cursor has an impossible number"),
        Record::Cursor { lag, .. } | Record::CursorAck { lag, .. } if lag > main => {
            Err("a cursor has acknowledged what cannot have been")
        }
        Record::LeaseGrant { ttl_ms, .. } => lasts(ttl_ms),
        Record::LeaseRemaining { remaining_ms, .. } => lasts(remaining_ms),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(main: i64, sub: u32, record: Record<'_>) -> bool {
        let revision = Revision { main, sub };
        check(&Entry {
            revision,
            last: true,
            record,
        })
        .is_ok()
    }

    #[test]
    fn what_no_store_has_written_is_not_believed() {
        let put = |key, age, version| Record::Put {
            key,
            value: b"",
            age,
            version,
            lease: 0,
        };
        assert!(verdict(5, 0, put(b"k", 4, 1)));
        assert!(!verdict(0, 0, put(b"k", 0, 1)));
        assert!(!verdict(i64::MAX, 0, put(b"k", 0, 1)));
        assert!(!verdict(5, u32::MAX, put(b"k", 0, 1)));
        assert!(!verdict(5, 0, put(b"", 0, 1)));
        assert!(!verdict(5, 0, put(b"k", 5, 1)));
        assert!(!verdict(5, 0, put(b"k", 0, 0)));
        assert!(!verdict(5, 0, put(b"k", 0, u64::MAX)));
        assert!(!verdict(5, 0, Record::Delete { key: b"" }));
        assert!(verdict(5, 0, Record::Compact { revision: 5 }));
        assert!(!verdict(5, 0, Record::Compact { revision: 6 }));
        let ack = |lag| Record::CursorAck { id: 1, lag };
        assert!(verdict(5, 0, ack(5)) && !verdict(5, 0, ack(6)));
        let cursor = |id, lag| Record::Cursor {
            id,
            name: b"c",
            key: b"k",
            range_end: b"",
            lag,
            hold: false,
        };
        assert!(verdict(5, 0, cursor(1, 5)));
        assert!(!verdict(5, 0, cursor(1, 6)));
        assert!(!verdict(5, 0, cursor(u64::MAX, 0)));
        assert!(!verdict(
            5,
            0,
            Record::LeaseGrant {
                id: 1,
                ttl_ms: u64::MAX
            }
        ));
        assert!(!verdict(
            5,
            0,
            Record::LeaseRemaining {
                id: 1,
                remaining_ms: u64::MAX
            }
        ));
    }
}
