//! Reading: from a position to a page, from a page to a frame, from a frame to an entry.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::frame::{self, LENGTH_BYTES, Length};
use super::handle::{Log, Position};
use super::layout::{NO_SLOT, PageHeader};
use super::live_page::LivePage;
use super::moved::{may_have_moved, stretch_of};
use super::put::{self, PutFields};
use super::record::{Entry, Record};
use crate::error::{Error, Result};
use crate::page::PageStore;

/// An entry with the bytes that it lies in: a part of a page, or a copy if it was not in one piece.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    bytes: Arc<[u8]>,
    body: Range<usize>,
}

impl Stored {
    pub(super) fn new(bytes: Arc<[u8]>, body: Range<usize>) -> Option<Self> {
        frame::decode(&bytes[body.clone()])?;
        Some(Self { bytes, body })
    }

    /// The entry.
    pub(crate) fn entry(&self) -> Entry<'_> {
        frame::decode(&self.bytes[self.body.clone()]).expect("decoded when it was read")
    }
}

impl Stored {
    #[cold]
    fn put(&self) -> PutFields<'_> {
        let body = &self.bytes[self.body.clone()];
        put::put_in(body).expect("a put when it was read")
    }
}

/// A put where it lies: in memory for as long as its page is live, or with the page, or the copy, that
/// was read for it.
#[derive(Debug)]
pub(crate) enum Held<'a> {
    Here(PutFields<'a>),
    Kept(Stored),
}

impl Held<'_> {
    /// The put, of which the index knows the rest.
    #[inline]
    pub(crate) fn put(&self) -> PutFields<'_> {
        match self {
            Self::Here(put) => *put,
            Self::Kept(stored) => stored.put(),
        }
    }
}

/// A frame of the log.
pub(super) struct Frame {
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
pub(super) enum Stretch<'a> {
    Page(Arc<[u8]>, Range<usize>),
    Tail(&'a [u8]),
    Gap(u64),
    End,
}

/// Where pages come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The cache, where it has them.
    Cached,
    /// The page store, to see what is there now.
    Afresh,
}

impl<P: PageStore> Log<P> {
    /// The entry at a position that `append`, `scan` or the replay gave.
    pub(crate) fn read(&self, position: Position) -> Result<Stored> {
        match self.frame_at(position.0, self.readable_end, Source::Cached)? {
            Some(frame) if frame.position == position.0 => Ok(frame.stored),
            _ => Err(self.corrupt_at(position.0, "an entry that was there is gone")),
        }
    }

