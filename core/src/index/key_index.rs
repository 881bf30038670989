//! The ordered map from keys to their histories.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Bound;

use super::history::{Found, History};
use crate::log::Position;
use crate::range::{Bounds, KeyRange};
use crate::revision::Revision;

/// Every key that the log knows, in bytewise order, with its history.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    histories: BTreeMap<Box<[u8]>, History>,
    /// Keys that exist now.
    live_keys: u64,
}

impl KeyIndex {
    /// Adds a put of `key`; revisions must rise.
    pub(crate) fn put(
        &mut self,
        key: &[u8],
        revision: Revision,
        position: Position,
        create_revision: i64,
        version: i64,
    ) {
        let history = self.history_mut(key);
        let existed = history.at(i64::MAX).is_some();
        history.put(revision, position, create_revision, version);
        self.live_keys += u64::from(!existed);
    }

    /// Adds a delete of `key`; revisions must rise.
    pub(crate) fn delete(&mut self, key: &[u8], revision: Revision, position: Position) {
        let history = self.history_mut(key);
        let existed = history.at(i64::MAX).is_some();
        history.delete(revision, position);
        self.live_keys -= u64::from(existed);
    }

    /// The put that `key` was the result of as of `main`, if it existed then.
    pub(crate) fn at(&self, key: &[u8], main: i64) -> Option<Found> {
        self.histories.get(key)?.at(main)
    }

    /// The revision of the newest change of `key` up to `main`, deletes included.
    pub(crate) fn newest_change(&self, key: &[u8], main: i64) -> Option<Revision> {
        self.histories.get(key)?.newest_change(main)
    }

    /// The keys of `range` that existed as of `main`, in order.
    pub(crate) fn range(
        &self,
        range: &KeyRange,
        main: i64,
    ) -> impl Iterator<Item = (&[u8], Found)> {
        range
            .bounds()
            .map(|bounds| self.histories.range::<[u8], _>(as_slices(&bounds)))
            .into_iter()
            .flatten()
            .filter_map(move |(key, history)| Some((&**key, history.at(main)?)))
    }

    /// How many keys exist now.
    pub(crate) fn live_keys(&self) -> u64 {
        self.live_keys
    }

    fn history_mut(&mut self, key: &[u8]) -> &mut History {
        if !self.histories.contains_key(key) {
            self.histories.insert(key.into(), History::default());
        }
        self.histories
            .get_mut(key)
            .expect("it was inserted above if it was not there")
    }
}

fn as_slices(bounds: &Bounds) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (
        bounds.0.as_ref().map(Vec::as_slice),
        bounds.1.as_ref().map(Vec::as_slice),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index_of(keys: &[&[u8]]) -> KeyIndex {
        let mut index = KeyIndex::default();
        for (i, key) in keys.iter().enumerate() {
            let main = i as i64 + 2;
            index.put(key, Revision::first_of(main), Position(i as u64), main, 1);
        }
        index
    }

    fn keys<'a>(index: &'a KeyIndex, range: &KeyRange, main: i64) -> Vec<&'a [u8]> {
        index.range(range, main).map(|(key, _)| key).collect()
    }

    #[test]
    fn ranges_come_in_key_order_as_of_their_revision() {
        let index = index_of(&[b"c", b"a", b"b"]);
        assert_eq!(keys(&index, &KeyRange::All, 9), [b"a", b"b", b"c"]);
        assert_eq!(keys(&index, &KeyRange::All, 3), [b"a", b"c"]);
        assert_eq!(keys(&index, &KeyRange::span(b"b", b"c"), 9), [b"b"]);
        assert_eq!(keys(&index, &KeyRange::span(b"c", b"b"), 9), [[0u8; 1]; 0]);
    }

    #[test]
    fn live_keys_are_counted_through_deletes_and_new_lives() {
        let mut index = index_of(&[b"a", b"b"]);
        assert_eq!(index.live_keys(), 2);
        index.delete(b"a", Revision::first_of(10), Position(10));
        assert_eq!(index.live_keys(), 1);
        index.put(b"a", Revision::first_of(11), Position(11), 11, 1);
        index.put(b"a", Revision::first_of(12), Position(12), 11, 2);
        assert_eq!(index.live_keys(), 2);
    }
}
