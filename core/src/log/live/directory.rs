//! Which page holds what: the live pages in the order of the log, in memory.
//!
//! The intervals of the live pages abut exactly, from 0 to the end of what is written. A page that
//! is written takes over its interval; pages that are left with nothing are superseded.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::lend::Lent;
use super::live_page::{LivePage, NO_FIRST};
use crate::log::format::layout::{NO_SLOT, PageHeader};
use crate::revision::Revision;

/// All live pages.
#[derive(Debug, Default)]
pub(in crate::log) struct Directory {
    pages: Vec<LivePage>,
    /// The sum of the pages' terms: kept, so that a mark costs no pass over the pages.
    census: u64,
    /// Pages for each position, in units of 2^-64: where to look first.
    density: u64,
}

impl Directory {
    /// Of these pages, which abut.
    pub(in crate::log) fn of(pages: Vec<LivePage>) -> Self {
        let terms = pages.iter().map(|page| page.term);
        let mut directory = Self {
            census: terms.fold(0, u64::wrapping_add),
            pages,
            density: 0,
        };
        directory.set_density();
        directory
    }

    pub(in crate::log) fn pages(&self) -> &[LivePage] {
        &self.pages
    }

    pub(in crate::log) fn pages_mut(&mut self) -> &mut [LivePage] {
        &mut self.pages
    }

    pub(in crate::log) fn last(&self) -> Option<&LivePage> {
        self.pages.last()
    }

    pub(in crate::log) fn last_mut(&mut self) -> Option<&mut LivePage> {
        self.pages.last_mut()
    }

    /// Where the written log ends.
    pub(in crate::log) fn end(&self) -> u64 {
        self.pages.last().map_or(0, |page| page.to)
    }

    pub(in crate::log) fn census(&self) -> u64 {
        self.census
    }

    /// The page that answers for `position`, if it is written.
    ///
    /// Pages that were never thinned out are equally long, so that a multiplication nearly always
    /// finds the right one, where a bisection would wait for memory a dozen times. Where a sweep has
    /// made them uneven the search goes on from there in steps that double: O(log pages) at worst.
    #[inline]
    pub(in crate::log) fn at(&self, position: u64) -> Option<&LivePage> {
        let guess = self.guess(position);
        match self.pages.get(guess) {
            Some(page) if page.is_at(position) => Some(page),
            _ => self.pages.get(self.index_near(guess, position)),
        }
    }

    #[inline]
    fn guess(&self, position: u64) -> usize {
        let pages = u128::from(position) * u128::from(self.density);
        (pages >> u64::BITS) as usize
    }

    /// The number of pages that end at or before `position`; quickly if it is near `guess`.
    #[cold]
    fn index_near(&self, guess: usize, position: u64) -> usize {
        let is_before = |page: &LivePage| page.to <= position;
        let guess = guess.min(self.pages.len());
        let (below, above) = self.pages.split_at(guess);
        if above.first().is_some_and(is_before) {
            let mut reach = 1;
            while above.get(reach).is_some_and(is_before) {
                reach *= 2;
            }
            let reach = reach.min(above.len());
            return guess + above[..reach].partition_point(is_before);
        }
        let mut reach = 1;
        while reach < below.len() && !is_before(&below[below.len() - reach]) {
            reach *= 2;
        }
        let from = below.len().saturating_sub(reach);
        from + below[from..].partition_point(is_before)
    }

    /// To be called when pages came or went. The last page is the one that may be shorter than the
    /// others, so it does not count.
    fn set_density(&mut self) {
        let Some((last, others)) = self.pages.split_last() else {
            return;
        };
        let pages = (others.len() as u128) << u64::BITS;
        // Rounded up, so that the first position of a page is not taken for the last of another.
        let density = pages.div_ceil(u128::from(last.from.max(1)));
        self.density = u64::try_from(density).unwrap_or(u64::MAX);
    }

    /// The slot of the page before `position`, for the header of the page that begins there.
    pub(in crate::log) fn predecessor_slot(&self, position: u64) -> u32 {
        let index = self.pages.partition_point(|page| page.from < position);
        index
            .checked_sub(1)
            .map_or(NO_SLOT, |index| self.pages[index].slot)
    }

