//! What is in the slots: one pass over all of them, and what follows from their headers alone.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::overlay::{Overlay, Segment};
use crate::error::{Error, Result};
use crate::log::checkpoint::format::{FIRST_LOG_SLOT, number_of_body};
use crate::log::format::layout::{Identity, Mark, PageHeader};
use crate::log::read::ahead::Ahead;
use crate::page::{PageError, PageStore};
use crate::seeded_bug::is_seeded;

/// A valid page.
#[derive(Debug)]
pub(in crate::log) struct Found {
    pub(in crate::log) slot: u32,
    pub(in crate::log) header: PageHeader,
    /// Kept for the newest few: their slots may be written again before they are read again.
    pub(in crate::log) bytes: Option<Arc<[u8]>>,
}

/// How many of the newest pages a survey keeps whole.
const KEPT_PAGES: usize = 4;

/// All valid pages by their number, and the slots that hold none.
#[derive(Debug)]
pub(in crate::log) struct Survey {
    pub(in crate::log) found: Vec<Found>,
    /// The page store could not read them.
    pub(in crate::log) unreadable: Vec<u32>,
    /// The first slot that holds something, but no valid page.
    spoiled: Option<u32>,
    pub(in crate::log) length: u32,
}

/// The page writes that count, by the rules of the log. Indices are into [`Survey::found`].
#[derive(Debug)]
pub(in crate::log) struct Accepted {
    /// The newest mark.
    pub(in crate::log) mark: Mark,
    /// Pages before this index are covered by the mark.
    pub(in crate::log) covered: usize,
    /// Pages before this index are accepted, those from it on are not.
    pub(in crate::log) count: usize,
    /// The number of the last accepted write, and where it left the end of the log.
    pub(in crate::log) top: u64,
    pub(in crate::log) end: u64,
    /// The live pages, abutting from 0 to the end.
    pub(in crate::log) segments: Vec<Segment>,
}

/// A survey that is under way.
#[derive(Debug)]
pub(in crate::log) struct Surveying {
    survey: Survey,
    next: u32,
    /// Those of the pages found that are kept whole.
    kept: Vec<usize>,
    failure: Option<PageError>,
    ahead: Ahead,
}

impl Surveying {
    pub(in crate::log) fn begin<P: PageStore>(pages: &P) -> Result<Self> {
        let survey = Survey {
            found: Vec::new(),
            unreadable: Vec::new(),
            spoiled: None,
            length: pages.len()?,
        };
        Ok(Self {
            survey,
            next: FIRST_LOG_SLOT,
            kept: Vec::new(),
            failure: None,
            ahead: Ahead::default(),
        })
    }

    /// How many slots were read, and how many there are.
    pub(super) fn progress(&self) -> (u32, u32) {
        (self.next.min(self.survey.length), self.survey.length)
    }

    /// Reads up to so many slots more. Answers whether that was all.
    pub(super) fn go_on<P: PageStore>(
        &mut self,
        pages: &P,
        identity: Identity,
        slots: u32,
    ) -> bool {
        let stop = self
            .next
            .saturating_add(slots.max(1))
            .min(self.survey.length);
        for slot in self.next..stop {
            self.look_at(pages, identity, slot);
        }
        self.next = stop.max(self.next);
        self.next >= self.survey.length
    }

    fn look_at<P: PageStore>(&mut self, pages: &P, identity: Identity, slot: u32) {
        let Self {
            survey,
            kept,
            ahead,
            ..
        } = self;
        let shared = pages.share(slot);
        let page = match &shared {
            Some(shared) => shared,
            None => match ahead.page(pages, slot, slot + 1, survey.length) {
                Ok(page) => page,
                Err(error) => {
                    self.failure = Some(error);
                    survey.unreadable.push(slot);
                    return;
                }
            },
        };
        if let Some(header) = PageHeader::verify(page, identity, slot) {
            survey.keep_whole(kept, header.number);
            let keep = kept.len() < KEPT_PAGES;
            if keep {
                kept.push(survey.found.len());
            }
            let bytes = keep.then(|| shared.clone().unwrap_or_else(|| Arc::from(page)));
            survey.found.push(Found {
                slot,
                header,
                bytes,
            });
        } else if survey.spoiled.is_none()
            && page.iter().any(|&byte| byte != 0)
            && number_of_body(page, identity, slot).is_none()
        {
            survey.spoiled = Some(slot);
        }
    }

    /// Fails only if no slot could be read.
    pub(in crate::log) fn finish(self) -> Result<Survey> {
        let mut survey = self.survey;
        let slots = survey.length.saturating_sub(FIRST_LOG_SLOT) as usize;
        match self.failure {
            Some(error) if survey.unreadable.len() == slots => Err(error.into()),
            _ => {
                survey
                    .found
                    .sort_unstable_by_key(|found| found.header.number);
                Ok(survey)
            }
        }
    }
}

impl Survey {
    /// Reads every slot. Fails only if none can be read.
    pub(in crate::log) fn take<P: PageStore>(pages: &P, identity: Identity) -> Result<Self> {
        let mut surveying = Surveying::begin(pages)?;
        while !surveying.go_on(pages, identity, u32::MAX) {}
        surveying.finish()
    }

    /// Makes room among the pages that are kept whole for one with this number, if it is newer.
    fn keep_whole(&mut self, kept: &mut Vec<usize>, number: u64) {
        if kept.len() < KEPT_PAGES {
            return;
        }
        let found = &mut self.found;
        let oldest = (0..kept.len()).min_by_key(|&place| found[kept[place]].header.number);
        if let Some(place) = oldest.filter(|&place| found[kept[place]].header.number < number) {
            found[kept.swap_remove(place)].bytes = None;
        }
    }

