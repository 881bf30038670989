//! Which page holds what: the live pages in the order of the log, in memory.
//!
//! The intervals of the live pages abut exactly, from 0 to the end of what is written. A page that
//! is written takes over its interval; pages that are left with nothing are superseded.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::layout::{HEADER_BYTES, NO_SLOT, NUMBER_LIMIT, PageHeader};
use super::varint::{Numbers, put_varint};
use crate::revision::Revision;

/// No frame begins in the page.
const NO_FIRST: u32 = u32::MAX;

/// A page that the log consists of.
#[derive(Clone, Debug)]
pub(super) struct LivePage {
    /// The positions that it answers for: its own interval, less what newer pages took over.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) slot: u32,
    /// Where the first frame begins in it, counted from `from`.
    first: u32,
    pub(super) number: u64,
    /// What it adds to the census, and by which it is recognised when it is read again.
    pub(super) term: u64,
    /// The revision of the first frame that begins in the page; if none does, of the last one that
    /// began before. Never falls from page to page.
    pub(super) revision: Revision,
    /// Where its contents are, if the page is dense.
    dense: Option<Dense>,
    /// The page itself, where that costs no copy, or where the slot may be written again while it
    /// is still wanted.
    pub(super) bytes: Option<Arc<[u8]>>,
}

impl LivePage {
    pub(super) fn new(header: &PageHeader, slot: u32, inherited: Revision) -> Self {
        Self {
            from: header.from,
            to: header.to,
            slot,
            first: NO_FIRST,
            number: header.number,
            term: header.census_term(),
            revision: inherited,
            dense: (!header.sparse).then_some(Dense {
                from: header.from,
                used: header.used,
            }),
            bytes: None,
        }
    }

    /// The bytes from a position on, if the page is in memory and they lie there in one piece.
    pub(super) fn bytes_at(&self, position: u64) -> Option<&[u8]> {
        let page = self.bytes.as_deref()?;
        let Dense { from, used } = self.dense?;
        let offset = usize::try_from(position.checked_sub(from)?).ok()?;
        page.get(HEADER_BYTES + offset..HEADER_BYTES + used as usize)
    }

    /// Whether this is the header of the page, which stands for all that it answers for.
    pub(super) fn is_of(&self, header: &PageHeader) -> bool {
        header.census_term() == self.term && header.from <= self.from && self.to <= header.to
    }

    /// The position of the first frame that begins in the page.
    pub(super) fn first_frame(&self) -> Option<u64> {
        (self.first != NO_FIRST).then(|| self.from + u64::from(self.first))
    }

    /// A newer version of this page begins with the same frames.
    pub(super) fn inherit(&mut self, older: &Self) {
        self.first = older.first;
        self.revision = older.revision;
    }

    pub(super) fn set_first_frame(&mut self, position: u64, revision: Revision) {
        debug_assert!(position < self.to);
        // No interval is longer than a u32 can say: see `pieces`.
        self.first = (position - self.from) as u32;
        self.revision = revision;
    }
}

/// In a checkpoint a page is, all but its term in numbers of seven bits a byte: its slot, the length
/// of its interval, its number, its term, where its first frame begins plus 1 or 0 for none, its
/// revision as the distance of the main revision from the page before and the sub revision, and by
/// how much its contents begin before the interval plus 1, or 0 if it is sparse.
impl LivePage {
    pub(super) fn encode(&self, main_before: i64, out: &mut Vec<u8>) {
        put_varint(u64::from(self.slot), out);
        put_varint(self.to - self.from, out);
        put_varint(self.number, out);
        out.extend_from_slice(&self.term.to_le_bytes());
        put_varint(u64::from(self.first.wrapping_add(1)), out);
        put_varint((self.revision.main - main_before) as u64, out);
        put_varint(u64::from(self.revision.sub), out);
        let lies_before = self.dense.map_or(0, |dense| self.from - dense.from + 1);
        put_varint(lies_before, out);
    }

    /// Reads what was encoded, behind a page that ends at `from` and has the revision `before`.
    /// `None` if no page is like that.
    pub(super) fn decode(from: u64, before: Revision, numbers: &mut Numbers<'_>) -> Option<Self> {
        let slot = u32::try_from(numbers.next()?).ok()?;
        let length = numbers.next_below(NUMBER_LIMIT)?;
        let to = from + length;
        let number = numbers.next_below(NUMBER_LIMIT)?;
        let term = numbers.next_u64()?;
        let first = u32::try_from(numbers.next()?).ok()?.wrapping_sub(1);
        let main = before.main + numbers.next_below(NUMBER_LIMIT)? as i64;
        let revision = Revision {
            main,
            sub: u32::try_from(numbers.next()?).ok()?,
        };
        let lies_before = numbers.next()?.checked_sub(1);
        let is_sane = length > 0
            && to < NUMBER_LIMIT
            && (main as u64) < NUMBER_LIMIT
            && revision >= before
            && (first == NO_FIRST || u64::from(first) < length)
            && lies_before.is_none_or(|before| before <= from.min(u64::from(u32::MAX)))
            && (lies_before.is_none() || u32::try_from(length).is_ok());
        if !is_sane {
            return None;
        }
        Some(Self {
            from,
            to,
            slot,
            first,
            number,
            term,
            revision,
            dense: lies_before.map(|before| Dense {
                from: from - before,
                used: before.saturating_add(length).min(u64::from(u32::MAX)) as u32,
            }),
            bytes: None,
        })
    }
}

