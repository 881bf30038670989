//! How an entry becomes bytes: a length, then the entry in postcard.
//!
//! ```text
//! frame = length of the body (varint) | body
//! body  = main (varint) | sub * 2 + last (varint) | record (variant number, then its fields)
//! ```
//!
//! A small put costs nine bytes besides its key and value. A frame knows nothing of pages: it may
//! begin anywhere in the log and continue over any number of pages.

use alloc::vec::Vec;
use core::mem;

use serde::{Deserialize, Serialize};

use super::record::{Entry, Record};
use crate::error::{Error, Result};
use crate::revision::Revision;

/// The longest varint that a length takes.
pub(super) const LENGTH_BYTES: usize = 5;
/// What a frame may need besides the key and the value: the length, the revision, the variant, two
/// slice lengths, and three numbers, each at its longest.
const OVERHEAD_BYTES: usize = LENGTH_BYTES + 10 + 10 + 1 + 5 + 5 + 3 * 10;
/// The longest body, in bytes: lengths beyond it are damage, not data.
const BODY_LIMIT_BYTES: usize = i32::MAX as usize;

/// The fields of a body, in their order on disk.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Body<'a> {
    main: u64,
    sub_and_last: u64,
    #[serde(borrow)]
    record: Record<'a>,
}

/// How far a frame's length could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// `prefix` bytes say that a body of `body` bytes follows.
    Known { prefix: usize, body: usize },
    /// The bytes end within the length.
    Cut,
    /// No length is written like this.
    Bad,
}

impl Entry<'_> {
    /// How many bytes of the log the entry takes at most.
    pub(crate) fn encoded_bound(&self) -> usize {
        self.record.payload_bytes() + OVERHEAD_BYTES
    }
}

/// Encodes `entry` and returns its frame, which lies at the end of `scratch`.
pub(super) fn encode<'b>(entry: &Entry<'_>, scratch: &'b mut Vec<u8>) -> Result<&'b [u8]> {
    let body = Body {
        main: entry.revision.main as u64,
        sub_and_last: u64::from(entry.revision.sub) << 1 | u64::from(entry.last),
        record: entry.record,
    };
    let mut buffer = mem::take(scratch);
    buffer.clear();
    buffer.resize(LENGTH_BYTES, 0);
    // Extending a vector cannot fail, and no record has a field that postcard refuses.
    *scratch = postcard::to_extend(&body, buffer).unwrap_or_default();
    let bytes = scratch.len().saturating_sub(LENGTH_BYTES);
    if bytes == 0 || bytes > BODY_LIMIT_BYTES {
        return Err(Error::RequestTooLarge {
            bytes,
            limit: BODY_LIMIT_BYTES,
        });
    }
    // The length goes right before the body, wherever it then begins.
    let mut length = [0; LENGTH_BYTES];
    let prefix = write_length(bytes, &mut length);
    let start = LENGTH_BYTES - prefix;
    scratch[start..LENGTH_BYTES].copy_from_slice(&length[..prefix]);
    Ok(&scratch[start..])
}

/// Encodes `entry` for use outside of the log; answers its frame, and where in it the bit lies that
/// says whether it ends its transaction.
pub(crate) fn encode_with_end_bit<'b>(
    entry: &Entry<'_>,
    scratch: &'b mut Vec<u8>,
) -> Result<(&'b [u8], usize)> {
    let frame = encode(entry, scratch)?;
    let skip_varint =
        |at: usize| at + frame[at..].iter().take_while(|&&byte| byte >= 0x80).count() + 1;
    Ok((frame, skip_varint(skip_varint(0))))
}

/// Takes the first frame off bytes. `None` if they do not begin with one.
pub(crate) fn take(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let Length::Known { prefix, body } = read_length(bytes) else {
        return None;
    };
    let (body, rest) = bytes[prefix..].split_at_checked(body)?;
    Some((decode(body)?, rest))
}

/// Reads a body. `None` if these bytes are not exactly one entry.
pub(super) fn decode(body: &[u8]) -> Option<Entry<'_>> {
    // Nearly all entries are puts, and what reads them one by one is not to wait for a decoder that
    // can read anything.
    let body = decode_put(body).or_else(|| decode_any(body))?;
    Some(Entry {
        revision: Revision {
            main: i64::try_from(body.main).ok()?,
            sub: u32::try_from(body.sub_and_last >> 1).ok()?,
        },
        last: body.sub_and_last & 1 == 1,
        record: body.record,
    })
}

fn decode_any(body: &[u8]) -> Option<Body<'_>> {
    let (body, rest) = postcard::take_from_bytes(body).ok()?;
    rest.is_empty().then_some(body)
}

/// What a put says that the index does not know.
#[derive(Clone, Copy, Debug)]
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

/// Reads the body of a put as [`decode_put`] does, and passes over what is not wanted.
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

/// Reads a body that is a put: what postcard would read, field by field, in a fraction of the time.
/// `None` if it is something else, or cut short, or followed by something.
#[inline]
fn decode_put(body: &[u8]) -> Option<Body<'_>> {
    let mut rest = body;
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
    rest.is_empty().then_some(Body {
        main,
        sub_and_last,
        record: Record::Put {
            key,
            value,
            age,
            version,
            lease,
        },
    })
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

#[inline]
fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    match rest.split_first() {
        Some((&byte, others)) if byte < 0x80 => {
            *rest = others;
            Some(byte.into())
        }
        _ => take_varint_by_bytes(rest),
    }
}

/// The bits that say that another byte of a number follows.
const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// Passes over two numbers. Where eight bytes can be looked at together that takes no branch for
/// each byte, of which the processor would guess one in a few wrong.
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

