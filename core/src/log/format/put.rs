//! Writing changes and reading puts, field by field.
//!
//! Nearly all entries are puts, some are deletes, and writes and reads wait for little else. So there
//! is a writer and a reader for them alone, of just the bytes that postcard writes and reads, in a
//! fraction of the time; they are tested to agree. A change knows how long it is before it is written,
//! so it is written where it is to lie.

use super::frame::Body;
use super::record::Record;
use super::varint::{skip_two_varints, take_varint};

/// What a put says that the index does not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PutFields<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) lease: i64,
}

/// The put whose frame these bytes begin with. `None` if another entry does, or one that ends
/// elsewhere.
#[expect(
    clippy::inline_always,
    reason = "a call hands the fields over in memory"
)]
#[inline(always)]
pub(crate) fn put_at(bytes: &[u8]) -> Option<PutFields<'_>> {
    let (body, rest) = take_varint(bytes)?;
    let behind = (rest.len() as u64).checked_sub(body)?;
    // What may follow the frame is not cut off: it makes room to look at eight bytes at a time.
    let (put, rest) = take_put_fields(rest)?;
    (rest.len() as u64 == behind).then_some(put)
}

/// The put that this body is.
pub(in crate::log) fn put_in(body: &[u8]) -> Option<PutFields<'_>> {
    let (put, rest) = take_put_fields(body)?;
    rest.is_empty().then_some(put)
}

/// Reads the body of a put as [`take_put`] does, and passes over what is not wanted.
#[expect(
    clippy::inline_always,
    reason = "a call hands the fields over in memory"
)]
#[inline(always)]
fn take_put_fields(bytes: &[u8]) -> Option<(PutFields<'_>, &[u8])> {
    let rest = skip_two_varints(bytes)?;
    let (&PUT, rest) = rest.split_first()? else {
        return None;
    };
    let (key, rest) = take_bytes(rest)?;
    let (value, rest) = take_bytes(rest)?;
    let (lease, rest) = take_varint(skip_two_varints(rest)?)?;
    let lease = signed(lease);
    Some((PutFields { key, value, lease }, rest))
}

/// The numbers of the variants [`Record::Put`] and [`Record::Delete`], as postcard writes them.
const PUT: u8 = 0;
const DELETE: u8 = 1;

/// Takes the body of a put off the front. `None` if another begins there.
#[inline]
pub(super) fn take_put(bytes: &[u8]) -> Option<(Body<'_>, &[u8])> {
    let (main, rest) = take_varint(bytes)?;
    let (sub_and_last, rest) = take_varint(rest)?;
    let (&PUT, rest) = rest.split_first()? else {
        return None;
    };
    let (key, rest) = take_bytes(rest)?;
    let (value, rest) = take_bytes(rest)?;
    let (age, rest) = take_varint(rest)?;
    let (version, rest) = take_varint(rest)?;
    let (lease, rest) = take_varint(rest)?;
    let body = Body {
        main,
        sub_and_last,
        record: Record::Put {
            key,
            value,
            age,
            version,
            lease: signed(lease),
        },
    };
    Some((body, rest))
}

/// The sign is the lowest bit, so that small numbers of either sign are short.
#[inline]
pub(super) fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

// What is taken and what is left go from hand to hand by value: a rest that is changed in place
// would lie in memory, and be written there at each step.

#[inline]
fn take_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = take_varint(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// The body of a change of a key, as it is going to be written.
#[derive(Clone, Copy, Debug)]
pub(in crate::log) struct Change<'a> {
    main: u64,
    sub_and_last: u64,
    key: &'a [u8],
    /// What a put says besides.
    put: Option<PutRest<'a>>,
}

#[derive(Clone, Copy, Debug)]
struct PutRest<'a> {
    value: &'a [u8],
    age: u64,
    version: u64,
    lease: u64,
}

impl<'a> Change<'a> {
    /// `None` if the body is that of another entry.
    #[inline]
    pub(in crate::log) fn of(body: &Body<'a>) -> Option<Self> {
        let (key, put) = match body.record {
            Record::Put {
                key,
                value,
                age,
                version,
                lease,
            } => {
                let put = PutRest {
                    value,
                    age,
                    version,
                    lease: (lease << 1 ^ lease >> (i64::BITS - 1)) as u64,
                };
                (key, Some(put))
            }
            Record::Delete { key } => (key, None),
            _ => return None,
        };
        Some(Self {
            main: body.main,
            sub_and_last: body.sub_and_last,
            key,
            put,
        })
    }

    /// How many bytes it takes.
    #[inline]
    pub(in crate::log) fn bytes(&self) -> usize {
        let slice = |bytes: &[u8]| varint_bytes(bytes.len() as u64) + bytes.len();
        let numbers = varint_bytes(self.main) + varint_bytes(self.sub_and_last) + 1;
        let rest = self.put.as_ref().map_or(0, |put| {
            slice(put.value)
                + varint_bytes(put.age)
                + varint_bytes(put.version)
                + varint_bytes(put.lease)
        });
        numbers + slice(self.key) + rest
    }

    /// Where in it the byte is whose lowest bit says that its transaction ends.
    #[inline]
    pub(in crate::log) fn end_bit_at(&self) -> usize {
        varint_bytes(self.main)
    }

    /// Writes it into the front of `room`, which has so many bytes.
    #[inline]
    pub(in crate::log) fn write(&self, room: &mut [u8]) {
        let mut out = Writer { room, filled: 0 };
        out.number(self.main);
        out.number(self.sub_and_last);
        let Some(put) = &self.put else {
            out.byte(DELETE);
            return out.slice(self.key);
        };
        out.byte(PUT);
        out.slice(self.key);
        out.slice(put.value);
        out.number(put.age);
        out.number(put.version);
        out.number(put.lease);
    }
}

/// Writes into room that suffices, from the front on.
struct Writer<'a> {
    room: &'a mut [u8],
    filled: usize,
}

impl Writer<'_> {
    #[inline]
    fn byte(&mut self, byte: u8) {
        self.room[self.filled] = byte;
        self.filled += 1;
    }

    #[inline]
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    #[inline]
    fn slice(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.room[self.filled..][..bytes.len()].copy_from_slice(bytes);
        self.filled += bytes.len();
    }
}

/// How many bytes of seven bits a number takes.
#[inline]
fn varint_bytes(number: u64) -> usize {
    let bits = (number | 1).ilog2() + 1;
    // A ninth of 64 is a little more than a seventh: exact for up to 64 bits, and no division.
    (bits as usize * 9 + 64) / 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_of_a_number_is_known_before_it_is_written() {
        for bits in 0..u64::BITS {
            for number in [(1 << bits) - 1, 1 << bits] {
                let body = Body {
                    main: number,
                    sub_and_last: 1,
                    record: Record::Delete { key: b"key" },
                };
                let expected = postcard::to_allocvec(&body).unwrap();
                assert_eq!(Change::of(&body).unwrap().bytes(), expected.len());
            }
        }
    }
}
