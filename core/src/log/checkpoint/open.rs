//! Opening by the checkpoint.

use alloc::vec;
use alloc::vec::Vec;

use super::format::{BodyName, BodyPage, FIRST_LOG_SLOT, ROOT_SLOT, Root, number_of_body};
use super::write::{Body, RootState};
use crate::log::format::layout::{NUMBER_LIMIT, PageHeader};
use crate::log::format::varint::Numbers;
use crate::log::handle::{EPOCHS_REMEMBERED, EpochStart, LastWrite, Log, NEVER, Position};
use crate::log::learner::Learner;
use crate::log::live::directory::Directory;
use crate::log::live::live_page::LivePage;
use crate::log::live::tail::Tail;
use crate::log::read::ahead::Ahead;
use crate::log::read::follow::Seen;
use crate::log::read::walk::{Resume, Walk};
use crate::page::PageStore;
use crate::revision::Revision;
use crate::seeded_bug::is_seeded;

impl<P: PageStore> Log<P> {
    /// Opens the log by its checkpoint, if there is one to be believed. Otherwise the log is as it
    /// was, and whatever the learner has learned it has forgotten.
    pub(in crate::log) fn open_by_checkpoint(&mut self, learner: &mut dyn Learner) -> bool {
        let Some((root, last)) = self.find_root() else {
            return false;
        };
        let Some((slots, bytes)) = self.read_body(root.body) else {
            return false;
        };
        let last_header = last.header;
        let last_write = LastWrite::of(&last.header, last.slot);
        let mut numbers = Numbers::new(&bytes);
        let Some(body_pages) = self.take_over_pages(&mut numbers, root.length) else {
            return false;
        };
        let is_whole = self.gain_pages(last)
            && self.directory.end() == last_header.end
            && (self.directory.census() == root.census || is_seeded!(KeepBodyOfMovedPages))
            && self.hold_shared_pages();
        let checkpoint = Body {
            name: root.body,
            slots,
            live_pages: body_pages,
        };
        if !is_whole || !self.divide_slots(&root, &checkpoint, &last_write) {
            return false;
        }
        self.last_write = last_write;
        self.mark = last_header.mark;
        self.synced = root.number;
        self.opened_at = root.number;
        if self.read_only {
            self.last_content = root.number;
        }
        let (end, newest) = (Position(self.readable_end), self.newest_or_never());
        if !learner.restore(numbers.rest(), end, newest) || !self.walk_over_gained(learner) {
            learner.forget();
            return false;
        }
        let is_open = self.finish_by_checkpoint(&root, checkpoint);
        if !is_open {
            learner.forget();
        }
        is_open
    }

    /// The root, and the page write that it names, if that is the last one of a closed log.
    fn find_root(&mut self) -> Option<(Root, Seen)> {
        let length = self.pages.len().ok()?;
        if length <= ROOT_SLOT {
            return None;
        }
        self.slots = self.slots.anew(length);
        let mut page = vec![0; self.identity.page_size];
        self.pages.read(ROOT_SLOT, &mut page).ok()?;
        let root = Root::verify(&page, self.identity).filter(|root| root.length == length)?;
        let last = self.look_at(root.slot)?;
        let header = &last.header;
        let is_named = header.number == root.number
            && header.census_term() == root.term
            && header.clean
            && !header.is_rewritten()
            && header.mark.number + 1 == header.number;
        (is_named && !self.is_newer_in(header.next_slot, root.number)).then_some((root, last))
    }

    /// Whether the slot holds a page that was written after the page write of this number.
    fn is_newer_in(&self, slot: u32, number: u64) -> bool {
        if !(FIRST_LOG_SLOT..self.slots.length()).contains(&slot) {
            return false;
        }
        let Ok(page) = self.read_slot(slot) else {
            return false;
        };
        let of_log = PageHeader::verify(&page, self.identity, slot).map(|header| header.number);
        let found = of_log.or_else(|| number_of_body(&page, self.identity, slot));
        found.is_some_and(|found| found > number)
    }

    /// The body that a root names, with the slots that it lies in.
    fn read_body(&self, name: BodyName) -> Option<(Vec<u32>, Vec<u8>)> {
        // No more than there are pages of: the root was verified.
        let mut bytes = Vec::with_capacity(usize::try_from(name.bytes).ok()?);
        let mut slots = Vec::with_capacity(name.pages as usize);
        let mut ahead = Ahead::default();
        let length = self.slots.length();
        let mut slot = name.first_slot;
        let mut digest = 0;
        for ordinal in 0..name.pages {
            if !(FIRST_LOG_SLOT..length).contains(&slot) {
                return None;
            }
            // Nearly always the next page lies in the next slot.
            let page = ahead.page(&*self.pages, slot, slot + 1, length).ok()?;
            let body = BodyPage::verify(page, self.identity, slot, ordinal, digest)?;
            bytes.extend_from_slice(body.contents);
            slots.push(slot);
            (slot, digest) = (body.next_slot, body.digest);
        }
        (digest == name.digest && bytes.len() as u64 == name.bytes).then_some((slots, bytes))
    }

