//! From a transaction to those whom it concerns.

use alloc::vec::Vec;
use core::{hint, mem};

use super::batch::{Batch, Slice, filtered};
use super::holder::{Holder, Who};
use super::hub::Hub;
use super::listing::Listing;
use super::request::Filter;
use super::roster::{Row, dissolve};
use super::selection::Selected;
use super::watcher::{Flag, NOBODY};
use crate::record::Event;

/// A batch on its way to the watchers.
pub(super) struct Publication {
    events: Listing,
    picks: Vec<u32>,
    /// The number that it will have.
    batch: u32,
    pub(super) bytes: usize,
    /// How many slices of it are held.
    pub(super) slices: u32,
    /// Whether all queues together hold as much as they may.
    pub(super) is_store_full: bool,
}

impl Publication {
    pub(super) fn revision_at(&self, slice: Slice, place: u32) -> i64 {
        let index = if slice.picked {
            self.picks[place as usize]
        } else {
            place
        };
        self.events.change(index as usize).1.mod_revision
    }

    /// What a filter lets through of a slice.
    fn filtered(&mut self, slice: Slice, filter: Filter) -> Slice {
        let indices = filtered(&self.events, &self.picks, slice, filter);
        if indices.len() == slice.len() {
            return slice;
        }
        let start = self.picks.len() as u32;
        self.picks.extend(indices);
        Slice {
            start,
            end: self.picks.len() as u32,
            picked: true,
            ..slice
        }
    }

    /// What of a slice is of revision `from` or later.
    fn trim(&self, mut slice: Slice, from: i64) -> Slice {
        while !slice.is_empty() && self.revision_at(slice, slice.start) < from {
            slice.start += 1;
        }
        slice
    }
}

/// What the watchers of a holder want of a batch.
struct Choice {
    all: Slice,
    /// What each filter lets through, once somebody has asked.
    by_filter: [Option<Slice>; Filter::COUNT],
    first_revision: i64,
}

impl Hub {
    /// A change of `key` is about to be made: asks for the memory of the one who watches it, if it is one
    /// of many. It is on its way while the change is made, and there when the change is published.
    #[inline]
    pub(crate) fn foresee(&self, key: &[u8]) {
        if let Some(Who::Watcher(watcher)) = self.groups.foresee(key).map(Holder::who) {
            let watcher = self.watchers.get(watcher as usize);
            hint::black_box(watcher.map(|watcher| watcher.stream));
        }
    }

    /// Delivers events, in order, to the synced watchers that they concern: those of a transaction,
    /// or of several that became durable together. `held_elsewhere` is what another hub of the same
    /// store holds in bytes: their sum is bounded.
    pub(crate) fn publish(&mut self, revision: i64, events: Vec<Event>, held_elsewhere: usize) {
        self.learn_published(revision);
        let mut selected = mem::take(&mut self.selected);
        let keys = events.iter().map(|event| event.kv.key.as_slice());
        let picks = self
            .groups
            .select_for_synced(&mut self.watchers, keys, &mut selected);
        if !selected.is_empty() {
            self.deliver_selected(&selected, revision, events, picks, held_elsewhere);
        }
        selected.clear();
        self.selected = selected;
    }

    fn deliver_selected(
        &mut self,
        selected: &[Selected],
        revision: i64,
        events: Vec<Event>,
        picks: Vec<u32>,
        held_elsewhere: usize,
    ) {
        let events = Listing::from(events);
        let mut publication = Publication {
            bytes: events.bytes(),
            events,
            picks,
            batch: self.batches.next(),
            slices: 0,
            is_store_full: self.batches.bytes() + held_elsewhere >= self.bounds.store_bytes,
        };
        for &selected in selected {
            self.deliver_to_holder(&mut publication, selected);
        }
        let Publication {
            events,
            picks,
            bytes,
            slices,
            ..
        } = publication;
        if slices > 0 {
            let batch = Batch::new(events, picks, Some(revision));
            self.batches.add(batch, bytes, slices);
        }
    }

