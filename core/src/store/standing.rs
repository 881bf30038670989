//! Which records of state still stand: a newer one of the same kind kills the older.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::checkpoint::{decode_revision, encode_revision};
use super::replay::NUMBER_LIMIT;
use crate::log::{Entry, Numbers, Record, put_varint};
use crate::revision::Revision;

/// The records that make a lease what it is.
#[derive(Clone, Copy, Debug)]
struct LeaseRecords {
    granted: Revision,
    /// The newest that says how long it has left.
    remaining: Option<Revision>,
}

/// The records that make a cursor what it is.
#[derive(Clone, Copy, Debug)]
struct CursorRecords {
    defined: Revision,
    /// The newest acknowledgement since.
    acked: Option<Revision>,
}

/// Where the records of state lie that the next opening needs. Those of revoked leases are
/// forgotten: a sweep drops the grant and all that followed before it comes to the revocation, and
/// so may drop that as well. With deleted cursors it is the same.
#[derive(Debug, Default)]
pub(super) struct Standing {
    leases: BTreeMap<i64, LeaseRecords>,
    cursors: BTreeMap<u64, CursorRecords>,
    compact: Option<Revision>,
    /// Records of state since the last sweep.
    pub(super) written: usize,
    /// Changes of keys that the log holds, about: after a sweep it is a guess.
    pub(super) changes: u64,
    /// All changes that were seen, and the revision of the first.
    seen: u64,
    first: Option<i64>,
}

impl Standing {
    /// Learns of a record that was appended or read back.
    pub(super) fn learn(&mut self, entry: &Entry<'_>) {
        let revision = entry.revision;
        match entry.record {
            Record::LeaseGrant { id, .. } => {
                let records = LeaseRecords {
                    granted: revision,
                    remaining: None,
                };
                self.leases.insert(id, records);
            }
            Record::LeaseRemaining { id, .. } => {
                if let Some(lease) = self.leases.get_mut(&id) {
                    lease.remaining = Some(revision);
                }
            }
            Record::LeaseRevoke { id } => drop(self.leases.remove(&id)),
            Record::Cursor { id, .. } => {
                let records = CursorRecords {
                    defined: revision,
                    acked: None,
                };
                self.cursors.insert(id, records);
            }
            Record::CursorAck { id, .. } => {
                if let Some(cursor) = self.cursors.get_mut(&id) {
                    cursor.acked = Some(revision);
                }
            }
            Record::CursorDelete { id } => drop(self.cursors.remove(&id)),
            Record::Compact { .. } => self.compact = Some(revision),
            Record::Put { .. } | Record::Delete { .. } => {
                self.changes += 1;
                self.seen += 1;
                self.first.get_or_insert(revision.main);
                return;
            }
            Record::Epoch { .. } | Record::End => return,
        }
        self.written += 1;
    }

    /// Learns of a record that a checkpoint says stands, which it has counted before.
    pub(super) fn learn_standing(&mut self, entry: &Entry<'_>) {
        let written = self.written;
        if !matches!(entry.record, Record::Put { .. } | Record::Delete { .. }) {
            self.learn(entry);
        }
        self.written = written;
    }

    /// The revision of the record of this kind that stands. A put tells only of its key, whenever it
    /// was.
    pub(super) fn revision_of(&self, record: &Record<'_>) -> Option<Revision> {
        match *record {
            Record::LeaseGrant { id, .. } => Some(self.leases.get(&id)?.granted),
            Record::LeaseRemaining { id, .. } => self.leases.get(&id)?.remaining,
            Record::Cursor { id, .. } => Some(self.cursors.get(&id)?.defined),
            Record::CursorAck { id, .. } => self.cursors.get(&id)?.acked,
            Record::Put { .. } => Some(Revision::first_of(1)),
            _ => None,
        }
    }

    /// The counts and the compaction, for a checkpoint; not leases and cursors, which are standing
    /// records.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let first = self.first.map_or(0, |first| first as u64);
        for number in [self.written as u64, self.changes, self.seen, first] {
            put_varint(number, out);
        }
        let compact = self.compact.unwrap_or(Revision { main: 0, sub: 0 });
        encode_revision(compact, out);
    }

    pub(super) fn decode(numbers: &mut Numbers<'_>) -> Option<Self> {
        let written = numbers.next_below(1 << 30)? as usize;
        let changes = numbers.next_below(NUMBER_LIMIT)?;
        let seen = numbers.next_below(NUMBER_LIMIT)?;
        let first = numbers.next_below(NUMBER_LIMIT)? as i64;
        let compact = decode_revision(numbers)?;
        Some(Self {
            leases: BTreeMap::new(),
            cursors: BTreeMap::new(),
            compact: (compact.main > 0).then_some(compact),
            written,
            changes,
            seen,
            first: (first > 0).then_some(first),
        })
    }

    /// About how many changes there were from `from` up to `to`, both revisions.
    pub(super) fn changes_between(&self, from: i64, to: i64) -> u64 {
        let span = |from: i64| u128::from(to.saturating_sub(from).unsigned_abs());
        let all = span(self.first.unwrap_or(to) - 1).max(1);
        (u128::from(self.seen) * span(from) / all) as u64
    }

    /// Whether the next opening needs the record of state.
    pub(super) fn needs(&self, entry: &Entry<'_>, oldest_epoch: u64) -> bool {
        let revision = Some(entry.revision);
        let lease = |id| self.leases.get(&id);
        let cursor = |id| self.cursors.get(&id);
        match entry.record {
            Record::LeaseGrant { id, .. } => lease(id).map(|lease| lease.granted) == revision,
            Record::LeaseRemaining { id, .. } => {
                lease(id).and_then(|lease| lease.remaining) == revision
            }
            Record::Cursor { id, .. } => cursor(id).map(|cursor| cursor.defined) == revision,
            Record::CursorAck { id, .. } => cursor(id).and_then(|cursor| cursor.acked) == revision,
            Record::Compact { .. } => self.compact == revision,
            Record::Epoch { epoch, .. } => epoch >= oldest_epoch,
            Record::LeaseRevoke { .. } | Record::CursorDelete { .. } | Record::End => false,
            Record::Put { .. } | Record::Delete { .. } => true,
        }
    }
}
