//! Opening: from whatever is in the slots to a log that can be read and written.

use alloc::vec;
use alloc::vec::Vec;

use super::directory::{Directory, LivePage};
use super::handle::{EpochStart, LastWrite, Log, LogOptions, NEVER, Opened, Position, Replay};
use super::header::{self, COPIES, Image};
use super::layout::{HEADER_BYTES, Mark, NUMBER_LIMIT, PageHeader};
use super::reader::{Source, Stored};
use super::record::{Entry, Record};
use super::slots::Slots;
use super::survey::{Accepted, Survey};
use super::tail::Tail;
use crate::error::{Error, Result};
use crate::page::{PageError, PageStore};
use crate::revision::Revision;

/// Entries of one transaction that are kept in hand until its last one is seen; those beyond are
/// read twice.
const HELD_ENTRIES: usize = 1024;

/// How much of the log was replayed before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resume {
    pub(super) position: u64,
    /// The epoch at that position. A later epoch that starts before it has cut off what was replayed.
    pub(super) epoch: i64,
    /// A transaction is being replayed; should that fail, it cannot be begun again.
    pub(super) is_within: bool,
}

impl Resume {
    pub(super) const START: Self = Self {
        position: 0,
        epoch: 1,
        is_within: false,
    };
}

/// What walking over the log found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walk {
    /// This many transactions were replayed.
    Replayed(u64),
    /// Entries that were replayed before are no longer there.
    CutOff,
}

impl<P: PageStore> Log<P> {
    /// Opens the log, after creating or recovering it if need be, and replays its entries.
    ///
    /// A reader changes nothing in the page store. A writer leaves it so that recovery would come to
    /// the same log again.
    pub(crate) fn open(pages: P, options: LogOptions, replay: &mut Replay<'_>) -> Result<(Self, Opened)> {
        let identity = match header::inspect(&pages)? {
            Image::Store { identity, damaged } => {
                if let Some(copy) = damaged.filter(|_| !options.read_only) {
                    header::write(&pages, identity, copy)?;
                    pages.sync()?;
                }
                identity
            }
            Image::Blank if options.read_only => {
                return Err(PageError::NotFound("this place: it is still blank".into()).into());
            }
            Image::Blank => {
                let identity = header::create(&pages, options.store_id)?;
                let opened = Opened {
                    clean: true,
                    created: true,
                };
                return Ok((Self::empty(pages, identity, &options)?, opened));
            }
        };
        let mut log = Self::empty(pages, identity, &options)?;
        let clean = if options.read_only {
            log.read_all(replay)?;
            log.last_write.clean
        } else {
            log.recover(replay)?
        };
        let opened = Opened {
            clean,
            created: false,
        };
        Ok((log, opened))
    }

    /// Makes a survey's accepted pages the log; it is then to be walked.
    pub(super) fn load(&mut self, survey: &Survey, accepted: &Accepted) {
        self.slots = Slots::new(survey.length);
        self.directory = Directory::default();
        for segment in &accepted.segments {
            let found = &survey.found[segment.page];
            let mut page = LivePage::new(&found.header, found.slot, NEVER);
            (page.from, page.to) = (segment.from, segment.to);
            page.bytes = found.bytes.clone().or_else(|| self.pages.share(found.slot));
            self.directory.push(page);
        }
        self.tail = Tail::new(self.identity.page_size, self.directory.end(), NEVER);
        let accepted_pages = &survey.found[..accepted.accepted];
        self.last_write = match accepted_pages.last() {
            Some(found) if found.header.number == accepted.top => LastWrite::of(&found.header, found.slot),
            _ => LastWrite {
                number: accepted.top,
                clean: accepted.top == 0,
                ..LastWrite::NONE
            },
        };
        self.mark = accepted.mark;
        self.synced = accepted.top;
        self.opened_at = accepted.top;
        self.readable_end = 0;
        self.newest = None;
        self.epoch = 1;
        self.epochs.clear();
    }

