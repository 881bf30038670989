//! What a stream answers when it is polled.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use crate::record::{Event, EventKind, KeyValueRef};

/// The next thing that a stream has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchResponse {
    /// A watcher was registered.
    Created {
        /// Which one.
        watch_id: i64,
        /// The store's revision at that moment.
        revision: i64,
    },
    /// Changes, whole revisions at a time.
    Events {
        /// The watcher that they are for.
        watch_id: i64,
        /// The store's revision when they were queued.
        revision: i64,
        /// In order of revision; never empty.
        events: Events,
    },
    /// A watcher was canceled by request. Nothing more comes from it.
    Canceled {
        /// Which one.
        watch_id: i64,
    },
    /// Compaction took history that a watcher had yet to see. Nothing more comes from it.
    Compacted {
        /// Which one.
        watch_id: i64,
        /// Where history begins now.
        compact_revision: i64,
    },
    /// A crash lost the revision that a watcher wanted to go on from. Nothing comes from it.
    Rewound {
        /// Which one.
        watch_id: i64,
        /// The last revision of that watcher's past that still stands.
        revision: i64,
    },
    /// Nothing now.
    Idle,
}

/// Events for one watcher: a selection from a batch that all watchers share.
///
/// ```
/// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
///
/// let mut store = Store::in_memory(Options::default());
/// let stream = store.watch_stream();
/// store.watch(stream, &WatchRequest::new(KeyRange::prefix(b"a"))).unwrap();
/// store.put(b"ab", b"1").unwrap();
/// store.poll(stream, 100, 1 << 20).unwrap(); // Created
/// if let WatchResponse::Events { events, .. } = store.poll(stream, 100, 1 << 20).unwrap() {
///     assert_eq!(events.len(), 1);
///     assert_eq!(events.iter().next().unwrap().kv.value, b"1");
/// }
/// ```
#[derive(Clone)]
pub struct Events {
    batch: Arc<Vec<Event>>,
    selection: Selection,
    prev_kv: bool,
}

/// Which events of a batch.
#[derive(Clone)]
enum Selection {
    /// From the first up to, but without, the second.
    Run(u32, u32),
    /// These, rising.
    Some(Box<[u32]>),
}

/// One event, borrowed from its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// What happened.
    pub kind: EventKind,
    /// The key's state after the change.
    pub kv: KeyValueRef<'a>,
    /// The key's state before the transaction, as in [`Event::prev_kv`].
    pub prev_kv: Option<KeyValueRef<'a>>,
}

impl EventRef<'_> {
    /// A copy that owns its bytes.
    pub fn to_owned(&self) -> Event {
        Event {
            kind: self.kind,
            kv: self.kv.to_owned(),
            prev_kv: self.prev_kv.map(|kv| kv.to_owned()),
        }
    }
}

