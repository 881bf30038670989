//! Numbers of seven bits a byte, the lowest first, as frames and checkpoints have them.

use alloc::vec::Vec;

/// Appends a number.
#[inline]
pub(crate) fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads what was written one after the other. Whatever the bytes are, it answers `None` rather than
/// something that is not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers<'a> {
    rest: &'a [u8],
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<u64> {
        let (number, rest) = take_varint(self.rest)?;
        self.rest = rest;
        Some(number)
    }

    /// A number that is below `limit`.
    #[inline]
    pub(crate) fn next_below(&mut self, limit: u64) -> Option<u64> {
        self.next().filter(|&number| number < limit)
    }

    /// A length, and so many bytes.
    #[inline]
    pub(crate) fn next_bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.next()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    /// Eight bytes.
    pub(crate) fn next_u64(&mut self) -> Option<u64> {
        let (bytes, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*bytes))
    }
}

// What is taken and what is left go from hand to hand by value: a rest that is changed in place
// would lie in memory, and be written there at each step.

/// Takes a number off the front.
#[inline]
pub(super) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes.split_first() {
        Some((&byte, rest)) if byte < 0x80 => Some((byte.into(), rest)),
        _ => take_long_varint(bytes),
    }
}

/// The bits that say that another byte of a number follows.
pub(super) const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// Takes a number off the front. Where eight bytes can be looked at together that takes no branch
/// for each byte, of which the processor would guess one in a few wrong.
#[inline(never)]
fn take_long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    if let Some(eight) = bytes.first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let ends = !word & CONTINUED;
        if ends != 0 {
            let rest = &bytes[ends.trailing_zeros() as usize / 8 + 1..];
            return Some((squeeze(word & (ends ^ (ends - 1))), rest));
        }
    }
    take_varint_by_bytes(bytes)
}

/// Passes over two numbers, likewise.
#[inline]
pub(super) fn skip_two_varints(bytes: &[u8]) -> Option<&[u8]> {
    if let Some(eight) = bytes.first_chunk() {
        let ends = !u64::from_le_bytes(*eight) & CONTINUED;
        let second = ends & ends.wrapping_sub(1);
        if second != 0 {
            return Some(&bytes[second.trailing_zeros() as usize / 8 + 1..]);
        }
    }
    skip_two_varints_by_bytes(bytes)
}

#[inline(never)]
fn skip_two_varints_by_bytes(bytes: &[u8]) -> Option<&[u8]> {
    let (_, rest) = take_varint_by_bytes(bytes)?;
    let (_, rest) = take_varint_by_bytes(rest)?;
    Some(rest)
}

/// Seven bits of each byte, side by side.
#[inline]
pub(super) fn squeeze(word: u64) -> u64 {
    let word = word & !CONTINUED;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

fn take_varint_by_bytes(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (shift, (index, &byte)) in (0..u64::BITS).step_by(7).zip(bytes.iter().enumerate()) {
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_none_is_made_up() {
        let numbers = (0..64).flat_map(|bits| [1_u64 << bits, (1 << bits) - 1, u64::MAX >> bits]);
        for number in numbers {
            let mut bytes = Vec::new();
            put_varint(number, &mut bytes);
            let mut reader = Numbers::new(&bytes);
            assert_eq!((reader.next(), reader.rest()), (Some(number), &[][..]));
            assert_eq!(Numbers::new(&bytes[..bytes.len() - 1]).next(), None);
        }
        assert_eq!(Numbers::new(&[0xff; 10]).next(), None);
        assert_eq!(Numbers::new(&[0x80; 20]).next(), None);
        assert_eq!(Numbers::new(&[3, 1, 2]).next_bytes(), None);
        assert_eq!(Numbers::new(&[2, 1, 2]).next_bytes(), Some(&[1, 2][..]));
    }
}
