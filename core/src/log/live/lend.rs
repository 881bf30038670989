//! Pages of the cache that are lent: found with the directory's entry, without a lock and without
//! counting who holds them.
//!
//! A page that comes from a file is lent when a single entry is read from it, and reads then find it
//! as they find a page that lies in memory anyway. It cannot be taken back while anybody reads, so
//! lending stops when its share of the budget is spent; other pages are then found in the [cache],
//! which costs more. Once so many reads had to go there that lending anew is cheaper, all pages are
//! taken back, at the next page write: nobody reads then.
//!
//! [cache]: super::cache

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A page that is lent, or none. What is found in it stays where it is until the log is changed.
#[derive(Debug, Default)]
pub(in crate::log) struct Lent(spin::Once<Arc<[u8]>>);

impl Lent {
    #[inline]
    pub(in crate::log) fn bytes(&self) -> Option<&Arc<[u8]>> {
        self.0.get()
    }

    /// Lends a page, unless another reader has just done so.
    pub(in crate::log) fn fill(&self, page: &Arc<[u8]>) {
        self.0.call_once(|| Arc::clone(page));
    }
}

/// A copy of an entry of the directory borrows nothing.
impl Clone for Lent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Counts what is lent.
#[derive(Debug)]
pub(in crate::log) struct Lender {
    pages_limit: usize,
    /// How often there was a page to lend since the last time that all were taken back; those beyond
    /// the limit were not lent.
    asked: AtomicUsize,
}

impl Lender {
    /// Divides a budget: what may be lent, and what is left for the cache.
    pub(in crate::log) fn with_part_of(budget_bytes: usize, page_size: usize) -> (Self, usize) {
        let pages_limit = budget_bytes / page_size * 3 / 4;
        let lender = Self {
            pages_limit,
            asked: AtomicUsize::new(0),
        };
        (lender, budget_bytes - pages_limit * page_size)
    }

    /// Whether one more page may be lent, which then counts as lent.
    pub(in crate::log) fn has_room(&self) -> bool {
        self.asked.fetch_add(1, Relaxed) < self.pages_limit
    }

    /// Whether so many reads found no room that lending anew is worth a pass over `pages` pages.
    pub(in crate::log) fn is_outrun(&self, pages: usize) -> bool {
        let refused = self.asked.load(Relaxed).saturating_sub(self.pages_limit);
        self.pages_limit > 0 && refused > pages.max(self.pages_limit)
    }

    /// All pages were taken back.
    pub(in crate::log) fn begin_anew(&mut self) {
        *self.asked.get_mut() = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_lent_than_the_budget_allows() {
        let (lender, rest) = Lender::with_part_of(8 * 512 + 511, 512);
        assert_eq!(rest, 2 * 512 + 511);
        assert_eq!((0..20).filter(|_| lender.has_room()).count(), 6);
    }

    #[test]
    fn lending_begins_anew_only_after_more_refusals_than_there_are_pages() {
        let (mut lender, _) = Lender::with_part_of(4 * 512, 512);
        assert!((0..3).all(|_| lender.has_room()));
        for refused in 0..=10 {
            assert!(!lender.is_outrun(10), "after {refused} refusals");
            assert!(!lender.has_room());
        }
        assert!(lender.is_outrun(10) && !lender.is_outrun(11));
        lender.begin_anew();
        assert!(!lender.is_outrun(0));
    }
}
