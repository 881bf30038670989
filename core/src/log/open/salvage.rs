//! Reading what can be read of a damaged log.
//!
//! Recovery takes a log as a whole or not at all. Here every valid page counts that is there, and what
//! is missing between them is told as a gap. Two pages that stand side by side may be of different
//! times if a newer one between them is lost: what lies in one page is whole, but an entry or a
//! transaction that goes from one into the next is believed only if the two are known to belong
//! together.

use alloc::collections::BTreeSet;
use alloc::vec;
use alloc::vec::Vec;

use super::overlay::{Overlay, Segment};
use super::survey::Survey;
use crate::error::{Error, Result};
use crate::log::checkpoint::format::{ROOT_SLOT, Root, number_of_body};
use crate::log::format::frame::{self, Length};
use crate::log::format::header::{self, COPIES, Image};
use crate::log::format::layout::{HEADER_BYTES, Identity, NO_FRAME, PageHeader};
use crate::log::format::pieces::{self, Run};
use crate::log::format::record::Entry;
use crate::log::read::in_order::run_at;
use crate::page::PageStore;

/// What a damaged image still has.
pub(crate) struct Salvage<'a, P> {
    pages: &'a P,
    identity: Identity,
    survey: Survey,
    segments: Vec<Segment>,
    /// Recovery would take the pages as they are.
    is_accepted: bool,
    /// Where the log ended at some time when it was synced.
    known_end: u64,
}

/// What comes next in a damaged log.
pub(crate) enum Found<'e> {
    /// An entry. Whether the one before it is known to have stood there when it was written.
    Entry(Entry<'e>, bool),
    /// Nothing that could be read.
    Gap,
}

impl<'a, P: PageStore> Salvage<'a, P> {
    /// Looks at all pages. Fails with `NotAStore` if neither copy of the header can be read: pages are
    /// sealed with what it says.
    pub(crate) fn take(pages: &'a P) -> Result<Self> {
        let identity = match header::inspect(pages) {
            Ok(Image::Store { identity, .. }) => identity,
            Ok(Image::Importing) => return Err(Error::ImportIncomplete),
            Ok(Image::Blank) => return Err(Error::NotAStore),
            Err(error) => header::any_identity(pages).ok_or(error)?,
        };
        let survey = Survey::take(pages, identity)?;
        let known_end = survey.found.iter().map(|found| found.header.mark.end).max();
        let accepted = survey.accept().ok();
        let is_accepted = accepted.is_some();
        let segments = accepted.map_or_else(
            || {
                let mut overlay = Overlay::default();
                for (index, found) in survey.found.iter().enumerate() {
                    overlay.apply(&found.header, index);
                }
                overlay.segments().collect()
            },
            |accepted| accepted.segments,
        );
        Ok(Self {
            pages,
            identity,
            survey,
            segments,
            is_accepted,
            known_end: known_end.unwrap_or(0),
        })
    }

    /// How many slots there are, and how many of them hold a valid page.
    pub(crate) fn page_counts(&self) -> (u32, u32) {
        let valid = self.survey.found.len() as u32;
        (self.survey.length, valid)
    }

    /// The highest epoch that a page names.
    pub(crate) fn newest_epoch(&self) -> i64 {
        let epochs = self.survey.found.iter().map(|found| found.header.epoch);
        epochs.max().unwrap_or(1).cast_signed()
    }

    /// The slots that hold something, but no valid page, and no part of a checkpoint.
    pub(crate) fn damaged_slots(&self) -> Vec<u32> {
        let mut page = vec![0; self.identity.page_size];
        let valid: BTreeSet<u32> = self.survey.found.iter().map(|found| found.slot).collect();
        let mut damaged = Vec::new();
        for slot in 0..self.survey.length {
            let is_damaged = match self.pages.read(slot, &mut page) {
                Err(_) => true,
                Ok(()) if slot < COPIES => !header::is_copy(&page, self.identity),
                Ok(()) if slot == ROOT_SLOT && Root::verify(&page, self.identity).is_some() => {
                    false
                }
                Ok(()) => {
                    let is_of_checkpoint = || number_of_body(&page, self.identity, slot).is_some();
                    let is_blank = page.iter().all(|&byte| byte == 0);
                    !is_blank && !valid.contains(&slot) && !is_of_checkpoint()
                }
            };
            if is_damaged {
                damaged.push(slot);
            }
        }
        damaged
    }

