//! Parts of history that were read, kept for a while for others who are as far behind.
//!
//! Each stream reads history when its reader comes for it, so that nothing is held for readers that
//! do not come. So that a thousand of them do not read the same a thousand times, a part is kept
//! until others push it out, together with what each group of watchers wants of it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::mem;

use slab::Slab;

use super::batch::{Batch, Batches, Slice, filtered};
use super::group::Groups;
use super::history::{ReadPart, Wanted, within};
use super::holder::Holder;
use super::request::Filter;
use super::watcher::Watcher;
use crate::seeded_bug::is_seeded;

/// Bytes of parts that are kept at most; less where all queues together may hold little.
const KEPT_BYTES: usize = 8 * 1024 * 1024;
/// The share of all queues' bytes that parts may have.
const SHARE: usize = 8;
/// Looking through more would cost more than reading again.
const MOST_PARTS: usize = 64;

/// The revisions from `from` up to and including `to`.
#[derive(Debug)]
pub(super) struct Part {
    from: i64,
    pub(super) to: i64,
    pub(super) batch: u32,
    has_prev_kv: bool,
    /// Holders that had watchers behind when this part was matched were matched.
    number: u32,
    /// What holders want of it, once somebody has asked or if it was matched. Each holds its batch.
    selections: BTreeMap<(Holder, usize), Slice>,
    /// What reading it has cost, until somebody's turn was charged with that.
    pub(super) unpaid_bytes: usize,
    last_use: u64,
}

/// Of a part that was matched for nobody; every holder then looks through it.
const NONE_MATCHED: u32 = 0;

#[derive(Debug)]
pub(super) struct Parts {
    kept: Vec<Part>,
    kept_bytes: usize,
    uses: u64,
    /// The compaction that all parts are as of.
    compact_revision: i64,
    past: u32,
}

fn selection_key(holder: Holder) -> (Holder, usize) {
    (holder, Filter::NONE.index())
}

impl Parts {
    pub(super) fn new(queue_bytes: usize) -> Self {
        Self {
            kept: Vec::new(),
            kept_bytes: KEPT_BYTES.min(queue_bytes / SHARE),
            uses: 0,
            compact_revision: -1,
            past: 0,
        }
    }

    pub(super) fn get(&self, part: usize) -> &Part {
        &self.kept[part]
    }

    /// What reading a part has cost, if nobody was charged with that yet.
    pub(super) fn charge(&mut self, part: usize) -> usize {
        mem::take(&mut self.kept[part].unpaid_bytes)
    }

    /// A part that has the events from a revision on.
    pub(super) fn find(&mut self, from: i64, prev_kv: bool) -> Option<usize> {
        self.uses += 1;
        let serves = |part: &Part| {
            let has_prev_kv = part.has_prev_kv || !prev_kv;
            part.from <= from && from <= part.to && has_prev_kv
        };
        let place = self.kept.iter().position(serves)?;
        self.kept[place].last_use = self.uses;
        Some(place)
    }

    /// Gives up what a compaction has overtaken: what keys were before may be gone, and of the
    /// transaction at its revision all but each key's last state. What comes after it stays as it is.
    pub(super) fn learn_compaction(&mut self, compact_revision: i64, batches: &mut Batches) {
        if self.compact_revision == compact_revision || is_seeded!(OvertakenPartIsTaken) {
            return;
        }
        self.compact_revision = compact_revision;
        for part in self
            .kept
            .extract_if(.., |part| part.from <= compact_revision)
        {
            part.release(batches);
        }
    }

    /// Which past is being read; another one after a loss of history.
    pub(super) fn past(&self) -> u32 {
        self.past
    }

    /// Whether a part is what would be read now.
    fn is_current(&self, wanted: &Wanted) -> bool {
        let is_overtaken = wanted.from <= self.compact_revision
            && wanted.compact_revision != self.compact_revision
            && !is_seeded!(OvertakenPartIsTaken);
        wanted.past == self.past && !is_overtaken
    }

