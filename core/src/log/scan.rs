//! Reading history in order, from a revision on.

use alloc::string::String;
use core::ops::ControlFlow;

use super::handle::{Log, Position};
use super::header::COPIES;
use super::reader::{Source, Stored};
use super::record::Entry;
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::revision::Revision;

/// A place in the log that moves on as it is read. It borrows nothing: the log may grow meanwhile,
/// and the scan goes on with what was added.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    from: Revision,
    /// `None` before the first call.
    position: Option<u64>,
}

impl Scan {
    /// The next entry, or `None` if there is none yet.
    pub(crate) fn next<P: PageStore>(
        &mut self,
        log: &Log<P>,
    ) -> Result<Option<(Position, Stored)>> {
        let mut position = self.position.unwrap_or_else(|| log.seek(self.from));
        while let Some(frame) = log.frame_at(position, log.readable_end, Source::Cached)? {
            position = frame.next;
            if frame.stored.entry().revision >= self.from {
                self.position = Some(position);
                return Ok(Some((Position(frame.position), frame.stored)));
            }
        }
        self.position = Some(position);
        Ok(None)
    }

    /// Shows the next entries until `visit` breaks off or there are none yet; goes on behind the last
    /// that was shown. Entries in one piece are read where they lie, a page of them at a time.
    pub(crate) fn visit<P: PageStore>(
        &mut self,
        log: &Log<P>,
        visit: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        loop {
            let mut reached = self.position.unwrap_or_else(|| log.seek(self.from));
            let mut flow = ControlFlow::Continue(());
            log.visit_together(reached, log.readable_end, |next, entry| {
                reached = next;
                if entry.revision >= self.from {
                    flow = visit(entry);
                }
                flow.is_continue()
            })?;
            self.position = Some(reached);
            if flow.is_break() {
                return Ok(());
            }
            match self.next(log)? {
                Some((_, stored)) if visit(&stored.entry()).is_continue() => {}
                _ => return Ok(()),
            }
        }
    }
}

impl<P: PageStore> Log<P> {
    /// Entries with revisions from `from` on, in their order; those that are not written yet too.
    #[expect(clippy::unused_self, reason = "a scan belongs to a log")]
    pub(crate) fn scan(&self, from: Revision) -> Scan {
        Scan {
            from,
            position: None,
        }
    }

    /// Where a scan has to begin: at a frame.
    fn seek(&self, from: Revision) -> u64 {
        let in_pages = self.directory.seek(from);
        let in_tail = || self.tail.first().map(|(position, _)| position);
        in_pages.or_else(in_tail).unwrap_or(self.readable_end)
    }

    /// The damage that was found in the entry at a position.
    pub(crate) fn corrupt_entry(&self, position: Position, what: String) -> Error {
        self.corrupt_at(position.0, what)
    }

    /// The slot of the last page, or the first there could be.
    pub(crate) fn last_slot(&self) -> u32 {
        self.directory.last().map_or(COPIES, |page| page.slot)
    }
}
