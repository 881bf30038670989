//! Requests and answers as bytes: numbers little-endian, byte strings after their length. `js/wire.ts`
//! is the other end; both ends are always of one build, so the encoding has no version.

use crate::error::Malformed;

/// Takes a request apart.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// From the first byte of `request` on.
    pub fn new(request: &'a [u8]) -> Self {
        Self { rest: request }
    }

    /// A small number: a flag or the tag of a choice.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// A flag.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        Ok(self.byte()? != 0)
    }

    /// A length or a handle.
    pub fn length(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number of etcd's: revision, id, count, limit.
    pub fn int(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    /// A number that counts something here; a negative one counts nothing.
    pub fn size(&mut self) -> Result<usize, Malformed> {
        Ok(usize::try_from(self.int()?.max(0)).unwrap_or(usize::MAX))
    }

    /// A byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()? as usize;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// A list: its length, then that many elements.
    pub fn list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        // Not reserved from the length alone: it is only believed as far as elements follow.
        (0..self.length()?).map(|_| element(self)).collect()
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*array)
    }
}

/// Puts an answer together.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The tag of a choice.
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// A flag.
    pub fn flag(&mut self, flag: bool) -> &mut Self {
        self.byte(u8::from(flag))
    }

    /// A length, which must fit: an answer of 4 GiB does not fit into the memory either.
    pub fn length(&mut self, length: usize) -> &mut Self {
        self.bytes.extend_from_slice(&(length as u32).to_le_bytes());
        self
    }

    /// A number.
    pub fn int(&mut self, int: i64) -> &mut Self {
        self.bytes.extend_from_slice(&int.to_le_bytes());
        self
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A list: its length, then its elements.
    pub fn list<T>(
        &mut self,
        elements: impl ExactSizeIterator<Item = T>,
        mut element: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.length(elements.len());
        elements.for_each(|each| element(self, each));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        writer.byte(7).flag(true).length(9).int(-5).bytes(b"abc");
        writer.list([1, 2].into_iter(), |writer, each| {
            writer.int(each);
        });
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        assert_eq!(
            (reader.byte(), reader.flag(), reader.length()),
            (Ok(7), Ok(true), Ok(9))
        );
        assert_eq!((reader.int(), reader.bytes()), (Ok(-5), Ok(&b"abc"[..])));
        assert_eq!(reader.list(Reader::int), Ok(vec![1, 2]));
        assert_eq!(reader.byte(), Err(Malformed));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused_and_reserves_nothing() {
        let bytes = u32::MAX.to_le_bytes();
        assert_eq!(Reader::new(&bytes).bytes(), Err(Malformed));
        assert_eq!(Reader::new(&bytes).list(Reader::int), Err(Malformed));
    }
}
