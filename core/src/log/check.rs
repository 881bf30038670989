//! Verifying everything, from what is in the page store now.

use alloc::format;
use alloc::vec;

use super::handle::{Log, NEVER};
use super::header::{self, COPIES};
use super::layout::PageHeader;
use super::pieces::{self, Run};
use super::reader::Source;
use crate::error::{Error, Result};
use crate::page::PageStore;

impl<P: PageStore> Log<P> {
    /// Reads every live page from the page store, whatever is cached, and all entries. The error
    /// names the first page that is broken. Changes nothing.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_header_copies()?;
        let mut position = 0;
        for live in self.written_pages() {
            if live.from != position {
                return Err(Error::Corrupt {
                    page: live.slot,
                    what: format!("the log ends at {position} and goes on at {}", live.from),
                });
            }
            position = live.to;
            let page = self.page(live, Source::Afresh)?;
            let header = PageHeader::fields(&page);
            let whole = header.from == live.from && header.to == live.to;
            let named = (header.first_frame as usize).checked_add(super::layout::HEADER_BYTES);
            if let Some(first) = live.first_frame().filter(|_| whole) {
                let is_named = matches!(pieces::find(&page, first), Run::Bytes(range) if Some(range.start) == named);
                if !is_named {
                    return Err(Error::Corrupt {
                        page: live.slot,
                        what: format!("its header does not name its first entry, at {first}"),
                    });
                }
            }
        }
        self.check_entries()
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
    fn check_entries(&self) -> Result<()> {
        let mut position = 0;
        let mut before = NEVER;
        while let Some(frame) = self.frame_at(position, self.readable_end, Source::Cached)? {
            let revision = frame.stored.entry().revision;
            if revision <= before {
                return Err(self.corrupt_at(
                    frame.position,
                    "an entry is not newer than the one before it",
                ));
            }
            before = revision;
            position = frame.next;
        }
        if position == self.readable_end || self.newest.is_none_or(|newest| newest == before) {
            return Ok(());
        }
        Err(self.corrupt_at(position, "entries are missing"))
    }

    /// The live pages that are where they were. A reader's last page is not: its slot belongs to the
    /// writer again.
    fn written_pages(&self) -> impl Iterator<Item = &super::directory::LivePage> {
        let pages = self.directory.pages();
        let count = pages.len() - usize::from(self.read_only && !pages.is_empty());
        pages[..count].iter()
    }
}
