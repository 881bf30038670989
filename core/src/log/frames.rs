//! From the bytes of the log to its frames, wherever the bytes come from.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::frame::{self, LENGTH_BYTES, Length};
use super::reader::Stored;
use super::record::Entry;
use crate::error::{Error, Result};

/// A frame of the log.
pub(crate) struct Frame {
    pub(super) position: u64,
    /// Where the next one may begin.
    pub(super) next: u64,
    pub(super) stored: Stored,
}

impl Frame {
    /// Where the byte lies whose lowest bit says that the entry is the last of its transaction: the
    /// first one behind the main revision.
    pub(super) fn end_bit_position(&self) -> u64 {
        let body = &self.stored.bytes[self.stored.body.clone()];
        let main = body.iter().take_while(|&&byte| byte & 0x80 != 0).count() + 1;
        self.next - body.len() as u64 + main as u64
    }
}

/// The bytes that the log has from a position on, as far as they lie together.
pub(crate) enum Stretch<'a> {
    Page(Arc<[u8]>, Range<usize>),
    Tail(&'a [u8]),
    Gap(u64),
    End,
}

/// What frames are read from: the log, or a [window](super::window) of it.
pub(crate) trait Frames {
    /// Where what can be read ends.
    fn readable_end(&self) -> u64;

    /// What there is at `position`, from the cache where it has that.
    fn stretch_at(&self, position: u64) -> Result<Stretch<'_>>;

    /// The damage that was found at a position, with the page that answers for it.
    fn corrupt_at(&self, position: u64, what: impl Into<String>) -> Error;

    /// No entry is longer than all pages together.
    fn longest_entry_bytes(&self) -> usize;

    /// The first frame at or after `position` that ends at or before `limit`. At `position` a frame
    /// begins, or began before it was reclaimed.
    fn frame_at(&self, mut position: u64, limit: u64) -> Result<Option<Frame>> {
        while position < limit {
            let stretch = self.stretch_at(position)?;
            if let Stretch::Gap(next) = stretch {
                position = next;
                continue;
            }
            let bytes = match &stretch {
                Stretch::Page(page, range) => &page[range.clone()],
                Stretch::Tail(bytes) => bytes,
                Stretch::Gap(_) | Stretch::End => return Ok(None),
            };
            let Some((prefix, body)) = self.length_at(position, limit, bytes)? else {
                return Ok(None);
            };
            let length = prefix + body;
            let next = position + length as u64;
            let stored = match stretch {
                Stretch::Page(page, range) if length <= range.len() => {
                    Stored::new(page, range.start + prefix..range.start + length)
                }
                Stretch::Tail(bytes) if length <= bytes.len() => {
                    Stored::new(Arc::from(&bytes[prefix..length]), 0..body)
                }
                _ => {
                    let bytes = self.gather(position, length)?;
                    Stored::new(Arc::from(&bytes[prefix..]), 0..body)
                }
            };
            let stored =
                stored.ok_or_else(|| self.corrupt_at(position, "an entry cannot be decoded"))?;
            return Ok(Some(Frame {
                position,
                next,
                stored,
            }));
        }
        Ok(None)
    }

    /// Shows the entries that lie in one piece with the one at `position` and end at or before
    /// `limit`, each with where the next one begins, until `visit` refuses one. Answers where the
    /// first entry begins that was not shown or was refused; nothing is copied for those before it.
    fn visit_together(
        &self,
        position: u64,
        limit: u64,
        mut visit: impl FnMut(u64, &Entry<'_>) -> bool,
    ) -> Result<u64> {
        let stretch = self.stretch_at(position)?;
        let mut rest = match &stretch {
            Stretch::Page(page, range) => &page[range.clone()],
            Stretch::Tail(bytes) => bytes,
            Stretch::Gap(_) | Stretch::End => return Ok(position),
        };
        let end = position + rest.len() as u64;
        let mut position = position;
        while let Some(entry) = frame::take_entry(&mut rest)
            && let next = end - rest.len() as u64
            && next <= limit
            && visit(next, &entry)
        {
            position = next;
        }
        Ok(position)
    }

    /// The length of the frame at `position`, whose first bytes are these. `None` if it does not end at or
    /// before `limit`.
    fn length_at(&self, position: u64, limit: u64, bytes: &[u8]) -> Result<Option<(usize, usize)>> {
        let mut length = frame::read_length(bytes);
        if length == Length::Cut {
            let rest = limit.saturating_sub(position).min(LENGTH_BYTES as u64);
            length = frame::read_length(&self.gather(position, rest as usize)?);
        }
        match length {
            // It ends behind the log. A crash may have taken the rest, and the slots that it was in too.
            Length::Known { prefix, body }
                if position.saturating_add((prefix + body) as u64) > limit =>
            {
                Ok(None)
            }
            Length::Known { prefix, body } if prefix + body <= self.longest_entry_bytes() => {
                Ok(Some((prefix, body)))
            }
            Length::Cut => Ok(None),
            _ => Err(self.corrupt_at(position, "an entry has an impossible length")),
        }
    }

    /// Copies up to `count` bytes from `position` on, fewer only at the end of the log or, for the
    /// few bytes of a length, at a gap.
    fn gather(&self, mut position: u64, count: usize) -> Result<Vec<u8>> {
        let mut gathered = Vec::with_capacity(count);
        while gathered.len() < count {
            let stretch = self.stretch_at(position)?;
            let bytes = match &stretch {
                Stretch::Page(page, range) => &page[range.clone()],
                Stretch::Tail(bytes) => bytes,
                Stretch::Gap(_) | Stretch::End if count <= LENGTH_BYTES => break,
                Stretch::Gap(_) | Stretch::End => {
                    return Err(self.corrupt_at(position, "the rest of an entry is missing"));
                }
            };
            let part = bytes.len().min(count - gathered.len());
            gathered.extend_from_slice(&bytes[..part]);
            position += part as u64;
        }
        Ok(gathered)
    }
}
