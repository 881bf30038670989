//! Writing and reading puts, field by field.
//!
//! Nearly all entries are puts, and writes and reads wait for little else. So there is a writer and a
//! reader for them alone, of just the bytes that postcard writes and reads, in a fraction of the time;
//! they are tested to agree.

use alloc::vec::Vec;

use super::frame::Body;
use super::record::Record;
use super::varint::{put_varint, skip_two_varints, take_varint};

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
fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[inline]
fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_varint(rest)?).ok()?;
    let (bytes, others) = rest.split_at_checked(length)?;
    *rest = others;
    Some(bytes)
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
    put_varint(body.main, out);
    put_varint(body.sub_and_last, out);
    out.push(PUT);
    put_varint(key.len() as u64, out);
    out.extend_from_slice(key);
    put_varint(value.len() as u64, out);
    out.extend_from_slice(value);
    put_varint(age, out);
    put_varint(version, out);
    put_varint((lease << 1 ^ lease >> (i64::BITS - 1)) as u64, out);
    true
}
