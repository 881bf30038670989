//! Reading history for watchers that are behind.
//!
//! History is read for one stream at a time, and only for one that has nothing else to say: when its
//! reader polls it, or by `step` while it waits. Nobody starves:
//!
//! - Streams wait in rounds, in the order in which they came to wait; within a round the one that is
//!   furthest behind comes first. A stream that was served waits again in a later round.
//! - Within a stream a sweep goes from the watcher furthest behind towards the present and takes
//!   along those that it meets; only then it begins again. So watchers that keep coming with old
//!   starts do not hold up the others.
//!
//! What was read is kept for a while (see [`Parts`](super::parts::Parts)), so that streams that are
//! equally far behind read it once. The work of one turn is bounded by bytes and by watchers.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::batch::Slice;
use super::history::{History, ReadPart, Turn, Waiting, Wanted};
use super::hub::Hub;
use super::stream::{Hunger, LastWord};
use super::watcher::Flag;
use crate::record::EventKind;
use crate::seeded_bug::is_seeded;

/// Keys and values that are read at once, in bytes.
const PART_BYTES: usize = 128 * 1024;

/// Keys and values that one poll reads at most, in bytes, if it finds nothing for its reader.
pub(crate) const POLL_BYTES: usize = 1024 * 1024;

/// Watchers that one turn serves at most, with the store at hand; and what serving each is reckoned to
/// cost, in bytes read.
pub(super) const MOST_WATCHERS: usize = 256;
const WATCHER_COST_BYTES: usize = 64;

/// While no more watchers are behind than these, what they want of a part is looked for where the part
/// is read, beside the hub. Beyond, one matching for all of them costs less.
const FEW_WATCHERS: usize = 8;

/// So many streams that come to wait are one round.
pub(super) const ROUND_STREAMS: u64 = 256;

/// The streams that wait for history.
#[derive(Debug, Default)]
pub(super) struct Hungry {
    /// By round, then by the revision wanted.
    waiting: BTreeSet<(u64, i64, u32)>,
    /// How many streams ever came to wait.
    tickets: u64,
    /// Streams that have all that is published, but not all that is applied.
    frontier: BTreeSet<u32>,
    /// What was published when the last of those came.
    frontier_published: i64,
    /// What was published last while there were some.
    awaited: i64,
}

impl Hub {
    /// Whether there are streams that history may have to be read for. O(1).
    pub(crate) fn is_behind(&self) -> bool {
        !self.hungry.waiting.is_empty() || !self.hungry.frontier.is_empty()
    }

    /// Whether streams have seen all that is published, or had until the last publication: their
    /// watchers may soon be synced, if what is yet to be published is kept for them.
    pub(super) fn is_nearly_synced(&self) -> bool {
        let awaited_this = self.hungry.awaited == self.published;
        !self.hungry.frontier.is_empty() || awaited_this && self.counts.unsynced > 0
    }

    /// Hands out about `left` bytes of history to the streams that wait for it, in their turn, and
    /// takes what that has cost from them. Answers whether more is to be done.
    pub(crate) fn catch_up(&mut self, left: &mut usize, history: &impl History) -> Turn<bool> {
        self.learn_published(history.published());
        while *left > 0
            && let Some(&(.., stream)) = self.hungry.waiting.first()
        {
            match self.serve(stream, *left, history) {
                Turn::Done(cost) => *left = left.saturating_sub(cost),
                Turn::Read(wanted) => return Turn::Read(wanted),
            }
            self.pass_over(stream);
        }
        Turn::Done(!self.hungry.waiting.is_empty())
    }

    /// The same for one stream that has nothing queued, until it has or there is nothing more to
    /// read. Bounded: a range in which little changes may need further calls.
    pub(super) fn catch_up_stream(
        &mut self,
        stream: u32,
        left: &mut usize,
        history: &impl History,
    ) -> Turn<()> {
        while *left > 0 {
            let reader = &self.streams[stream as usize];
            let has_history = reader.has_response(history.published());
            if !reader.is_drained() || !has_history {
                break;
            }
            match self.serve(stream, PART_BYTES, history) {
                Turn::Done(cost) => *left = left.saturating_sub(cost),
                Turn::Read(wanted) => return Turn::Read(wanted),
            }
        }
        self.pass_over(stream);
        Turn::Done(())
    }

    /// The stream has had its turn; it waits again if it has to.
    fn pass_over(&mut self, stream: u32) {
        self.sate(stream);
        self.feed(stream);
    }

    /// What was wanted cannot be read: others have their turn before it is tried again.
    pub(crate) fn give_up(&mut self, stream_that_wanted: Waiting) {
        let Waiting(stream) = stream_that_wanted;
        if self.streams.contains(stream as usize) {
            let rounds = self.hungry.tickets / ROUND_STREAMS;
            self.hungry.tickets = (rounds + 1) * ROUND_STREAMS;
            self.pass_over(stream);
        }
    }

