//! Reading history beside the store: the changes between two revisions, while it goes on changing.

use core::ops::ControlFlow;

use super::history::{event_of, show_change};
use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::log::{Position, Scan, Window};
use crate::page::PageStore;
use crate::record::{Event, EventKind, KeyValue, KeyValueRef};
use crate::revision::Revision;

/// Changes that are being read, a window of the log at a time. To open a window takes the store for a
/// moment; to read what lies in it takes nothing of it.
///
/// What compaction takes meanwhile may or may not be found. What lies behind the compact revision at
/// the end was all found.
pub(crate) struct Reading<P> {
    scan: Scan,
    to: i64,
    window: Window<P>,
    window_bytes: usize,
}

/// How far a reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The visitor broke off, or there is no more.
    All,
    /// The window ends here: open the next one.
    ToTheWindowsEnd,
}

impl<P: PageStore> RevisionStore<P> {
    /// Begins to read the changes from main revision `from` up to and including `to`, about so many
    /// bytes of the log at a time.
    pub(crate) fn begin_reading(&self, from: i64, to: i64, window_bytes: usize) -> Reading<P> {
        let scan = self.log.scan(Revision::first_of(from));
        let window = self.log.window(scan.position(), window_bytes);
        Reading {
            scan,
            to,
            window,
            window_bytes,
        }
    }

    /// Opens the next window of a reading. It is wider than the last, because what lies there may be
    /// part of an entry longer than that.
    pub(crate) fn read_on(&self, reading: &mut Reading<P>) {
        reading.window_bytes = reading.window_bytes.saturating_mul(2);
        reading.window = self
            .log
            .window(reading.scan.position(), reading.window_bytes);
    }
}

impl<P: PageStore> Reading<P> {
    /// Shows the changes that lie in the window.
    pub(crate) fn visit(
        &mut self,
        mut visit: impl FnMut(Revision, EventKind, KeyValueRef<'_>) -> ControlFlow<()>,
    ) -> Result<Read> {
        let to = self.to;
        let mut flow = ControlFlow::Continue(());
        self.scan.visit(&self.window, |revision, change| {
            flow = show_change((revision, change), to, &mut visit);
            flow
        })?;
        let is_all = flow.is_break() || self.window.is_last();
        Ok(if is_all {
            Read::All
        } else {
            Read::ToTheWindowsEnd
        })
    }
}

/// What a key was, as far as it can be told without reading pages.
pub(crate) enum Before<P> {
    Nothing,
    Known(KeyValue),
    /// It lies in a page that is not in memory.
    Away(Away<P>),
}

/// A put that the index knows of, and the window that it lies in or begins in.
pub(crate) struct Away<P> {
    position: Position,
    window: Window<P>,
    window_bytes: usize,
}

impl<P: PageStore> RevisionStore<P> {
    /// What the key of an event was before its transaction; see [`Self::attach_prev_kv`]. Reads no
    /// page.
    pub(crate) fn before(&self, event: &Event) -> Result<Before<P>> {
        let Some(found) = self.found_before(event) else {
            return Ok(Before::Nothing);
        };
        if self.log.is_at_hand(found.position) {
            return Ok(Before::Known(self.load(found)?));
        }
        Ok(Before::Away(self.go_to(found.position, 1)))
    }

    /// Opens a wider window on a put that its window ends within.
    pub(crate) fn widen(&self, away: &mut Away<P>) {
        *away = self.go_to(away.position, away.window_bytes.saturating_mul(4));
    }

    fn go_to(&self, position: Position, window_bytes: usize) -> Away<P> {
        // Many entries end on the page behind.
        let window_bytes = window_bytes.max(self.log.page_size());
        Away {
            position,
            window: self.log.window(position, window_bytes),
            window_bytes,
        }
    }
}

impl<P: PageStore> Away<P> {
    /// The put; `None` if its window is too narrow.
    pub(crate) fn read(&self) -> Result<Option<KeyValue>> {
        let stored = self.window.put_at(self.position)?;
        let event = stored.and_then(|stored| event_of(&stored.entry()));
        Ok(event.map(|event| event.kv))
    }
}