    /// Shows what is there in the order of the log. Answers whether the log is known to have gone on
    /// behind it.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(Found<'_>) -> Result<()>) -> Result<bool> {
        let mut walker = Walker {
            visit,
            open: None,
            is_clean: true,
            is_joined: true,
        };
        let mut position = 0;
        let mut before: Option<&Segment> = None;
        let mut page = vec![0; self.identity.page_size];
        for segment in &self.segments {
            if segment.from != position {
                walker.gap()?;
            } else if before.is_some_and(|before| !self.belong_together(before, segment)) {
                walker.part()?;
            }
            position = segment.to;
            before = Some(segment);
            if self.read(segment, &mut page) {
                walker.walk(segment, &page)?;
            } else {
                // It was there a moment ago.
                walker.gap()?;
            }
        }
        Ok(walker.open.is_some() || position < self.known_end)
    }

    /// Whether the second page was written when the first stood before it, or the other way round, so
    /// that what goes from one into the other is one thing.
    fn belong_together(&self, first: &Segment, second: &Segment) -> bool {
        if self.is_accepted {
            return true;
        }
        let [before, after] = [first, second].map(|segment| &self.survey.found[segment.page]);
        let abut = first.to == second.from
            && before.header.to == first.to
            && after.header.from == second.from;
        let was_seen = after.header.predecessor_slot == before.slot
            && before.header.number < after.header.number;
        abut && (was_seen || before.header.epoch == after.header.epoch)
    }

    fn read(&self, segment: &Segment, page: &mut [u8]) -> bool {
        let found = &self.survey.found[segment.page];
        self.pages.read(found.slot, page).is_ok()
            && PageHeader::verify(page, self.identity, found.slot)
                .is_some_and(|header| header.census_term() == found.header.census_term())
    }
}

/// Takes frames out of one page after the other.
struct Walker<'v> {
    visit: &'v mut dyn FnMut(Found<'_>) -> Result<()>,
    /// The beginning of a frame that goes on in the next page.
    open: Option<Vec<u8>>,
    /// The next frame begins at the next position that is there.
    is_clean: bool,
    /// The next frame is known to follow the one before it.
    is_joined: bool,
}