    /// Takes in a part of history that was wanted. What is answered is of no use, and is best dropped
    /// where that holds up nobody.
    pub(crate) fn take_in(&mut self, part: ReadPart, history: &impl History) -> Option<ReadPart> {
        if self.counts.unsynced == 0 {
            return Some(part);
        }
        self.learn_compaction(history);
        self.parts.take_in(
            part,
            &mut self.groups,
            &mut self.watchers,
            &mut self.batches,
        )
    }

    fn learn_compaction(&mut self, history: &impl History) {
        self.parts
            .learn_compaction(history.compact_revision(), &mut self.batches);
    }

    /// One turn of a stream: hands one part of history to those of its watchers who are near it.
    /// Answers what it cost, in bytes read.
    fn serve(&mut self, stream: u32, max_bytes: usize, history: &impl History) -> Turn<usize> {
        let ended = self.end_compacted(stream, history);
        if ended > 0 {
            return Turn::Done(ended * WATCHER_COST_BYTES);
        }
        let Some(from) = self.next_of_sweep(stream, history.published()) else {
            return Turn::Done(WATCHER_COST_BYTES);
        };
        self.learn_compaction(history);
        let prev_kv = self.streams[stream as usize].want_prev_kv > 0;
        let Some(part) = self.parts.find(from, prev_kv) else {
            return Turn::Read(self.wanted(stream, from, max_bytes, history));
        };
        let to = self.parts.get(part).to;
        let near = self.streams[stream as usize]
            .behind
            .range((from, 0)..=(to, u32::MAX));
        let mut near: Vec<(i64, u32)> = near.copied().take(MOST_WATCHERS + 1).collect();
        // The next turn begins with the one who is too many for this one.
        let sweep = match near.get(MOST_WATCHERS) {
            Some(&(next_revision, _)) => next_revision,
            None => to + 1,
        };
        near.truncate(MOST_WATCHERS);
        let read = self.parts.charge(part);
        for &(_, key) in &near {
            self.hand_over(key, part, history);
        }
        self.streams[stream as usize].sweep = sweep;
        self.forget_history_if_nobody_is_behind();
        Turn::Done(read + near.len() * WATCHER_COST_BYTES)
    }

    /// The part of history from a revision on, for a stream.
    fn wanted(
        &mut self,
        stream: u32,
        from: i64,
        max_bytes: usize,
        history: &impl History,
    ) -> Wanted {
        let behind = &self.streams[stream as usize].behind;
        let mut few = Vec::new();
        if self.counts.unsynced <= FEW_WATCHERS {
            let keys = behind.iter().map(|&(_, key)| key);
            let mut holders: Vec<_> = keys
                .map(|key| self.watchers[key as usize].holder(key))
                .collect();
            holders.sort_unstable();
            holders.dedup();
            let with_ranges = |holder| (holder, self.groups.ranges(&self.watchers, holder));
            few = holders.into_iter().map(with_ranges).collect();
        }
        Wanted {
            from,
            published: history.published(),
            prev_kv: self.streams[stream as usize].want_prev_kv > 0,
            max_revisions: self.catch_up_revisions,
            max_bytes: max_bytes.min(PART_BYTES),
            compact_revision: history.compact_revision(),
            stream: Waiting(stream),
            past: self.parts.past(),
            number: self.groups.count_part(),
            few,
        }
    }

    /// Where the stream's sweep goes on: at the next watcher that has something to read, from the
    /// oldest again after the last. `None` if there is nobody.
    fn next_of_sweep(&self, stream: u32, published: i64) -> Option<i64> {
        let stream = &self.streams[stream as usize];
        let ahead = stream.behind.range((stream.sweep, 0)..).next();
        let ahead = ahead
            .map(|&(next, _)| next)
            .filter(|&next| next <= published);
        if is_seeded!(SweepNeverReturns) {
            return ahead;
        }
        ahead.or_else(|| stream.oldest_wanted().filter(|&next| next <= published))
    }

    /// Queues for a watcher what a part of history holds for it, and moves it past the part.
    fn hand_over(&mut self, key: u32, part: usize, history: &impl History) {
        let watcher = &self.watchers[key as usize];
        let (stream, next_revision) = (watcher.stream, watcher.next_revision);
        let is_conflating = watcher.has(Flag::Conflate);
        let holder = watcher.holder(key);
        let whole = self.parts.selection(
            part,
            (holder, watcher.filter()),
            &self.groups,
            &self.watchers,
            &mut self.batches,
        );
        let wanted = self.batches.get(whole.batch).trim(whole, next_revision);
        let wanted = if is_conflating {
            self.newest_states(wanted, history)
        } else {
            self.batches.retain(wanted.batch);
            wanted
        };
        self.leave(key);
        let watcher = &mut self.watchers[key as usize];
        watcher.next_revision = self.parts.get(part).to + 1;
        if is_seeded!(CatchUpSkips) {
            watcher.next_revision += 1;
        }
        if wanted.is_empty() {
            self.batches.release(wanted.batch);
        } else {
            watcher.set(Flag::Told);
            let bytes = self.batches.bytes_of(wanted.batch);
            let stream = &mut self.streams[stream as usize];
            stream.push_events(watcher, key, wanted, bytes);
            self.woken.extend(stream.waker.take());
        }
        self.go_on(key, history);
    }

