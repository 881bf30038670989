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

use super::put::{self, Change};
use super::record::{Entry, Record};
use super::usual::take_usual_put;
use crate::error::{Error, Result};
use crate::revision::Revision;
use crate::seeded_bug::is_seeded;

/// The longest varint that a length takes.
pub(in crate::log) const LENGTH_BYTES: usize = 5;
/// What a frame may need besides the key and the value: the length, the revision, the variant, two
/// slice lengths, and three numbers, each at its longest.
pub(in crate::log) const OVERHEAD_BYTES: usize = LENGTH_BYTES + 10 + 10 + 1 + 5 + 5 + 3 * 10;
/// The longest body, in bytes: lengths beyond it are damage, not data.
const BODY_LIMIT_BYTES: usize = i32::MAX as usize;

/// The fields of a body, in their order on disk.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::log) struct Body<'a> {
    pub(in crate::log) main: u64,
    pub(super) sub_and_last: u64,
    #[serde(borrow)]
    pub(in crate::log) record: Record<'a>,
}

impl<'a> Body<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        Self {
            main: entry.revision.main as u64,
            sub_and_last: u64::from(entry.revision.sub) << 1
                | u64::from(entry.last || is_seeded!(EndEachEntry)),
            record: entry.record,
        }
    }

    fn entry(&self) -> Option<Entry<'a>> {
        Some(Entry {
            revision: Revision {
                main: i64::try_from(self.main).ok()?,
                sub: u32::try_from(self.sub_and_last >> 1).ok()?,
            },
            last: self.sub_and_last & 1 == 1,
            record: self.record,
        })
    }
}

/// How far a frame's length could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) enum Length {
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
pub(crate) fn encode<'b>(entry: &Entry<'_>, scratch: &'b mut Vec<u8>) -> Result<&'b [u8]> {
    let body = Body::of(entry);
    scratch.clear();
    match Change::of(&body) {
        Some(change) => {
            append_change(&change, scratch)?;
            Ok(scratch)
        }
        None => encode_any(&body, entry.encoded_bound(), scratch),
    }
}

/// Appends the frame of `entry`, for use outside of the log; answers where in `out` the bit then lies
/// that says whether it ends its transaction.
pub(crate) fn append(entry: &Entry<'_>, out: &mut Vec<u8>) -> Result<usize> {
    let body = Body::of(entry);
    let Some(change) = Change::of(&body) else {
        let start = out.len();
        let mut scratch = Vec::new();
        out.extend_from_slice(encode_any(&body, entry.encoded_bound(), &mut scratch)?);
        return Ok(start + end_bit_at(&out[start..]));
    };
    let body_at = append_change(&change, out)?;
    Ok(body_at + change.end_bit_at())
}

/// Answers where in `out` the body begins.
fn append_change(change: &Change<'_>, out: &mut Vec<u8>) -> Result<usize> {
    let start = out.len();
    let bytes = within_limit(change.bytes())?;
    out.resize(start + LENGTH_BYTES + bytes, 0);
    let frame = write_change(change, bytes, &mut out[start..]);
    out.truncate(start + frame);
    Ok(start + frame - bytes)
}

fn encode_any<'b>(body: &Body<'_>, bound: usize, scratch: &'b mut Vec<u8>) -> Result<&'b [u8]> {
    scratch.reserve(bound + LENGTH_BYTES);
    scratch.resize(LENGTH_BYTES, 0);
    // Extending a vector cannot fail, and no record has a field that postcard refuses.
    *scratch = postcard::to_extend(body, mem::take(scratch)).unwrap_or_default();
    let bytes = within_limit(scratch.len().saturating_sub(LENGTH_BYTES))?;
    // The length goes right before the body, wherever it then begins.
    let mut length = [0; LENGTH_BYTES];
    let prefix = write_length(bytes, &mut length);
    let start = LENGTH_BYTES - prefix;
    scratch[start..LENGTH_BYTES].copy_from_slice(&length[..prefix]);
    Ok(&scratch[start..])
}

