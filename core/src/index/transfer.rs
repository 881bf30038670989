//! The index as bytes, for checkpoints.
//!
//! ```text
//! index  = number of keys | key …                 in bytewise order
//! key    = length | bytes | number of full runs | run …         the oldest first, and the open one last
//! run    = change | length | bytes                the newest change, and those behind it as `chain` has them
//! change = main revision | sub * 4 + kind | position | if kind is 2: age | version
//! ```
//!
//! All numbers have seven bits a byte. Kind 0 is a delete; 1 the put that created the key; 2 any other
//! put, and `age` is its main revision less the create revision.
//!
//! What lies behind the newest change of a run is copied and not looked at, which is what makes opening
//! quick. Whatever bytes these are, reading them gives some changes (`encoding`): at worst such as lie
//! nowhere in the log, which a read or a `check` then finds out.

use alloc::vec::Vec;

use super::change::Change;
use super::key_index::KeyIndex;
use super::order::Order;
use super::run::Run;
use crate::log::{Numbers, Position, put_varint};
use crate::revision::Revision;

/// Beyond every number that a store can come to; adding two below cannot overflow.
const NUMBER_LIMIT: u64 = 1 << 62;
/// What a key takes at least: two of these are the key, with a byte of text.
const LEAST_KEY_BYTES: u64 = 7;

const DELETE: u64 = 0;
const CREATION: u64 = 1;
const EXPLICIT: u64 = 2;
const KINDS: u64 = 4;

impl KeyIndex {
    /// Says all keys with all their changes, in pieces of one key.
    pub(crate) fn encode(&self, emit: &mut dyn FnMut(&[u8])) {
        let mut out = Vec::new();
        put_varint(self.len() as u64, &mut out);
        emit(&out);
        for address in self.order.from(&[], &self.records) {
            let key = self.records.key(address);
            let (closed, open) = self.records.runs(address);
            out.clear();
            put_varint(key.len() as u64, &mut out);
            out.extend_from_slice(key);
            put_varint(closed.map_or(0, |runs| runs.len() as u64), &mut out);
            for run in closed.into_iter().flatten() {
                self.encode_run(run, &mut out);
            }
            self.encode_run(&open, &mut out);
            emit(&out);
        }
    }

    fn encode_run(&self, run: &Run, out: &mut Vec<u8>) {
        encode_change(&run.newest, out);
        put_varint(u64::from(run.older.len), out);
        self.records.copy_older(run, out);
    }

    /// Adds to an empty index the keys that were encoded from one, whose changes lie before `end` in
    /// the log and are not newer than `newest`. `None` if no index is like that; what was added is then of no use.
    pub(crate) fn decode(
        &mut self,
        numbers: &mut Numbers<'_>,
        end: Position,
        newest: Revision,
    ) -> Option<()> {
        // No more is asked for than the bytes justify.
        let most = numbers.rest().len() as u64 / LEAST_KEY_BYTES;
        let keys = numbers.next_below(most + 1)?;
        self.reserve(keys as usize);
        let mut addresses = Vec::with_capacity(keys as usize);
        let mut before: &[u8] = &[];
        let mut closed = Vec::new();
        let mut live_keys = 0;
        for _ in 0..keys {
            let key = numbers.next_bytes()?;
            if key <= before {
                return None;
            }
            before = key;
            let mut last = Revision { main: 0, sub: 0 };
            closed.clear();
            for _ in 0..numbers.next()? {
                closed.push(decode_run(&mut last, numbers, end)?);
            }
            let (change, older) = decode_run(&mut last, numbers, end)?;
            if last > newest {
                return None;
            }
            let address = self.records.create_with(key, change, &closed, older);
            self.add_to_hash(key, address);
            addresses.push(address);
            live_keys += u64::from(!change.deleted);
        }
        self.complete(Order::of(&addresses, &self.records), live_keys);
        Some(())
    }
}

/// A run that is newer than `last`, which is then that of its newest change.
#[inline]
fn decode_run<'a>(
    last: &mut Revision,
    numbers: &mut Numbers<'a>,
    end: Position,
) -> Option<(Change, &'a [u8])> {
    let newest = decode_change(numbers, end)?;
    let older = numbers.next_bytes()?;
    if newest.revision <= *last || u8::try_from(older.len()).is_err() {
        return None;
    }
    *last = newest.revision;
    Some((newest, older))
}

fn encode_change(change: &Change, out: &mut Vec<u8>) {
    let Revision { main, sub } = change.revision;
    let kind = match () {
        () if change.deleted => DELETE,
        () if change.create_revision == main && change.version == 1 => CREATION,
        () => EXPLICIT,
    };
    put_varint(main as u64, out);
    put_varint(u64::from(sub) * KINDS + kind, out);
    put_varint(change.position.0, out);
    if kind == EXPLICIT {
        put_varint((main - change.create_revision) as u64, out);
        put_varint(change.version as u64, out);
    }
}

#[inline]
fn decode_change(numbers: &mut Numbers<'_>, end: Position) -> Option<Change> {
    let main = numbers.next_below(NUMBER_LIMIT)? as i64;
    let sub_and_kind = numbers.next()?;
    let revision = Revision {
        main,
        sub: u32::try_from(sub_and_kind / KINDS).ok()?,
    };
    let position = Position(numbers.next_below(end.0)?);
    match sub_and_kind % KINDS {
        _ if main == 0 => None,
        DELETE => Some(Change::delete(revision, position)),
        CREATION => Some(Change::put(revision, position, main, 1)),
        EXPLICIT => {
            let age = numbers.next_below(main as u64)? as i64;
            let version = numbers.next_below(NUMBER_LIMIT)? as i64;
            (version > 0).then(|| Change::put(revision, position, main - age, version))
        }
        _ => None,
    }
}