    /// Those events of a slice that tell what is still true: the last of each key, if nothing that is
    /// published has changed it since. They are the caller's.
    fn newest_states(&mut self, slice: Slice, history: &impl History) -> Slice {
        let batch = self.batches.get(slice.batch);
        let (events, picks) = (batch.events(), batch.picks());
        let mut seen = BTreeSet::new();
        let mut indices = Vec::new();
        for place in (slice.start..slice.end).rev() {
            let index = if slice.picked {
                picks[place as usize]
            } else {
                place
            };
            let (kind, kv) = events.change(index as usize);
            let is_delete = kind == EventKind::Delete;
            if is_delete && is_seeded!(ConflationDropsDeletes) {
                continue;
            }
            if seen.insert(kv.key) && history.newest_change(kv.key) == Some(kv.mod_revision) {
                indices.push(index);
            }
        }
        indices.reverse();
        self.batches.pick(slice.batch, indices)
    }

    /// Ends the stream's watchers whose history was compacted, a bounded number of them; answers how
    /// many.
    fn end_compacted(&mut self, stream: u32, history: &impl History) -> usize {
        let compacted = history.compact_revision();
        let behind = &self.streams[stream as usize].behind;
        if is_seeded!(OvertakenPartIsTaken)
            && let Some(&(oldest, _)) = behind.first()
            && self.parts.find(oldest, false).is_some()
        {
            return 0;
        }
        let first_kept = compacted + i64::from(is_seeded!(CompactionReachesTooFar));
        let overtaken = behind.range(..(first_kept, 0)).map(|&(_, key)| key);
        let overtaken: Vec<u32> = overtaken.take(MOST_WATCHERS).collect();
        for &key in &overtaken {
            if is_seeded!(CompactionIsSilent) {
                self.go_behind(key, compacted);
                continue;
            }
            self.end(key, LastWord::Compacted, compacted);
        }
        overtaken.len()
    }

    /// What was read of history is of no use to who is synced.
    pub(super) fn forget_history_if_nobody_is_behind(&mut self) {
        if self.counts.unsynced == 0 {
            self.parts.clear(&mut self.batches);
        }
    }

    /// Makes a stream wait for its turn, if it has watchers behind and nothing to say.
    pub(super) fn feed(&mut self, stream: u32) {
        let place = stream;
        let stream = &mut self.streams[place as usize];
        let Some(next_revision) = stream.oldest_wanted() else {
            return;
        };
        if !stream.is_drained() || matches!(stream.hunger, Hunger::Waits { .. }) {
            return;
        }
        if next_revision > self.published {
            stream.hunger = Hunger::Frontier;
            self.hungry.frontier.insert(place);
            self.hungry.frontier_published = self.published;
            return;
        }
        if stream.hunger == Hunger::Frontier {
            self.hungry.frontier.remove(&place);
        }
        let round = self.hungry.tickets / ROUND_STREAMS;
        self.hungry.tickets += 1;
        stream.hunger = Hunger::Waits {
            round,
            next_revision,
        };
        self.hungry.waiting.insert((round, next_revision, place));
        self.woken.extend(stream.waker.take());
    }

    /// The stream no longer waits.
    pub(super) fn sate(&mut self, stream: u32) {
        let place = stream;
        let stream = &mut self.streams[place as usize];
        match core::mem::take(&mut stream.hunger) {
            Hunger::None => {}
            Hunger::Waits {
                round,
                next_revision,
            } => drop(self.hungry.waiting.remove(&(round, next_revision, place))),
            Hunger::Frontier => drop(self.hungry.frontier.remove(&place)),
        }
    }

    /// More may be visible than before: streams that had seen all of it wait again.
    pub(crate) fn learn_published(&mut self, published: i64) {
        if published != self.published {
            self.woken.append(&mut self.await_publication);
        }
        self.published = published;
        if published != self.hungry.frontier_published && !self.hungry.frontier.is_empty() {
            self.hungry.awaited = published;
            for stream in core::mem::take(&mut self.hungry.frontier) {
                self.streams[stream as usize].hunger = Hunger::None;
                self.feed(stream);
            }
        }
    }
}
