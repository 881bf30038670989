//! All streams and watchers of a store: opening, registering, ending.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

use slab::Slab;

use super::batch::{Batch, Batches};
use super::catch_up::Hungry;
use super::group::Groups;
use super::history::History;
use super::parts::Parts;
use super::progress::ProgressDue;
use super::request::WatchRequest;
use super::roster::Rosters;
use super::selection::Selected;
use super::stream::{Bounds, EARLY, LastWord, Queued, Stream, StreamId};
use super::watcher::{Flag, State, Watcher};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::range::KeyRange;
use crate::seeded_bug::is_seeded;

/// All streams and watchers. Matching a change costs by the groups of watchers that it concerns,
/// delivering it by the watchers.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(super) streams: Slab<Stream>,
    /// How many streams were opened; with the bit that says so if they are told early.
    openings: u32,
    pub(super) watchers: Slab<Watcher>,
    pub(super) groups: Groups,
    pub(super) rosters: Rosters,
    pub(super) batches: Batches,
    /// What the events of a publication are found to be; kept from one to the next for its memory.
    pub(super) selected: Vec<Selected>,
    pub(super) bounds: Bounds,
    pub(super) counts: Counts,
    /// Streams that wait for history.
    pub(super) hungry: Hungry,
    /// History that was read and may be wanted again soon.
    pub(super) parts: Parts,
    /// Distinct revisions in one response to a watcher that catches up.
    pub(super) catch_up_revisions: usize,
    pub(super) progress_due: ProgressDue,
    pub(super) progress_notify_ms: i64,
    /// Whom to wake once nobody holds the store any more.
    pub(super) woken: Vec<Waker>,
    /// Whom to wake when more is published.
    pub(super) await_publication: Vec<Waker>,
    /// The newest revision that watchers may see, as far as the hub was told.
    pub(super) published: i64,
}

/// What is only to be dropped.
#[derive(Debug)]
pub(crate) struct Spent {
    batches: Vec<Arc<Batch>>,
}

impl Spent {
    pub(crate) fn extend(&mut self, other: Self) {
        self.batches.extend(other.batches);
    }
}

/// How many watchers there are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) synced: usize,
    pub(super) unsynced: usize,
    pub(super) victims: usize,
    /// How many of all want to know what keys were before.
    pub(super) want_prev_kv: usize,
}

/// What a watcher is registered with, besides its request.
pub(crate) struct Registration {
    /// The store's newest revision.
    pub(crate) applied: i64,
    /// The newest revision that watchers may see.
    pub(crate) published: i64,
    /// Where the history of the watcher's epoch ended, if what it wants to go on from was lost.
    pub(crate) rewound_to: Option<i64>,
}

impl Hub {
    pub(crate) fn new(seed: u64, limits: &Limits) -> Self {
        Self {
            streams: Slab::new(),
            openings: 0,
            watchers: Slab::new(),
            groups: Groups::new(seed),
            rosters: Rosters::default(),
            batches: Batches::default(),
            selected: Vec::new(),
            bounds: Bounds {
                responses: limits.stream_queue_responses.clamp(1, u32::MAX as usize) as u32,
                stream_bytes: limits.stream_queue_bytes,
                store_bytes: limits.watch_queue_bytes,
                fragment_bytes: limits.fragment_bytes,
            },
            counts: Counts::default(),
            hungry: Hungry::default(),
            parts: Parts::new(limits.watch_queue_bytes),
            catch_up_revisions: limits.catch_up_revisions.max(1),
            progress_due: ProgressDue::default(),
            progress_notify_ms: limits.progress_notify_ms.max(1),
            woken: Vec::new(),
            await_publication: Vec::new(),
            published: 0,
        }
    }

    /// A hub whose streams are told early. What it may show is the newest applied revision, which
    /// everything here calls published.
    pub(crate) fn new_early(seed: u64, limits: &Limits) -> Self {
        Self {
            openings: EARLY,
            ..Self::new(seed, limits)
        }
    }

    pub(crate) fn stream_count(&self) -> usize {
        self.streams.len()
    }

    pub(crate) fn watcher_count(&self) -> usize {
        self.counts.synced + self.counts.unsynced + self.counts.victims
    }

    /// Bytes of keys and values that queues, victims and parts of history hold.
    pub(crate) fn held_bytes(&self) -> usize {
        self.batches.bytes()
    }

    /// Watchers that are behind and read history.
    pub(crate) fn unsynced_count(&self) -> usize {
        self.counts.unsynced
    }

