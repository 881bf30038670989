//! The state of the log as a fold over numbered page writes.
//!
//! Each write takes over its interval from older ones and says where the log then ends. What is
//! left, in the order of positions, is the live set.

use alloc::collections::BTreeMap;

use crate::log::format::layout::PageHeader;

/// A part of the log and the page that answers for it: `page` is an index of the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) struct Segment {
    pub(in crate::log) from: u64,
    pub(in crate::log) to: u64,
    pub(in crate::log) page: usize,
}

/// The fold so far. Gaps may come and go: pages that were superseded long ago may be missing.
#[derive(Debug, Default)]
pub(in crate::log) struct Overlay {
    /// By `from`; no two overlap.
    segments: BTreeMap<u64, (u64, usize)>,
    end: u64,
}

impl Overlay {
    /// Where the newest write said that the log ends.
    pub(in crate::log) fn end(&self) -> u64 {
        self.end
    }

    /// Applies a write. Writes are to be applied in the order of their numbers.
    pub(super) fn apply(&mut self, header: &PageHeader, page: usize) {
        if header.from < header.to {
            self.clear(header.from, header.to);
            self.segments.insert(header.from, (header.to, page));
        }
        self.truncate(header.end);
    }

    /// The log ends here.
    pub(in crate::log) fn truncate(&mut self, end: u64) {
        self.end = end;
        self.clear(end, u64::MAX);
    }

    pub(in crate::log) fn segments(&self) -> impl Iterator<Item = Segment> {
        self.segments
            .iter()
            .map(|(&from, &(to, page))| Segment { from, to, page })
    }

    /// The first position below the end that no page answers for.
    pub(in crate::log) fn gap(&self) -> Option<u64> {
        let mut position = 0;
        for segment in self.segments() {
            if segment.from != position {
                return Some(position);
            }
            position = segment.to;
        }
        (position != self.end).then_some(position)
    }

    fn clear(&mut self, from: u64, to: u64) {
        // As long as the log only grows there is nothing to take over.
        let last = self.segments.last_key_value();
        if last.is_none_or(|(_, &(end, _))| end <= from) {
            return;
        }
        if let Some((&start, &(end, page))) = self.segments.range(..from).next_back() {
            if end > from {
                self.segments.insert(start, (from, page));
            }
            if end > to {
                self.segments.insert(to, (end, page));
            }
        }
        while let Some((&start, &(end, page))) = self.segments.range(from..to).next() {
            self.segments.remove(&start);
            if end > to {
                self.segments.insert(to, (end, page));
            }
        }
    }
}
