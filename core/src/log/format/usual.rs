//! Taking puts off a page as nearly all of them are.
//!
//! Who goes through history reads nine numbers for each change, and waits for little else. Nearly
//! always they are short: so here a few of them are looked at together, as parts of one word, with few
//! branches that the processor could guess wrong, and what the caller does not look at is not worked
//! out. Any other entry is left to those who read [any put](super::put) and any entry.

#![allow(
    clippy::inline_always,
    reason = "what the caller does not look at is only left out where all of this is put in its place"
)]

use super::put::signed;
use super::record::{Entry, Record};
use super::varint::{CONTINUED, squeeze};
use crate::revision::Revision;

/// No usual put has more bytes before its key.
const HEAD_BYTES: usize = 16;

/// The put that these bytes begin with, and what is behind it, if they hold all of it and its numbers
/// are short: 14 bits for the frame and the value, 13 for the sub revision, 7 for the key, 8 bytes for age,
/// version and lease together.
#[inline(always)]
pub(in crate::log) fn take_usual_put(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    // Only what lies in the frame is believed in the end.
    let head: &[u8; HEAD_BYTES] = bytes.first_chunk()?;
    let (body, main_at) = short_length([head[0], head[1]])?;
    let (frame, behind) = bytes.split_at_checked(main_at + body)?;

    let word = word_at(head, main_at)?;
    let ends = !word & CONTINUED;
    if ends == 0 {
        return None;
    }
    let main = first_number(word, ends);
    let sub_at = main_at + bytes_of_first(ends);
    let (sub_and_last, key_bytes, key_at) = sub_and_key(head, sub_at)?;

    let (key, rest) = frame.get(key_at..)?.split_at_checked(key_bytes)?;
    let (value_bytes, value_at) = short_length(*rest.first_chunk()?)?;
    let (value, rest) = rest.get(value_at..)?.split_at_checked(value_bytes)?;
    let [age, version, lease] = three_numbers(frame, rest.len())?;
    let entry = Entry {
        revision: Revision {
            main: main as i64,
            sub: sub_and_last >> 1,
        },
        last: sub_and_last & 1 == 1,
        record: Record::Put {
            key,
            value,
            age,
            version,
            lease: signed(lease),
        },
    };
    Some((entry, behind))
}

/// A number that ends where the first of these ends is. Those of four bytes at most take less work.
#[inline(always)]
fn first_number(word: u64, ends: u64) -> u64 {
    let number = first_of(word, ends);
    if ends as u32 == 0 {
        return squeeze(number);
    }
    let number = number as u32;
    let number = number & 0x007f_007f | (number & 0x7f00_7f00) >> 1;
    (number & 0x3fff | (number & 0x3fff_0000) >> 2).into()
}

/// A length of one byte or two, and how many.
#[inline(always)]
fn short_length([first, second]: [u8; 2]) -> Option<(usize, usize)> {
    match (first, second) {
        (..0x80, _) => Some((first.into(), 1)),
        (_, ..0x80) => Some((usize::from(first & 0x7f) | usize::from(second) << 7, 2)),
        _ => None,
    }
}

/// The sub revision with its bit, in one byte or two; that a put follows; how long its key is; and where
/// that begins.
#[inline(always)]
fn sub_and_key(head: &[u8; HEAD_BYTES], at: usize) -> Option<(u32, usize, usize)> {
    let word = u32::from_le_bytes(*head.get(at..)?.first_chunk()?);
    if word & 0x0080_ff80 == 0 {
        Some((word & 0x7f, (word >> 16) as usize & 0x7f, at + 3))
    } else if word & 0x80ff_8080 == 0x80 {
        let sub_and_last = word & 0x7f | (word & 0x7f00) >> 1;
        Some((sub_and_last, (word >> 24) as usize, at + 4))
    } else {
        None
    }
}

