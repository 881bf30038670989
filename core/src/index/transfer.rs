//! The index as bytes, for checkpoints.
//!
//! ```text
//! index  = number of keys | key …                 in bytewise order
//! key    = length | bytes | number of changes | change …            the oldest first
//! change = main revision | sub * 4 + kind | position | if kind is 2: age | version
//! ```
//!
//! All numbers have seven bits a byte. Main revisions and positions are distances from the change
//! before, of the first change from 0. Kind 0 is a delete; 1 a put that goes on with the life of the
//! put before it, with the same create revision and the next version; 2 any put, and `age` is its
//! main revision less the create revision.

use alloc::vec::Vec;

use super::change::Change;
use super::key_index::KeyIndex;
use crate::log::{Numbers, Position, put_varint};
use crate::revision::Revision;

/// Beyond every number that a store can come to; adding two below cannot overflow.
const NUMBER_LIMIT: u64 = 1 << 62;

const DELETE: u64 = 0;
const CONTINUED: u64 = 1;
const EXPLICIT: u64 = 2;
const KINDS: u64 = 4;

/// What distances are counted from, before the first change.
const BEFORE_ALL: Change = Change {
    revision: Revision { main: 0, sub: 0 },
    position: Position(0),
    create_revision: 0,
    version: 0,
    deleted: true,
};

impl KeyIndex {
    /// Says all keys with all their changes, in pieces of one key.
    pub(crate) fn encode(&self, emit: &mut dyn FnMut(&[u8])) {
        let mut out = Vec::new();
        put_varint(self.len() as u64, &mut out);
        emit(&out);
        let mut changes = Vec::new();
        for address in self.order.from(&[], &self.records) {
            let key = self.records.key(address);
            self.records.list(address, &mut changes);
            out.clear();
            put_varint(key.len() as u64, &mut out);
            out.extend_from_slice(key);
            put_varint(changes.len() as u64, &mut out);
            let mut before = &BEFORE_ALL;
            for change in &changes {
                encode_change(change, before, &mut out);
                before = change;
            }
            emit(&out);
        }
    }

    /// Adds to an empty index the keys that were encoded from one, whose changes lie before `end` in
    /// the log and are not newer than `newest`. `None` if no index is like that; what was added is then of no use.
    pub(crate) fn decode(
        &mut self,
        numbers: &mut Numbers<'_>,
        end: Position,
        newest: Revision,
    ) -> Option<()> {
        // A key takes five bytes at least, so that no more is asked for than the bytes justify.
        let keys = numbers.next_below(numbers.rest().len() as u64 / 5 + 1)?;
        self.reserve(keys as usize);
        let mut before: &[u8] = &[];
        let mut changes = Vec::new();
        for _ in 0..keys {
            let key = numbers.next_bytes()?;
            if key <= before {
                return None;
            }
            before = key;
            changes.clear();
            let mut last = BEFORE_ALL;
            for _ in 0..numbers.next()? {
                last = decode_change(&last, numbers, end)?;
                changes.push(last);
            }
            if last.revision > newest {
                return None;
            }
            self.append_key(key, &changes)?;
        }
        Some(())
    }
}

fn encode_change(change: &Change, before: &Change, out: &mut Vec<u8>) {
    let kind = match () {
        () if change.deleted => DELETE,
        () if before.continues_in(change) => CONTINUED,
        () => EXPLICIT,
    };
    put_varint((change.revision.main - before.revision.main) as u64, out);
    put_varint(u64::from(change.revision.sub) * KINDS + kind, out);
    put_varint(change.position.0 - before.position.0, out);
    if kind == EXPLICIT {
        put_varint((change.revision.main - change.create_revision) as u64, out);
        put_varint(change.version as u64, out);
    }
}

#[inline]
fn decode_change(before: &Change, numbers: &mut Numbers<'_>, end: Position) -> Option<Change> {
    let main = before.revision.main + numbers.next_below(NUMBER_LIMIT)? as i64;
    let sub_and_kind = numbers.next()?;
    let revision = Revision {
        main,
        sub: u32::try_from(sub_and_kind / KINDS).ok()?,
    };
    let position = Position(before.position.0 + numbers.next_below(NUMBER_LIMIT)?);
    let is_sane = (1..NUMBER_LIMIT).contains(&(main as u64))
        && revision > before.revision
        && position < end
        && (position > before.position || before.revision.main == 0);
    if !is_sane {
        return None;
    }
    match sub_and_kind % KINDS {
        DELETE => Some(Change::delete(revision, position)),
        CONTINUED if !before.deleted && (before.version as u64) < NUMBER_LIMIT => {
            Some(Change::put(
                revision,
                position,
                before.create_revision,
                before.version + 1,
            ))
        }
        EXPLICIT => {
            let age = numbers.next_below(main as u64)? as i64;
            let version = numbers.next_below(NUMBER_LIMIT)? as i64;
            (version > 0).then(|| Change::put(revision, position, main - age, version))
        }
        _ => None,
    }
}
