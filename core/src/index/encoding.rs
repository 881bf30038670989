//! The short form of an older change: what it differs in from the next newer one.
//!
//! Changes are looked up from the newest backwards, new ones are added at the newer end, and
//! compaction takes them away at the older end. So each change is written as its distance from the
//! next *newer* one, and is read back to front: to add one touches no other, and the oldest can go
//! without the rest being written anew. In the order of reading:
//!
//! ```text
//! form      1 byte            what it is, and the lengths of the two that follow
//! main      0 to 4, 8 bytes   how far the newer main revision is above its own, big-endian
//! position  0 to 4, 8 bytes   likewise
//! sub       varint            only if it is not 0
//! age       varint            main revision - create revision   } only of a put that the newer
//! version   varint                                              } change does not continue
//! ```
//!
//! A key that is put over and over takes 3 to 8 bytes a change: its life goes on, so the create
//! revision is the newer put's, and the version is one less.

use super::change::Change;
use crate::log::Position;
use crate::revision::Revision;

/// The lengths that `main` and `position` can have.
const LENGTHS: [u8; 6] = [0, 1, 2, 3, 4, 8];
/// The form, two numbers of 8 bytes, and varints of 32, 64 and 64 bits.
pub(super) const LONGEST_BYTES: usize = 1 + 8 + 8 + 5 + 10 + 10;

/// What there is to say of the life that a change belongs to.
#[derive(Clone, Copy)]
enum Kind {
    Deleted = 0,
    Continued = 1,
    Explicit = 2,
}

/// An encoded change, in the order of writing: what is read first comes last.
pub(super) struct Encoded {
    /// Numbers are copied whole, also where only some of their bytes count.
    bytes: [u8; LONGEST_BYTES + 8],
    len: usize,
}

impl Encoded {
    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    #[inline]
    fn push_number(&mut self, number: u64, length: u8) {
        self.bytes[self.len..self.len + 8].copy_from_slice(&number.to_le_bytes());
        self.len += usize::from(length);
    }

