//! Into the queues, and from a queue to its reader.

use alloc::sync::Arc;

use super::batch::Slice;
use super::events::{Events, Most};
use super::history::{History, Turn};
use super::hub::Hub;
use super::publish::Publication;
use super::response::{PROGRESS_OF_STREAM, WatchResponse};
use super::stream::{LastWord, Queued, Room, StreamId};
use super::watcher::{Flag, NOBODY};
use crate::error::Result;
use crate::seeded_bug::is_seeded;

impl Hub {
    /// Queues events for a watcher; or makes the watcher hold them, or fall behind, if there is no
    /// room.
    pub(super) fn deliver(&mut self, publication: &mut Publication, key: u32, slice: Slice) {
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
        let place = self.find(stream_id).ok()?;
        let most = Most {
            events: max_events,
            bytes: max_bytes,
        };
        self.take_front(place, most)
    }

    #[inline]
    pub(super) fn take_front(&mut self, place: u32, most: Most) -> Option<WatchResponse> {
        let stream = &mut self.streams[place as usize];
        let (watch_id, slice, flags, run) = match *stream.queue.front()? {
            Queued::Events {
                watch_id,
                slice,
                flags,
                ..
            } => (watch_id, slice, flags, None),
            Queued::Run { roster, at, slice } => {
                let members = self.rosters.members(roster);
                let member = &members[at as usize];
                let is_last = at as usize + 1 == members.len();
                (
                    member.watch_id,
                    slice,
                    member.flags,
                    Some((roster, is_last)),
                )
            }
            _ => return None,
        };
        let bytes = self.batches.bytes_of(slice.batch);
        let is_short =
            !flags.has(Flag::Fragment) && slice.len() <= most.events && bytes <= most.bytes;
        let fits = slice.len() == 1 || is_short;
        let revision = self.batches.get(slice.batch).revision?;
        if !stream.victims.is_empty() || !fits {
            return None;
        }
        let batch = if let Some((_, false)) = run {
            stream.advance_run(1);
            Arc::clone(self.batches.get(slice.batch))
        } else {
            stream.pop_events(slice.batch, bytes);
            if let Some((roster, _)) = run {
                self.rosters.release(roster);
            }
            if stream.queue.is_empty() && !stream.behind.is_empty() {
                self.feed(place);
            }
            self.batches.take(slice.batch)
        };
        Some(WatchResponse::Events {
            watch_id,
            revision,
            events: Events::new(batch, slice, flags),
            fragment: false,
        })
    }

    /// If a run is at the front of a stream's queue, puts its first response there by itself.
    fn unroll_front(&mut self, place: u32) {
        let stream = &mut self.streams[place as usize];
        let Some(Queued::Run { roster, at, slice }) = stream.queue.front_mut() else {
            return;
        };
        let (roster, slice) = (*roster, *slice);
        let members = self.rosters.members(roster);
        let member = members[*at as usize];
        *at += 1;
        if *at as usize == members.len() {
            stream.queue.pop_front();
            self.rosters.release(roster);
        } else {
            self.batches.retain(slice.batch);
        }
        stream.queue.push_front(Queued::Events {
            watcher: member.watcher,
            watch_id: member.watch_id,
            slice,
            flags: member.flags,
        });
    }

    /// Takes the stream's next response, with room made for its victims, and with history read if
    /// there is nothing else to say.
    ///
    /// Hands out about `left` bytes of history, and takes what that has cost from them.
    pub(crate) fn poll(
        &mut self,
        stream_id: StreamId,
        max_events: usize,
        max_bytes: usize,
        left: &mut usize,
        history: &impl History,
    ) -> Result<Turn<WatchResponse>> {
        let place = self.find(stream_id)?;
        let stream = &self.streams[place as usize];
        if !stream.victims.is_empty() {
            self.deliver_victims(place, history);
        }
        let stream = &self.streams[place as usize];
        if stream.queue.is_empty() && !stream.behind.is_empty() {
            self.learn_published(history.published());
            if let Turn::Read(wanted) = self.catch_up_stream(place, left, history) {
                return Ok(Turn::Read(wanted));
            }
        }
        let response = self.pop(place, max_events, max_bytes, history.published());
        let stream = &self.streams[place as usize];
        if stream.queue.is_empty() && !stream.behind.is_empty() {
            self.feed(place);
        }
        Ok(Turn::Done(response))
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
                // Away from its neighbours it counts by itself, and it is no longer the last.
                stream.held_bytes += bytes;
                stream.last_batch = 0;
                stream.queue.rotate_right(1);
            }
            if is_seeded!(VictimReadsAgain) {
                watcher.next_revision -= 1;
            }
            self.go_on(key, history);
        }
    }

    pub(super) fn pop(
        &mut self,
        place: u32,
        max_events: usize,
        max_bytes: usize,
        published: i64,
    ) -> WatchResponse {
        self.unroll_front(place);
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
            Queued::Run { .. } => unreachable!("it was unrolled"),
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
        let is_short =
            slice.len() <= most.events && self.batches.bytes_of(slice.batch) <= most.bytes;
        let middle = if is_short {
            slice.end
        } else {
            slice.start + events.end_of_head(most) as u32
        };
        let revision_at = |place: u32| batch.revision_at(place, slice.picked);
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