    /// Keeps a part that was read; answers what is of no use, for the caller to drop when that holds up
    /// nobody.
    pub(super) fn take_in(
        &mut self,
        part: ReadPart,
        groups: &mut Groups,
        watchers: &mut Slab<Watcher>,
        batches: &mut Batches,
    ) -> Option<ReadPart> {
        let wanted = &part.wanted;
        if !self.is_current(wanted) || self.find(wanted.from, wanted.prev_kv).is_some() {
            return Some(part);
        }
        let ReadPart {
            wanted,
            events,
            to,
            bytes,
            choices,
        } = part;
        let is_for_few = !choices.is_empty();
        let (selected, picks) = if is_for_few {
            Default::default()
        } else {
            groups.select_for_unsynced(watchers, events.keys())
        };
        self.make_room(bytes, batches);
        // One holder is the part itself.
        let holders = 1 + selected.len() as u32;
        let batch = batches.add(Batch::new(events, picks, None), bytes, holders);
        let mut selections: BTreeMap<_, _> = selected
            .into_iter()
            .map(|selected| (selection_key(selected.holder), selected.slice_of(batch)))
            .collect();
        for (holder, places) in choices {
            // Its number may have been given to another one meanwhile.
            let is_the_one = groups.has_been_behind(watchers, holder, wanted.number);
            if is_the_one || is_seeded!(FormerHolderIsServed) {
                selections.insert(selection_key(holder), batches.pick(batch, places));
            }
        }
        self.kept.push(Part {
            from: wanted.from,
            to,
            batch,
            has_prev_kv: wanted.prev_kv,
            number: if is_for_few {
                NONE_MATCHED
            } else {
                groups.part()
            },
            selections,
            unpaid_bytes: bytes,
            last_use: self.uses,
        });
        None
    }

    /// Gives up the parts that were not used for longest, for one with so many bytes. One is kept
    /// whatever its size.
    fn make_room(&mut self, bytes: usize, batches: &mut Batches) {
        let held: usize = self
            .kept
            .iter()
            .map(|part| batches.bytes_of(part.batch))
            .sum();
        let mut excess = (held + bytes).saturating_sub(self.kept_bytes);
        while excess > 0 || self.kept.len() >= MOST_PARTS {
            let by_use = self.kept.iter().enumerate();
            let Some((oldest, _)) = by_use.min_by_key(|(_, part)| part.last_use) else {
                break;
            };
            let part = self.kept.swap_remove(oldest);
            excess = excess.saturating_sub(batches.bytes_of(part.batch));
            part.release(batches);
        }
    }

    /// What a holder wants of a part.
    pub(super) fn selection(
        &mut self,
        part: usize,
        (holder, filter): (Holder, Filter),
        groups: &Groups,
        watchers: &Slab<Watcher>,
        batches: &mut Batches,
    ) -> Slice {
        let key = (holder, filter.index());
        if let Some(&slice) = self.kept[part].selections.get(&key) {
            return slice;
        }
        let slice = if filter == Filter::NONE {
            self.kept[part].look_through(holder, groups, watchers, batches)
        } else {
            let all = self.selection(part, (holder, Filter::NONE), groups, watchers, batches);
            let batch = batches.get(all.batch);
            let indices = filtered(batch.events(), batch.picks(), all, filter);
            batches.pick(all.batch, indices)
        };
        self.kept[part].selections.insert(key, slice);
        slice
    }

    /// The number of a holder may be given to another one.
    pub(super) fn forget(&mut self, holder: Holder, batches: &mut Batches) {
        for part in &mut self.kept {
            for filter in 0..Filter::COUNT {
                if let Some(slice) = part.selections.remove(&(holder, filter)) {
                    batches.release(slice.batch);
                }
            }
        }
    }

    /// History was lost, and another one takes its place.
    pub(super) fn begin_anew(&mut self, batches: &mut Batches) {
        self.past = self.past.wrapping_add(1);
        self.clear(batches);
    }

    pub(super) fn clear(&mut self, batches: &mut Batches) {
        for part in self.kept.drain(..) {
            part.release(batches);
        }
    }
}

impl Part {
    /// What a holder wants that was not matched when the part was read.
    fn look_through(
        &self,
        holder: Holder,
        groups: &Groups,
        watchers: &Slab<Watcher>,
        batches: &mut Batches,
    ) -> Slice {
        let mut indices = Vec::new();
        if !groups.was_behind(watchers, holder, self.number) {
            let ranges = groups.ranges(watchers, holder);
            indices = within(&ranges, batches.get(self.batch).events());
        }
        batches.pick(self.batch, indices)
    }

    fn release(self, batches: &mut Batches) {
        for slice in self.selections.into_values() {
            batches.retire(slice.batch);
        }
        batches.retire(self.batch);
    }
}