/// Reads the length that a frame begins with.
#[inline]
pub(super) fn read_length(bytes: &[u8]) -> Length {
    let mut body = 0_usize;
    for (index, &byte) in bytes.iter().take(LENGTH_BYTES).enumerate() {
        let bits = usize::from(byte & 0x7f);
        if index == LENGTH_BYTES - 1 && byte > 0x07 {
            return Length::Bad;
        }
        body |= bits << (7 * index);
        if byte & 0x80 == 0 {
            return if body == 0 || body > BODY_LIMIT_BYTES {
                Length::Bad
            } else {
                Length::Known {
                    prefix: index + 1,
                    body,
                }
            };
        }
    }
    if bytes.len() < LENGTH_BYTES {
        Length::Cut
    } else {
        Length::Bad
    }
}

fn write_length(mut body: usize, into: &mut [u8; LENGTH_BYTES]) -> usize {
    let mut at = 0;
    while body >= 0x80 {
        into[at] = (body & 0x7f) as u8 | 0x80;
        body >>= 7;
        at += 1;
    }
    into[at] = body as u8;
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn all_records() -> Vec<Record<'static>> {
        vec![
            Record::Put {
                key: b"key",
                value: &[7; 300],
                age: u64::MAX,
                version: u64::MAX,
                lease: i64::MIN,
            },
            Record::Put {
                key: b"k",
                value: b"",
                age: 0,
                version: 1,
                lease: 0,
            },
            Record::Delete { key: b"gone" },
            Record::Compact { revision: 1 << 40 },
            Record::LeaseGrant {
                id: -1,
                ttl_ms: 60_000,
            },
            Record::LeaseRemaining {
                id: 1,
                remaining_ms: 5,
            },
            Record::LeaseRevoke { id: i64::MAX },
            Record::Epoch { epoch: 2, cut: 9 },
            Record::Cursor {
                id: u64::MAX,
                name: b"mailer",
                key: b"/mail/",
                range_end: b"/mail0",
                lag: u64::MAX,
                hold: true,
            },
            Record::CursorAck { id: 1, lag: 3 },
            Record::CursorDelete { id: 1 },
        ]
    }

    #[test]
    fn every_record_survives_the_round_trip_within_its_bound() {
        let mut scratch = Vec::new();
        for record in all_records() {
            for last in [false, true] {
                let entry = Entry {
                    revision: Revision {
                        main: i64::MAX,
                        sub: u32::MAX,
                    },
                    last,
                    record,
                };
                let frame = encode(&entry, &mut scratch).unwrap();
                assert!(frame.len() <= entry.encoded_bound());
                let Length::Known { prefix, body } = read_length(frame) else {
                    panic!("a length that was just written");
                };
                assert_eq!(prefix + body, frame.len());
                assert_eq!(decode(&frame[prefix..]), Some(entry));
            }
        }
    }

    #[test]
    fn a_small_put_costs_nine_bytes_besides_key_and_value() {
        let entry = Entry {
            revision: Revision::first_of(100),
            last: true,
            record: Record::Put {
                key: b"key",
                value: b"value",
                age: 0,
                version: 1,
                lease: 0,
            },
        };
        let mut scratch = Vec::new();
        let frame = encode(&entry, &mut scratch).unwrap();
        assert_eq!(frame.len(), b"keyvalue".len() + 9);
    }

    #[test]
    fn a_body_with_a_byte_too_few_or_too_many_is_refused() {
        let mut scratch = Vec::new();
        for record in all_records() {
            let entry = Entry {
                revision: Revision::first_of(2),
                last: true,
                record,
            };
            let frame = encode(&entry, &mut scratch).unwrap();
            let Length::Known { prefix, .. } = read_length(frame) else {
                panic!("a length that was just written");
            };
            let mut body = frame[prefix..].to_vec();
            assert_eq!(decode(&body[..body.len() - 1]), None);
            body.push(0);
            assert_eq!(decode(&body), None);
        }
    }

    #[test]
    fn a_put_is_read_as_any_entry_is() {
        let mut scratch = Vec::new();
        let mut puts = 0;
        for record in all_records() {
            let entry = Entry {
                revision: Revision { main: 300, sub: 7 },
                last: true,
                record,
            };
            let frame = encode(&entry, &mut scratch).unwrap();
            let Length::Known { prefix, .. } = read_length(frame) else {
                panic!("a length that was just written");
            };
            let body = frame[prefix..].to_vec();
            let is_put = matches!(record, Record::Put { .. });
            assert_eq!(decode_put(&body).is_some(), is_put);
            for at in 0..body.len() {
                for bits in 0..=u8::MAX {
                    let mut damaged = body.clone();
                    damaged[at] ^= bits;
                    let Some(put) = decode_put(&damaged) else {
                        continue;
                    };
                    assert_eq!(Some(put), decode_any(&damaged));
                    puts += 1;
                }
            }
        }
        assert!(puts > 10_000, "{puts}");
    }

    #[test]
    fn lengths_are_read_whole_or_not_at_all() {
        for body in [1, 127, 128, 16_383, 16_384, BODY_LIMIT_BYTES] {
            let mut bytes = [0; LENGTH_BYTES];
            let prefix = write_length(body, &mut bytes);
            assert_eq!(
                read_length(&bytes[..prefix]),
                Length::Known { prefix, body }
            );
            assert_eq!(read_length(&bytes[..prefix - 1]), Length::Cut);
        }
        assert_eq!(read_length(&[0]), Length::Bad);
        assert_eq!(read_length(&[0xff; 5]), Length::Bad);
        assert_eq!(read_length(&[0x80, 0x80, 0x80, 0x80, 0x08]), Length::Bad);
    }
}
