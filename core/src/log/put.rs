//! Writing and reading puts, field by field.
//!
//! Nearly all entries are puts, and writes and reads wait for little else. So there is a writer and a
//! reader for them alone, of just the bytes that postcard writes and reads, in a fraction of the time;
//! they are tested to agree.

use alloc::vec::Vec;

use super::frame::Body;
use super::record::Record;

/// What a put says that the index does not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PutFields<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) lease: i64,
}

/// The put whose frame these bytes begin with. `None` if another entry does, or one that ends
/// elsewhere.
#[inline]
pub(super) fn put_at(bytes: &[u8]) -> Option<PutFields<'_>> {
    let mut rest = bytes;
    let body = take_varint(&mut rest)?;
    let behind = (rest.len() as u64).checked_sub(body)?;
    // What may follow the frame is not cut off: it makes room to look at eight bytes at a time.
    let (put, rest) = take_put_fields(rest)?;
    (rest.len() as u64 == behind).then_some(put)
}

/// The put that this body is.
pub(super) fn put_in(body: &[u8]) -> Option<PutFields<'_>> {
    let (put, rest) = take_put_fields(body)?;
    rest.is_empty().then_some(put)
}

/// Reads the body of a put as [`take_put`] does, and passes over what is not wanted.
#[inline]
fn take_put_fields(bytes: &[u8]) -> Option<(PutFields<'_>, &[u8])> {
    let mut rest = bytes;
    skip_two_varints(&mut rest)?;
    if *rest.split_off_first()? != PUT {
        return None;
    }
    let key = take_bytes(&mut rest)?;
    let value = take_bytes(&mut rest)?;
    skip_two_varints(&mut rest)?;
    let lease = signed(take_varint(&mut rest)?);
    Some((PutFields { key, value, lease }, rest))
}

/// The number of the variant [`Record::Put`], as postcard writes it.
const PUT: u8 = 0;

/// Takes the body of a put off the front. `None` if another begins there.
#[inline]
pub(super) fn take_put(bytes: &[u8]) -> Option<(Body<'_>, &[u8])> {
    let mut rest = bytes;
    let main = take_varint(&mut rest)?;
    let sub_and_last = take_varint(&mut rest)?;
    if *rest.split_off_first()? != PUT {
        return None;
    }
    let key = take_bytes(&mut rest)?;
    let value = take_bytes(&mut rest)?;
    let age = take_varint(&mut rest)?;
    let version = take_varint(&mut rest)?;
    let lease = signed(take_varint(&mut rest)?);
    let body = Body {
        main,
        sub_and_last,
        record: Record::Put {
            key,
            value,
            age,
            version,
            lease,
        },
    };
    Some((body, rest))
}

/// The sign is the lowest bit, so that small numbers of either sign are short.
#[inline]
pub(super) fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[inline]
fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_varint(rest)?).ok()?;
    let (bytes, others) = rest.split_at_checked(length)?;
    *rest = others;
    Some(bytes)
}

#[inline]
fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    match rest.split_first() {
        Some((&byte, others)) if byte < 0x80 => {
            *rest = others;
            Some(byte.into())
        }
        _ => take_long_varint(rest),
    }
}

/// The bits that say that another byte of a number follows.
pub(super) const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// Takes a number off the front. Where eight bytes can be looked at together that takes no branch
/// for each byte, of which the processor would guess one in a few wrong.
fn take_long_varint(rest: &mut &[u8]) -> Option<u64> {
    if let Some(bytes) = rest.first_chunk() {
        let word = u64::from_le_bytes(*bytes);
        let ends = !word & CONTINUED;
        if ends != 0 {
            *rest = &rest[ends.trailing_zeros() as usize / 8 + 1..];
            return Some(squeeze(word & (ends ^ (ends - 1))));
        }
    }
    take_varint_by_bytes(rest)
}

/// Passes over two numbers, likewise.
#[inline]
fn skip_two_varints(rest: &mut &[u8]) -> Option<()> {
    if let Some(bytes) = rest.first_chunk() {
        let ends = !u64::from_le_bytes(*bytes) & CONTINUED;
        let second = ends & ends.wrapping_sub(1);
        if second != 0 {
            *rest = &rest[second.trailing_zeros() as usize / 8 + 1..];
            return Some(());
        }
    }
    take_varint_by_bytes(rest)?;
    take_varint_by_bytes(rest).map(drop)
}

/// Seven bits of each byte, side by side.
#[inline]
pub(super) fn squeeze(word: u64) -> u64 {
    let word = word & !CONTINUED;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

fn take_varint_by_bytes(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let &byte = rest.split_off_first()?;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Appends the body of a put. `false`, and nothing is appended, if it is something else.
pub(super) fn write_put(body: &Body<'_>, out: &mut Vec<u8>) -> bool {
    let Record::Put {
        key,
        value,
        age,
        version,
        lease,
    } = body.record
    else {
        return false;
    };
    write_varint(body.main, out);
    write_varint(body.sub_and_last, out);
    out.push(PUT);
    write_varint(key.len() as u64, out);
    out.extend_from_slice(key);
    write_varint(value.len() as u64, out);
    out.extend_from_slice(value);
    write_varint(age, out);
    write_varint(version, out);
    write_varint((lease << 1 ^ lease >> (i64::BITS - 1)) as u64, out);
    true
}

#[inline]
fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
