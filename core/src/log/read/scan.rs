//! Reading history in order, from a revision on.

use alloc::string::String;
use core::ops::ControlFlow;

use super::frames::Frames;
use super::reader::Stored;
use crate::error::{Error, Result};
use crate::log::format::header::COPIES;
use crate::log::handle::{Log, Position};
use crate::page::PageStore;
use crate::record::Change;
use crate::revision::Revision;

/// A place in the log that moves on as it is read. It borrows nothing: the log may grow meanwhile,
/// and the scan goes on with what was added.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    from: Revision,
    position: u64,
}

impl Scan {
    /// The next entry, or `None` if there is none yet.
    pub(crate) fn next(&mut self, log: &impl Frames) -> Result<Option<(Position, Stored)>> {
        while let Some(frame) = log.frame_at(self.position, log.readable_end())? {
            self.position = frame.next;
            if frame.stored.entry().revision >= self.from {
                return Ok(Some((Position(frame.position), frame.stored)));
            }
        }
        Ok(None)
    }

    /// Where it goes on.
    pub(crate) fn position(&self) -> Position {
        Position(self.position)
    }

    /// Shows the next entries until `visit` breaks off or there are none yet; goes on behind the last
    /// that was shown. Entries are read where they lie, a page of them at a time.
    pub(crate) fn visit(
        &mut self,
        log: &impl Frames,
        mut visit: impl FnMut(Revision, Option<Change<'_>>) -> ControlFlow<()>,
    ) -> Result<()> {
        let from = self.from;
        let flow = log.visit_changes(&mut self.position, |revision, change| {
            if revision < from {
                return ControlFlow::Continue(());
            }
            visit(revision, change)
        })?;
        if flow.is_continue() {
            // Either this is the end, or the error says what the damage is; or a writer at work has moved
            // pages meanwhile.
            let more = log.frame_at(self.position, log.readable_end())?;
            if more.is_some() {
                return Err(log.corrupt_at(self.position, "an entry was not there at first"));
            }
        }
        Ok(())
    }
}

impl<P: PageStore> Log<P> {
    /// Entries with revisions from `from` on, in their order; those that are not written yet too.
    pub(crate) fn scan(&self, from: Revision) -> Scan {
        Scan {
            from,
            position: self.seek(from),
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
