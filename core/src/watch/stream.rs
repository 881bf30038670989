//! Streams: many watchers, one bounded queue.

use alloc::collections::{BTreeSet, VecDeque};
use core::task::Waker;

use super::batch::{Batches, Slice};
use super::ids::WatchIds;
use super::roster::Rosters;
use super::watcher::{Flags, NOBODY, Watcher};
use crate::seeded_bug::is_seeded;

/// Names a stream of a store. Never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(u64);

/// In the number of an opening: the stream is among those that are told early.
pub(super) const EARLY: u32 = 1 << 31;

impl StreamId {
    pub(super) fn new(opening: u32, place: u32) -> Self {
        Self(u64::from(opening) << 32 | u64::from(place))
    }

    /// A number for it, for those who cannot hold the type.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// Whether it was opened to be told before changes are durable. Where changes are shown at once
    /// anyway no stream is.
    pub(crate) fn is_early(self) -> bool {
        self.opening() & EARLY != 0
    }

    /// Which of the streams that had this place.
    pub(super) fn opening(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Where the hub has it.
    pub(super) fn place(self) -> u32 {
        self.0 as u32
    }
}

/// What waits to be polled. A stream may hold thousands of these: a watcher's number and where its
/// events are, not the response itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Queued {
    Created {
        watcher: u32,
        revision: i64,
    },
    /// All that the response needs, so that taking it need not look at the watcher.
    Events {
        watcher: u32,
        watch_id: i64,
        slice: Slice,
        flags: Flags,
    },
    /// The same events for each watcher of a roster, from place `at` on.
    Run {
        roster: u32,
        at: u32,
        slice: Slice,
    },
    /// Of a watcher, or of the stream if it is nobody.
    Progress {
        watcher: u32,
        revision: i64,
    },
    /// The watcher's last word.
    Ended {
        watcher: u32,
        why: LastWord,
        revision: i64,
    },
}

/// Why a watcher ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastWord {
    Canceled,
    Compacted,
    Rewound,
}

impl LastWord {
    /// Whether a planted bug leaves the watcher where it stands.
    pub(super) fn leaves_watcher(self) -> bool {
        let (canceled, compacted) = (
            is_seeded!(CanceledWatcherStays),
            is_seeded!(CompactedWatcherStays),
        );
        match self {
            Self::Canceled => canceled,
            Self::Compacted => compacted,
            Self::Rewound => false,
        }
    }
}

/// Whether a stream waits for history to be read for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hunger {
    /// Nobody is behind, or there is something to poll first.
    #[default]
    None,
    /// It waits for its turn: its place among the hungry.
    Waits { round: u64, next_revision: i64 },
    /// It has been given all that is published, but not all that is applied.
    Frontier,
}

#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Tells streams apart that had the same place one after the other.
    pub(super) opening: u32,
    /// How many responses with events wait; only they count against the bound.
    pub(super) queued_events: u32,
    /// The number of the last of those; it goes round.
    pub(super) pushes: u32,
    /// What waits to be polled, oldest first.
    pub(super) queue: VecDeque<Queued>,
    /// One more than the number of the batch of the last in the queue; 0 if that is not events.
    pub(super) last_batch: u32,
    /// Bytes of the batches that the queue and the victims hold.
    pub(super) held_bytes: usize,
    pub(super) ids: WatchIds,
    /// Watchers that hold something of a batch, in the order in which they came to hold it.
    pub(super) victims: VecDeque<(u32, Slice)>,
    /// The unsynced watchers, by the revision that they want next.
    pub(super) behind: BTreeSet<(i64, u32)>,
    /// How far the sweep through their history has come; see `catch_up`.
    pub(super) sweep: i64,
    pub(super) hunger: Hunger,
    /// How many of its watchers want to know what keys were before.
    pub(super) want_prev_kv: u32,
    /// Watchers that start in the future, by where they do; also some that have started since.
    pub(super) future_starts: BTreeSet<(i64, u32)>,
    /// Whom to wake when there is something to poll.
    pub(super) waker: Option<Waker>,
}

