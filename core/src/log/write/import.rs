//! A log that is filled from elsewhere, and becomes one only when all is there.

use alloc::sync::Arc;

use crate::error::{Error, Result};
use crate::log::format::header::{self, Image};
use crate::log::format::layout::NUMBER_LIMIT;
use crate::log::format::record::{Entry, Record};
use crate::log::handle::{EpochStart, Log, LogOptions, Position};
use crate::page::{PageError, PageStore};
use crate::seeded_bug::is_seeded;

impl<P: PageStore> Log<P> {
    /// An empty log in pages that are blank, or hold an import that was cut off. Until
    /// [`finish_import`](Self::finish_import) the pages say that they are no store.
    pub(crate) fn begin_import(pages: P, options: LogOptions) -> Result<Self> {
        if options.read_only {
            return Err(PageError::ReadOnly.into());
        }
        if let Image::Store { .. } = header::inspect(&pages)? {
            return Err(Error::StoreExists);
        }
        let identity = header::begin_import(&pages, options.store_id)?;
        Self::empty(pages, identity, &options)
    }

    /// Appends an entry that another log has under this revision. The caller has made sure that it is
    /// newer than the one before.
    pub(crate) fn import(&mut self, entry: &Entry<'_>) -> Result<Position> {
        self.reserve(entry.encoded_bound())?;
        if let Record::Epoch { epoch, cut } = entry.record {
            let (epoch, cut) = (epoch.min(NUMBER_LIMIT) as i64, cut.min(NUMBER_LIMIT) as i64);
            self.epoch = epoch;
            self.remember_epoch(EpochStart { epoch, cut });
        }
        self.append(entry)
    }

    /// Makes everything durable, then the pages a store. Should that be cut off, they say that the
    /// import is not complete, or are the whole store.
    pub(crate) fn finish_import(mut self) -> Result<P> {
        if is_seeded!(FinishImportTooEarly) {
            header::finish_import(&*self.pages, self.identity)?;
        }
        self.close(None)?;
        header::finish_import(&*self.pages, self.identity)?;
        let Self { pages, .. } = self;
        Ok(Arc::into_inner(pages).expect("nobody else has syncs to carry out"))
    }
}