    fn push_varint(&mut self, mut number: u64) {
        let start = self.len;
        while number >= 0x80 {
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.push(number as u8);
        self.bytes[start..self.len].reverse();
    }
}

/// Encodes `older` for a reader that knows `newer`.
#[inline]
pub(super) fn encode(older: &Change, newer: &Change) -> Encoded {
    let kind = match () {
        () if older.deleted => Kind::Deleted,
        () if older.continues_in(newer) => Kind::Continued,
        () => Kind::Explicit,
    };
    let main = newer.revision.main.wrapping_sub(older.revision.main) as u64;
    let position = newer.position.0.wrapping_sub(older.position.0);
    let (main_code, position_code) = (length_code(main), length_code(position));
    let has_sub = older.revision.sub != 0;

    let mut out = Encoded {
        bytes: [0; LONGEST_BYTES + 8],
        len: 0,
    };
    if matches!(kind, Kind::Explicit) {
        let age = older.revision.main.wrapping_sub(older.create_revision);
        out.push_varint(older.version as u64);
        out.push_varint(age as u64);
    }
    if has_sub {
        out.push_varint(u64::from(older.revision.sub));
    }
    out.push_number(position, LENGTHS[usize::from(position_code)]);
    out.push_number(main, LENGTHS[usize::from(main_code)]);
    let codes = LENGTHS.len() as u8;
    out.push(((kind as u8 * 2 + u8::from(has_sub)) * codes + main_code) * codes + position_code);
    out
}

/// Reads the change before `newer`; `next` gives the bytes one by one. Of any bytes it makes some change,
/// and one whose encoding is no longer than those.
pub(super) fn decode(newer: &Change, mut next: impl FnMut() -> u8) -> Change {
    let codes = LENGTHS.len() as u8;
    let form = next();
    let position_length = LENGTHS[usize::from(form % codes)];
    let main_length = LENGTHS[usize::from(form / codes % codes)];
    let kind_and_sub = form / codes / codes;

    let main = newer
        .revision
        .main
        .wrapping_sub(read_number(main_length, &mut next) as i64);
    let position = newer
        .position
        .0
        .wrapping_sub(read_number(position_length, &mut next));
    let sub = if kind_and_sub % 2 == 1 {
        read_varint(&mut next) as u32
    } else {
        0
    };
    let revision = Revision { main, sub };
    let position = Position(position);
    match kind_and_sub / 2 {
        0 => Change::delete(revision, position),
        // Nothing goes on in a delete.
        1 if newer.deleted => Change::delete(revision, position),
        1 => Change::put(
            revision,
            position,
            newer.create_revision,
            newer.version.wrapping_sub(1),
        ),
        _ => {
            let create_revision = main.wrapping_sub(read_varint(&mut next) as i64);
            let version = read_varint(&mut next) as i64;
            Change::put(revision, position, create_revision, version)
        }
    }
}

/// The first of `LENGTHS` that holds `number`.
fn length_code(number: u64) -> u8 {
    let bytes = (u64::BITS - number.leading_zeros()).div_ceil(8);
    bytes.min(LENGTHS.len() as u32 - 1) as u8
}

fn read_number(length: u8, next: &mut impl FnMut() -> u8) -> u64 {
    (0..length).fold(0, |number, _| number << 8 | u64::from(next()))
}

fn read_varint(next: &mut impl FnMut() -> u8) -> u64 {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = next();
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::fault::Random;

    fn put(main: i64, sub: u32, position: u64, create_revision: i64, version: i64) -> Change {
        let revision = Revision { main, sub };
        Change::put(revision, Position(position), create_revision, version)
    }

    fn delete(main: i64, sub: u32, position: u64) -> Change {
        Change::delete(Revision { main, sub }, Position(position))
    }

    fn length_after_round_trip(older: Change, newer: Change) -> usize {
        let encoded = encode(&older, &newer);
        let mut bytes = encoded.as_slice().iter().rev();
        let decoded = decode(&newer, || *bytes.next().unwrap());
        assert_eq!(decoded, older);
        assert_eq!(bytes.len(), 0);
        encoded.as_slice().len()
    }

    #[test]
    fn every_kind_of_change_comes_back() {
        let changes = [
            put(7, 0, 700, 5, 3),
            put(7, 3, 700, 7, 1),
            delete(7, 0, 700),
            delete(7, u32::MAX, 700),
            put(1 << 61, 1, (1 << 47) + 5, 2, 1 << 60),
            put((1 << 62) + 1, 0, (1 << 48) - 1, (1 << 62) + 1, 1),
            put(i64::MAX, u32::MAX, u64::MAX, i64::MIN, i64::MIN),
            put(0, 0, 0, 0, 0),
        ];
        for older in changes {
            for newer in changes {
                let length = length_after_round_trip(older, newer);
                assert!((1..=LONGEST_BYTES).contains(&length));
            }
        }
    }

    #[test]
    fn of_any_bytes_some_change_is_made_that_is_no_longer() {
        let mut random = Random::new(1);
        for _ in 0..100_000 {
            let mut bytes = [0; LONGEST_BYTES + 8];
            random.fill(&mut bytes);
            let newer = [put(9, 0, 900, 4, 5), delete(9, 3, 900)][random.below(2)];
            let mut read = 0;
            let older = decode(&newer, || {
                read += 1;
                bytes[read - 1]
            });
            assert!(encode(&older, &newer).as_slice().len() <= read);
        }
    }

    #[test]
    fn every_distance_comes_back() {
        for bits in 0..62 {
            for near in [0, 1] {
                let distance = (1_i64 << bits) - near;
                let newer = put(1 << 62, 0, 1 << 62, 9, 9);
                let older = put((1 << 62) - distance, 0, (1 << 62) - distance as u64, 9, 8);
                length_after_round_trip(older, newer);
            }
        }
    }

    #[test]
    fn the_common_change_is_short() {
        // Put over and over alone; and in turn with 100,000 other keys, of 100 bytes each.
        assert_eq!(
            length_after_round_trip(put(9, 0, 900, 4, 5), put(10, 0, 1000, 4, 6)),
            3
        );
        let newer = put(200_009, 0, 10_000_900, 4, 6);
        assert_eq!(
            length_after_round_trip(put(100_009, 0, 900, 4, 5), newer),
            7
        );
    }
}
