//! Numbers of seven bits a byte, the lowest first, as checkpoints have them.

use alloc::vec::Vec;

/// The longest number, in bytes.
const LONGEST_BYTES: usize = 10;

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
        let (&first, rest) = self.rest.split_first()?;
        if first < 0x80 {
            self.rest = rest;
            return Some(u64::from(first));
        }
        let mut number = 0_u64;
        for (index, &byte) in self.rest.iter().take(LONGEST_BYTES).enumerate() {
            if index == LONGEST_BYTES - 1 && byte > 1 {
                return None;
            }
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Some(number);
            }
        }
        None
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