    /// Makes the pages that the body lists the log. Answers how many they are.
    fn take_over_pages(&mut self, numbers: &mut Numbers<'_>, length: u32) -> Option<usize> {
        let end = numbers.next_below(NUMBER_LIMIT)?;
        let main = numbers.next_below(NUMBER_LIMIT)? as i64;
        let newest = Revision {
            main,
            sub: u32::try_from(numbers.next()?).ok()?,
        };
        let epoch = numbers.next_below(NUMBER_LIMIT)? as i64;
        let mut epochs = Vec::new();
        for _ in 0..numbers.next_below(EPOCHS_REMEMBERED as u64 + 1)? {
            epochs.push(EpochStart {
                epoch: numbers.next_below(NUMBER_LIMIT)? as i64,
                cut: numbers.next_below(NUMBER_LIMIT)? as i64,
            });
        }
        let count = numbers.next_below(u64::from(length))?;
        let mut pages: Vec<LivePage> = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let (from, before) = pages
                .last()
                .map_or((0, NEVER), |page| (page.to, page.revision));
            pages.push(LivePage::decode(from, before, numbers)?);
        }
        self.directory = Directory::of(pages);
        if self.directory.end() != end {
            return None;
        }
        self.readable_end = end;
        self.newest = (newest > NEVER).then_some(newest);
        self.epoch = epoch;
        self.epochs = epochs;
        Some(self.directory.pages().len())
    }

    /// Adds the pages that were written since the body was: each of them was named by the one after
    /// it. `false` if that does not lead back to a page that the body knows.
    fn gain_pages(&mut self, last: Seen) -> bool {
        let known_end = self.directory.end();
        let mut chain = vec![last];
        while let Some(earliest) = chain.last() {
            let from = earliest.header.from;
            let is_known = |page: &LivePage| page.from == from;
            if from == known_end || self.directory.at(from).is_some_and(is_known) {
                break;
            }
            let Some(predecessor) = self.look_at(earliest.header.predecessor_slot) else {
                return false;
            };
            let fits = predecessor.header.to == from
                && predecessor.header.number < earliest.header.number
                && !predecessor.header.is_empty()
                && !predecessor.header.is_rewritten();
            if !fits {
                return false;
            }
            chain.push(predecessor);
        }
        let inherited = self.newest_or_never();
        for seen in chain
            .into_iter()
            .rev()
            .filter(|seen| !seen.header.is_empty())
        {
            let mut page = LivePage::new(&seen.header, seen.slot, inherited);
            let older = self.directory.at(page.from);
            if let Some(older) = older.filter(|older| older.from == page.from) {
                page.inherit(older);
            }
            self.directory
                .replace(page, seen.header.end, &mut Vec::new());
        }
        true
    }

    /// Pages that the page store has in memory are read there from now on, so they are verified now.
    fn hold_shared_pages(&mut self) -> bool {
        let (pages, identity) = (&self.pages, self.identity);
        self.directory.pages_mut().iter_mut().all(|page| {
            let Some(bytes) = pages.share(page.slot) else {
                return true;
            };
            let header = PageHeader::verify(&bytes, identity, page.slot);
            page.bytes = Some(bytes);
            header.is_some_and(|header| page.is_of(&header))
        })
    }

    /// Says of each slot what it is for. `false` if one is for two purposes.
    fn divide_slots(&mut self, root: &Root, body: &Body, last: &LastWrite) -> bool {
        let mut is_taken = vec![false; root.length as usize];
        let last = last.empty.then_some(last.slot);
        let live = self.directory.pages().iter().map(|page| page.slot);
        let taken = live.chain(last).chain(root.held.iter().copied());
        for slot in taken.chain(body.slots.iter().copied()) {
            match is_taken.get_mut(slot as usize) {
                Some(is_taken) if !*is_taken && slot >= FIRST_LOG_SLOT => *is_taken = true,
                _ => return false,
            }
        }
        self.slots = self.slots.anew(root.length);
        for &slot in &root.held {
            self.slots.hold(slot, root.number + 1);
        }
        for slot in FIRST_LOG_SLOT..root.length {
            if !is_taken[slot as usize] {
                self.slots.free(slot);
            }
        }
        true
    }

    /// Replays what was added since the body was written. `false` if that is not all there is.
    fn walk_over_gained(&mut self, learner: &mut dyn Learner) -> bool {
        self.tail = Tail::new(self.identity.page_size, self.directory.end(), NEVER);
        let mut resume = Resume {
            position: self.readable_end,
            epoch: self.epoch,
            ..Resume::START
        };
        let walk = self.walk(&mut resume, learner);
        matches!(walk, Ok(Walk::Replayed(_))) && self.readable_end == self.directory.end()
    }

    fn finish_by_checkpoint(&mut self, root: &Root, body: Body) -> bool {
        if self.read_only {
            self.slots = self.slots.anew(root.length);
            return self.pin_the_last_page().is_ok();
        }
        if self.resume_tail().is_err() {
            return false;
        }
        self.slots.prefer_next(self.last_write.next_slot);
        self.slots.decide_next();
        // As after any clean close: it may not have reached the disk.
        self.unconfirmed = Some(vec![root.slot]);
        self.checkpoint.root = RootState::Standing;
        self.checkpoint.body = Some(body);
        true
    }
}
