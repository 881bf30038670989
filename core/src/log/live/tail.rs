//! The page that is being filled.

use alloc::vec;
use alloc::vec::Vec;

use crate::log::format::layout::HEADER_BYTES;
use crate::revision::Revision;

/// The end of the log, in memory until it is written. Always dense.
#[derive(Debug)]
pub(in crate::log) struct Tail {
    /// The position of its first byte.
    from: u64,
    /// The whole page; what is not filled is zero, up to where earlier contents lie.
    page: Vec<u8>,
    /// Bytes of contents that the page had before it was turned, if there may be such behind what is
    /// filled.
    stale: usize,
    /// Bytes of contents, and how many of them are in the version that was written last.
    filled: usize,
    written: usize,
    /// The first frame that begins here.
    first: Option<(u64, Revision)>,
    /// The revision of the last frame that began before this page.
    inherited: Revision,
    /// The last entry that was added does not end its transaction.
    pub(in crate::log) is_within_transaction: bool,
}

impl Tail {
    pub(in crate::log) fn new(page_size: usize, from: u64, inherited: Revision) -> Self {
        Self {
            from,
            page: vec![0; page_size],
            stale: 0,
            filled: 0,
            written: 0,
            first: None,
            inherited,
            is_within_transaction: false,
        }
    }

    /// Goes on with a page that was written before and is not full.
    pub(in crate::log) fn resume(&mut self, contents: &[u8], first: Option<(u64, Revision)>) {
        self.page[HEADER_BYTES..][..contents.len()].copy_from_slice(contents);
        self.filled = contents.len();
        self.written = contents.len();
        self.first = first;
    }

    /// The next page begins where this one ends.
    pub(in crate::log) fn turn(&mut self, inherited: Revision) {
        self.from = self.end();
        self.stale = self.stale.max(self.filled);
        self.filled = 0;
        self.written = 0;
        self.first = None;
        self.inherited = inherited;
    }

    pub(in crate::log) fn from(&self) -> u64 {
        self.from
    }

    pub(in crate::log) fn end(&self) -> u64 {
        self.from + self.filled as u64
    }

    pub(in crate::log) fn filled(&self) -> usize {
        self.filled
    }

    pub(in crate::log) fn is_full(&self) -> bool {
        HEADER_BYTES + self.filled == self.page.len()
    }

    pub(in crate::log) fn has_unwritten(&self) -> bool {
        self.filled > self.written
    }

    pub(in crate::log) fn set_written(&mut self) {
        self.written = self.filled;
    }

    /// As it was sealed.
    pub(in crate::log) fn page(&self) -> &[u8] {
        &self.page
    }

    /// To be sealed: what is not filled is zero from now on. It is not made so earlier, because most
    /// pages are full when they are written.
    pub(in crate::log) fn page_to_seal(&mut self) -> &mut [u8] {
        if self.filled < self.stale {
            self.page[HEADER_BYTES..][self.filled..self.stale].fill(0);
        }
        self.stale = 0;
        &mut self.page
    }

    /// The contents from `position` on, which is not before this page.
    pub(in crate::log) fn bytes_from(&self, position: u64) -> &[u8] {
        let contents = &self.page[HEADER_BYTES..HEADER_BYTES + self.filled];
        usize::try_from(position - self.from)
            .ok()
            .and_then(|at| contents.get(at..))
            .unwrap_or(&[])
    }

    pub(in crate::log) fn first(&self) -> Option<(u64, Revision)> {
        self.first
    }

    pub(in crate::log) fn inherited(&self) -> Revision {
        self.inherited
    }

    /// A frame begins at the end.
    pub(in crate::log) fn begin_frame(&mut self, revision: Revision) {
        if self.first.is_none() {
            self.first = Some((self.end(), revision));
        }
    }

    /// Appends what fits and says how much that was.
    pub(in crate::log) fn push(&mut self, bytes: &[u8]) -> usize {
        let room = self.room_mut();
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.add(count);
        count
    }

    /// What is not filled yet.
    #[inline]
    pub(in crate::log) fn room_mut(&mut self) -> &mut [u8] {
        &mut self.page[HEADER_BYTES + self.filled..]
    }

    /// So many bytes of the room are filled now.
    #[inline]
    pub(in crate::log) fn add(&mut self, bytes: usize) {
        self.filled += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_filled_is_zero_in_every_page_that_is_sealed() {
        let revision = Revision::first_of(2);
        let mut tail = Tail::new(HEADER_BYTES + 8, 0, revision);
        // Each line is a page: what is added before each time that it is sealed.
        let pages: [&[&[u8]]; 6] = [
            &[&[7; 8]],
            &[&[1, 1], &[2], &[3; 5]],
            &[],
            &[&[4; 3]],
            &[&[5], &[6]],
            &[&[8, 8, 8, 8]],
        ];
        for parts in pages {
            let mut expected = Vec::new();
            for part in parts {
                tail.push(part);
                expected.extend_from_slice(part);
                let mut page = expected.clone();
                page.resize(8, 0);
                assert_eq!(tail.page_to_seal()[HEADER_BYTES..], page);
            }
            tail.turn(revision);
        }
    }
}
