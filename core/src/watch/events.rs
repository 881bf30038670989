//! Events as they are handed to the caller.

#![allow(
    clippy::inline_always,
    reason = "whoever reads an event looks at a part of it: only that is then loaded"
)]

use alloc::sync::Arc;
use core::fmt;
use core::ops::Range;

use super::batch::{Batch, Slice};
use super::watcher::{Flag, Flags};
use crate::record::{Event, EventKind, KeyValueRef};
use crate::seeded_bug::is_seeded;

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
    batch: Arc<Batch>,
    start: u32,
    end: u32,
    picked: bool,
    /// What the watcher asked to be shown.
    flags: Flags,
}

/// How much may be answered at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    pub(super) events: usize,
    /// Bytes of keys and values.
    pub(super) bytes: usize,
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

/// Events for one watcher, as [`Events`], borrowed.
#[derive(Clone, Copy)]
pub struct EventsRef<'a> {
    batch: &'a Arc<Batch>,
    start: u32,
    end: u32,
    picked: bool,
    flags: Flags,
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

    pub(super) fn bytes(&self) -> usize {
        self.kv.bytes() + self.prev_kv.map_or(0, |kv| kv.bytes())
    }
}

impl Events {
    pub(super) fn new(batch: Arc<Batch>, slice: Slice, flags: Flags) -> Self {
        Self {
            batch,
            start: slice.start,
            end: slice.end,
            picked: slice.picked,
            flags,
        }
    }

    /// How many.
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The event at `index`, in order of revision.
    pub fn get(&self, index: usize) -> Option<EventRef<'_>> {
        self.as_ref().get(index)
    }

    /// All of them, in order of revision.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EventRef<'_>> {
        self.as_ref().iter()
    }

    #[inline]
    pub(super) fn as_ref(&self) -> EventsRef<'_> {
        EventsRef {
            batch: &self.batch,
            start: self.start,
            end: self.end,
            picked: self.picked,
            flags: self.flags,
        }
    }

    /// Bytes of their keys and values, as they are shown.
    pub(super) fn bytes(&self) -> usize {
        // Places are those of neighbours only where nothing is picked.
        let shows_all = !self.picked && !self.flags.has(Flag::KeysOnly);
        let (start, end) = (self.start as usize, self.end as usize);
        let together = || self.batch.events().content_bytes(start, end);
        let known = shows_all.then(together).flatten();
        known.unwrap_or_else(|| self.iter().map(|event| event.bytes()).sum())
    }

    /// Leaves out those from `place` on.
    pub(super) fn end_at(&mut self, place: u32) {
        self.end = place;
    }

    /// How many of them may be answered at once: whole revisions, but at least one; if that one alone
    /// is too much and may be divided, at least one event of it.
    pub(super) fn end_of_head(&self, most: Most) -> usize {
        if self.len() <= most.events && self.bytes() <= most.bytes {
            return self.len();
        }
        let revision_at = |place| self.batch.revision_at(place, self.picked);
        let (mut bytes, mut whole, mut fit) = (0, 0, 0);
        for (index, place) in (self.start..self.end).enumerate() {
            bytes += self.as_ref().event_at(place).bytes();
            if index < most.events && bytes <= most.bytes {
                fit = index + 1;
            } else if whole > 0 || self.flags.has(Flag::Fragment) {
                break;
            }
            let next = place + 1;
            if next == self.end || revision_at(next) != revision_at(place) {
                whole = index + 1;
            }
        }
        if whole > 0 { whole } else { fit.max(1) }
    }
}

impl<'a> EventsRef<'a> {
    #[inline]
    pub(super) fn new(batch: &'a Arc<Batch>, slice: Slice, flags: Flags) -> Self {
        Self {
            batch,
            start: slice.start,
            end: slice.end,
            picked: slice.picked,
            flags,
        }
    }

    /// How many.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The event at `index`, in order of revision.
    pub fn get(self, index: usize) -> Option<EventRef<'a>> {
        (index < self.len()).then(|| self.event_at(self.start + index as u32))
    }

    /// All of them, in order of revision.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = EventRef<'a>> {
        EventsIter {
            events: self,
            places: self.start..self.end,
        }
    }

    /// Whether these are the very same events, shown in the same way, as watchers of the same ranges are
    /// told. O(1): events that are equal but lie elsewhere are not the same.
    pub fn is_same(self, other: EventsRef<'_>) -> bool {
        let shows = |flags: Flags| (flags.has(Flag::PrevKv), flags.has(Flag::KeysOnly));
        Arc::ptr_eq(self.batch, other.batch)
            && (self.start, self.end, self.picked) == (other.start, other.end, other.picked)
            && shows(self.flags) == shows(other.flags)
    }

    /// The same, to be kept. Copies no event.
    pub fn to_owned(self) -> Events {
        Events {
            batch: Arc::clone(self.batch),
            start: self.start,
            end: self.end,
            picked: self.picked,
            flags: self.flags,
        }
    }

    #[inline(always)]
    fn event_at(self, place: u32) -> EventRef<'a> {
        let (kind, mut kv) = self.batch.change(place, self.picked);
        let mut prev_kv = None;
        if self.flags.has(Flag::PrevKv) {
            prev_kv = self.batch.prev_kv(place, self.picked);
            if is_seeded!(PrevKvIsOfAfter) {
                prev_kv = prev_kv.map(|_| kv);
            }
        }
        if self.flags.has(Flag::KeysOnly) {
            kv.value = &[];
            prev_kv = prev_kv.map(|kv| KeyValueRef { value: &[], ..kv });
        }
        EventRef { kind, kv, prev_kv }
    }
}

