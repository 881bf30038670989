//! Events, held once for all watchers that they concern.

#![allow(
    clippy::inline_always,
    reason = "whoever reads an event looks at a part of it: only that is then loaded"
)]

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use slab::Slab;

use super::listing::Listing;
use super::request::Filter;
use crate::record::{Change, EventKind, KeyValueRef};

/// Events of one or more whole revisions, in order. Whoever is given some of them holds a [`Slice`].
#[derive(Debug, Default)]
pub(super) struct Batch {
    events: Listing,
    /// The batch that `picks` are of; `None` if of this one's own events.
    base: Option<Arc<Self>>,
    /// Places in the events, for those slices that are not a run of neighbours.
    picks: Vec<u32>,
    /// The store's revision as responses tell it; `None` for history, where it is that of the moment
    /// when it is handed over.
    pub(super) revision: Option<i64>,
}

impl Batch {
    pub(super) fn new(events: impl Into<Listing>, picks: Vec<u32>, revision: Option<i64>) -> Self {
        Self {
            events: events.into(),
            base: None,
            picks,
            revision,
        }
    }

    /// Other picks from the same events.
    pub(super) fn derived(base: &Arc<Self>, picks: Vec<u32>) -> Self {
        Self {
            events: Listing::default(),
            base: Some(Arc::clone(base)),
            picks,
            revision: base.revision,
        }
    }

    #[inline]
    pub(super) fn events(&self) -> &Listing {
        self.base.as_ref().map_or(&self.events, |base| &base.events)
    }

    /// The event at `place`, which is one of a slice's, without what its key was before.
    #[inline(always)]
    pub(super) fn change(&self, place: u32, picked: bool) -> Change<'_> {
        self.events().change(self.index(place, picked))
    }

    /// What its key was before.
    #[inline(always)]
    pub(super) fn prev_kv(&self, place: u32, picked: bool) -> Option<KeyValueRef<'_>> {
        self.events().prev_kv(self.index(place, picked))
    }

    #[inline]
    pub(super) fn revision_at(&self, place: u32, picked: bool) -> i64 {
        self.change(place, picked).1.mod_revision
    }

    #[inline]
    fn index(&self, place: u32, picked: bool) -> usize {
        if picked {
            self.picks[place as usize] as usize
        } else {
            place as usize
        }
    }

    /// Places of events that a slice may pick.
    pub(super) fn picks(&self) -> &[u32] {
        &self.picks
    }

    /// What of a slice is of revision `from` or later.
    pub(super) fn trim(&self, slice: Slice, from: i64) -> Slice {
        let start = partition_point(slice.start, slice.end, |place| {
            self.revision_at(place, slice.picked) < from
        });
        Slice { start, ..slice }
    }
}

fn partition_point(mut low: u32, mut high: u32, is_before: impl Fn(u32) -> bool) -> u32 {
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Some events of a batch: a run of neighbours, or a run of its picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// The batch's number in [`Batches`].
    pub(super) batch: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) picked: bool,
}

impl Slice {
    pub(super) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Which of a slice's events a filter lets through, as places in the batch's events.
pub(super) fn filtered(events: &Listing, picks: &[u32], slice: Slice, filter: Filter) -> Vec<u32> {
    let places = slice.start..slice.end;
    let indices = places.map(|place| {
        if slice.picked {
            picks[place as usize]
        } else {
            place
        }
    });
    indices
        .filter(|&index| filter.lets_through(events.change(index as usize).0))
        .collect()
}

impl Filter {
    pub(super) fn lets_through(self, kind: EventKind) -> bool {
        match kind {
            EventKind::Put => !self.no_put,
            EventKind::Delete => !self.no_delete,
        }
    }
}

/// All batches that something is held of.
#[derive(Debug, Default)]
pub(super) struct Batches {
    held: Slab<Held>,
    /// Bytes of all of them.
    bytes: usize,
    keeps_retired: bool,
    retired: Vec<Arc<Batch>>,
}

#[derive(Debug)]
struct Held {
    batch: Arc<Batch>,
    /// The number of the batch that this one picks from, if it is another.
    base: Option<u32>,
    /// How many slices there are of it, or batches that pick from it; no need for it to be atomic.
    holders: u32,
    /// Bytes of its own.
    bytes: usize,
    /// Bytes that are held for as long as it is.
    weight: usize,
}

impl Batches {
    /// Bytes of events that are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number that the next batch gets.
    pub(super) fn next(&self) -> u32 {
        self.held.vacant_key() as u32
    }

    /// Holds a batch with so many `bytes` of events, for so many holders.
    pub(super) fn add(&mut self, batch: Batch, bytes: usize, holders: u32) -> u32 {
        self.bytes += bytes;
        let batch = Arc::new(batch);
        self.held.insert(Held {
            batch,
            base: None,
            holders,
            bytes,
            weight: bytes,
        }) as u32
    }

    /// A slice of those events of a batch that are at `indices`, for one holder.
    pub(super) fn pick(&mut self, batch: u32, indices: Vec<u32>) -> Slice {
        let base = self.held[batch as usize].base.unwrap_or(batch);
        let (first, count) = (indices.first().copied().unwrap_or(0), indices.len() as u32);
        let is_run = indices.last().is_none_or(|&last| last - first + 1 == count);
        self.retain(base);
        if is_run {
            return Slice {
                batch: base,
                start: first,
                end: first + count,
                picked: false,
            };
        }
        let bytes = size_of_val(indices.as_slice());
        let batch = Arc::new(Batch::derived(&self.held[base as usize].batch, indices));
        self.bytes += bytes;
        let batch = self.held.insert(Held {
            batch,
            base: Some(base),
            holders: 1,
            bytes,
            weight: bytes + self.held[base as usize].bytes,
        });
        Slice {
            batch: batch as u32,
            start: 0,
            end: count,
            picked: true,
        }
    }

    pub(super) fn get(&self, batch: u32) -> &Arc<Batch> {
        &self.held[batch as usize].batch
    }

    /// Bytes that are held for as long as the batch is.
    pub(super) fn bytes_of(&self, batch: u32) -> usize {
        self.held[batch as usize].weight
    }

    /// There is one holder more.
    pub(super) fn retain(&mut self, batch: u32) {
        self.held[batch as usize].holders += 1;
    }

    /// There is one holder less.
    pub(super) fn release(&mut self, batch: u32) {
        drop(self.take(batch));
    }

    /// The same for one that may be large; see [`Self::take_retired`].
    pub(super) fn retire(&mut self, batch: u32) {
        let is_last = self.held[batch as usize].holders == 1;
        let batch = self.take(batch);
        if is_last && self.keeps_retired {
            self.retired.push(batch);
        }
    }

    /// Keeps what is retired for whoever drops it: that takes as long as it took to read it, and should
    /// hold up nobody.
    pub(super) fn keep_retired(&mut self) {
        self.keeps_retired = true;
    }

    pub(super) fn keeps_retired(&self) -> bool {
        self.keeps_retired
    }

    /// Takes what was retired since the last call.
    pub(super) fn take_retired(&mut self) -> Vec<Arc<Batch>> {
        mem::take(&mut self.retired)
    }

    /// The same, and answers the batch.
    #[inline]
    pub(super) fn take(&mut self, batch: u32) -> Arc<Batch> {
        let held = &mut self.held[batch as usize];
        held.holders -= 1;
        if held.holders > 0 {
            return Arc::clone(&held.batch);
        }
        let held = self.held.remove(batch as usize);
        self.bytes -= held.bytes;
        if let Some(base) = held.base {
            self.release(base);
        }
        held.batch
    }
}
