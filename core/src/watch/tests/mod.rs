//! What the hub promises beyond what its users can see: how much it holds, and how much it reads.

mod fairness;
mod groups;
mod memory;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::Cell;

use super::catch_up::POLL_BYTES;
use super::history::{History, ReadPart, Turn, Wanted};
use super::hub::{Hub, Registration};
use super::{Responses, StreamId, WatchRequest, WatchResponse};
use crate::error::Result;
use crate::limits::Limits;
use crate::range::KeyRange;
use crate::record::{Event, EventKind, KeyValue};

/// More than any of these tests needs.
const PLENTY: usize = 1 << 30;

/// A history that counts what is read of it.
#[derive(Default)]
struct Past {
    /// By revision.
    events: BTreeMap<i64, Vec<Event>>,
    compact_revision: i64,
    events_read: Cell<usize>,
}

impl Past {
    /// So many revisions from 2 on, each a put of one of so many keys.
    fn of_puts(revisions: i64, keys: i64) -> Self {
        let mut past = Self {
            compact_revision: -1,
            ..Self::default()
        };
        for revision in 2..2 + revisions {
            past.put(
                alloc::format!("{:06}", revision % keys).as_bytes(),
                b"value",
            );
        }
        past
    }

    /// The newest revision.
    fn applied(&self) -> i64 {
        self.events.last_key_value().map_or(1, |(&last, _)| last)
    }

    /// One more revision; answers its events.
    fn put(&mut self, key: &[u8], value: &[u8]) -> Vec<Event> {
        let mod_revision = self.applied() + 1;
        let event = Event {
            kind: EventKind::Put,
            kv: KeyValue {
                key: key.to_vec(),
                value: value.to_vec(),
                mod_revision,
                ..KeyValue::default()
            },
            prev_kv: None,
        };
        self.events.insert(mod_revision, alloc::vec![event.clone()]);
        alloc::vec![event]
    }
}

impl History for Past {
    fn published(&self) -> i64 {
        self.applied()
    }

    fn told_from_history(&self, _prev_kv: bool) -> i64 {
        self.published()
    }

    fn compact_revision(&self) -> i64 {
        self.compact_revision
    }

    fn newest_change(&self, key: &[u8]) -> Option<i64> {
        let mut newest = self.events.iter().rev();
        newest.find_map(|(&revision, events)| {
            let is_it = events.iter().any(|event| event.kv.key == key);
            is_it.then_some(revision)
        })
    }
}

impl Past {
    /// Reads a part of it.
    fn read(&self, wanted: Wanted) -> ReadPart {
        let (mut found, mut to) = (Vec::new(), self.published());
        let mut bytes = 0;
        for (count, (&revision, events)) in self.events.range(wanted.from..).enumerate() {
            if count > 0 && (count >= wanted.max_revisions || bytes >= wanted.max_bytes) {
                to = revision - 1;
                break;
            }
            bytes += events.iter().map(Event::bytes).sum::<usize>();
            found.extend(events.iter().cloned());
        }
        self.events_read.set(self.events_read.get() + found.len());
        wanted.found(found, to)
    }

    /// Takes turns until an operation is done.
    fn take_turns<T>(
        &self,
        hub: &mut Hub,
        mut turn: impl FnMut(&mut Hub) -> Result<Turn<T>>,
    ) -> Result<T> {
        loop {
            match turn(hub)? {
                Turn::Done(answer) => return Ok(answer),
                Turn::Read(wanted) => drop(hub.take_in(self.read(wanted), self)),
            }
        }
    }
}

fn poll(
    hub: &mut Hub,
    stream: StreamId,
    max_events: usize,
    max_bytes: usize,
    past: &Past,
) -> Result<WatchResponse> {
    let mut left = POLL_BYTES;
    past.take_turns(hub, |hub| {
        hub.poll(stream, max_events, max_bytes, &mut left, past)
    })
}

fn poll_many(hub: &mut Hub, stream: StreamId, max_events: usize, past: &Past) -> Result<Responses> {
    let (mut left, mut responses) = (POLL_BYTES, Responses::default());
    past.take_turns(hub, |hub| {
        hub.poll_many(stream, max_events, PLENTY, &mut left, &mut responses, past)
    })?;
    Ok(responses)
}

fn catch_up(hub: &mut Hub, mut budget: usize, past: &Past) {
    let caught_up = past.take_turns(hub, |hub| Ok(hub.catch_up(&mut budget, past)));
    caught_up.expect("the past can be read");
}

fn hub(limits: &Limits) -> Hub {
    Hub::new(1, limits)
}

/// Adds a watcher of `range` from a revision on, and polls that it was created.
fn watch(
    hub: &mut Hub,
    stream: StreamId,
    range: KeyRange,
    start_revision: i64,
    past: &Past,
) -> i64 {
    let request = WatchRequest {
        start_revision,
        ..WatchRequest::new(range)
    };
    let registration = Registration {
        applied: past.applied(),
        published: past.published(),
        rewound_to: None,
    };
    hub.watch(stream, &request, &registration).unwrap()
}

/// The revisions of the events that a stream has to say now.
fn drain(hub: &mut Hub, stream: StreamId, past: &Past) -> Vec<i64> {
    let mut revisions = Vec::new();
    loop {
        match poll(hub, stream, PLENTY, PLENTY, past).unwrap() {
            WatchResponse::Events { events, .. } => {
                revisions.extend(events.iter().map(|event| event.kv.mod_revision));
            }
            WatchResponse::Idle => return revisions,
            _ => {}
        }
    }
}