    /// A position at or before the first frame whose revision is at least `revision`, with no more
    /// than one page of frames between them. The end if no page can hold such a frame.
    pub(in crate::log) fn seek(&self, revision: Revision) -> Option<u64> {
        // The frame may begin in the page before the first one that begins with or above it, and no
        // earlier: all frames that begin two pages before are below that page's own revision.
        let above = self.pages.partition_point(|page| page.revision < revision);
        self.pages[above.saturating_sub(1)..]
            .iter()
            .find_map(LivePage::first_frame)
    }

    /// A page was written: it takes over its interval, and the log ends at `end`. The slots of pages
    /// that answer for nothing any more are added to `superseded`.
    pub(in crate::log) fn replace(&mut self, page: LivePage, end: u64, superseded: &mut Vec<u32>) {
        let first = self.pages.partition_point(|old| old.to <= page.from);
        let mut behind = self.pages.partition_point(|old| old.from < page.to);
        if first < behind && self.pages[first].from < page.from {
            self.pages[first].to = page.from;
        }
        let first = first + usize::from(first < behind && self.pages[first].from < page.from);
        if first < behind && self.pages[behind - 1].to > page.to {
            let rest = &mut self.pages[behind - 1];
            rest.keep_only(page.to, rest.to);
            behind -= 1;
        }
        self.census = self.census.wrapping_add(page.term);
        for old in self.pages.splice(first..behind.max(first), [page]) {
            self.census = self.census.wrapping_sub(old.term);
            superseded.push(old.slot);
        }
        self.truncate(end, None, superseded);
    }

    /// Cuts the log back to `end`. `last_revision` is that of the last frame before the cut.
    pub(in crate::log) fn truncate(
        &mut self,
        end: u64,
        last_revision: Option<Revision>,
        superseded: &mut Vec<u32>,
    ) {
        while let Some(page) = self.pages.last_mut() {
            if page.from < end {
                page.to = page.to.min(end);
                if page.first_frame().is_some_and(|first| first >= end) {
                    page.first = NO_FIRST;
                    page.revision = last_revision.unwrap_or(page.revision);
                }
                break;
            }
            self.census = self.census.wrapping_sub(page.term);
            superseded.push(page.slot);
            self.pages.pop();
        }
        self.set_density();
    }

    /// Says which is the first frame that begins in the page that answers for what lies from `from`
    /// on; if none does, `before` is the revision of the last one before it.
    pub(in crate::log) fn set_first_frame(
        &mut self,
        from: u64,
        first: Option<(u64, Revision)>,
        before: Revision,
    ) {
        let index = self.index_of(from);
        let Some(page) = self.pages.get_mut(index).filter(|page| page.from == from) else {
            return;
        };
        page.first = NO_FIRST;
        page.revision = before;
        if let Some((position, revision)) = first {
            page.set_first_frame(position, revision);
        }
    }

    /// A page was written again, to another slot. Returns the slot that it had.
    pub(in crate::log) fn move_page(
        &mut self,
        index: usize,
        header: &PageHeader,
        slot: u32,
        bytes: Option<Arc<[u8]>>,
    ) -> u32 {
        let page = &mut self.pages[index];
        let old = page.slot;
        self.census = self.census.wrapping_sub(page.term);
        (page.slot, page.number, page.term) = (slot, header.number, header.census_term());
        page.bytes = bytes;
        page.lent = Lent::default();
        self.census = self.census.wrapping_add(page.term);
        old
    }

    /// Says that a frame begins at `position`. To be called in the order of the log; `walked` is how
    /// far the caller has come, and `before` the revision of the frame before this one.
    pub(in crate::log) fn note_frame(
        &mut self,
        walked: &mut usize,
        position: u64,
        revision: Revision,
        before: Revision,
    ) {
        while self
            .pages
            .get(*walked)
            .is_some_and(|page| page.to <= position)
        {
            *walked += 1;
            if let Some(page) = self.pages.get_mut(*walked) {
                page.first = NO_FIRST;
                page.revision = before;
            }
        }
        if let Some(page) = self.pages.get_mut(*walked)
            && page.first == NO_FIRST
            && page.from <= position
        {
            page.set_first_frame(position, revision);
        }
    }

