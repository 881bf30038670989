//! Events in order: each as it was handed over, or, of history, all packed together.
//!
//! What is read of history is thousands of events at a time, which are looked at once or twice and then
//! dropped together. So their keys and values lie in one piece, one behind the other: two allocations
//! for each of them would cost more than reading them.

#![allow(
    clippy::inline_always,
    reason = "whoever reads an event looks at a part of it: only that is then loaded"
)]

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::record::{Change, Event, EventKind, KeyValue, KeyValueRef};

/// Events in order of revision.
#[derive(Debug)]
pub(crate) enum Listing {
    Each(Vec<Event>),
    /// Behind a pointer, so that the others are no larger.
    Packed(Box<Packed>),
}

/// Events without what their keys were before.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    events: Vec<PackedEvent>,
    /// Key and value of the first event, then those of the next.
    contents: Vec<u8>,
}

#[derive(Debug)]
struct PackedEvent {
    kind: EventKind,
    /// Where its key begins, its value begins, and both end.
    key_at: usize,
    value_at: usize,
    end: usize,
    create_revision: i64,
    mod_revision: i64,
    version: i64,
    lease: i64,
}

impl Packed {
    pub(crate) fn push(&mut self, kind: EventKind, kv: KeyValueRef<'_>) {
        let key_at = self.contents.len();
        self.contents.extend_from_slice(kv.key);
        self.contents.extend_from_slice(kv.value);
        self.events.push(PackedEvent {
            kind,
            key_at,
            value_at: key_at + kv.key.len(),
            end: self.contents.len(),
            create_revision: kv.create_revision,
            mod_revision: kv.mod_revision,
            version: kv.version,
            lease: kv.lease,
        });
    }

    #[inline(always)]
    fn change(&self, index: usize) -> Change<'_> {
        let event = &self.events[index];
        let kv = KeyValueRef {
            key: &self.contents[event.key_at..event.value_at],
            value: &self.contents[event.value_at..event.end],
            create_revision: event.create_revision,
            mod_revision: event.mod_revision,
            version: event.version,
            lease: event.lease,
        };
        (event.kind, kv)
    }
}

impl Listing {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Each(events) => events.len(),
            Self::Packed(packed) => packed.events.len(),
        }
    }

    /// The event at an index, without what its key was before.
    #[inline(always)]
    pub(super) fn change(&self, index: usize) -> Change<'_> {
        match self {
            Self::Each(events) => (events[index].kind, events[index].kv.as_ref()),
            Self::Packed(packed) => packed.change(index),
        }
    }

    /// What its key was before, if that is known.
    #[inline(always)]
    pub(super) fn prev_kv(&self, index: usize) -> Option<KeyValueRef<'_>> {
        match self {
            Self::Each(events) => events[index].prev_kv.as_ref().map(KeyValue::as_ref),
            Self::Packed(_) => None,
        }
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        (0..self.len()).map(|index| self.change(index))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.changes().map(|(_, kv)| kv.key)
    }

    /// Bytes of the keys and values of neighbours, where that takes no look at each of them.
    pub(super) fn content_bytes(&self, start: usize, end: usize) -> Option<usize> {
        match self {
            Self::Packed(packed) if start < end => {
                let events = &packed.events;
                Some(events[end - 1].end - events[start].key_at)
            }
            _ => None,
        }
    }

    /// Bytes that the events take in memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Each(events) => {
                let contents: usize = events.iter().map(Event::bytes).sum();
                contents + size_of_val(events.as_slice())
            }
            Self::Packed(packed) => packed.contents.len() + size_of_val(packed.events.as_slice()),
        }
    }
}

impl Default for Listing {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl From<Packed> for Listing {
    fn from(events: Packed) -> Self {
        Self::Packed(Box::new(events))
    }
}

impl From<Vec<Event>> for Listing {
    fn from(events: Vec<Event>) -> Self {
        Self::Each(events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_events_are_those_that_were_pushed() {
        let texts: [&[u8]; 4] = [b"", b"a", b"some", b"more than that"];
        let mut events = Vec::new();
        for (number, value) in texts.iter().cycle().take(40).enumerate() {
            let number = number as i64;
            events.push(Event {
                kind: [EventKind::Put, EventKind::Delete][number as usize % 3 / 2],
                kv: KeyValue {
                    key: texts[number as usize % 3 + 1].to_vec(),
                    value: value.to_vec(),
                    create_revision: 7 * number,
                    mod_revision: 8 * number,
                    version: 3 + number,
                    lease: -number,
                },
                prev_kv: None,
            });
        }
        let mut packed = Packed::default();
        for event in &events {
            packed.push(event.kind, event.kv.as_ref());
        }
        let packed = Listing::from(packed);
        let each = Listing::from(events.clone());
        let changes = || events.iter().map(|event| (event.kind, event.kv.as_ref()));
        assert!(packed.changes().eq(changes()));
        assert!(each.changes().eq(changes()));
        assert!(packed.keys().eq(each.keys()));
        assert!(packed.bytes() < each.bytes());
        for start in 0..40 {
            for end in start + 1..=40 {
                let bytes = events[start..end].iter().map(Event::bytes).sum();
                assert_eq!(packed.content_bytes(start, end), Some(bytes));
            }
        }
    }
}
