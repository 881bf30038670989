//! The layout of a key's record: what the heap holds of each key.
//!
//! ```text
//! offset  bytes
//!      0      8  main      of the newest change
//!      8      6  position  of the newest change
//!     14      1  flags     DELETED, WIDE, LONG
//!     15      1  length    bytes of encoded changes in the chain behind the newest
//!     16      4  age       main - create revision     } of the newest change,
//!     20      4  version                              } 0 in a delete
//!     24      4  sub       of the newest change
//!     28      4  older     the chain's newest block; with LONG, the number of the long history
//!     32      4  the key's length
//!     36         the key
//! ```
//!
//! All little-endian. The newest change and the key lie together, so that a read of the newest
//! state costs one cache miss or two. A change that does not fit (an age or a version of 2^32, a
//! position of 2^48) has WIDE, and is kept elsewhere.

use super::chain::Chain;
use super::change::Change;
use super::heap::Address;
use crate::log::Position;
use crate::revision::Revision;

/// Bytes before the key.
pub(super) const HEADER_BYTES: usize = 36;

const MAIN: usize = 0;
const POSITION: usize = 8;
const FLAGS: usize = 14;
const LENGTH: usize = 15;
const AGE: usize = 16;
const VERSION: usize = 20;
const SUB: usize = 24;
const OLDER: usize = 28;
const KEY_LENGTH: usize = 32;

const POSITION_BITS: u32 = 48;
const DELETED: u8 = 1;
const WIDE: u8 = 2;
const LONG: u8 = 4;

/// What is known of a key: the newest change, and where the older ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The newest change. If it is wide only its revision and `deleted` are right.
    pub(super) newest: Change,
    pub(super) wide: bool,
    pub(super) older: Older,
}

/// Where a key's older changes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Older {
    /// All in one chain.
    Short(Chain),
    /// In a long history of this number.
    Long(u32),
}

/// Whether a record has the numbers of `change` in full.
#[inline]
pub(super) fn fits(change: &Change) -> bool {
    let age = change.revision.main.wrapping_sub(change.create_revision);
    change.position.0 >> POSITION_BITS == 0
        && (change.deleted || u32::try_from(age).is_ok() && u32::try_from(change.version).is_ok())
}

impl Record {
    #[inline]
    pub(super) fn read(header: &[u8; HEADER_BYTES]) -> Self {
        let flags = header[FLAGS];
        let main = i64::from_le_bytes(bytes_at(header, MAIN));
        // Read with the two bytes that follow it.
        let position = u64::from_le_bytes(bytes_at(header, POSITION)) & ((1 << POSITION_BITS) - 1);
        let deleted = flags & DELETED != 0;
        let age = i64::from(number_at(header, AGE));
        let older = number_at(header, OLDER);
        Self {
            newest: Change {
                revision: Revision {
                    main,
                    sub: number_at(header, SUB),
                },
                position: Position(position),
                create_revision: if deleted { 0 } else { main.wrapping_sub(age) },
                version: i64::from(number_at(header, VERSION)),
                deleted,
            },
            wide: flags & WIDE != 0,
            older: if flags & LONG == 0 {
                Older::Short(Chain {
                    newest: Address(older),
                    len: header[LENGTH],
                })
            } else {
                Older::Long(older)
            },
        }
    }

    #[inline]
    pub(super) fn write(&self, header: &mut [u8; HEADER_BYTES]) {
        let newest = &self.newest;
        let (flag, older, length) = match self.older {
            Older::Short(chain) => (0, chain.newest.0, chain.len),
            Older::Long(number) => (LONG, number, 0),
        };
        let (age, version) = if newest.deleted || self.wide {
            (0, 0)
        } else {
            let age = newest.revision.main.wrapping_sub(newest.create_revision);
            (age as u32, newest.version as u32)
        };
        header[MAIN..POSITION].copy_from_slice(&newest.revision.main.to_le_bytes());
        header[POSITION..AGE].copy_from_slice(&newest.position.0.to_le_bytes());
        header[FLAGS] = (u8::from(newest.deleted) * DELETED) | (u8::from(self.wide) * WIDE) | flag;
        header[LENGTH] = length;
        header[AGE..VERSION].copy_from_slice(&age.to_le_bytes());
        header[VERSION..SUB].copy_from_slice(&version.to_le_bytes());
        header[SUB..OLDER].copy_from_slice(&newest.revision.sub.to_le_bytes());
        header[OLDER..KEY_LENGTH].copy_from_slice(&older.to_le_bytes());
    }
}

/// The key in a record's block, which begins with `header`.
#[inline]
pub(super) fn key_of<'a>(header: &[u8; HEADER_BYTES], block: &'a [u8]) -> &'a [u8] {
    &block[HEADER_BYTES..][..number_at(header, KEY_LENGTH) as usize]
}

/// # Panics
///
/// If the key is of 4 GiB, which no request can have.
pub(super) fn write_key(key: &[u8], block: &mut [u8]) {
    let length = u32::try_from(key.len()).expect("keys are shorter than 4 GiB");
    block[KEY_LENGTH..HEADER_BYTES].copy_from_slice(&length.to_le_bytes());
    block[HEADER_BYTES..HEADER_BYTES + key.len()].copy_from_slice(key);
}

#[inline]
fn number_at(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(header, at))
}

#[inline]
fn bytes_at<const N: usize>(header: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[at..at + N]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_leaves_the_key_alone() {
        let revision = Revision {
            main: (1 << 62) + 3,
            sub: u32::MAX,
        };
        let position = Position((1 << 48) - 2);
        let create_revision = revision.main - i64::from(u32::MAX);
        let chain = Chain {
            newest: Address(0x1234_5678),
            len: 255,
        };
        let changes = [
            Change::put(revision, position, create_revision, i64::from(u32::MAX)),
            Change::put(Revision::first_of(2), Position(0), 2, 1),
            Change::delete(revision, position),
        ];
        for newest in changes {
            for older in [Older::Short(chain), Older::Long(77)] {
                assert!(fits(&newest));
                let record = Record {
                    newest,
                    wide: false,
                    older,
                };
                let mut block = [0xaa; HEADER_BYTES + 3];
                write_key(b"key", &mut block);
                let header = block.first_chunk_mut().unwrap();
                record.write(header);
                assert_eq!(Record::read(header), record);
                let header = *header;
                assert_eq!(key_of(&header, &block), b"key");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_known() {
        let put = |position, create_revision, version| {
            Change::put(
                Revision::first_of(1 << 40),
                Position(position),
                create_revision,
                version,
            )
        };
        assert!(!fits(&put(1 << 48, 1 << 40, 1)));
        assert!(!fits(&put(0, 2, 1)));
        assert!(!fits(&put(0, (1 << 40) + 1, 1)));
        assert!(!fits(&put(0, 1 << 40, 1 << 32)));
        assert!(!fits(&put(0, 1 << 40, -1)));
        assert!(!fits(&Change::delete(
            Revision::first_of(3),
            Position(1 << 48)
        )));
        assert!(fits(&Change::delete(
            Revision::first_of(1 << 62),
            Position(0)
        )));
    }
}
