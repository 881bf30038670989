//! Verifying everything, from what is in the page store now.

use alloc::format;
use alloc::vec;

use super::frames::Frames;
use super::reader::Source;
use crate::error::{Error, Result};
use crate::log::format::header::{self, COPIES};
use crate::log::format::layout::PageHeader;
use crate::log::format::pieces::{self, Run};
use crate::log::format::record::Entry;
use crate::log::handle::{Log, NEVER, Position};
use crate::log::live::live_page::LivePage;
use crate::log::open::opening::Progress;
use crate::page::PageStore;
use crate::revision::Revision;

/// Is shown the entries of the log, in order, each with its position.
pub(crate) type EntryVisitor<'a> = dyn FnMut(Position, &Entry<'_>) -> Result<()> + 'a;

/// A check that is under way: first of the pages, then of the entries. The log may grow meanwhile,
/// and what is added is checked too.
#[derive(Clone, Debug)]
pub(crate) struct Checking {
    /// The pages before this position were read.
    pages: u64,
    /// The entries before this position were, and the revision of the last.
    entries: u64,
    before: Revision,
    has_begun: bool,
}

impl Checking {
    pub(crate) fn begin() -> Self {
        Self {
            pages: 0,
            entries: 0,
            before: NEVER,
            has_begun: false,
        }
    }
}

impl<P: PageStore> Log<P> {
    /// Reads every live page from the page store, whatever is cached, and all entries. The error
    /// names the first page that is broken. Changes nothing.
    #[cfg(test)]
    pub(crate) fn check(&self) -> Result<()> {
        let mut checking = Checking::begin();
        while !self.check_on(&mut checking, usize::MAX, &mut |_, _| Ok(()))? {}
        Ok(())
    }

    /// Goes on with a check until about `budget_bytes` more were read. Answers whether that was all.
    /// Shows each entry to `visit`, which may have more to find fault with.
    pub(crate) fn check_on(
        &self,
        checking: &mut Checking,
        budget_bytes: usize,
        visit: &mut EntryVisitor<'_>,
    ) -> Result<bool> {
        if !checking.has_begun {
            self.check_header_copies()?;
            checking.has_begun = true;
        }
        let mut left = budget_bytes.max(1);
        while let Some(live) = self.written_page_at(checking.pages) {
            if left == 0 {
                return Ok(false);
            }
            if live.from > checking.pages {
                return Err(Error::Corrupt {
                    page: live.slot,
                    what: format!(
                        "the log ends at {} and goes on at {}",
                        checking.pages, live.from
                    ),
                });
            }
            self.check_page(live)?;
            checking.pages = live.to;
            left = left.saturating_sub(self.identity.page_size);
        }
        // What no page has yet is among the entries.
        checking.pages = checking.pages.max(self.readable_end);
        self.check_entries(checking, left, visit)
    }

    /// How much of a check was done: bytes of the log, each of which is read twice.
    pub(crate) fn progress_of(&self, checking: &Checking) -> Progress {
        let end = self.readable_end;
        Progress {
            done: checking.pages.min(end) + checking.entries.min(end),
            total: 2 * end,
        }
    }

    fn check_page(&self, live: &LivePage) -> Result<()> {
        let page = self.page(live, Source::Afresh)?;
        let header = PageHeader::fields(&page);
        let whole = header.from == live.from && header.to == live.to;
        let named =
            (header.first_frame as usize).checked_add(crate::log::format::layout::HEADER_BYTES);
        let Some(first) = live.first_frame().filter(|_| whole) else {
            return Ok(());
        };
        if matches!(pieces::find(&page, first), Run::Bytes(range) if Some(range.start) == named) {
            return Ok(());
        }
        Err(Error::Corrupt {
            page: live.slot,
            what: format!("its header does not name its first entry, at {first}"),
        })
    }

    fn check_header_copies(&self) -> Result<()> {
        let mut page = vec![0; self.identity.page_size];
        for copy in 0..COPIES {
            self.pages.read(copy, &mut page)?;
            if !header::is_copy(&page, self.identity) {
                return Err(Error::Corrupt {
                    page: copy,
                    what: "this copy of the header is damaged".into(),
                });
            }
        }
        Ok(())
    }

    /// Every page was just read afresh and is the one that the directory knows, so the entries may
    /// come from copies of it.
    fn check_entries(
        &self,
        checking: &mut Checking,
        budget_bytes: usize,
        visit: &mut EntryVisitor<'_>,
    ) -> Result<bool> {
        let stop = checking.entries.saturating_add(budget_bytes as u64);
        while checking.entries < stop {
            let frame = self.frame_at(checking.entries, self.readable_end)?;
            let Some(frame) = frame else {
                let is_all = checking.entries == self.readable_end
                    || self.newest.is_none_or(|newest| newest == checking.before);
                if !is_all {
                    return Err(self.corrupt_at(checking.entries, "entries are missing"));
                }
                checking.entries = self.readable_end;
                return Ok(true);
            };
            let entry = frame.stored.entry();
            let revision = entry.revision;
            if revision <= checking.before {
                return Err(self.corrupt_at(
                    frame.position,
                    "an entry is not newer than the one before it",
                ));
            }
            visit(Position(frame.position), &entry)?;
            checking.before = revision;
            checking.entries = frame.next;
        }
        Ok(false)
    }

    /// The live page at a position, if it is where it was. A reader's last page is not: its slot
    /// belongs to the writer again.
    fn written_page_at(&self, position: u64) -> Option<&LivePage> {
        let live = self.directory.at(position)?;
        let is_last = self.directory.last().is_some_and(|last| last.to == live.to);
        Some(live).filter(|_| !(self.read_only && is_last))
    }
}
