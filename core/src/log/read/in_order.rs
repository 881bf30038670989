//! The pages of the log one after the other, for who reads all of them.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use super::ahead::Ahead;
use crate::log::format::frame::{self, Length};
use crate::log::format::layout::PageHeader;
use crate::log::format::pieces::{self, Run};
use crate::log::handle::Log;
use crate::page::PageStore;

/// What is kept between two pages.
#[derive(Debug, Default)]
pub(in crate::log) struct InOrder {
    pub(in crate::log) ahead: Ahead,
    /// The slot and the census term of the page that was verified last.
    verified: Option<(u32, u64)>,
}

/// What the log has from a position on, as far as it lies together.
pub(in crate::log) enum Lying<'a> {
    Held(Arc<[u8]>, Range<usize>),
    Read(&'a [u8]),
    Gap(u64),
}

impl<P: PageStore> Log<P> {
    /// What there is at a position, neither from the cache's budget nor with an allocation. `None` where
    /// that takes another way, or is an error.
    pub(super) fn lying_at<'a>(&self, order: &'a mut InOrder, position: u64) -> Option<Lying<'a>> {
        if position >= self.tail.from() {
            return None;
        }
        let index = self.directory.index_of(position);
        let live = self.directory.pages().get(index)?;
        let held = live.bytes.as_ref().or_else(|| live.lent.bytes()).cloned();
        if let Some(page) = held.or_else(|| self.cache.lock().get(live.slot, live.term)) {
            return Some(match run_at(&page, position, live.to) {
                Run::Bytes(range) => Lying::Held(page, range),
                Run::Gap(next) => Lying::Gap(next),
            });
        }
        let next = self.directory.pages().get(index + 1).unwrap_or(live).slot;
        let length = self.slots.length();
        let page = order
            .ahead
            .page(&*self.pages, live.slot, next, length)
            .ok()?;
        if order.verified != Some((live.slot, live.term)) {
            let header = PageHeader::verify(page, self.identity, live.slot)?;
            if !live.is_of(&header) {
                return None;
            }
            order.verified = Some((live.slot, live.term));
        }
        Some(match run_at(page, position, live.to) {
            Run::Bytes(range) => Lying::Read(&page[range]),
            Run::Gap(next) => Lying::Gap(next),
        })
    }
}

/// What a verified page, which answers for positions up to `to`, has at one of them.
pub(in crate::log) fn run_at(page: &[u8], position: u64, to: u64) -> Run {
    match pieces::find(page, position) {
        Run::Bytes(mut range) => {
            // Newer pages answer for what follows.
            let left = usize::try_from(to - position).unwrap_or(usize::MAX);
            range.end = range.start + left.min(range.len());
            Run::Bytes(range)
        }
        Run::Gap(next) => Run::Gap(next.min(to)),
    }
}

/// Adds to the beginning of a frame what it lacks, as far as that lies here. Answers whether the frame is
/// whole; `None` if there is none of at most `limit` bytes.
pub(in crate::log) fn complete(cut: &mut Vec<u8>, rest: &mut &[u8], limit: u64) -> Option<bool> {
    loop {
        let wanted = match frame::read_length(cut) {
            Length::Known { prefix, body } if (prefix + body) as u64 <= limit => prefix + body,
            Length::Cut => cut.len() + 1,
            _ => return None,
        };
        if cut.len() >= wanted {
            return Some(true);
        }
        let (now, later) = rest.split_at(rest.len().min(wanted - cut.len()));
        if now.is_empty() {
            return Some(false);
        }
        cut.extend_from_slice(now);
        *rest = later;
    }
}

/// Whether these bytes are the beginning of a frame of at most `limit` bytes, or nothing.
pub(super) fn is_cut(bytes: &[u8], limit: u64) -> bool {
    match frame::read_length(bytes) {
        Length::Known { prefix, body } => {
            prefix + body > bytes.len() && (prefix + body) as u64 <= limit
        }
        Length::Cut => true,
        Length::Bad => false,
    }
}