    /// Says that there are no more frames: the pages behind the last one continue it.
    pub(in crate::log) fn note_end(&mut self, walked: usize, before: Revision) {
        for page in self.pages.iter_mut().skip(walked + 1) {
            page.first = NO_FIRST;
            page.revision = before;
        }
    }

    /// Keeps copies of pages only for the last one.
    pub(in crate::log) fn keep_only_the_last_copy(
        &mut self,
        share: impl Fn(u32) -> Option<Arc<[u8]>>,
    ) {
        let before_the_last = self.pages.len().saturating_sub(1);
        for page in &mut self.pages[..before_the_last] {
            page.bytes = page.bytes.take().and_then(|_| share(page.slot));
        }
    }

    /// Takes back all pages that are lent.
    pub(in crate::log) fn take_back(&mut self) {
        for page in &mut self.pages {
            page.lent = Lent::default();
        }
    }

    /// Where `note_frame` has to go on for frames from `position` on.
    pub(in crate::log) fn index_of(&self, position: u64) -> usize {
        self.pages.partition_point(|page| page.to <= position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::format::layout::{HEADER_BYTES, Mark};

    fn page(from: u64, to: u64) -> LivePage {
        let header = PageHeader {
            checksum: from,
            number: from + 1,
            from,
            to,
            end: to,
            epoch: 1,
            mark: Mark::default(),
            next_slot: NO_SLOT,
            predecessor_slot: NO_SLOT,
            clean: false,
            sparse: false,
            used: (to - from) as u32,
            first_frame: 0,
            pieces: 0,
        };
        LivePage::new(&header, 2, Revision::first_of(1))
    }

    fn directory(lengths: &[u64]) -> Directory {
        let mut end = 0;
        let next = |length: &u64| {
            let from = end;
            end += length;
            page(from, end)
        };
        Directory::of(lengths.iter().map(next).collect())
    }

    fn assert_every_position_is_found(directory: &Directory) {
        for position in 0..directory.end() + 10 {
            let found = directory.at(position).map(|page| page.from);
            let index = directory.index_of(position);
            let expected = directory.pages.get(index).map(|page| page.from);
            assert_eq!(found, expected, "position {position}");
            for guess in [0, index.saturating_sub(3), index + 1, usize::MAX] {
                assert_eq!(directory.index_near(guess, position), index);
            }
        }
    }

    #[test]
    fn every_position_is_found_however_uneven_the_pages_are() {
        assert_every_position_is_found(&Directory::default());
        assert_every_position_is_found(&directory(&[7]));
        assert_every_position_is_found(&directory(&[64; 20]));
        let rising: Vec<u64> = (0..10).map(|bits| 1 << bits).collect();
        assert_every_position_is_found(&directory(&rising));
        let falling: Vec<u64> = rising.into_iter().rev().collect();
        assert_every_position_is_found(&directory(&falling));
        assert_every_position_is_found(&directory(&[1, 500, 1, 1, 300, 2, 2, 2, 400]));
    }

    #[test]
    fn pages_of_one_length_are_found_without_a_search() {
        let mut lengths = [4000; 1001];
        lengths[1000] = 17;
        let directory = directory(&lengths);
        for (index, page) in directory.pages.iter().enumerate() {
            for position in [page.from, page.from + 16, page.to - 1] {
                assert_eq!(directory.guess(position), index);
            }
        }
    }

    #[test]
    fn a_page_whose_front_and_end_were_taken_over_answers_for_the_rest() {
        let mut directory = directory(&[100, 100, 100]);
        let contents: Vec<u8> = (0..200).collect();
        let mut bytes = alloc::vec![0; HEADER_BYTES];
        bytes.extend(&contents);
        directory.pages[1].bytes = Some(Arc::from(bytes));
        let mut superseded = Vec::new();
        directory.replace(page(50, 130), 300, &mut superseded);
        directory.replace(page(180, 300), 300, &mut superseded);
        assert_eq!(superseded, [2]);
        let rest = directory.at(150).unwrap();
        assert_eq!((rest.from, rest.to), (130, 180));
        assert_eq!(rest.bytes_at(150), Some(&contents[50..80]));
        assert_every_position_is_found(&directory);
    }
}
