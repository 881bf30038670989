//! From a transaction to the queues, and from a queue to its reader.

use alloc::vec::Vec;

use super::batch::{Batch, Slice, bytes_of, filtered};
use super::events::{Events, Most};
use super::history::History;
use super::hub::Hub;
use super::request::Filter;
use super::response::{PROGRESS_OF_STREAM, WatchResponse};
use super::selection::Selected;
use super::stream::{LastWord, Queued, Room, StreamId};
use super::watcher::{Flag, NOBODY};
use crate::error::Result;
use crate::record::Event;
use crate::seeded_bug::is_seeded;

/// A batch on its way to the watchers.
struct Publication {
    events: Vec<Event>,
    picks: Vec<u32>,
    /// The number that it will have.
    batch: u32,
    bytes: usize,
    /// How many slices of it are held.
    slices: u32,
    /// Whether all queues together hold as much as they may.
    is_store_full: bool,
}

impl Publication {
    fn revision_at(&self, slice: Slice, place: u32) -> i64 {
        let index = if slice.picked {
            self.picks[place as usize]
        } else {
            place
        };
        self.events[index as usize].kv.mod_revision
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

impl Hub {
    /// Delivers events, in order, to the synced watchers that they concern: those of a transaction,
    /// or of several that became durable together.
    pub(crate) fn publish(&mut self, revision: i64, events: Vec<Event>) {
        self.learn_published(revision);
        let (selected, picks) = self.groups.select_for_synced(&mut self.watchers, &events);
        if selected.is_empty() {
            return;
        }
        let mut publication = Publication {
            bytes: bytes_of(&events),
            events,
            picks,
            batch: self.batches.next(),
            slices: 0,
            is_store_full: self.batches.bytes() >= self.bounds.store_bytes,
        };
        for selected in selected {
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
        let all = Slice {
            batch: publication.batch,
            start: selected.start,
            end: selected.end,
            picked: selected.picked,
        };
        let mut by_filter = [None; Filter::COUNT];
        by_filter[Filter::NONE.index()] = Some(all);
        let first_revision = publication.revision_at(all, all.start);
        let first = self.groups.first_synced(selected.holder);
        let (last, _) = self.watchers[first as usize].neighbours();
        let mut next = first;
        loop {
            let key = next;
            let watcher = &mut self.watchers[key as usize];
            (_, next) = watcher.neighbours();
            let mut slice = all;
            if !watcher.takes_all() {
                let filter = watcher.filter();
                slice = *by_filter[filter.index()]
                    .get_or_insert_with(|| publication.filtered(all, filter));
            }
            if watcher.next_revision > first_revision {
                slice = publication.trim(slice, watcher.next_revision);
            }
            if !slice.is_empty() {
                let stream = &mut self.streams[watcher.stream as usize];
                let is_plain = watcher.takes_all() && !publication.is_store_full;
                if is_plain && stream.has_plain_room(&self.bounds) {
                    publication.slices += 1;
                    watcher.set(Flag::Told);
                    stream.push_events(watcher, key, slice, publication.bytes);
                } else {
                    self.deliver(publication, key, slice);
                }
            }
            if key == last || next == NOBODY {
                break;
            }
        }
    }

    /// Queues events for a watcher; or makes the watcher hold them, or fall behind, if there is no
    /// room.
    fn deliver(&mut self, publication: &mut Publication, key: u32, slice: Slice) {
        let watcher = &mut self.watchers[key as usize];
        let place = watcher.stream;
        let stream = &mut self.streams[place as usize];
        let room = stream.room_for(
            slice.batch,
            watcher,
            watcher.has(Flag::Conflate),
            &self.bounds,
            publication.is_store_full,
        );
        watcher.set(Flag::Told);
        match room {
            Room::Queue => {
                publication.slices += 1;
                stream.push_events(watcher, key, slice, publication.bytes);
                self.woken.extend(stream.waker.take());
                self.sate(place);
            }
            Room::Hold if is_seeded!(FullQueueDropsBatch) => {}
            Room::Hold => {
                publication.slices += 1;
                stream.held_bytes += publication.bytes;
                self.leave(key);
                let next_revision = publication.revision_at(slice, slice.end - 1) + 1;
                self.watchers[key as usize].next_revision = next_revision;
                self.hold(key, slice);
            }
            Room::None => {
                let next_revision = publication.revision_at(slice, slice.start);
                self.go_behind(key, next_revision);
            }
        }
    }

    /// Takes the response at the front of a stream's queue, if that needs nothing else: all of some
    /// events for a watcher that is not held up by others. What [`poll`](Self::poll) does most often,
    /// without the rest.
    #[inline]
    pub(crate) fn take_queued(
        &mut self,
        stream_id: StreamId,
        max_events: usize,
        max_bytes: usize,
    ) -> Option<WatchResponse> {
        let place = stream_id.place();
        let stream = self.streams.get_mut(place as usize)?;
        let Some(&Queued::Events {
            watch_id,
            slice,
            flags,
            ..
        }) = stream.queue.front()
        else {
            return None;
        };
        let bytes = self.batches.bytes_of(slice.batch);
        let is_short =
            !flags.has(Flag::Fragment) && slice.len() <= max_events && bytes <= max_bytes;
        let fits = slice.len() == 1 || is_short;
        let revision = self.batches.get(slice.batch).revision?;
        if stream.opening != stream_id.opening() || !stream.victims.is_empty() || !fits {
            return None;
        }
        stream.pop_events(slice.batch, bytes);
        if stream.queue.is_empty() && !stream.behind.is_empty() {
            self.feed(place);
        }
        Some(WatchResponse::Events {
            watch_id,
            revision,
            events: Events::new(self.batches.take(slice.batch), slice, flags),
            fragment: false,
        })
    }

    /// Takes the stream's next response, with room made for its victims, and with history read if
    /// there is nothing else to say.
    pub(crate) fn poll(
        &mut self,
        stream_id: StreamId,
        max_events: usize,
        max_bytes: usize,
        history: &impl History,
    ) -> Result<WatchResponse> {
        let place = self.find(stream_id)?;
        let stream = &self.streams[place as usize];
        if !stream.victims.is_empty() {
            self.deliver_victims(place, history);
        }
        let stream = &self.streams[place as usize];
        if stream.queue.is_empty() && !stream.behind.is_empty() {
            self.learn_published(history.published());
            self.catch_up_stream(place, history)?;
        }
        let response = self.pop(place, max_events, max_bytes, history.published());
        let stream = &self.streams[place as usize];
        if stream.queue.is_empty() && !stream.behind.is_empty() {
            self.feed(place);
        }
        Ok(response)
    }

    /// Queues what the stream's victims hold, as far as there is room. Each goes on as synced if
    /// nothing was written meanwhile, else as unsynced.
    fn deliver_victims(&mut self, place: u32, history: &impl History) {
        while let Some(&(key, _)) = self.streams[place as usize].victims.front() {
            let watcher = &self.watchers[key as usize];
            let stream = &self.streams[place as usize];
            let has_room =
                stream.queued_events < self.bounds.responses || !stream.has_queued(watcher);
            if !has_room {
                break;
            }
            let Some(slice) = self.leave(key) else {
                unreachable!("only victims are listed");
            };
            let bytes = self.batches.bytes_of(slice.batch);
            let stream = &mut self.streams[place as usize];
            stream.held_bytes -= bytes;
            let watcher = &mut self.watchers[key as usize];
            stream.push_events(watcher, key, slice, bytes);
            if is_seeded!(VictimOvertakesQueue) {
                stream.queue.rotate_right(1);
            }
            if is_seeded!(VictimReadsAgain) {
                watcher.next_revision -= 1;
            }
            self.go_on(key, history.applied());
        }
    }

    pub(super) fn pop(
        &mut self,
        place: u32,
        max_events: usize,
        max_bytes: usize,
        published: i64,
    ) -> WatchResponse {
        let stream = &mut self.streams[place as usize];
        let Some(&front) = stream.queue.front() else {
            return WatchResponse::Idle;
        };
        match front {
            Queued::Events { .. } => {
                let mut most = Most {
                    events: max_events,
                    bytes: max_bytes,
                };
                if is_seeded!(PollIsUnbounded) {
                    most.events = usize::MAX;
                }
                self.pop_events(place, front, most, published)
            }
            Queued::Created { watcher, revision } => {
                stream.queue.pop_front();
                WatchResponse::Created {
                    watch_id: self.watchers[watcher as usize].id,
                    revision,
                }
            }
            Queued::Progress { watcher, revision } => {
                stream.queue.pop_front();
                let mut watch_id = PROGRESS_OF_STREAM;
                if watcher != NOBODY {
                    let watcher = &mut self.watchers[watcher as usize];
                    watcher.clear(Flag::ProgressQueued);
                    watch_id = watcher.id;
                }
                WatchResponse::Progress { watch_id, revision }
            }
            Queued::Ended {
                watcher,
                why,
                revision,
            } => {
                stream.queue.pop_front();
                let watch_id = self.watchers[watcher as usize].id;
                let is_told_again = is_seeded!(CompactionIsToldTwice)
                    && matches!(stream.queue.front(), Some(Queued::Ended { watcher: next, .. }) if *next == watcher);
                if !is_told_again && !why.leaves_watcher() {
                    self.watchers.remove(watcher as usize);
                }
                last_word(watch_id, why, revision)
            }
        }
    }

    /// Takes the events at the front of the queue, or as many of them as may be answered.
    fn pop_events(
        &mut self,
        place: u32,
        front: Queued,
        mut most: Most,
        published: i64,
    ) -> WatchResponse {
        let Queued::Events {
            watcher,
            watch_id,
            slice,
            flags,
        } = front
        else {
            unreachable!("the caller has seen events");
        };
        if flags.has(Flag::Fragment) {
            most.bytes = most.bytes.min(self.bounds.fragment_bytes);
        }
        let stream = &mut self.streams[place as usize];
        let batch = self.batches.get(slice.batch);
        let mut events = Events::new(batch.clone(), slice, flags);
        let middle = slice.start + events.end_of_head(most) as u32;
        let revision_at = |place: u32| batch.event(place, slice.picked).kv.mod_revision;
        let is_last = middle == slice.end;
        let fragment = !is_last
            && revision_at(middle - 1) == revision_at(middle)
            && !is_seeded!(FragmentIsNotMarked);
        let revision = batch.revision.unwrap_or(published);
        if is_last {
            stream.pop_events(slice.batch, self.batches.bytes_of(slice.batch));
            self.batches.release(slice.batch);
        } else {
            events.end_at(middle);
            let rest = Slice {
                start: middle,
                ..slice
            };
            stream.queue[0] = Queued::Events {
                watcher,
                watch_id,
                slice: rest,
                flags,
            };
        }
        WatchResponse::Events {
            watch_id,
            revision,
            events,
            fragment,
        }
    }
}

fn last_word(watch_id: i64, why: LastWord, revision: i64) -> WatchResponse {
    match why {
        LastWord::Canceled => WatchResponse::Canceled { watch_id },
        LastWord::Compacted => WatchResponse::Compacted {
            watch_id,
            compact_revision: revision,
        },
        LastWord::Rewound => WatchResponse::Rewound { watch_id, revision },
    }
}