    /// Walks over what is written, from the end of what was walked over before, and replays whole
    /// transactions. What follows the last one is left unread.
    pub(super) fn walk(&mut self, resume: &mut Resume, replay: &mut Replay<'_>) -> Result<Walk> {
        let end = self.directory.end();
        let mut position = self.readable_end;
        let mut walked = self.directory.index_of(position);
        let mut before = self.newest_or_never();
        let mut replayed = 0;
        let mut held: Vec<(u64, Stored)> = Vec::new();
        let mut spilled: Vec<u64> = Vec::new();
        while let Some(frame) = self.frame_at(position, end, Source::Cached)? {
            let (revision, last) = {
                let entry = frame.stored.entry();
                (entry.revision, entry.last)
            };
            if revision <= before {
                return Err(self.corrupt_at(frame.position, "an entry is not newer than the one before it"));
            }
            self.directory.note_frame(&mut walked, frame.position, revision, before);
            before = revision;
            position = frame.next;
            if held.len() < HELD_ENTRIES {
                held.push((frame.position, frame.stored));
            } else {
                spilled.push(frame.position);
            }
            if !last {
                continue;
            }
            resume.is_within = position > resume.position;
            for (position, stored) in held.drain(..) {
                if self.visit(position, &stored.entry(), resume, replay)? == Walk::CutOff {
                    return Ok(Walk::CutOff);
                }
            }
            for position in spilled.drain(..) {
                let stored = self.frame_at(position, end, Source::Cached)?.map(|frame| frame.stored);
                let stored = stored.ok_or_else(|| self.corrupt_at(position, "an entry is gone"))?;
                if self.visit(position, &stored.entry(), resume, replay)? == Walk::CutOff {
                    return Ok(Walk::CutOff);
                }
            }
            resume.is_within = false;
            self.readable_end = position;
            self.newest = Some(revision);
            if position > resume.position {
                resume.position = position;
                replayed += 1;
            }
        }
        self.directory.note_end(walked, before);
        Ok(Walk::Replayed(replayed))
    }

    /// Takes in one entry of a whole transaction.
    fn visit(
        &mut self,
        position: u64,
        entry: &Entry<'_>,
        resume: &mut Resume,
        replay: &mut Replay<'_>,
    ) -> Result<Walk> {
        if let Record::Epoch { epoch, cut } = entry.record {
            let start = match (i64::try_from(epoch), i64::try_from(cut)) {
                (Ok(epoch), Ok(cut)) if epoch > self.epoch && (epoch as u64) < NUMBER_LIMIT => EpochStart { epoch, cut },
                _ => return Err(self.corrupt_at(position, "an epoch is not newer than the one before it")),
            };
            if position < resume.position && start.epoch > resume.epoch {
                return Ok(Walk::CutOff);
            }
            self.epoch = start.epoch;
            self.epochs.push(start);
        }
        if position >= resume.position {
            replay(Position(position), entry)?;
            resume.epoch = self.epoch;
        }
        Ok(Walk::Replayed(0))
    }

    /// Opens for writing. Returns whether the last writer had closed the log.
    fn recover(&mut self, replay: &mut Replay<'_>) -> Result<bool> {
        let survey = Survey::take(&self.pages, self.identity)?;
        let accepted = survey.accept()?;
        self.load(&survey, &accepted);
        self.walk(&mut { Resume::START }, replay)?;

        let before = self.newest_or_never();
        self.directory.truncate(self.readable_end, Some(before), &mut Vec::new());
        let rejected = &survey.found[accepted.accepted..];
        let clean = self.last_write.clean && rejected.is_empty() && self.readable_end == self.tail.from();
        self.resume_tail()?;
        self.derive_slots(&survey, &accepted);
        let beyond_the_mark = survey.found[accepted.covered..accepted.accepted].iter();
        if clean {
            self.unconfirmed = beyond_the_mark.map(|found| found.slot).collect();
        } else {
            for found in beyond_the_mark {
                self.write_again(found.slot, &found.header)?;
            }
            self.erase(&survey, &accepted)?;
            self.pages.sync()?;
            self.mark = Mark {
                number: accepted.top,
                end: self.directory.end(),
                census: self.directory.census(),
            };
            self.start_epoch(&survey.found[..accepted.accepted], replay)?;
        }
        Ok(clean)
    }

