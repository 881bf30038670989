//! Parts of history that were read, kept for a while for others who are as far behind.
//!
//! Each stream reads history when its reader comes for it, so that nothing is held for readers that
//! do not come. So that a thousand of them do not read the same a thousand times, a part is kept
//! until others push it out, together with what each group of watchers wants of it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use slab::Slab;

use super::batch::{Batch, Batches, Slice, bytes_of, filtered};
use super::group::Groups;
use super::history::History;
use super::holder::Holder;
use super::request::Filter;
use super::watcher::Watcher;
use crate::error::Result;

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
    last_use: u64,
}

#[derive(Debug)]
pub(super) struct Parts {
    kept: Vec<Part>,
    kept_bytes: usize,
    uses: u64,
    /// The compaction that all parts are as of.
    compact_revision: i64,
}

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) from: i64,
    pub(super) prev_kv: bool,
    pub(super) max_revisions: usize,
    pub(super) max_bytes: usize,
}

impl Parts {
    pub(super) fn new(queue_bytes: usize) -> Self {
        Self {
            kept: Vec::new(),
            kept_bytes: KEPT_BYTES.min(queue_bytes / SHARE),
            uses: 0,
            compact_revision: -1,
        }
    }

    pub(super) fn get(&self, part: usize) -> &Part {
        &self.kept[part]
    }

    /// A part that begins at or before the revision wanted; answers its place, and how many bytes
    /// were read for it.
    pub(super) fn find_or_read(
        &mut self,
        wanted: Wanted,
        groups: &mut Groups,
        watchers: &mut Slab<Watcher>,
        batches: &mut Batches,
        history: &impl History,
    ) -> Result<(usize, usize)> {
        if self.compact_revision != history.compact_revision() {
            // What keys were before may be gone, and of a transaction all but each key's last state.
            self.clear(batches);
            self.compact_revision = history.compact_revision();
        }
        self.uses += 1;
        let serves = |part: &Part| {
            let has_prev_kv = part.has_prev_kv || !wanted.prev_kv;
            part.from <= wanted.from && wanted.from <= part.to && has_prev_kv
        };
        if let Some(place) = self.kept.iter().position(serves) {
            self.kept[place].last_use = self.uses;
            return Ok((place, 0));
        }
        self.read(wanted, groups, watchers, batches, history)
    }

    fn read(
        &mut self,
        wanted: Wanted,
        groups: &mut Groups,
        watchers: &mut Slab<Watcher>,
        batches: &mut Batches,
        history: &impl History,
    ) -> Result<(usize, usize)> {
        let reach = history.events(
            wanted.from,
            wanted.max_revisions,
            wanted.max_bytes,
            wanted.prev_kv,
        )?;
        let (selected, picks) = groups.select_for_unsynced(watchers, &reach.events);
        let bytes = bytes_of(&reach.events);
        self.make_room(bytes, batches);
        // One holder is the part itself.
        let holders = 1 + selected.len() as u32;
        let batch = batches.add(Batch::new(reach.events, picks, None), bytes, holders);
        let selections = selected.into_iter().map(|selected| {
            let slice = Slice {
                batch,
                start: selected.start,
                end: selected.end,
                picked: selected.picked,
            };
            ((selected.holder, Filter::NONE.index()), slice)
        });
        self.kept.push(Part {
            from: wanted.from,
            to: reach.revision,
            batch,
            has_prev_kv: wanted.prev_kv,
            number: groups.part(),
            selections: selections.collect(),
            last_use: self.uses,
        });
        Ok((self.kept.len() - 1, bytes))
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
            let events = batches.get(self.batch).events();
            let wanted = events
                .iter()
                .enumerate()
                .filter(|(_, event)| ranges.iter().any(|range| range.contains(&event.kv.key)));
            indices.extend(wanted.map(|(index, _)| index as u32));
        }
        batches.pick(self.batch, indices)
    }

    fn release(self, batches: &mut Batches) {
        for slice in self.selections.into_values() {
            batches.release(slice.batch);
        }
        batches.release(self.batch);
    }
}
