//! A reader's way to pages that the writer has moved.
//!
//! A writer that reclaims puts pages elsewhere, and uses their slots again. A reader in another
//! process learns of that when it comes to such a slot: what it finds there is not the page that it
//! knows. It then surveys all slots, reads from what the log consists of now, and at its next refresh
//! takes that over. An entry that is still there is found so. A *scan* cannot know what is no longer
//! there, and so none counts that has read past such a page: see [`Log::is_outdated`].

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use super::frames::{Frames, Stretch};
use super::in_order::run_at;
use super::reader::Source;
use crate::error::{Error, Result};
use crate::log::format::pieces::Run;
use crate::log::handle::{Log, NEVER};
use crate::log::live::directory::Directory;
use crate::log::live::live_page::LivePage;
use crate::log::open::survey::Survey;
use crate::page::PageStore;

/// How often the slots are surveyed for one page, beside a writer that goes on moving it.
const ATTEMPTS: u32 = 8;

/// Where a reader's pages are now, as far as it had to look.
#[derive(Debug, Default)]
pub(in crate::log) struct Moved {
    /// A reader that serves looks for them; one that is reading the log surveys it anew.
    pub(in crate::log) is_looked_for: bool,
    is_outdated: AtomicBool,
    directory: spin::Mutex<Option<Arc<Directory>>>,
}

impl Moved {
    /// The reader has taken over what there is.
    pub(in crate::log) fn forget(&self) {
        self.is_outdated.store(false, Ordering::Release);
        *self.directory.lock() = None;
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated.load(Ordering::Acquire)
    }
}

impl<P: PageStore> Log<P> {
    /// Whether a reader has come to a page that the writer has moved. What lies between two entries
    /// that it reads may then have been reclaimed, until it has refreshed.
    pub(crate) fn is_outdated(&self) -> bool {
        self.moved.is_outdated()
    }

    /// What the log has at `position`, of which the page is no longer where the reader knows it.
    pub(super) fn stretch_in_moved(&self, position: u64) -> Result<Stretch<'_>> {
        self.moved.is_outdated.store(true, Ordering::Release);
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            let known = self.moved.directory.lock().clone().filter(|_| attempt == 0);
            let directory = match known {
                Some(directory) => directory,
                None => match self.survey_directory() {
                    Ok(directory) => directory,
                    Err(error) => {
                        failure = Some(error);
                        continue;
                    }
                },
            };
            let Some(live) = directory.at(position) else {
                return Ok(Stretch::End);
            };
            match self.page(live, Source::Cached) {
                Ok(page) => return Ok(stretch_of(page, position, live.to)),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| self.corrupt_at(position, "a page is gone")))
    }

    fn survey_directory(&self) -> Result<Arc<Directory>> {
        let survey = Survey::take(&*self.pages, self.identity)?;
        let accepted = survey.accept()?;
        let live_pages = accepted.segments.iter().map(|segment| {
            let found = &survey.found[segment.page];
            let mut page = LivePage::new(&found.header, found.slot, NEVER);
            page.keep_only(segment.from, segment.to);
            page
        });
        let directory = Arc::new(Directory::of(live_pages.collect()));
        *self.moved.directory.lock() = Some(Arc::clone(&directory));
        Ok(directory)
    }
}

/// What a verified page, which answers for positions up to `to`, has at one of them.
pub(super) fn stretch_of<'a>(page: Arc<[u8]>, position: u64, to: u64) -> Stretch<'a> {
    match run_at(&page, position, to) {
        Run::Bytes(range) => Stretch::Page(page, range),
        Run::Gap(next) => Stretch::Gap(next),
    }
}

/// Whether a page could not be read in a way that a writer at work may cause.
pub(super) fn may_have_moved(error: &Error) -> bool {
    matches!(error, Error::Corrupt { .. } | Error::Page(_))
}