/// What the page's header says of contents that lie one after the other; kept here so that a read
/// need not go to the header first.
#[derive(Clone, Copy, Debug)]
struct Dense {
    from: u64,
    used: u32,
}

/// All live pages.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pages: Vec<LivePage>,
    /// The sum of the pages' terms: kept, so that a mark costs no pass over the pages.
    census: u64,
}

impl Directory {
    pub(super) fn pages(&self) -> &[LivePage] {
        &self.pages
    }

    pub(super) fn pages_mut(&mut self) -> &mut [LivePage] {
        &mut self.pages
    }

    pub(super) fn last(&self) -> Option<&LivePage> {
        self.pages.last()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut LivePage> {
        self.pages.last_mut()
    }

    /// Where the written log ends.
    pub(super) fn end(&self) -> u64 {
        self.pages.last().map_or(0, |page| page.to)
    }

    pub(super) fn census(&self) -> u64 {
        self.census
    }

    /// The page that answers for `position`, if it is written.
    pub(super) fn at(&self, position: u64) -> Option<&LivePage> {
        self.pages.get(self.index_of(position))
    }

    /// The slot of the page before `position`, for the header of the page that begins there.
    pub(super) fn predecessor_slot(&self, position: u64) -> u32 {
        let index = self.pages.partition_point(|page| page.from < position);
        index
            .checked_sub(1)
            .map_or(NO_SLOT, |index| self.pages[index].slot)
    }

    /// A position at or before the first frame whose revision is at least `revision`, with no more
    /// than one page of frames between them. The end if no page can hold such a frame.
    pub(super) fn seek(&self, revision: Revision) -> Option<u64> {
        // The frame may begin in the page before the first one that begins with or above it, and no
        // earlier: all frames that begin two pages before are below that page's own revision.
        let above = self.pages.partition_point(|page| page.revision < revision);
        self.pages[above.saturating_sub(1)..]
            .iter()
            .find_map(LivePage::first_frame)
    }

    /// A page was written: it takes over its interval, and the log ends at `end`. The slots of pages
    /// that answer for nothing any more are added to `superseded`.
    pub(super) fn replace(&mut self, page: LivePage, end: u64, superseded: &mut Vec<u32>) {
        let first = self.pages.partition_point(|old| old.to <= page.from);
        let mut behind = self.pages.partition_point(|old| old.from < page.to);
        if first < behind && self.pages[first].from < page.from {
            self.pages[first].to = page.from;
        }
        let first = first + usize::from(first < behind && self.pages[first].from < page.from);
        if first < behind && self.pages[behind - 1].to > page.to {
            let rest = &mut self.pages[behind - 1];
            // The caller says where its first frame begins now: see `set_first_frame`.
            rest.first = NO_FIRST;
            rest.from = page.to;
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
    pub(super) fn truncate(
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
    }

    /// Says which is the first frame that begins in the page that answers for what lies from `from`
    /// on; if none does, `before` is the revision of the last one before it.
    pub(super) fn set_first_frame(
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
    pub(super) fn move_page(
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
        self.census = self.census.wrapping_add(page.term);
        old
    }

    /// Appends a page that begins where the last one ends: for recovery, which knows them all.
    pub(super) fn push(&mut self, page: LivePage) {
        debug_assert_eq!(page.from, self.end(), "live pages abut");
        self.census = self.census.wrapping_add(page.term);
        self.pages.push(page);
    }

    /// Says that a frame begins at `position`. To be called in the order of the log; `walked` is how
    /// far the caller has come, and `before` the revision of the frame before this one.
    pub(super) fn note_frame(
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
    pub(super) fn note_end(&mut self, walked: usize, before: Revision) {
        for page in self.pages.iter_mut().skip(walked + 1) {
            page.first = NO_FIRST;
            page.revision = before;
        }
    }

    /// Keeps copies of pages only for the last one.
    pub(super) fn keep_only_the_last_copy(&mut self, share: impl Fn(u32) -> Option<Arc<[u8]>>) {
        let before_the_last = self.pages.len().saturating_sub(1);
        for page in &mut self.pages[..before_the_last] {
            page.bytes = page.bytes.take().and_then(|_| share(page.slot));
        }
    }

    /// Where `note_frame` has to go on for frames from `position` on.
    pub(super) fn index_of(&self, position: u64) -> usize {
        self.pages.partition_point(|page| page.to <= position)
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{Mark, NO_FRAME};
    use super::*;

    #[test]
    fn a_page_answers_for_no_more_than_its_header_says() {
        let header = PageHeader {
            checksum: 7,
            number: 3,
            from: 100,
            to: 200,
            end: 200,
            epoch: 1,
            mark: Mark::default(),
            next_slot: NO_SLOT,
            predecessor_slot: NO_SLOT,
            clean: false,
            sparse: false,
            used: 100,
            first_frame: NO_FRAME,
            pieces: 0,
        };
        let with = |from, to| {
            let before = Revision { main: 0, sub: 0 };
            let mut page = LivePage::new(&header, 5, before);
            (page.from, page.to) = (from, to);
            page.is_of(&header)
        };
        assert!(with(100, 200) && with(120, 180));
        assert!(!with(99, 200) && !with(100, 201));
        let other = PageHeader {
            checksum: 8,
            ..header
        };
        let before = Revision { main: 0, sub: 0 };
        assert!(!LivePage::new(&header, 5, before).is_of(&other));
    }
}
