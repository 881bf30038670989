//! Reading: from a position to a page, and the entry there.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use core::ops::Range;

use super::frames::{Frames, Stretch};
use super::moved::{may_have_moved, stretch_of};
use crate::error::{Error, Result};
use crate::log::format::frame;
use crate::log::format::layout::{Identity, NO_SLOT, PageHeader};
use crate::log::format::put::{self, PutFields};
use crate::log::format::record::{Entry, Record};
use crate::log::handle::{Log, Position};
use crate::log::live::cache::PageCache;
use crate::log::live::live_page::LivePage;
use crate::page::PageStore;

/// An entry with the bytes that it lies in: a part of a page, or a copy if it was not in one piece.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(in crate::log) bytes: Arc<[u8]>,
    pub(in crate::log) body: Range<usize>,
}

impl Stored {
    pub(in crate::log) fn new(bytes: Arc<[u8]>, body: Range<usize>) -> Option<Self> {
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
    /// Boxed, so that nothing in a `Held` must lie in memory: mostly it is passed on in registers.
    Kept(Box<Stored>),
}

impl Held<'_> {
    /// The put, of which the index knows the rest.
    #[inline]
    pub(crate) fn put(&self) -> PutFields<'_> {
        let (key, value, lease) = match self {
            Self::Here(put) => (put.key, put.value, put.lease),
            Self::Kept(stored) => {
                let put = stored.put();
                (put.key, put.value, put.lease)
            }
        };
        PutFields { key, value, lease }
    }
}

/// Where pages come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::log) enum Source {
    /// The cache, where it has them.
    Cached,
    /// The page store, to see what is there now.
    Afresh,
}

impl<P: PageStore> Log<P> {
    /// The entry at a position that `append`, `scan` or the replay gave.
    pub(crate) fn read(&self, position: Position) -> Result<Stored> {
        match self.frame_at(position.0, self.readable_end)? {
            Some(frame) if frame.position == position.0 => Ok(frame.stored),
            _ => Err(self.corrupt_at(position.0, "an entry that was there is gone")),
        }
    }

    /// The put at a position, without a copy and without counting who holds the page, if it lies in
    /// memory in one piece.
    #[inline]
    pub(crate) fn put_here(&self, position: Position) -> Option<PutFields<'_>> {
        self.bytes_here(position).and_then(put::put_at)
    }

    /// The put at a position, wherever it is. `None` if another entry stands there.
    pub(crate) fn hold(&self, position: Position) -> Result<Option<Held<'_>>> {
        let bytes = self.bytes_here(position).or_else(|| self.lend(position));
        if let Some(put) = bytes.and_then(put::put_at) {
            return Ok(Some(Held::Here(put)));
        }
        let stored = self.read(position)?;
        let is_put = matches!(stored.entry().record, Record::Put { .. });
        Ok(is_put.then(|| Held::Kept(Box::new(stored))))
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

    /// The bytes of a live page, verified.
    pub(in crate::log) fn page(&self, live: &LivePage, source: Source) -> Result<Arc<[u8]>> {
        let reading = PageReading {
            pages: &*self.pages,
            identity: self.identity,
            cache: &self.cache,
        };
        reading.page(live, source)
    }

    /// A page as it lies in the page store.
    pub(in crate::log) fn read_slot(&self, slot: u32) -> Result<Arc<[u8]>> {
        read_slot(&*self.pages, self.identity.page_size, slot)
    }
}

impl<P: PageStore> Frames for Log<P> {
    fn readable_end(&self) -> u64 {
        self.readable_end
    }

    fn stretch_at(&self, position: u64) -> Result<Stretch<'_>> {
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
        match self.page(live, Source::Cached) {
            Ok(page) => Ok(stretch_of(page, position, live.to)),
            Err(error) if self.moved.is_looked_for && may_have_moved(&error) => {
                self.stretch_in_moved(position)
            }
            Err(error) => Err(error),
        }
    }

    fn corrupt_at(&self, position: u64, what: impl Into<String>) -> Error {
        let page = self.directory.at(position).or(self.directory.last());
        Error::Corrupt {
            page: page.map_or(NO_SLOT, |page| page.slot),
            what: what.into(),
        }
    }

    fn longest_entry_bytes(&self) -> usize {
        (self.slots.length() as usize).saturating_mul(self.identity.page_size)
    }
}

/// What it takes to read pages.
pub(in crate::log) struct PageReading<'a, P> {
    pub(in crate::log) pages: &'a P,
    pub(in crate::log) identity: Identity,
    pub(in crate::log) cache: &'a spin::Mutex<PageCache>,
}

impl<P: PageStore> PageReading<'_, P> {
    /// The bytes of a page that is live, or was, verified.
    pub(in crate::log) fn page(&self, live: &LivePage, source: Source) -> Result<Arc<[u8]>> {
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
            None => read_slot(self.pages, self.identity.page_size, live.slot)?,
        };
        match PageHeader::verify(&bytes, self.identity, live.slot) {
            Some(header) if live.is_of(&header) => {
                if source == Source::Cached {
                    let page = Arc::clone(&bytes);
                    // Others wait for the cache, so nothing is freed while it is held.
                    let evicted = self.cache.lock().insert(live.slot, live.term, page);
                    drop(evicted);
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
}

/// A page as it lies in the page store.
fn read_slot(pages: &impl PageStore, page_size: usize, slot: u32) -> Result<Arc<[u8]>> {
    let mut bytes = vec![0; page_size];
    pages.read(slot, &mut bytes)?;
    Ok(Arc::from(bytes))
}