    /// Watchers that hold a batch because their stream is full.
    pub(crate) fn victim_count(&self) -> usize {
        self.counts.victims
    }

    /// Whether the next transaction's events are needed.
    pub(crate) fn wants_events(&self) -> bool {
        self.counts.synced > 0 || self.is_nearly_synced()
    }

    /// Whether anybody asked what keys were before.
    pub(crate) fn wants_prev_kv(&self) -> bool {
        self.counts.want_prev_kv > 0
    }

    pub(crate) fn open_stream(&mut self) -> StreamId {
        self.openings = self.openings & EARLY | self.openings.wrapping_add(1) & !EARLY;
        let place = self.streams.insert(Stream {
            opening: self.openings,
            ..Stream::default()
        });
        StreamId::new(self.openings, place as u32)
    }

    /// The place of a stream.
    pub(super) fn find(&self, id: StreamId) -> Result<u32> {
        let place = id.place();
        match self.streams.get(place as usize) {
            Some(stream) if stream.opening == id.opening() => Ok(place),
            _ => Err(Error::StreamNotFound),
        }
    }

    pub(super) fn id_of(&self, stream: u32) -> StreamId {
        StreamId::new(self.streams[stream as usize].opening, stream)
    }

    /// Forgets a stream and its watchers. One that is not there is no mistake.
    pub(crate) fn close_stream(&mut self, id: StreamId) {
        let Ok(place) = self.find(id) else {
            return;
        };
        self.sate(place);
        let stream = &self.streams[place as usize];
        stream.release(&mut self.batches, &mut self.rosters);
        // Those that have ended are known only by their last word.
        let ended = stream.queue.iter().filter_map(|queued| match queued {
            Queued::Ended { watcher, why, .. } if !why.leaves_watcher() => Some(*watcher),
            _ => None,
        });
        let everybody: Vec<u32> = stream.ids.iter().chain(ended).collect();
        for key in everybody {
            self.take_out(key);
            self.watchers.remove(key as usize);
        }
        let waker = self.streams.remove(place as usize).waker;
        self.woken.extend(waker);
        self.forget_history_if_nobody_is_behind();
    }

    /// Registers a watcher; answers its id. Costs O(log watchers) for each of its ranges.
    pub(crate) fn watch(
        &mut self,
        stream_id: StreamId,
        request: &WatchRequest,
        registration: &Registration,
    ) -> Result<i64> {
        let place = self.find(stream_id)?;
        let ranges = watched_ranges(&request.ranges)?;
        let stream = &mut self.streams[place as usize];
        let id = match request.watch_id {
            0 => stream.ids.choose(),
            id if stream.ids.get(id).is_some() => return Err(Error::DuplicateWatchId { id }),
            id => id,
        };
        self.published = registration.published;
        let applied = registration.applied;
        let next = first_wanted(request.start_revision, applied);
        let key = self.watchers.insert(Watcher::new(request, id, place, next)) as u32;
        self.tell(
            place,
            Queued::Created {
                watcher: key,
                revision: applied,
            },
        );
        if let Some(revision) = registration.rewound_to
            && !is_seeded!(RewindIsSilent)
        {
            self.tell(
                place,
                Queued::Ended {
                    watcher: key,
                    why: LastWord::Rewound,
                    revision,
                },
            );
            return Ok(id);
        }
        let stream = &mut self.streams[place as usize];
        stream.ids.insert(id, key);
        self.watchers[key as usize].last_push = stream.before_all_queued();
        if next > applied + 1 {
            stream.starts_later(next, key, registration.published);
        }
        stream.want_prev_kv += u32::from(request.prev_kv);
        self.counts.want_prev_kv += usize::from(request.prev_kv);
        if request.progress_notify {
            self.progress_due.begin(key);
        }
        let ranges = match &ranges[..] {
            [first, ..] if is_seeded!(OneRangeIsWatched) => core::slice::from_ref(first),
            all => all,
        };
        if let Some(former) = self.groups.join(&mut self.watchers, key, ranges) {
            self.parts.forget(former, &mut self.batches);
        }
        self.enter(
            key,
            if next > applied {
                State::Synced
            } else {
                State::Unsynced
            },
        );
        Ok(id)
    }