    /// The highest number of a valid page.
    pub(in crate::log) fn newest_number(&self) -> u64 {
        self.found.last().map_or(0, |found| found.header.number)
    }

    /// Applies the rules of order and of the mark: the live set at the newest mark, verified against
    /// the mark's census, then page writes in the order of their numbers up to the first missing one.
    pub(in crate::log) fn accept(&self) -> Result<Accepted> {
        if let Some(pair) = self
            .found
            .windows(2)
            .find(|pair| pair[0].header.number == pair[1].header.number)
        {
            let (number, other) = (pair[0].header.number, pair[0].slot);
            return Err(Error::Corrupt {
                page: pair[1].slot,
                what: format!("page {other} has the same number, {number}"),
            });
        }
        let mark = Self::newest_mark(&self.found);
        let covered = self.covered_by(mark);
        let mut overlay = self.live_at(mark);
        self.compare_with_census(&overlay, mark)?;

        let mut top = mark.number;
        let mut accepted = covered;
        while let Some(found) = self
            .found
            .get(accepted)
            .filter(|found| found.header.number == top + 1 || is_seeded!(AcceptAfterGap))
        {
            let header = &found.header;
            // A page either ends the log or leaves its end where it was.
            let ends_the_log = header.to == header.end;
            if header.from > overlay.end() || !(ends_the_log || header.end == overlay.end()) {
                return Err(Error::Corrupt {
                    page: found.slot,
                    what: format!(
                        "it stands for positions {} to {} of a log that ended at {}",
                        header.from,
                        header.to,
                        overlay.end()
                    ),
                });
            }
            overlay.apply(header, accepted);
            top = header.number;
            accepted += 1;
        }
        if let Some(position) = overlay.gap() {
            return Err(self.missing(
                &overlay,
                mark,
                &format!("position {position} of the log is missing"),
            ));
        }
        Ok(Accepted {
            mark,
            covered,
            count: accepted,
            top,
            end: overlay.end(),
            segments: self.unsplit(&overlay)?,
        })
    }

    /// Whether a page with positions from `position` on was written again, so that entries of it may
    /// have been dropped.
    pub(in crate::log) fn was_rewritten_behind(&self, accepted: &Accepted, position: u64) -> bool {
        let behind = accepted
            .segments
            .iter()
            .filter(|segment| segment.to > position);
        behind
            .map(|segment| &self.found[segment.page].header)
            .any(PageHeader::is_rewritten)
    }

    /// The newest mark that these pages carry.
    pub(super) fn newest_mark(found: &[Found]) -> Mark {
        let marks = found.iter().map(|found| found.header.mark);
        marks.max_by_key(|mark| mark.number).unwrap_or_default()
    }

    /// The pages that the log consisted of at a mark.
    pub(super) fn live_at(&self, mark: Mark) -> Overlay {
        let mut overlay = Overlay::default();
        for (index, found) in self.found[..self.covered_by(mark)].iter().enumerate() {
            overlay.apply(&found.header, index);
        }
        overlay.truncate(mark.end);
        overlay
    }

    fn covered_by(&self, mark: Mark) -> usize {
        self.found
            .partition_point(|found| found.header.number <= mark.number)
    }

    fn compare_with_census(&self, overlay: &Overlay, mark: Mark) -> Result<()> {
        if let Some(position) = overlay.gap() {
            let what = format!(
                "position {position} of the log is missing, and was written before the log ended at {}",
                mark.end
            );
            return Err(self.missing(overlay, mark, &what));
        }
        let mut census = 0_u64;
        for segment in self.unsplit(overlay)? {
            census = census.wrapping_add(self.found[segment.page].header.census_term());
        }
        if census == mark.census || is_seeded!(IgnoreCensus) {
            return Ok(());
        }
        Err(self.missing(
            overlay,
            mark,
            "an older page stands in the place of a newer one that is damaged",
        ))
    }

    /// The segments; no writer ever left a page that answers for two parts of the log.
    fn unsplit(&self, overlay: &Overlay) -> Result<Vec<Segment>> {
        let segments: Vec<Segment> = overlay.segments().collect();
        let mut seen: Vec<usize> = segments.iter().map(|segment| segment.page).collect();
        seen.sort_unstable();
        match seen.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(segments),
            Some(pair) => Err(Error::Corrupt {
                page: self.found[pair[0]].slot,
                what: String::from("another page stands for the middle of its interval"),
            }),
        }
    }

    /// Something that was synced is not there. The page that is missing cannot say so; its neighbours
    /// in the log name the slot in which it was.
    fn missing(&self, overlay: &Overlay, mark: Mark, what: &str) -> Error {
        let mut position = 0;
        let mut suspects = Vec::new();
        for segment in overlay.segments() {
            let header = &self.found[segment.page].header;
            if segment.from != position {
                suspects.push(header.predecessor_slot);
            }
            position = segment.to;
        }
        let covered = self.covered_by(mark);
        suspects.extend(
            covered
                .checked_sub(1)
                .map(|last| self.found[last].header.next_slot),
        );
        suspects.extend(self.spoiled);
        suspects.extend(&self.unreadable);
        let valid = |slot: u32| self.found.iter().any(|found| found.slot == slot);
        let culprit = suspects
            .into_iter()
            .find(|&slot| (FIRST_LOG_SLOT..self.length).contains(&slot) && !valid(slot));
        let witness = self
            .found
            .iter()
            .find(|found| found.header.mark.number == mark.number);
        Error::Corrupt {
            page: culprit
                .or(witness.map(|found| found.slot))
                .unwrap_or(FIRST_LOG_SLOT),
            what: String::from(what),
        }
    }
}