    /// Goes on with the last page if there is room in it.
    fn resume_tail(&mut self) -> Result<()> {
        let before = self.newest_or_never();
        let end = self.directory.end();
        self.tail = Tail::new(self.identity.page_size, end, before);
        let Some(last) = self.directory.last() else {
            return Ok(());
        };
        let page = self.page(last, Source::Cached)?;
        let header = PageHeader::fields(&page);
        let length = (end - last.from) as usize;
        if header.sparse || header.from != last.from || length >= self.identity.capacity() {
            return Ok(());
        }
        let contents = &page[HEADER_BYTES..][..length];
        let first = last.first_frame().map(|position| (position, last.revision));
        self.tail = Tail::new(self.identity.page_size, last.from, last.revision);
        self.tail.resume(contents, first);
        Ok(())
    }

    /// The rule of reuse, applied to what was found. Should this session be cut off at once, then the
    /// next recovery goes back to the newest mark that durable pages carry: the pages that were live
    /// there, and all that followed, are still needed. All other slots are free.
    fn derive_slots(&mut self, survey: &Survey, accepted: &Accepted) {
        let durable_mark = Survey::newest_mark(&survey.found[..accepted.covered]);
        let mut is_needed = vec![false; survey.length as usize];
        for segment in survey.live_at(durable_mark).segments() {
            is_needed[survey.found[segment.page].slot as usize] = true;
        }
        for found in &survey.found[..accepted.accepted] {
            is_needed[found.slot as usize] |= found.header.number > durable_mark.number;
        }
        let mut is_live = vec![false; survey.length as usize];
        for page in self.directory.pages() {
            is_live[page.slot as usize] = true;
        }
        if self.last_write.empty && self.last_write.slot < survey.length {
            // Superseded by the next write, which sees to it.
            is_live[self.last_write.slot as usize] = true;
        }
        for &slot in &survey.unreadable {
            // Not to be relied on before it has been written and read.
            is_live[slot as usize] = true;
        }
        for slot in COPIES..survey.length {
            match (is_live[slot as usize], is_needed[slot as usize]) {
                (true, _) => {}
                (false, true) => self.slots.hold(slot, accepted.top + 1),
                (false, false) => self.slots.free(slot),
            }
        }
        self.slots.prefer_next(self.last_write.next_slot);
        self.slots.decide_next();
    }

    /// What was read may not have reached the disk, so it is written again before it counts.
    fn write_again(&self, slot: u32, header: &PageHeader) -> Result<()> {
        let bytes = self.read_slot(slot)?;
        if PageHeader::verify(&bytes, self.identity, slot).as_ref() != Some(header) {
            return Err(Error::Corrupt {
                page: slot,
                what: "it changed while the log was opened".into(),
            });
        }
        Ok(self.pages.write(slot, &bytes)?)
    }

    /// The rule of erasure: a page that was rejected now must not be accepted later, when the numbers
    /// before it have been used again. Nor must one that could not be read, if it can be read then.
    fn erase(&mut self, survey: &Survey, accepted: &Accepted) -> Result<()> {
        let zeros = vec![0; self.identity.page_size];
        for found in &survey.found[accepted.accepted..] {
            self.pages.write(found.slot, &zeros)?;
        }
        for &slot in &survey.unreadable {
            if self.pages.write(slot, &zeros).is_ok() && self.read_slot(slot).is_ok() {
                self.slots.hold(slot, accepted.top + 1);
            }
        }
        Ok(())
    }

    fn start_epoch(&mut self, accepted: &[super::survey::Found], replay: &mut Replay<'_>) -> Result<()> {
        // A page of the newest epoch may be there without the entry that began it.
        let of_pages = accepted.iter().map(|found| found.header.epoch).max().unwrap_or(1);
        let newest = self.newest.unwrap_or(Revision::first_of(1));
        let sub = if self.newest.is_none() { Some(0) } else { newest.sub.checked_add(1) };
        let Some(sub) = sub else {
            return Err(self.corrupt_at(self.readable_end, "a transaction has too many entries"));
        };
        self.epoch = self.epoch.max(of_pages as i64) + 1;
        let entry = Entry {
            revision: Revision { main: newest.main, sub },
            last: true,
            record: Record::Epoch {
                epoch: self.epoch as u64,
                cut: newest.main as u64,
            },
        };
        self.reserve(entry.encoded_bound())?;
        let position = self.append(&entry)?;
        self.sync()?;
        self.epochs.push(EpochStart {
            epoch: self.epoch,
            cut: newest.main,
        });
        replay(position, &entry)
    }
}