fn within_limit(bytes: usize) -> Result<usize> {
    if bytes == 0 || bytes > BODY_LIMIT_BYTES {
        return Err(Error::RequestTooLarge {
            bytes,
            limit: BODY_LIMIT_BYTES,
        });
    }
    Ok(bytes)
}

/// Encodes a put or a delete into the front of `room`, and says how long its frame is. `None`, and
/// nothing is written, if that is not shorter than `room`, or the entry another.
#[inline]
pub(in crate::log) fn encode_within(entry: &Entry<'_>, room: &mut [u8]) -> Option<usize> {
    let change = Change::of(&Body::of(entry))?;
    let bytes = change.bytes();
    (LENGTH_BYTES + bytes < room.len()).then(|| write_change(&change, bytes, room))
}

/// Writes a frame into room that has enough for it, and says how long it is.
#[inline]
fn write_change(change: &Change<'_>, bytes: usize, room: &mut [u8]) -> usize {
    let mut length = [0; LENGTH_BYTES];
    let prefix = write_length(bytes, &mut length);
    room[..prefix].copy_from_slice(&length[..prefix]);
    change.write(&mut room[prefix..]);
    prefix + bytes
}

/// Where in a frame the byte lies whose lowest bit says that the entry is the last of its transaction:
/// behind the length and the main revision.
pub(in crate::log) fn end_bit_at(frame: &[u8]) -> usize {
    let skip_varint =
        |at: usize| at + frame[at..].iter().take_while(|&&byte| byte >= 0x80).count() + 1;
    skip_varint(skip_varint(0))
}

/// Takes the first frame off bytes. `None` if they do not begin with one.
pub(crate) fn take(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let Length::Known { prefix, body } = read_length(bytes) else {
        return None;
    };
    let (body, rest) = bytes[prefix..].split_at_checked(body)?;
    Some((decode(body)?, rest))
}

/// What bytes of a stream of frames begin with.
pub(crate) enum TakenFrame<'a> {
    /// A frame, and what is behind it.
    Whole(Entry<'a>, &'a [u8]),
    /// A frame whose end is yet to come.
    Cut,
    /// No frame.
    Bad,
}

/// Takes the first frame off bytes that may end anywhere.
pub(crate) fn take_of_stream(bytes: &[u8]) -> TakenFrame<'_> {
    match read_length(bytes) {
        Length::Known { prefix, body } => match bytes[prefix..].split_at_checked(body) {
            Some((body, rest)) => {
                decode(body).map_or(TakenFrame::Bad, |entry| TakenFrame::Whole(entry, rest))
            }
            None => TakenFrame::Cut,
        },
        Length::Cut => TakenFrame::Cut,
        Length::Bad => TakenFrame::Bad,
    }
}

/// Reads a body. `None` if these bytes are not exactly one entry.
pub(crate) fn decode(body: &[u8]) -> Option<Entry<'_>> {
    let body = match put::take_put(body) {
        Some((put, [])) => put,
        _ => decode_any(body)?,
    };
    body.entry()
}

/// The entry that these bytes begin with, if they hold all of it, and what is behind it.
#[inline]
pub(in crate::log) fn take_entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    match take_usual_put(bytes) {
        Some(taken) => Some(taken),
        None => take_any_entry(bytes),
    }
}

/// The same for an entry that is not a usual put.
#[inline(never)]
pub(in crate::log) fn take_any_entry(bytes: &[u8]) -> Option<(Entry<'_>, &[u8])> {
    let Length::Known { prefix, body } = read_length(bytes) else {
        return None;
    };
    let (frame, behind) = bytes.split_at_checked(prefix + body)?;
    let body = match put::take_put(&bytes[prefix..]) {
        Some((put, rest)) if rest.len() == behind.len() => put,
        _ => decode_any(&frame[prefix..])?,
    };
    Some((body.entry()?, behind))
}