impl Events {
    /// The events of `batch` at `indices`, which rise and are not empty.
    pub(crate) fn select(batch: &Arc<Vec<Event>>, indices: &[u32], prev_kv: bool) -> Self {
        let (first, last) = (indices[0], indices[indices.len() - 1]);
        let selection = if (last - first) as usize + 1 == indices.len() {
            Selection::Run(first, last + 1)
        } else {
            Selection::Some(indices.into())
        };
        Self {
            batch: Arc::clone(batch),
            selection,
            prev_kv,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        match &self.selection {
            Selection::Run(start, end) => (end - start) as usize,
            Selection::Some(indices) => indices.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The event at `index`, in order of revision.
    pub fn get(&self, index: usize) -> Option<EventRef<'_>> {
        (index < self.len()).then(|| self.event_at(index))
    }

    /// All of them, in order of revision.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EventRef<'_>> {
        (0..self.len()).map(|index| self.event_at(index))
    }

    /// Cuts off a head of whole revisions with at most `max_events` and `max_bytes` of keys and
    /// values, but of at least one revision. Answers the rest, if there is one.
    pub(crate) fn split(&mut self, max_events: usize, max_bytes: usize) -> Option<Self> {
        let cut = self.end_of_head(max_events, max_bytes);
        if cut == self.len() {
            None
        } else {
            Some(self.split_off(cut))
        }
    }

    fn end_of_head(&self, max_events: usize, max_bytes: usize) -> usize {
        let mut bytes = 0;
        let mut cut = 0;
        let mut events = self.iter().enumerate().peekable();
        while let Some((index, event)) = events.next() {
            bytes += event.kv.key.len() + event.kv.value.len();
            let revision = event.kv.mod_revision;
            if events
                .peek()
                .is_some_and(|(_, next)| next.kv.mod_revision == revision)
            {
                continue;
            }
            // A revision ends here. It goes with the head if it fits, or if it is the first.
            if cut > 0 && (index + 1 > max_events || bytes > max_bytes) {
                break;
            }
            cut = index + 1;
        }
        cut
    }

    fn split_off(&mut self, at: usize) -> Self {
        let rest = match &mut self.selection {
            Selection::Run(start, end) => {
                let middle = *start + at as u32;
                let rest = Selection::Run(middle, *end);
                *end = middle;
                rest
            }
            Selection::Some(indices) => {
                let rest = Selection::Some(indices[at..].into());
                *indices = indices[..at].into();
                rest
            }
        };
        Self {
            batch: Arc::clone(&self.batch),
            selection: rest,
            prev_kv: self.prev_kv,
        }
    }

    fn event_at(&self, index: usize) -> EventRef<'_> {
        let index_in_batch = match &self.selection {
            Selection::Run(start, _) => *start as usize + index,
            Selection::Some(indices) => indices[index] as usize,
        };
        let event = &self.batch[index_in_batch];
        let prev_kv = event.prev_kv.as_ref().filter(|_| self.prev_kv);
        EventRef {
            kind: event.kind,
            kv: event.kv.as_ref(),
            prev_kv: prev_kv.map(|kv| kv.as_ref()),
        }
    }
}

impl PartialEq for Events {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Events {}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::KeyValue;

    fn batch(revisions: &[i64]) -> Arc<Vec<Event>> {
        let event = |&mod_revision: &i64| Event {
            kind: EventKind::Put,
            kv: KeyValue {
                key: b"key".to_vec(),
                mod_revision,
                ..KeyValue::default()
            },
            prev_kv: None,
        };
        Arc::new(revisions.iter().map(event).collect())
    }

    fn revisions(events: &Events) -> Vec<i64> {
        events.iter().map(|event| event.kv.mod_revision).collect()
    }

    #[test]
    fn a_split_never_parts_a_revision_and_takes_at_least_one() {
        let batch = batch(&[2, 2, 2, 3, 4, 4, 5]);
        for indices in [&[0, 1, 2, 3, 4, 5, 6][..], &[0, 2, 3, 4, 5, 6]] {
            for max_events in 0..8 {
                let mut head = Events::select(&batch, indices, false);
                let whole = revisions(&head);
                let mut parts = Vec::new();
                while let Some(rest) = head.split(max_events, usize::MAX) {
                    assert!(!head.is_empty());
                    let part = revisions(&head);
                    let one_revision = part.first() == part.last();
                    assert!(
                        part.len() <= max_events || one_revision,
                        "{part:?} {max_events}"
                    );
                    parts.push(part);
                    head = rest;
                }
                parts.push(revisions(&head));
                assert_eq!(parts.concat(), whole);
                for pair in parts.windows(2) {
                    assert!(pair[0].last() < pair[1].first(), "{pair:?}");
                }
            }
        }
    }

    #[test]
    fn bytes_bound_a_split_as_events_do() {
        let batch = batch(&[2, 3, 4]);
        let mut head = Events::select(&batch, &[0, 1, 2], false);
        let rest = head.split(usize::MAX, 8).unwrap();
        assert_eq!(
            (revisions(&head), revisions(&rest)),
            (alloc::vec![2, 3], alloc::vec![4])
        );
    }

    #[test]
    fn what_a_key_was_before_is_shown_only_to_who_asked() {
        let mut events = (*batch(&[2])).clone();
        events[0].prev_kv = Some(KeyValue::default());
        let batch = Arc::new(events);
        assert!(
            Events::select(&batch, &[0], true)
                .get(0)
                .unwrap()
                .prev_kv
                .is_some()
        );
        assert!(
            Events::select(&batch, &[0], false)
                .get(0)
                .unwrap()
                .prev_kv
                .is_none()
        );
    }
}
