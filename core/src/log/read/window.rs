//! A window of the log: some of its pages, found once, and read while the log goes on.
//!
//! To find them takes the log as it is, for a moment; to read them takes nothing of it. Pages that lie
//! in memory are held and stay what they are. Others are read from the page store when they are
//! wanted. By then the log may have moved one and used its slot for something else: each is verified
//! whole, so that is noticed, and answered as the error that damage would be. Who is told so looks again
//! at the log itself, which knows.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::frames::{Frames, Stretch};
use super::moved::stretch_of;
use super::reader::{PageReading, Source, Stored};
use crate::error::{Error, Result};
use crate::log::format::layout::{Identity, NO_SLOT};
use crate::log::format::record::Record;
use crate::log::handle::{Log, Position};
use crate::log::live::cache::PageCache;
use crate::log::live::live_page::LivePage;
use crate::page::PageStore;
use crate::prefetch;

/// Pages of the log from a position on.
pub(crate) struct Window<P> {
    pages: Arc<P>,
    cache: Arc<spin::Mutex<PageCache>>,
    identity: Identity,
    live: Vec<LivePage>,
    /// The beginning of the page that was being filled, if the window reaches there.
    tail: Vec<u8>,
    tail_from: u64,
    end: u64,
    is_last: bool,
    longest_entry_bytes: usize,
}

impl<P: PageStore> Log<P> {
    /// A window from a position on that holds about `bytes` of the log. O(pages) and without reading:
    /// only of the page that is being filled something is copied.
    pub(crate) fn window(&self, from: Position, bytes: usize) -> Window<P> {
        let first = self.directory.index_of(from.0);
        let rest = &self.directory.pages()[first..];
        let count = 1 + bytes.div_ceil(self.identity.capacity());
        let rest = &rest[..count.min(rest.len())];
        // To hold a page is to count that, in the page: those that were not in use for long are asked
        // for together.
        prefetch::touch(rest.iter().filter_map(LivePage::first_byte).copied());
        let mut live: Vec<LivePage> = rest.iter().map(LivePage::held).collect();
        let tail_from = self.tail.from().max(from.0);
        // The last page may be a version of what is being filled.
        let reaches_tail =
            live.len() < count || live.last().is_some_and(|last| last.to > self.tail.from());
        if reaches_tail {
            live.retain(|page| page.from < tail_from);
        }
        let end = match live.last() {
            Some(last) if !reaches_tail => last.to.min(self.readable_end),
            _ => self.readable_end,
        };
        let tail = if reaches_tail {
            self.tail.bytes_from(tail_from)
        } else {
            &[]
        };
        Window {
            pages: Arc::clone(&self.pages),
            cache: Arc::clone(&self.cache),
            identity: self.identity,
            live,
            tail: tail.to_vec(),
            tail_from,
            end,
            is_last: end == self.readable_end,
            longest_entry_bytes: self.longest_entry_bytes(),
        }
    }

    /// Whether the entry at a position can be read without the page store, if it is not longer than a
    /// page.
    pub(crate) fn is_at_hand(&self, position: Position) -> bool {
        if position.0 >= self.tail.from() {
            return true;
        }
        let Some(live) = self.directory.at(position.0) else {
            return false;
        };
        let behind = self.directory.at(live.to);
        self.has_at_hand(live) && behind.is_none_or(|behind| self.has_at_hand(behind))
    }

    fn has_at_hand(&self, live: &LivePage) -> bool {
        live.is_here() || self.cache.lock().has(live.slot, live.term)
    }
}

impl LivePage {
    /// The first byte of the page, if it is in memory.
    pub(super) fn first_byte(&self) -> Option<&u8> {
        self.bytes.as_ref().or_else(|| self.lent.bytes())?.first()
    }

    /// A copy of the entry that holds the page, if it is in memory.
    pub(in crate::log) fn held(&self) -> Self {
        let bytes = self.bytes.as_ref().or_else(|| self.lent.bytes());
        let mut held = self.clone();
        held.bytes = bytes.map(Arc::clone);
        held
    }
}

impl<P: PageStore> Window<P> {
    /// Whether the log ended where the window does.
    pub(crate) fn is_last(&self) -> bool {
        self.is_last
    }

    /// The put at a position that the index gave; `None` if the window ends within it.
    pub(crate) fn put_at(&self, position: Position) -> Result<Option<Stored>> {
        let frame = self.frame_at(position.0, self.end)?;
        let is_put = |stored: &Stored| matches!(stored.entry().record, Record::Put { .. });
        match frame {
            Some(frame) if frame.position == position.0 && is_put(&frame.stored) => {
                Ok(Some(frame.stored))
            }
            None if !self.is_last => Ok(None),
            _ => Err(self.corrupt_at(position.0, "an entry that was there is gone")),
        }
    }
}

impl<P: PageStore> Frames for Window<P> {
    fn readable_end(&self) -> u64 {
        self.end
    }

    fn stretch_at(&self, position: u64) -> Result<Stretch<'_>> {
        if position >= self.tail_from {
            let start = usize::try_from(position - self.tail_from).unwrap_or(usize::MAX);
            let rest = self.tail.get(start..).filter(|rest| !rest.is_empty());
            return Ok(rest.map_or(Stretch::End, Stretch::Tail));
        }
        let index = self.live.partition_point(|page| page.to <= position);
        let Some(live) = self.live.get(index) else {
            return Ok(Stretch::End);
        };
        let reading = PageReading {
            pages: &*self.pages,
            identity: self.identity,
            cache: &self.cache,
        };
        let page = reading.page(live, Source::Cached)?;
        live.lent.fill(&page);
        Ok(stretch_of(page, position, live.to))
    }

    fn corrupt_at(&self, position: u64, what: impl Into<String>) -> Error {
        let is_its = |live: &&LivePage| position < live.to;
        let live = self.live.iter().find(is_its).or(self.live.last());
        Error::Corrupt {
            page: live.map_or(NO_SLOT, |live| live.slot),
            what: what.into(),
        }
    }

    fn longest_entry_bytes(&self) -> usize {
        self.longest_entry_bytes
    }
}
