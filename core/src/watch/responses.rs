//! Many responses at once.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::slice;

use super::batch::{Batch, Slice};
use super::events::{EventsRef, Most};
use super::history::{History, Turn};
use super::hub::Hub;
use super::response::WatchResponse;
use super::roster::Member;
use super::stream::{Queued, StreamId};
use crate::error::Result;

/// What [`Store::poll_many`](crate::Store::poll_many) takes from a stream: responses in the order in
/// which [`poll`](crate::Store::poll) would have answered them.
///
/// What many watchers are told alike is held once, however many they are.
#[derive(Clone, Debug, Default)]
pub struct Responses {
    /// Most often there is one, which then needs no memory of its own.
    first: Option<Piece>,
    others: Vec<Piece>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Piece {
    One(WatchResponse),
    Run(Run),
}

/// The same events for several watchers.
#[derive(Clone, Debug)]
struct Run {
    members: Arc<[Member]>,
    from: usize,
    to: usize,
    batch: Arc<Batch>,
    slice: Slice,
    revision: i64,
}

/// One response of several, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchResponseRef<'a> {
    /// As [`WatchResponse::Events`].
    Events {
        /// The watcher that they are for.
        watch_id: i64,
        /// The store's revision when they were queued, or read from history.
        revision: i64,
        /// In order of revision; never empty.
        events: EventsRef<'a>,
        /// The next response of this watcher goes on with the revision of the last event here.
        fragment: bool,
    },
    /// Any other; never `Idle`.
    Notice(&'a WatchResponse),
}

impl WatchResponseRef<'_> {
    /// A response by itself. Copies no event.
    pub fn to_owned(&self) -> WatchResponse {
        match *self {
            WatchResponseRef::Events {
                watch_id,
                revision,
                events,
                fragment,
            } => WatchResponse::Events {
                watch_id,
                revision,
                events: events.to_owned(),
                fragment,
            },
            WatchResponseRef::Notice(notice) => notice.clone(),
        }
    }
}

impl Responses {
    /// How many.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> ResponsesIter<'_> {
        ResponsesIter {
            first: self.first.as_ref(),
            others: self.others.iter(),
            run: None,
        }
    }

    #[inline]
    fn push(&mut self, piece: Piece) {
        self.len += match &piece {
            Piece::One(_) => 1,
            Piece::Run(run) => run.to - run.from,
        };
        if self.first.is_none() {
            self.first = Some(piece);
        } else {
            self.others.push(piece);
        }
    }
}

impl Most {
    /// What may still be taken after a response.
    fn without(self, response: &WatchResponse) -> Self {
        let (mut count, mut bytes) = (1, 0);
        if let WatchResponse::Events { events, .. } = response {
            count = events.len();
            bytes = events.bytes();
        }
        Self {
            events: self.events.saturating_sub(count),
            bytes: self.bytes.saturating_sub(bytes),
        }
    }
}

impl<'a> IntoIterator for &'a Responses {
    type Item = WatchResponseRef<'a>;
    type IntoIter = ResponsesIter<'a>;

    fn into_iter(self) -> ResponsesIter<'a> {
        self.iter()
    }
}

/// The responses of [`Responses`], one after the other.
#[derive(Clone, Debug)]
pub struct ResponsesIter<'a> {
    first: Option<&'a Piece>,
    others: slice::Iter<'a, Piece>,
    run: Option<(&'a Run, slice::Iter<'a, Member>)>,
}

impl<'a> Iterator for ResponsesIter<'a> {
    type Item = WatchResponseRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<WatchResponseRef<'a>> {
        loop {
            if let Some((run, members)) = &mut self.run
                && let Some(member) = members.next()
            {
                return Some(WatchResponseRef::Events {
                    watch_id: member.watch_id,
                    revision: run.revision,
                    events: EventsRef::new(&run.batch, run.slice, member.flags),
                    fragment: false,
                });
            }
            match self.first.take().or_else(|| self.others.next())? {
                Piece::Run(run) => self.run = Some((run, run.members[run.from..run.to].iter())),
                Piece::One(WatchResponse::Events {
                    watch_id,
                    revision,
                    events,
                    fragment,
                }) => {
                    return Some(WatchResponseRef::Events {
                        watch_id: *watch_id,
                        revision: *revision,
                        events: events.as_ref(),
                        fragment: *fragment,
                    });
                }
                Piece::One(notice) => return Some(WatchResponseRef::Notice(notice)),
            }
        }
    }
}

impl Hub {
    /// Takes the stream's next responses: what [`poll`](Self::poll) would answer, and then what is
    /// queued behind it, added to `responses`. Only for the first is history read, so that an error loses
    /// nothing.
    pub(crate) fn poll_many(
        &mut self,
        stream_id: StreamId,
        max_events: usize,
        max_bytes: usize,
        bytes_left: &mut usize,
        responses: &mut Responses,
        history: &impl History,
    ) -> Result<Turn<()>> {
        let place = self.find(stream_id)?;
        let mut left = Most {
            events: max_events,
            bytes: max_bytes,
        };
        while !self.streams[place as usize].is_at_rest() {
            if let Some((run, bytes)) = self.take_run(place, left) {
                let count = run.to - run.from;
                left.events -= count * run.slice.len();
                left.bytes -= count * bytes;
                responses.push(Piece::Run(run));
            } else {
                let Most { events, bytes } = left;
                let response = match self.take_front(place, left) {
                    Some(response) => response,
                    None => match self.poll(stream_id, events, bytes, bytes_left, history)? {
                        Turn::Done(WatchResponse::Idle) => break,
                        Turn::Done(response) => response,
                        Turn::Read(wanted) => return Ok(Turn::Read(wanted)),
                    },
                };
                // What was the last is not counted.
                if !self.streams[place as usize].queue.is_empty() {
                    left = left.without(&response);
                }
                responses.push(Piece::One(response));
            }
            let is_drained = self.streams[place as usize].queue.is_empty();
            if is_drained || left.events == 0 || left.bytes == 0 {
                break;
            }
        }
        Ok(Turn::Done(()))
    }

    /// Takes a run from the front of a stream's queue, or as many of its responses as may be answered
    /// if that is any; answers also the bytes of each.
    #[inline]
    fn take_run(&mut self, place: u32, left: Most) -> Option<(Run, usize)> {
        let stream = &mut self.streams[place as usize];
        let &Queued::Run { roster, at, slice } = stream.queue.front()? else {
            return None;
        };
        let bytes = self.batches.bytes_of(slice.batch);
        let revision = self.batches.get(slice.batch).revision?;
        let members = self.rosters.members(roster);
        let waiting = members.len() - at as usize;
        let most = (left.events / slice.len()).min(left.bytes / bytes.max(1));
        let count = waiting.min(most);
        // A larger one may have to be divided for some of them.
        if !stream.victims.is_empty() || count == 0 || bytes > self.bounds.fragment_bytes {
            return None;
        }
        let members = Arc::clone(members);
        let batch = if count < waiting {
            stream.advance_run(count as u32);
            Arc::clone(self.batches.get(slice.batch))
        } else {
            stream.advance_run(count as u32 - 1);
            stream.pop_events(slice.batch, bytes);
            self.rosters.release(roster);
            let batch = self.batches.take(slice.batch);
            if stream.queue.is_empty() && !stream.behind.is_empty() {
                self.feed(place);
            }
            batch
        };
        let run = Run {
            members,
            from: at as usize,
            to: at as usize + count,
            batch,
            slice,
            revision,
        };
        Some((run, bytes))
    }
}
