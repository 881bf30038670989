//! The ranges of a watcher, kept small.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::range::KeyRange;

const ONE: u8 = 0;
const SPAN: u8 = 1;
const FROM: u8 = 2;
const PREFIX: u8 = 3;
const ALL: u8 = 4;

/// A set of ranges in one allocation, sorted and without repetition, so that equal sets are equal
/// bytes. There may be a million of these; a [`KeyRange`] each would cost several times as much.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Ranges(Box<[u8]>);

impl Ranges {
    pub(super) fn new(ranges: &[KeyRange]) -> Self {
        let mut sorted: Vec<&KeyRange> = ranges.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut bytes = Vec::with_capacity(sorted.iter().map(|range| encoded_bytes(range)).sum());
        for range in sorted {
            encode(range, &mut bytes);
        }
        Self(bytes.into_boxed_slice())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = KeyRange> {
        let mut rest = &*self.0;
        core::iter::from_fn(move || {
            let (range, after) = decode(rest)?;
            rest = after;
            Some(range)
        })
    }
}

/// Bytes of a key's length in the encoding.
const LENGTH_BYTES: usize = 4;

fn encoded_bytes(range: &KeyRange) -> usize {
    match range {
        KeyRange::One(key) | KeyRange::From(key) | KeyRange::Prefix(key) => {
            1 + LENGTH_BYTES + key.len()
        }
        KeyRange::Span { start, end } => 1 + 2 * LENGTH_BYTES + start.len() + end.len(),
        KeyRange::All => 1,
    }
}

fn encode(range: &KeyRange, bytes: &mut Vec<u8>) {
    let (kind, keys): (u8, &[&[u8]]) = match range {
        KeyRange::One(key) => (ONE, &[key]),
        KeyRange::Span { start, end } => (SPAN, &[start, end]),
        KeyRange::From(key) => (FROM, &[key]),
        KeyRange::Prefix(key) => (PREFIX, &[key]),
        KeyRange::All => (ALL, &[]),
    };
    bytes.push(kind);
    for key in keys {
        bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
        bytes.extend_from_slice(key);
    }
}

/// The first range and the bytes after it; `None` at the end.
fn decode(bytes: &[u8]) -> Option<(KeyRange, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    if kind == ALL {
        return Some((KeyRange::All, rest));
    }
    let (key, rest) = decode_key(rest)?;
    let range = match kind {
        ONE => KeyRange::One(key),
        FROM => KeyRange::From(key),
        PREFIX => KeyRange::Prefix(key),
        _ => {
            let (end, rest) = decode_key(rest)?;
            return Some((KeyRange::Span { start: key, end }, rest));
        }
    };
    Some((range, rest))
}

fn decode_key(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let (key, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((key.to_vec(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_back_as_they_were_sorted_and_once_each() {
        let ranges = [
            KeyRange::All,
            KeyRange::prefix(b"p"),
            KeyRange::from_key(b"f"),
            KeyRange::span(b"s", b"t"),
            KeyRange::one(b"o"),
            KeyRange::one(b"a\0"),
            KeyRange::one(b"o"),
        ];
        let packed = Ranges::new(&ranges);
        let mut expected = ranges.to_vec();
        expected.sort();
        expected.dedup();
        assert_eq!(packed.iter().collect::<Vec<_>>(), expected);
        let mut reversed = ranges;
        reversed.reverse();
        assert_eq!(Ranges::new(&reversed), packed);
    }
}