/// What is to become of a batch for a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It is queued.
    Queue,
    /// The watcher holds it: it becomes a victim.
    Hold,
    /// It is left to the log: the watcher falls behind.
    None,
}

/// The bounds of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) responses: u32,
    pub(super) stream_bytes: usize,
    /// All streams together.
    pub(super) store_bytes: usize,
    pub(super) fragment_bytes: usize,
}

impl Stream {
    /// Whether a slice of `batch` has room. In number: up to the bound in all, and one for each watcher
    /// however many there are, so that a change that concerns them all makes no victims among those
    /// who keep up. In bytes: whatever comes while there is less than the bound, so that it is never
    /// exceeded by more than one batch; what all share counts once.
    pub(super) fn room_for(
        &self,
        batch: u32,
        watcher: &Watcher,
        is_conflating: bool,
        bounds: &Bounds,
        is_store_full: bool,
    ) -> Room {
        let holds_nothing = self.held_bytes == 0;
        let has_bytes = self.held_bytes < bounds.stream_bytes && !is_store_full;
        if !has_bytes && !holds_nothing && !self.ends_with(batch)
            || is_conflating && self.has_queued(watcher)
        {
            Room::None
        } else if self.queued_events < bounds.responses || !self.has_queued(watcher) {
            Room::Queue
        } else {
            Room::Hold
        }
    }

    fn ends_with(&self, batch: u32) -> bool {
        self.last_batch == batch + 1
    }

    /// Queues what is said of a watcher, or of the stream; there is always room for that.
    pub(super) fn push_notice(&mut self, notice: Queued) {
        self.last_batch = 0;
        self.queue.push_back(notice);
    }

    /// Whether there is room for any watcher that does not conflate, and nothing to see to.
    #[inline]
    pub(super) fn has_plain_room(&self, bounds: &Bounds) -> bool {
        self.queued_events < bounds.responses
            && self.held_bytes < bounds.stream_bytes
            && self.waker.is_none()
            && self.hunger == Hunger::None
    }

    /// Whether responses with events wait for this watcher: if its last one is among those that do.
    pub(super) fn has_queued(&self, watcher: &Watcher) -> bool {
        let age = self.pushes.wrapping_sub(watcher.last_push);
        age < self.queued_events
    }

    /// A watcher comes that nothing was queued for.
    pub(super) fn before_all_queued(&self) -> u32 {
        self.pushes.wrapping_sub(self.queued_events)
    }

    /// Queues events for a watcher, of a batch with so many bytes.
    #[inline]
    pub(super) fn push_events(
        &mut self,
        watcher: &mut Watcher,
        key: u32,
        slice: Slice,
        bytes: usize,
    ) {
        // Neighbours in the queue share what they hold.
        if !self.ends_with(slice.batch) {
            self.held_bytes += bytes;
        }
        self.last_batch = slice.batch + 1;
        self.queued_events += 1;
        self.pushes = self.pushes.wrapping_add(1);
        watcher.last_push = self.pushes;
        self.queue.push_back(Queued::Events {
            watcher: key,
            watch_id: watcher.id,
            slice,
            flags: watcher.flags,
        });
    }

    /// Whether there is room for the same events for `count` watchers of which none conflates, so
    /// that none of them would have to be looked at.
    pub(super) fn has_room_for_run(&self, batch: u32, count: usize, bounds: &Bounds) -> bool {
        let has_bytes = self.held_bytes < bounds.stream_bytes;
        let has_places = self.queued_events as usize + count <= bounds.responses as usize;
        (has_bytes || self.held_bytes == 0 || self.ends_with(batch))
            && (has_places || self.queued_events == 0)
    }