    /// Ends a watcher: its stream says so behind what is queued already. An id that is not there
    /// is no mistake, and nothing is said.
    pub(crate) fn cancel(&mut self, stream_id: StreamId, watch_id: i64) -> Result<()> {
        let place = self.find(stream_id)?;
        if let Some(key) = self.streams[place as usize].ids.get(watch_id) {
            self.end(key, LastWord::Canceled, 0);
        }
        Ok(())
    }

    /// Whether a poll of the stream would find something to say, or something to look for. O(1).
    pub(crate) fn has_response(&self, stream_id: StreamId, history: &impl History) -> Result<bool> {
        let place = self.find(stream_id)?;
        Ok(self.streams[place as usize].has_response(history.published()))
    }

    /// What comes after `told` cannot be handed to the synced watchers one by one: they read it from
    /// history.
    pub(crate) fn fall_behind(&mut self, told: i64) {
        for key in self.keys_where(|watcher| matches!(watcher.state, State::Synced)) {
            let next = self.watchers[key as usize].next_revision.max(told + 1);
            self.go_behind(key, next);
        }
    }

    /// What was read of history, and what is being read, may no longer be so.
    pub(crate) fn forget_history(&mut self) {
        self.parts.begin_anew(&mut self.batches);
    }

    /// History after `cut` was lost in a crash: ends the watchers that may have been told of it; the
    /// others read what came instead. `told` is what was published before the loss.
    pub(crate) fn rewind(&mut self, cut: i64, told: i64) {
        let lost = self.keys_where(|watcher| match watcher.state {
            _ if is_seeded!(ReaderRewindIsSilent) && self.openings & EARLY == 0 => false,
            // Who waits for a start in the future has been told nothing, the others everything.
            State::Synced => watcher.next_revision <= told + 1 && told > cut,
            State::Unsynced | State::Victim => watcher.next_revision - 1 > cut,
            State::Ended => false,
        });
        for key in lost {
            self.end(key, LastWord::Rewound, cut);
        }
        self.fall_behind(told.min(cut));
    }

    /// Keeps what takes long to drop, for whoever does that when it holds up nobody.
    pub(crate) fn keep_spent(&mut self) {
        self.batches.keep_retired();
    }

    pub(crate) fn keeps_spent(&self) -> bool {
        self.batches.keeps_retired()
    }

    /// Takes what is only to be dropped.
    #[inline]
    pub(crate) fn take_spent(&mut self) -> Spent {
        Spent {
            batches: self.batches.take_retired(),
        }
    }

    fn keys_where(&self, wanted: impl Fn(&Watcher) -> bool) -> Vec<u32> {
        let found = self.watchers.iter().filter(|(_, watcher)| wanted(watcher));
        found.map(|(key, _)| key as u32).collect()
    }

    /// Gives up what is kept of a watcher besides its group and its state.
    pub(super) fn drop_claims(&mut self, key: u32) {
        let watcher = &self.watchers[key as usize];
        let stream = &mut self.streams[watcher.stream as usize];
        stream.future_starts.remove(&(watcher.next_revision, key));
        if watcher.has(Flag::PrevKv) {
            stream.want_prev_kv -= 1;
            self.counts.want_prev_kv -= 1;
        }
        if watcher.has(Flag::ProgressNotify) {
            self.progress_due.end(key);
        }
    }
}

/// The first revision that a watcher is to be told of.
fn first_wanted(start_revision: i64, applied: i64) -> i64 {
    match start_revision {
        0 => applied + 1,
        start if start <= applied && is_seeded!(ResumesLate) => start + 1,
        start if start <= applied && is_seeded!(ResumesEarly) => start - 1,
        start if start > applied && is_seeded!(FutureStartIsIgnored) => applied + 1,
        start => start,
    }
}

/// The ranges of a request as they are watched. One in which no key can be is a mistake.
fn watched_ranges(ranges: &[KeyRange]) -> Result<Vec<KeyRange>> {
    let watched: Vec<_> = ranges.iter().map(from_the_first_key).collect();
    if watched.is_empty() || watched.iter().any(KeyRange::is_empty) {
        return Err(Error::EmptyWatchRange);
    }
    Ok(watched)
}

/// In a watch the empty key stands for the first one.
fn from_the_first_key(range: &KeyRange) -> KeyRange {
    if !range.lacks_key() {
        return range.clone();
    }
    match range {
        KeyRange::One(_) => KeyRange::one(b"\0"),
        KeyRange::Span { end, .. } => KeyRange::span(b"\0", end),
        KeyRange::From(_) | KeyRange::Prefix(_) | KeyRange::All => KeyRange::All,
    }
}