/// The body of a frame.
pub(in crate::log) fn body_of(frame: &[u8]) -> &[u8] {
    match read_length(frame) {
        Length::Known { prefix, .. } => &frame[prefix..],
        Length::Cut | Length::Bad => &[],
    }
}

#[cold]
fn decode_any(body: &[u8]) -> Option<Body<'_>> {
    let (body, rest) = postcard::take_from_bytes(body).ok()?;
    rest.is_empty().then_some(body)
}

/// Reads the length that a frame begins with.
#[inline]
pub(in crate::log) fn read_length(bytes: &[u8]) -> Length {
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
    use crate::log::format::put::PutFields;
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
    fn a_change_is_written_as_any_entry_is() {
        for record in all_records() {
            for sub_and_last in [0, 1, 0x7f, 0x80, u64::from(u32::MAX) << 1] {
                for lease in [0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN] {
                    let mut record = record;
                    if let Record::Put { lease: of_put, .. } = &mut record {
                        *of_put = lease;
                    }
                    let body = Body {
                        main: 1 << 40,
                        sub_and_last,
                        record,
                    };
                    let change = Change::of(&body);
                    let is_change = matches!(record, Record::Put { .. } | Record::Delete { .. });
                    assert_eq!(change.is_some(), is_change);
                    if let Some(change) = change {
                        let mut written = vec![0xaa; change.bytes()];
                        change.write(&mut written);
                        assert_eq!(written, postcard::to_allocvec(&body).unwrap());
                    }
                }
            }
        }
    }

    #[test]
    fn a_change_is_written_in_place_only_where_there_is_more_room_than_it_takes() {
        let mut scratch = Vec::new();
        for record in all_records() {
            let entry = Entry {
                revision: Revision::first_of(300),
                last: true,
                record,
            };
            let frame = encode(&entry, &mut scratch).unwrap();
            let is_change = matches!(record, Record::Put { .. } | Record::Delete { .. });
            for more in 0..2 * LENGTH_BYTES {
                let mut room = vec![0xaa; frame.len() + more];
                match encode_within(&entry, &mut room) {
                    Some(bytes) => {
                        assert!(is_change && more > 0);
                        assert_eq!(&room[..bytes], frame);
                        assert!(room[bytes..].iter().all(|&byte| byte == 0xaa));
                    }
                    None => assert!(!is_change || more < LENGTH_BYTES),
                }
            }
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
            assert_eq!(put::put_in(&body).is_some(), is_put);
            for at in 0..body.len() {
                for bits in 0..=u8::MAX {
                    let mut damaged = body.clone();
                    damaged[at] ^= bits;
                    let fields = put::put_in(&damaged);
                    let Some((read, [])) = put::take_put(&damaged) else {
                        assert!(fields.is_none());
                        continue;
                    };
                    assert_eq!(decode_any(&damaged).as_ref(), Some(&read));
                    let Record::Put {
                        key, value, lease, ..
                    } = read.record
                    else {
                        panic!("a put that is none");
                    };
                    assert_eq!(fields, Some(PutFields { key, value, lease }));
                    puts += 1;
                }
            }
        }
        assert!(puts > 10_000, "{puts}");
    }

    #[test]
    fn entries_are_taken_off_one_after_the_other() {
        let mut scratch = Vec::new();
        let mut bytes = Vec::new();
        let entries: Vec<_> = all_records()
            .into_iter()
            .zip(2..)
            .map(|(record, main)| Entry {
                revision: Revision::first_of(main),
                last: true,
                record,
            })
            .collect();
        for entry in &entries {
            bytes.extend_from_slice(encode(entry, &mut scratch).unwrap());
        }
        let mut rest = &bytes[..];
        for entry in &entries {
            assert!(take_entry(&rest[..1]).is_none());
            let is_put = matches!(entry.record, Record::Put { .. });
            assert_eq!(put::put_at(rest).is_some(), is_put);
            let (taken, behind) = take_entry(rest).unwrap();
            assert_eq!(taken, *entry);
            rest = behind;
        }
        assert_eq!(take_entry(rest), None);
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