impl Walker<'_> {
    /// Something is missing here.
    fn gap(&mut self) -> Result<()> {
        self.open = None;
        self.is_clean = false;
        self.is_joined = false;
        (self.visit)(Found::Gap)
    }

    /// What comes next may be of another time.
    fn part(&mut self) -> Result<()> {
        if self.open.is_some() {
            return self.gap();
        }
        self.is_clean = false;
        self.is_joined = false;
        Ok(())
    }

    fn entry(&mut self, entry: Entry<'_>) -> Result<()> {
        (self.visit)(Found::Entry(entry, self.is_joined))?;
        self.is_joined = true;
        Ok(())
    }

    fn walk(&mut self, segment: &Segment, page: &[u8]) -> Result<()> {
        let first = first_frame(page).filter(|first| (segment.from..segment.to).contains(first));
        let mut position = segment.from;
        if self.open.is_some() {
            let Some(behind) = self.finish_open(segment, page, first)? else {
                return Ok(());
            };
            position = behind;
        }
        if !self.is_clean {
            let is_skipped = matches!(pieces::find(page, position), Run::Bytes(_))
                && first != Some(position)
                && self.is_joined;
            if is_skipped {
                self.gap()?;
            }
            // What is before the first frame began in a page before this.
            let Some(first) = first else {
                return Ok(());
            };
            position = first;
            self.is_clean = true;
        }
        while position < segment.to {
            match run_at(page, position, segment.to) {
                Run::Bytes(range) => {
                    let bytes = &page[range];
                    self.walk_run(bytes)?;
                    if !self.is_clean {
                        return Ok(());
                    }
                    position += bytes.len() as u64;
                }
                Run::Gap(next) if self.open.is_some() => {
                    self.gap()?;
                    self.is_clean = true;
                    position = next;
                }
                Run::Gap(next) => position = next,
            }
        }
        Ok(())
    }

    /// Puts the rest to the frame that began before. Answers the position behind it, or `None` if
    /// there is nothing more to be had from this page.
    fn finish_open(
        &mut self,
        segment: &Segment,
        page: &[u8],
        first: Option<u64>,
    ) -> Result<Option<u64>> {
        let mut bytes = self.open.take().unwrap_or_default();
        let had = bytes.len();
        let mut position = segment.from;
        while let Run::Bytes(more) = run_at(page, position, segment.to) {
            position += more.len() as u64;
            bytes.extend_from_slice(&page[more]);
            if position >= segment.to {
                break;
            }
        }
        match whole_length(&bytes) {
            Some(Ok(length)) if length <= bytes.len() && length >= had => {
                let behind = segment.from + (length - had) as u64;
                // It must end where the page says that the next one begins, or a gap does.
                let fits = behind >= segment.to || first.is_none_or(|first| first >= behind);
                if let Some(entry) = decode(&bytes[..length]).filter(|_| fits) {
                    self.entry(entry)?;
                    self.is_clean = true;
                    Ok(Some(behind))
                } else {
                    self.gap()?;
                    Ok(Some(segment.from))
                }
            }
            Some(Ok(length)) if length > bytes.len() && position >= segment.to => {
                self.open = Some(bytes);
                Ok(None)
            }
            None if position >= segment.to => {
                self.open = Some(bytes);
                Ok(None)
            }
            _ => {
                self.gap()?;
                Ok(Some(segment.from))
            }
        }
    }

    /// Takes the frames that begin in bytes that lie together, the first at once.
    fn walk_run(&mut self, bytes: &[u8]) -> Result<()> {
        let mut bytes = match self.open.take() {
            Some(mut open) => {
                // Two pieces may abut.
                open.extend_from_slice(bytes);
                return self.walk_run(&open);
            }
            None => bytes,
        };
        while !bytes.is_empty() {
            match whole_length(bytes) {
                Some(Ok(length)) if length <= bytes.len() => {
                    let Some(entry) = decode(&bytes[..length]) else {
                        return self.gap();
                    };
                    self.entry(entry)?;
                    bytes = &bytes[length..];
                }
                Some(Err(())) => return self.gap(),
                _ => {
                    self.open = Some(bytes.to_vec());
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The position of the first frame that begins in a page.
fn first_frame(page: &[u8]) -> Option<u64> {
    let header = PageHeader::fields(page);
    if header.first_frame == NO_FRAME {
        return None;
    }
    let place = HEADER_BYTES + header.first_frame as usize;
    let mut position = header.from;
    while position < header.to {
        match pieces::find(page, position) {
            Run::Bytes(range) if range.contains(&place) => {
                return Some(position + (place - range.start) as u64);
            }
            Run::Bytes(range) => position += range.len() as u64,
            Run::Gap(next) => position = next,
        }
    }
    None
}

/// How long the frame is that begins with these bytes, once they say so.
fn whole_length(bytes: &[u8]) -> Option<Result<usize, ()>> {
    match frame::read_length(bytes) {
        Length::Known { prefix, body } => Some(Ok(prefix + body)),
        Length::Cut => None,
        Length::Bad => Some(Err(())),
    }
}

fn decode(bytes: &[u8]) -> Option<Entry<'_>> {
    frame::take(bytes).map(|(entry, _)| entry)
}