/// The last so many bytes of a frame, if they are three numbers.
#[inline(always)]
fn three_numbers(frame: &[u8], bytes: usize) -> Option<[u64; 3]> {
    if !(3..=8).contains(&bytes) {
        return None;
    }
    // What comes before them is shifted out.
    let others = u64::BITS - 8 * bytes as u32;
    let word = word_at(frame, frame.len().checked_sub(8)?)?;
    let ends = (!word & CONTINUED) >> others;
    let word = word >> others;
    let ends_behind = ends & ends.wrapping_sub(1);
    let last_end = ends_behind & ends_behind.wrapping_sub(1);
    if last_end != 1 << 63 >> others {
        return None;
    }
    let first = first_of(word, ends);
    let second = first_of(word, ends_behind) & !first_of(u64::MAX, ends);
    let third = word & !first_of(u64::MAX, ends_behind);
    Some([
        squeeze(first),
        squeeze(second >> (8 * bytes_of_first(ends))),
        squeeze(third >> (8 * bytes_of_first(ends_behind))),
    ])
}

#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Of a word its bytes up to the first end.
#[inline(always)]
fn first_of(word: u64, ends: u64) -> u64 {
    word & (ends ^ ends.wrapping_sub(1))
}

/// How many they are.
#[inline(always)]
fn bytes_of_first(ends: u64) -> usize {
    ends.trailing_zeros() as usize / 8 + 1
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::frame::{decode, encode, take_any_entry};
    use super::*;

    /// Numbers of every length, and the least and the greatest of each.
    fn numbers(most_bits: u32) -> impl Iterator<Item = u64> + Clone {
        let ends = (0..=most_bits).step_by(7);
        ends.flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits])
    }

    fn frame(revision: Revision, last: bool, record: Record<'_>) -> Vec<u8> {
        let mut scratch = Vec::new();
        let entry = Entry {
            revision,
            last,
            record,
        };
        encode(&entry, &mut scratch).unwrap().to_vec()
    }

    /// Whether the frame is taken as a usual put; if so, it is what any reader makes of it.
    fn is_usual(frame: &[u8]) -> bool {
        let taken = take_usual_put(frame);
        assert!(taken.is_none() || taken == take_any_entry(frame));
        taken.is_some()
    }

    #[test]
    fn a_usual_put_is_read_as_any_entry_is_and_others_are_left_to_others() {
        let bytes = |number: u64| (u64::BITS - number.leading_zeros()).max(1).div_ceil(7);
        let (mut usual, mut others) = (0, 0);
        for main in numbers(56) {
            for sub in numbers(28) {
                for age in numbers(49) {
                    for version in numbers(49) {
                        for (key, value) in [(1, 0), (16, 64), (127, 127), (128, 1), (2, 16_384)] {
                            let put = Record::Put {
                                key: &vec![b'k'; key],
                                value: &vec![0xff; value],
                                age,
                                version,
                                lease: -1,
                            };
                            let revision = Revision {
                                main: main as i64,
                                sub: sub as u32,
                            };
                            let bytes_frame = frame(revision, sub % 2 == 0, put);
                            let is_short = bytes(main) <= 8
                                && bytes(2 * sub + 1) <= 2
                                && bytes(age) + bytes(version) < 8
                                && key < 128
                                && value + key < 16_000
                                && bytes_frame.len() >= HEAD_BYTES;
                            assert_eq!(is_usual(&bytes_frame), is_short, "{bytes_frame:?}");
                            if is_short {
                                usual += 1;
                            } else {
                                others += 1;
                            }
                        }
                    }
                }
            }
        }
        assert!(usual > 1_000 && others > 1_000, "{usual}, {others}");
    }

    #[test]
    fn damage_is_not_taken_for_a_usual_put() {
        let put = Record::Put {
            key: b"key",
            value: b"a value that is not short",
            age: 300,
            version: 5,
            lease: 70,
        };
        let whole = frame(Revision { main: 300, sub: 70 }, true, put);
        let next = frame(Revision { main: 301, sub: 0 }, true, put);
        let log = [&whole[..], &next].concat();
        assert!(is_usual(&log));
        for at in 0..whole.len() {
            for bits in 1..=u8::MAX {
                let mut damaged = log.clone();
                damaged[at] ^= bits;
                is_usual(&damaged);
            }
        }
        for length in 0..whole.len() {
            assert!(!is_usual(&log[..length]));
        }
        assert_eq!(take_usual_put(&log).unwrap().1, next);
        assert!(decode(&whole[1..]).is_some());
    }
}