    /// Queues events of a batch with so many bytes for all of a roster, `count` watchers; answers the
    /// number of the first of these responses.
    pub(super) fn push_run(
        &mut self,
        roster: u32,
        count: usize,
        slice: Slice,
        bytes: usize,
    ) -> u32 {
        if !self.ends_with(slice.batch) {
            self.held_bytes += bytes;
        }
        self.last_batch = slice.batch + 1;
        let first = self.pushes.wrapping_add(1);
        self.queued_events += count as u32;
        self.pushes = self.pushes.wrapping_add(count as u32);
        self.queue.push_back(Queued::Run {
            roster,
            at: 0,
            slice,
        });
        first
    }

    /// The first responses of the run at the front of the queue have been taken, but not all.
    #[inline]
    pub(super) fn advance_run(&mut self, count: u32) {
        if let Some(Queued::Run { at, .. }) = self.queue.front_mut() {
            *at += count;
            self.queued_events -= count;
        }
    }

    /// The events at the front of the queue have been taken, of a batch with so many bytes.
    #[inline]
    pub(super) fn pop_events(&mut self, batch: u32, bytes: usize) {
        self.queue.pop_front();
        self.queued_events -= 1;
        match self.queue.front() {
            Some(Queued::Events { slice, .. } | Queued::Run { slice, .. })
                if slice.batch == batch =>
            {
                return;
            }
            Some(_) => {}
            None => self.last_batch = 0,
        }
        self.held_bytes -= bytes;
    }

    /// Whether nothing waits to be polled.
    pub(super) fn is_drained(&self) -> bool {
        self.queue.is_empty() && self.victims.is_empty()
    }

    /// Whether nothing waits to be polled, and nobody for history.
    #[inline]
    pub(super) fn is_at_rest(&self) -> bool {
        self.is_drained() && self.behind.is_empty()
    }

    /// The revision that the watcher furthest behind wants next.
    pub(super) fn oldest_wanted(&self) -> Option<i64> {
        self.behind.first().map(|&(next_revision, _)| next_revision)
    }

    /// Whether there is something to say, or history to look through, up to revision `published`.
    pub(super) fn has_response(&self, published: i64) -> bool {
        let has_history = self.oldest_wanted().is_some_and(|next| next <= published);
        has_history || !self.is_drained()
    }

    /// Queues that all its watchers have been told of everything up to `revision`. If nothing came
    /// since the last such notice, that one is brought up to date: asking often costs nothing.
    pub(super) fn push_progress(&mut self, revision: i64) {
        let notice = Queued::Progress {
            watcher: NOBODY,
            revision,
        };
        match self.queue.back_mut() {
            Some(
                last @ Queued::Progress {
                    watcher: NOBODY, ..
                },
            ) => *last = notice,
            _ => self.push_notice(notice),
        }
    }

    /// A watcher starts at a revision that is yet to come.
    pub(super) fn starts_later(&mut self, start: i64, key: u32, published: i64) {
        while let Some(&first) = self.future_starts.first()
            && first.0 <= published + 1
        {
            self.future_starts.remove(&first);
        }
        self.future_starts.insert((start, key));
    }

    /// Whether all its watchers have been given everything up to `published`, and all have reached
    /// their start.
    pub(super) fn is_up_to(&self, published: i64) -> bool {
        let last_start = self.future_starts.last().map_or(0, |&(start, _)| start);
        self.victims.is_empty()
            && last_start <= published + 1
            && self.oldest_wanted().is_none_or(|next| next > published)
    }

    /// Gives back what a stream that is closed holds.
    pub(super) fn release(&self, batches: &mut Batches, rosters: &mut Rosters) {
        for queued in &self.queue {
            if let Queued::Events { slice, .. } | Queued::Run { slice, .. } = queued {
                batches.release(slice.batch);
            }
            if let Queued::Run { roster, .. } = queued {
                rosters.release(*roster);
            }
        }
        for &(_, slice) in &self.victims {
            batches.release(slice.batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_and_what_it_queues_are_as_small_as_their_budget_asks() {
        assert!(size_of::<Stream>() <= 320, "{}", size_of::<Stream>());
        assert!(size_of::<Queued>() <= 32, "{}", size_of::<Queued>());
    }
}
