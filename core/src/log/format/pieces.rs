//! Where in a page a position of the log lies.
//!
//! The contents of a dense page are the bytes of its interval, one after the other. A sparse page
//! holds only pieces of its interval, because the rest was reclaimed. Its contents begin with a
//! table that has a row per piece, in order:
//!
//! ```text
//! row = where the piece begins, counted from the page's `from` (u32) | where in the contents (u16)
//! ```
//!
//! A piece reaches to where the next one begins in the contents. What lies between two pieces in the
//! log is a gap: no live frame begins there.

use core::ops::Range;

use super::layout::{HEADER_BYTES, PageHeader, get_u32};

const ROW_DELTA: usize = 0;
const ROW_OFFSET: usize = ROW_DELTA + size_of::<u32>();
/// Bytes that a piece costs besides its own.
pub(in crate::log) const ROW_BYTES: usize = ROW_OFFSET + size_of::<u16>();

/// What a page has at a position of its interval.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::log) enum Run {
    /// The bytes from that position on, as a part of the page.
    Bytes(Range<usize>),
    /// Nothing up to this position, which is the next piece's or the end of the interval.
    Gap(u64),
}

struct Piece {
    from: u64,
    bytes: Range<usize>,
}

impl Piece {
    fn to(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }
}

/// Finds `position`, which lies in the interval of this verified page.
pub(in crate::log) fn find(page: &[u8], position: u64) -> Run {
    let header = PageHeader::fields(page);
    let contents = &page[HEADER_BYTES..];
    if !header.sparse {
        let start = HEADER_BYTES + (position - header.from) as usize;
        return Run::Bytes(start..HEADER_BYTES + header.used as usize);
    }
    let rows = header.pieces as usize;
    // The number of pieces that begin at or before the position.
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = usize::midpoint(low, high);
        if piece(&header, contents, middle).from <= position {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if let Some(row) = low.checked_sub(1) {
        let holder = piece(&header, contents, row);
        if position < holder.to() {
            let start = holder.bytes.start + (position - holder.from) as usize;
            return Run::Bytes(HEADER_BYTES + start..HEADER_BYTES + holder.bytes.end);
        }
    }
    Run::Gap(if low < rows {
        piece(&header, contents, low).from
    } else {
        header.to
    })
}

/// Whether the table is one: pieces in order, none empty, none overlapping, none beyond the page.
pub(super) fn are_sane(header: &PageHeader, contents: &[u8]) -> bool {
    let rows = header.pieces as usize;
    let used = header.used as usize;
    let fits = rows
        .checked_mul(ROW_BYTES)
        .is_some_and(|table| table <= used);
    if !fits || header.to - header.from > u64::from(u32::MAX) {
        return false;
    }
    let mut position = header.from;
    let mut offset = rows * ROW_BYTES;
    for row in 0..rows {
        let bounds = bounds(header, contents, row);
        if bounds.start != offset || bounds.start >= bounds.end || bounds.end > used {
            return false;
        }
        let piece = piece(header, contents, row);
        if piece.from < position || piece.to() > header.to {
            return false;
        }
        position = piece.to();
        offset = bounds.end;
    }
    offset == used
}

fn piece(header: &PageHeader, contents: &[u8], row: usize) -> Piece {
    let delta = get_u32(contents, row * ROW_BYTES + ROW_DELTA);
    Piece {
        from: header.from + u64::from(delta),
        bytes: bounds(header, contents, row),
    }
}

fn bounds(header: &PageHeader, contents: &[u8], row: usize) -> Range<usize> {
    let start = offset(contents, row);
    let end = if row + 1 < header.pieces as usize {
        offset(contents, row + 1)
    } else {
        header.used as usize
    };
    start..end
}

fn offset(contents: &[u8], row: usize) -> usize {
    let at = row * ROW_BYTES + ROW_OFFSET;
    usize::from(u16::from_le_bytes([contents[at], contents[at + 1]]))
}