    /// The put at a position, without a copy and without counting who holds the page, where
    /// [`bytes_here`](Self::bytes_here) has said that it lies in `bytes`. `None` if another entry
    /// stands there.
    #[inline]
    pub(crate) fn hold<'a>(
        &'a self,
        bytes: Option<&'a [u8]>,
        position: Position,
    ) -> Result<Option<Held<'a>>> {
        match bytes.and_then(put::put_at) {
            Some(put) => Ok(Some(Held::Here(put))),
            None => self.keep(position),
        }
    }

    #[cold]
    fn keep(&self, position: Position) -> Result<Option<Held<'_>>> {
        if let Some(put) = self.lend(position).and_then(put::put_at) {
            return Ok(Some(Held::Here(put)));
        }
        let stored = self.read(position)?;
        let is_put = matches!(stored.entry().record, Record::Put { .. });
        Ok(is_put.then_some(Held::Kept(stored)))
    }

    /// Has the page of a position in memory for the next time as well, and answers what
    /// [`bytes_here`](Self::bytes_here) does then. What stands in the way is found again by who reads.
    fn lend(&self, position: Position) -> Option<&[u8]> {
        let live = self.directory.at(position.0)?;
        if position.0 >= self.readable_end || !live.can_be_lent() || !self.lender.has_room() {
            return None;
        }
        live.lent.fill(&self.page(live, Source::Cached).ok()?);
        live.bytes_at(position.0)
    }

    /// The bytes of the log from a position on, if they lie in memory, as far as they lie together.
    #[inline]
    pub(crate) fn bytes_here(&self, position: Position) -> Option<&[u8]> {
        let position = position.0;
        if position >= self.readable_end {
            None
        } else if position >= self.tail.from() {
            Some(self.tail.bytes_from(position))
        } else {
            self.directory.at(position)?.bytes_at(position)
        }
    }

    /// The first frame at or after `position` that ends at or before `limit`. At `position` a frame
    /// begins, or began before it was reclaimed.
    pub(super) fn frame_at(
        &self,
        mut position: u64,
        limit: u64,
        source: Source,
    ) -> Result<Option<Frame>> {
        while position < limit {
            let stretch = self.stretch_at(position, source)?;
            if let Stretch::Gap(next) = stretch {
                position = next;
                continue;
            }
            let bytes = match &stretch {
                Stretch::Page(page, range) => &page[range.clone()],
                Stretch::Tail(bytes) => bytes,
                Stretch::Gap(_) | Stretch::End => return Ok(None),
            };
            let Some((prefix, body)) = self.length_at(position, limit, bytes, source)? else {
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
                    let bytes = self.gather(position, length, source)?;
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
    pub(super) fn visit_together(
        &self,
        position: u64,
        limit: u64,
        mut visit: impl FnMut(u64, &Entry<'_>) -> bool,
    ) -> Result<u64> {
        let stretch = self.stretch_at(position, Source::Cached)?;
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
    fn length_at(
        &self,
        position: u64,
        limit: u64,
        bytes: &[u8],
        source: Source,
    ) -> Result<Option<(usize, usize)>> {
        let mut length = frame::read_length(bytes);
        if length == Length::Cut {
            let rest = limit.saturating_sub(position).min(LENGTH_BYTES as u64);
            length = frame::read_length(&self.gather(position, rest as usize, source)?);
        }
        match length {
            // It ends behind the log. A crash may have taken the rest, and the slots that it was in too.
            Length::Known { prefix, body }
                if position.saturating_add((prefix + body) as u64) > limit =>
            {
                Ok(None)
            }
            Length::Known { prefix, body } if prefix + body <= self.image_bytes() => {
                Ok(Some((prefix, body)))
            }
            Length::Cut => Ok(None),
            _ => Err(self.corrupt_at(position, "an entry has an impossible length")),
        }
    }

    /// Copies up to `count` bytes from `position` on, fewer only at the end of the log or, for the
    /// few bytes of a length, at a gap.
    fn gather(&self, mut position: u64, count: usize, source: Source) -> Result<Vec<u8>> {
        let mut gathered = Vec::with_capacity(count);
        while gathered.len() < count {
            let stretch = self.stretch_at(position, source)?;
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

    /// What the log has at `position`.
    pub(super) fn stretch_at(&self, position: u64, source: Source) -> Result<Stretch<'_>> {
        if position >= self.tail.from() {
            let bytes = self.tail.bytes_from(position);
            return Ok(if bytes.is_empty() {
                Stretch::End
            } else {
                Stretch::Tail(bytes)
            });
        }
        let Some(live) = self.directory.at(position) else {
            return Ok(Stretch::End);
        };
        match self.page(live, source) {
            Ok(page) => Ok(stretch_of(page, position, live.to)),
            Err(error) if self.moved.is_looked_for && may_have_moved(&error) => {
                self.stretch_in_moved(position)
            }
            Err(error) => Err(error),
        }
    }

    /// The bytes of a live page, verified.
    pub(super) fn page(&self, live: &LivePage, source: Source) -> Result<Arc<[u8]>> {
        if source == Source::Cached {
            if let Some(bytes) = live.bytes.as_ref().or_else(|| live.lent.bytes()) {
                return Ok(Arc::clone(bytes));
            }
            if let Some(bytes) = self.cache.lock().get(live.slot, live.term) {
                return Ok(bytes);
            }
        }
        let bytes = match self.pages.share(live.slot) {
            Some(bytes) => bytes,
            None => self.read_slot(live.slot)?,
        };
        match PageHeader::verify(&bytes, self.identity, live.slot) {
            Some(header) if live.is_of(&header) => {
                if source == Source::Cached {
                    self.cache
                        .lock()
                        .insert(live.slot, live.term, Arc::clone(&bytes));
                }
                Ok(bytes)
            }
            _ => Err(Error::Corrupt {
                page: live.slot,
                what: format!(
                    "the positions {} to {} of the log are not there",
                    live.from, live.to
                ),
            }),
        }
    }

    /// A page as it lies in the page store.
    pub(super) fn read_slot(&self, slot: u32) -> Result<Arc<[u8]>> {
        let mut bytes = vec![0; self.identity.page_size];
        self.pages.read(slot, &mut bytes)?;
        Ok(Arc::from(bytes))
    }

    /// The damage that was found at a position, with the page that answers for it.
    pub(super) fn corrupt_at(&self, position: u64, what: impl Into<String>) -> Error {
        let page = self.directory.at(position).or(self.directory.last());
        Error::Corrupt {
            page: page.map_or(NO_SLOT, |page| page.slot),
            what: what.into(),
        }
    }

    /// No entry is longer than all pages together.
    fn image_bytes(&self) -> usize {
        (self.slots.length() as usize).saturating_mul(self.identity.page_size)
    }
}
