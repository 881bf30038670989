//! A page made of parts of other pages: what reclaiming writes.

use alloc::vec::Vec;

use crate::log::format::layout::{HEADER_BYTES, NO_FRAME};
use crate::log::format::pieces::ROW_BYTES;
use crate::revision::Revision;

/// No interval is longer than a row of the table can say, with room for one more entry behind it.
const LONGEST_INTERVAL: u64 = 1 << 30;

/// Parts of the log that are going to be one page, in the order of their positions.
#[derive(Debug)]
pub(in crate::log) struct Gathered {
    /// Where the page's interval begins.
    from: u64,
    /// The position behind the last byte that was added.
    end: u64,
    bytes: Vec<u8>,
    /// Where each piece begins: its position, and its place in `bytes`.
    pieces: Vec<(u64, usize)>,
    /// The first frame that begins here, and its place in `bytes`.
    first: Option<(u64, Revision, usize)>,
    /// The revision of the last frame that began before this page, as far as one is known.
    inherited: Revision,
}

/// How the contents of a page are to be described in its header.
pub(in crate::log) struct Contents {
    pub(in crate::log) sparse: bool,
    pub(in crate::log) used: u32,
    pub(in crate::log) first_frame: u32,
    pub(in crate::log) pieces: u32,
}

impl Gathered {
    pub(in crate::log) fn new(from: u64, inherited: Revision) -> Self {
        Self {
            from,
            end: from,
            bytes: Vec::new(),
            pieces: Vec::new(),
            first: None,
            inherited,
        }
    }

    pub(in crate::log) fn from(&self) -> u64 {
        self.from
    }

    /// Bytes of contents, with the table.
    pub(in crate::log) fn used(&self) -> usize {
        self.pieces.len() * ROW_BYTES + self.bytes.len()
    }

    /// The first frame that begins here.
    pub(in crate::log) fn first(&self) -> Option<(u64, Revision)> {
        self.first
            .map(|(position, revision, _)| (position, revision))
    }

    pub(in crate::log) fn inherited(&self) -> Revision {
        self.inherited
    }

    /// How many bytes from `position` on can still be added to a page of this capacity.
    pub(in crate::log) fn room(&self, position: u64, capacity: usize) -> usize {
        if self.is_too_long(position) {
            return 0;
        }
        let row = if self.continues(position) {
            0
        } else {
            ROW_BYTES
        };
        capacity.saturating_sub(self.used() + row)
    }

    /// Whether the interval must not reach beyond `position` by more than one entry.
    pub(super) fn is_too_long(&self, position: u64) -> bool {
        position - self.from > LONGEST_INTERVAL
    }

    /// Adds bytes of the log. There is room for them, and they lie behind all that was added.
    pub(in crate::log) fn add(&mut self, position: u64, bytes: &[u8]) {
        debug_assert!(position >= self.end && !bytes.is_empty());
        if !self.continues(position) {
            self.pieces.push((position, self.bytes.len()));
        }
        self.bytes.extend_from_slice(bytes);
        self.end = position + bytes.len() as u64;
    }

    /// Says that the bytes to be added at `position` are the beginning of a frame.
    pub(in crate::log) fn begin_frame(&mut self, position: u64, revision: Revision) {
        if self.first.is_none() {
            self.first = Some((position, revision, self.bytes.len()));
        }
    }

    /// A byte that was added, if it is here.
    pub(super) fn byte_mut(&mut self, position: u64) -> Option<&mut u8> {
        let row = self.pieces.partition_point(|&(from, _)| from <= position);
        let (from, place) = self.pieces[..row].last()?;
        let place = place + usize::try_from(position - from).ok()?;
        let behind = self.pieces.get(row).map_or(self.bytes.len(), |next| next.1);
        self.bytes[..behind].get_mut(place)
    }

    /// Lays the contents out in a blank page that stands for `[from, to)`. Contents without a gap
    /// need no table.
    pub(super) fn lay_out(&self, to: u64, page: &mut [u8]) -> Contents {
        let dense = self.bytes.len() as u64 == to - self.from;
        let rows = if dense { 0 } else { self.pieces.len() };
        let table = rows * ROW_BYTES;
        let contents = &mut page[HEADER_BYTES..];
        for (row, &(position, place)) in contents
            .chunks_exact_mut(ROW_BYTES)
            .zip(&self.pieces[..rows])
        {
            // Both fit: see `LONGEST_INTERVAL`, and no page is longer than 64 KiB.
            row[..4].copy_from_slice(&((position - self.from) as u32).to_le_bytes());
            row[4..].copy_from_slice(&((table + place) as u16).to_le_bytes());
        }
        contents[table..table + self.bytes.len()].copy_from_slice(&self.bytes);
        Contents {
            sparse: !dense,
            used: (table + self.bytes.len()) as u32,
            first_frame: self
                .first
                .map_or(NO_FRAME, |(_, _, place)| (table + place) as u32),
            pieces: rows as u32,
        }
    }

    fn continues(&self, position: u64) -> bool {
        position == self.end && !self.bytes.is_empty()
    }
}