struct EventsIter<'a> {
    events: EventsRef<'a>,
    places: Range<u32>,
}

impl<'a> Iterator for EventsIter<'a> {
    type Item = EventRef<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<EventRef<'a>> {
        let place = self.places.next()?;
        Some(self.events.event_at(place))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for EventsIter<'_> {}

impl PartialEq for EventsRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for EventsRef<'_> {}

impl fmt::Debug for EventsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
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
    use alloc::vec;
    use alloc::vec::Vec;

    fn event(mod_revision: i64) -> Event {
        Event {
            kind: EventKind::Put,
            kv: KeyValue {
                key: b"key".to_vec(),
                value: b"v".to_vec(),
                mod_revision,
                ..KeyValue::default()
            },
            prev_kv: None,
        }
    }

    fn events(revisions: &[i64], picks: &[u32], fragment: bool) -> Events {
        let all: Vec<_> = revisions.iter().copied().map(event).collect();
        let slice = Slice {
            batch: 0,
            start: 0,
            end: picks.len() as u32,
            picked: true,
        };
        let flags = Flags::default();
        let flags = if fragment {
            flags.with(Flag::Fragment)
        } else {
            flags
        };
        let batch = Batch::new(all, picks.to_vec(), None);
        Events::new(Arc::new(batch), slice, flags)
    }

    fn revisions(events: &Events) -> Vec<i64> {
        events.iter().map(|event| event.kv.mod_revision).collect()
    }

    /// Cuts again and again.
    fn parts(mut rest: Events, most: Most) -> Vec<Vec<i64>> {
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let mut head = rest.clone();
            let cut = head.end_of_head(most);
            assert!(cut > 0);
            head.end = head.start + cut as u32;
            parts.push(revisions(&head));
            rest.start += cut as u32;
        }
        parts
    }

    #[test]
    fn a_cut_never_parts_a_revision_and_takes_at_least_one() {
        for picks in [&[0, 1, 2, 3, 4, 5, 6][..], &[0, 2, 3, 4, 5, 6]] {
            for at_most in 0..8 {
                let all = events(&[2, 2, 2, 3, 4, 4, 5], picks, false);
                let most = Most {
                    events: at_most,
                    bytes: usize::MAX,
                };
                let parts = parts(all.clone(), most);
                for part in &parts {
                    let one_revision = part.first() == part.last();
                    assert!(part.len() <= at_most || one_revision, "{part:?} {at_most}");
                }
                assert_eq!(parts.concat(), revisions(&all));
                for pair in parts.windows(2) {
                    assert!(pair[0].last() < pair[1].first(), "{pair:?}");
                }
            }
        }
    }

    #[test]
    fn a_fragment_parts_only_a_revision_that_is_too_much_by_itself() {
        let all = events(&[2, 2, 2, 3, 4, 4, 5], &[0, 1, 2, 3, 4, 5, 6], true);
        let most = Most {
            events: 2,
            bytes: usize::MAX,
        };
        let expected = [vec![2, 2], vec![2, 3], vec![4, 4], vec![5]];
        assert_eq!(parts(all.clone(), most), expected);
        let none = Most { events: 0, ..most };
        assert_eq!(parts(all, none).len(), 7, "at least one event each");
    }

    #[test]
    fn bytes_bound_a_cut_as_events_do() {
        let most = Most {
            events: usize::MAX,
            bytes: 8,
        };
        let all = events(&[2, 3, 4], &[0, 1, 2], false);
        assert_eq!(parts(all, most), [vec![2, 3], vec![4]]);
    }

    #[test]
    fn a_watcher_is_shown_what_it_asked_for_and_no_more() {
        let mut changed = event(3);
        changed.prev_kv = Some(event(2).kv);
        let batch = Arc::new(Batch::new(vec![changed], Vec::new(), None));
        let slice = Slice {
            batch: 0,
            start: 0,
            end: 1,
            picked: false,
        };
        for prev_kv in [false, true] {
            for keys_only in [false, true] {
                let asked = [(prev_kv, Flag::PrevKv), (keys_only, Flag::KeysOnly)];
                let asked = asked.into_iter().filter(|(asked, _)| *asked);
                let flags = asked.fold(Flags::default(), |flags, (_, flag)| flags.with(flag));
                let events = Events::new(Arc::clone(&batch), slice, flags);
                let event = events.get(0).unwrap();
                assert_eq!(event.prev_kv.is_some(), prev_kv);
                assert_eq!(event.kv.value.is_empty(), keys_only);
                assert!(
                    event
                        .prev_kv
                        .is_none_or(|kv| kv.value.is_empty() == keys_only)
                );
                assert_eq!((event.kv.key, event.kv.mod_revision), (&b"key"[..], 3));
            }
        }
    }
}
