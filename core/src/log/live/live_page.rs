//! A page that the log consists of: what it answers for, and where its bytes are in memory.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::lend::Lent;
use crate::log::format::layout::{HEADER_BYTES, NUMBER_LIMIT, PageHeader};
use crate::log::format::varint::{Numbers, put_varint};
use crate::page::MAX_PAGE_SIZE;
use crate::revision::Revision;

/// No frame begins in the page.
pub(super) const NO_FIRST: u32 = u32::MAX;
/// The contents of the page are pieces, of which a table says where they are.
const SPARSE: u32 = u32::MAX;

/// A page that the log consists of. What a read in memory needs comes first, so that it lies in one
/// cache line.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(in crate::log) struct LivePage {
    /// The positions that it answers for: its own interval, less what newer pages took over.
    pub(in crate::log) from: u64,
    pub(in crate::log) to: u64,
    /// Bytes of contents that newer pages took over at its front, if it is dense.
    before: u32,
    pub(in crate::log) slot: u32,
    /// The page itself, where that costs no copy, or where the slot may be written again while it
    /// is still wanted.
    pub(in crate::log) bytes: Option<Arc<[u8]>>,
    /// Or as it came from the page store.
    pub(in crate::log) lent: Lent,
    /// Where the first frame begins in it, counted from `from`.
    pub(in crate::log) first: u32,
    pub(in crate::log) number: u64,
    /// What it adds to the census, and by which it is recognised when it is read again.
    pub(in crate::log) term: u64,
    /// The revision of the first frame that begins in the page; if none does, of the last one that
    /// began before. Never falls from page to page.
    pub(in crate::log) revision: Revision,
}

impl LivePage {
    pub(in crate::log) fn new(header: &PageHeader, slot: u32, inherited: Revision) -> Self {
        Self {
            from: header.from,
            to: header.to,
            before: if header.sparse { SPARSE } else { 0 },
            slot,
            bytes: None,
            lent: Lent::default(),
            first: NO_FIRST,
            number: header.number,
            term: header.census_term(),
            revision: inherited,
        }
    }

    #[inline]
    pub(super) fn is_at(&self, position: u64) -> bool {
        self.from <= position && position < self.to
    }

    /// The bytes from a position on that the page answers for, if it is in memory and they lie there
    /// in one piece.
    #[inline]
    pub(in crate::log) fn bytes_at(&self, position: u64) -> Option<&[u8]> {
        let page = self.bytes.as_ref().or_else(|| self.lent.bytes())?;
        if !self.is_dense() {
            return None;
        }
        let place =
            |position: u64| HEADER_BYTES + self.before as usize + (position - self.from) as usize;
        page.get(place(position)..place(self.to))
    }

    /// Whether it is in memory.
    pub(in crate::log) fn is_here(&self) -> bool {
        self.bytes.is_some() || self.lent.bytes().is_some()
    }

    /// Whether it would be found sooner if it were lent.
    pub(in crate::log) fn can_be_lent(&self) -> bool {
        !self.is_here() && self.is_dense()
    }

    /// Whether its contents lie in one piece.
    #[inline]
    pub(super) fn is_dense(&self) -> bool {
        self.before != SPARSE
    }

    /// Newer pages take over what lies outside of these positions. If that is the front, the caller
    /// says where the first frame begins now.
    pub(in crate::log) fn keep_only(&mut self, from: u64, to: u64) {
        if self.from < from {
            if self.is_dense() {
                // No page has more bytes than a u32 can say.
                self.before += (from - self.from) as u32;
            }
            self.first = NO_FIRST;
        }
        (self.from, self.to) = (from, to);
    }

    /// Whether this is the header of the page, which stands for all that it answers for.
    pub(in crate::log) fn is_of(&self, header: &PageHeader) -> bool {
        header.census_term() == self.term
            && header.from <= self.from
            && self.to <= header.to
            && header.sparse != self.is_dense()
            && (header.sparse || u64::from(self.before) == self.from - header.from)
    }

    /// The position of the first frame that begins in the page.
    pub(in crate::log) fn first_frame(&self) -> Option<u64> {
        (self.first != NO_FIRST).then(|| self.from + u64::from(self.first))
    }

    /// A newer version of this page begins with the same frames.
    pub(in crate::log) fn inherit(&mut self, older: &Self) {
        self.first = older.first;
        self.revision = older.revision;
    }

    pub(in crate::log) fn set_first_frame(&mut self, position: u64, revision: Revision) {
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
    pub(in crate::log) fn encode(&self, main_before: i64, out: &mut Vec<u8>) {
        put_varint(u64::from(self.slot), out);
        put_varint(self.to - self.from, out);
        put_varint(self.number, out);
        out.extend_from_slice(&self.term.to_le_bytes());
        put_varint(u64::from(self.first.wrapping_add(1)), out);
        put_varint((self.revision.main - main_before) as u64, out);
        put_varint(u64::from(self.revision.sub), out);
        let lies_before = match self.before {
            SPARSE => 0,
            before => u64::from(before) + 1,
        };
        put_varint(lies_before, out);
    }

    /// Reads what was encoded, behind a page that ends at `from` and has the revision `before`.
    /// `None` if no page is like that.
    pub(in crate::log) fn decode(
        from: u64,
        before: Revision,
        numbers: &mut Numbers<'_>,
    ) -> Option<Self> {
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
        let lies_before = match numbers.next()? {
            0 => SPARSE,
            more => u32::try_from(more - 1).ok()?,
        };
        let is_sane = length > 0
            && to < NUMBER_LIMIT
            && (main as u64) < NUMBER_LIMIT
            && revision >= before
            && (first == NO_FIRST || u64::from(first) < length)
            && (lies_before == SPARSE
                || (u64::from(lies_before) <= from
                    && u64::from(lies_before) + length <= MAX_PAGE_SIZE as u64));
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
            before: lies_before,
            lent: Lent::default(),
            bytes: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::format::layout::{Mark, NO_FRAME, NO_SLOT};

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
            page.keep_only(from, to);
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
        let mut misled = LivePage::new(&header, 5, before);
        misled.before = 1;
        assert!(!misled.is_of(&header));
        misled.before = SPARSE;
        assert!(!misled.is_of(&header));
    }
}
