//! From the bytes of the log to its frames, wherever the bytes come from.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use super::reader::Stored;
use crate::error::{Error, Result};
use crate::log::format::frame::{self, LENGTH_BYTES, Length};
use crate::log::format::usual::take_usual_put;
use crate::record::Change;
use crate::revision::Revision;

/// A frame of the log.
pub(crate) struct Frame {
    pub(in crate::log) position: u64,
    /// Where the next one may begin.
    pub(in crate::log) next: u64,
    pub(in crate::log) stored: Stored,
}

impl Frame {
    /// Where the byte lies whose lowest bit says that the entry is the last of its transaction: the
    /// first one behind the main revision.
    pub(in crate::log) fn end_bit_position(&self) -> u64 {
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

impl Stretch<'_> {
    pub(in crate::log) fn bytes(&self) -> &[u8] {
        match self {
            Self::Page(page, range) => &page[range.clone()],
            Self::Tail(bytes) => bytes,
            Self::Gap(_) | Self::End => &[],
        }
    }
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

    /// Shows what the entries from `position` on change, until `visit` breaks off or no whole entry
    /// follows; moves `position` behind the last that was shown. Each page is looked up once, and nothing
    /// is copied but entries that go on from one page to the next. Stops before damage too:
    /// [`frame_at`](Self::frame_at) says what it is.
    fn visit_changes(
        &self,
        position: &mut u64,
        mut visit: impl FnMut(Revision, Option<Change<'_>>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let limit = self.readable_end();
        let mut here = Looked::nowhere();
        // The entry at the position, as far as it was found, if it does not lie in one page.
        let mut begun = Vec::new();
        loop {
            let reached = *position + begun.len() as u64;
            if reached >= limit {
                break;
            }
            if !here.has(reached) {
                here = Looked::at(reached, self.stretch_at(reached)?, limit);
                match here.stretch {
                    Stretch::Gap(next) if begun.is_empty() => {
                        *position = next;
                        continue;
                    }
                    Stretch::Gap(_) | Stretch::End => break,
                    Stretch::Page(..) | Stretch::Tail(_) => {}
                }
            }
            let mut rest = here.bytes_from(reached);
            if !begun.is_empty() {
                let most = limit - *position;
                let Some(missing) = missing_of(&begun, most) else {
                    break;
                };
                begun.extend_from_slice(&rest[..missing.min(rest.len())]);
                if missing_of(&begun, most) != Some(0) {
                    continue;
                }
                rest = &begun;
            }
            let (left, flow) = show_changes(rest, &mut visit);
            *position += (rest.len() - left) as u64;
            match (begun.is_empty(), left) {
                _ if flow.is_break() => return Ok(flow),
                (true, _) => begun.extend_from_slice(here.bytes_from(*position)),
                (false, 0) => begun.clear(),
                (false, _) => break,
            }
        }
        Ok(ControlFlow::Continue(()))
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

/// What there is at a position, as far as it may be read.
struct Looked<'a> {
    stretch: Stretch<'a>,
    from: u64,
    to: u64,
}

impl<'a> Looked<'a> {
    fn nowhere() -> Self {
        Self::at(0, Stretch::End, 0)
    }

    fn at(from: u64, stretch: Stretch<'a>, limit: u64) -> Self {
        let to = limit.min(from + stretch.bytes().len() as u64);
        Self { stretch, from, to }
    }

    fn has(&self, position: u64) -> bool {
        (self.from..self.to).contains(&position)
    }

    fn bytes_from(&self, position: u64) -> &[u8] {
        let place = |position: u64| (position - self.from) as usize;
        &self.stretch.bytes()[place(position)..place(self.to)]
    }
}

/// Shows what the entries change that these bytes hold whole, until `visit` breaks off; answers how
/// many bytes are left.
///
/// What is shown is made of a put and of any other entry apart, and only then comes together: so
/// the compiler leaves out what `visit` does not look at of a put.
#[inline]
fn show_changes(
    bytes: &[u8],
    visit: &mut impl FnMut(Revision, Option<Change<'_>>) -> ControlFlow<()>,
) -> (usize, ControlFlow<()>) {
    let mut rest = bytes;
    loop {
        let (revision, change, behind) = if let Some((put, behind)) = take_usual_put(rest) {
            (put.revision, put.change(), behind)
        } else if let Some((entry, behind)) = frame::take_any_entry(rest) {
            (entry.revision, entry.change(), behind)
        } else {
            return (rest.len(), ControlFlow::Continue(()));
        };
        rest = behind;
        let flow = visit(revision, change);
        if flow.is_break() {
            return (rest.len(), flow);
        }
    }
}

/// How many bytes are missing of an entry that begins with these and is at most `most` bytes long; of
/// its length, where that is not known yet. `None` if no entry is like this.
fn missing_of(begun: &[u8], most: u64) -> Option<usize> {
    match frame::read_length(begun) {
        Length::Known { prefix, body } if (prefix + body) as u64 <= most => {
            (prefix + body).checked_sub(begun.len())
        }
        Length::Cut => Some(1),
        Length::Known { .. } | Length::Bad => None,
    }
}