    fn deliver_to_holder(&mut self, publication: &mut Publication, selected: Selected) {
        let all = selected.slice_of(publication.batch);
        let first_revision = publication.revision_at(all, all.start);
        let who = selected.holder.who();
        if let Who::Watcher(key) = who
            && self.deliver_plainly(publication, key, all, first_revision)
        {
            return;
        }
        let mut choice = Choice {
            all,
            by_filter: [None; Filter::COUNT],
            first_revision,
        };
        if let Who::Group(group) = who
            && self.deliver_to_lineup(publication, group, &mut choice)
        {
            return;
        }
        let first = self.groups.first_synced(selected.holder);
        let (last, _) = self.watchers[first as usize].neighbours();
        let mut next = first;
        loop {
            let key = next;
            (_, next) = self.watchers[key as usize].neighbours();
            self.deliver_to_watcher(publication, key, &mut choice);
            if key == last || next == NOBODY {
                break;
            }
        }
    }

    /// Delivers to a group whose synced watchers have been the same for a while, if all of them have
    /// room.
    fn deliver_to_lineup(
        &mut self,
        publication: &mut Publication,
        group: u32,
        choice: &mut Choice,
    ) -> bool {
        let (all, from) = (choice.all, choice.first_revision);
        let rosters = &mut self.rosters;
        let lineup = self
            .groups
            .take_lineup(&self.watchers, group, from, rosters);
        let Some(mut lineup) = lineup else {
            return false;
        };
        let has_room = |row: &Row| {
            let count = rosters.members(row.roster).len();
            self.streams[row.stream as usize].has_room_for_run(all.batch, count, &self.bounds)
        };
        if publication.is_store_full || !lineup.rows.iter().all(has_room) {
            dissolve(*lineup, &mut self.watchers, rosters);
            return false;
        }
        for row in &mut lineup.rows {
            let count = self.rosters.members(row.roster).len();
            let stream = &mut self.streams[row.stream as usize];
            row.last_run = Some(stream.push_run(row.roster, count, all, publication.bytes));
            self.woken.extend(stream.waker.take());
            self.rosters.retain(row.roster);
            publication.slices += 1;
            self.sate(row.stream);
        }
        // Whoever has no room among the others leaves the group, and dissolves the lineup.
        let rest = mem::take(&mut lineup.rest);
        self.groups.set_lineup(group, lineup);
        for &key in &rest {
            self.deliver_to_watcher(publication, key, choice);
        }
        self.groups.set_rest(group, rest);
        true
    }

    /// Delivers to a watcher that wants all of a slice and has room; false, and nothing is done, if it is
    /// not such a one.
    #[inline]
    fn deliver_plainly(
        &mut self,
        publication: &mut Publication,
        key: u32,
        all: Slice,
        first_revision: i64,
    ) -> bool {
        let watcher = &mut self.watchers[key as usize];
        let stream = &mut self.streams[watcher.stream as usize];
        let is_plain = watcher.takes_all()
            && watcher.next_revision <= first_revision
            && !publication.is_store_full
            && stream.has_plain_room(&self.bounds);
        if is_plain {
            publication.slices += 1;
            watcher.set(Flag::Told);
            stream.push_events(watcher, key, all, publication.bytes);
        }
        is_plain
    }

    fn deliver_to_watcher(&mut self, publication: &mut Publication, key: u32, choice: &mut Choice) {
        if self.deliver_plainly(publication, key, choice.all, choice.first_revision) {
            return;
        }
        let watcher = &self.watchers[key as usize];
        let mut slice = choice.all;
        if !watcher.takes_all() {
            let filter = watcher.filter();
            slice = *choice.by_filter[filter.index()]
                .get_or_insert_with(|| publication.filtered(choice.all, filter));
        }
        if watcher.next_revision > choice.first_revision {
            slice = publication.trim(slice, watcher.next_revision);
        }
        if slice.is_empty() {
            return;
        }
        self.deliver(publication, key, slice);
    }
}
