//! The cursors there are, as the log tells of them.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::log::{Entry, Record};
use crate::range::KeyRange;
use crate::store::Lesson;

/// One cursor, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// What records call it: less than its name.
    pub(crate) id: u64,
    pub(crate) range: KeyRange,
    pub(crate) acked_revision: i64,
    pub(crate) hold: bool,
}

impl Cursor {
    /// The oldest revision that a hold keeps from being compacted away: compaction up to and
    /// including it takes nothing that the cursor has yet to see.
    fn held_from(&self, revision: i64, max_hold_revisions: i64) -> i64 {
        let oldest_held = revision.saturating_sub(max_hold_revisions.max(0));
        self.acked_revision.saturating_add(1).max(oldest_held)
    }
}

/// All cursors, in order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursors {
    cursors: BTreeMap<Vec<u8>, Cursor>,
    names: BTreeMap<u64, Vec<u8>>,
}

impl Cursors {
    /// Learns from the log when it is read back. All that was learned so is what
    /// [`Self::say_all`] has to say.
    pub(crate) fn take(&mut self, lesson: &Lesson<'_>) {
        match lesson {
            Lesson::Entry(entry) => self.replay(entry),
            Lesson::Nothing => *self = Self::default(),
        }
    }

    /// Says everything by which cursors that learn it come to be what these are: how each is defined,
    /// and what is acknowledged, as the distance from the newest `revision`.
    pub(crate) fn say_all(&self, revision: i64, say: &mut dyn FnMut(Record<'_>)) {
        for (name, cursor) in &self.cursors {
            let (key, range_end) = cursor.range.to_etcd();
            let (id, lag) = (cursor.id, revision.abs_diff(cursor.acked_revision));
            say(Record::Cursor {
                id,
                name,
                key: &key,
                range_end: &range_end,
                lag,
                hold: cursor.hold,
            });
            say(Record::CursorAck { id, lag });
        }
    }

    /// Learns from an entry of the log.
    pub(crate) fn replay(&mut self, entry: &Entry<'_>) {
        let main = entry.revision.main;
        match entry.record {
            Record::Cursor {
                id,
                name,
                key,
                range_end,
                lag,
                hold,
            } => {
                let cursor = Cursor {
                    id,
                    range: KeyRange::from_etcd(key, range_end),
                    acked_revision: main.saturating_sub_unsigned(lag),
                    hold,
                };
                self.define(name, cursor);
            }
            Record::CursorAck { id, lag } => self.ack(id, main.saturating_sub_unsigned(lag)),
            Record::CursorDelete { id } => self.delete(id),
            _ => {}
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cursors.len()
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<&Cursor> {
        self.cursors.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Cursor)> {
        let cursors = self.cursors.iter();
        cursors.map(|(name, cursor)| (name.as_slice(), cursor))
    }

    /// An id that no cursor has.
    pub(crate) fn free_id(&self) -> u64 {
        self.names.last_key_value().map_or(1, |(id, _)| id + 1)
    }

    /// Adds a cursor, or makes the one of this name what is given.
    pub(crate) fn define(&mut self, name: &[u8], cursor: Cursor) {
        // No store gives a name two ids, or an id two names, but an image may.
        self.delete(cursor.id);
        if let Some(before) = self.cursors.get(name) {
            self.names.remove(&before.id);
        }
        self.names.insert(cursor.id, name.to_vec());
        self.cursors.insert(name.to_vec(), cursor);
    }

    /// Takes note that everything up to `revision` was acknowledged.
    pub(crate) fn ack(&mut self, id: u64, revision: i64) {
        if let Some(cursor) = self
            .names
            .get(&id)
            .and_then(|name| self.cursors.get_mut(name))
        {
            cursor.acked_revision = revision;
        }
    }

    pub(crate) fn delete(&mut self, id: u64) {
        if let Some(name) = self.names.remove(&id) {
            self.cursors.remove(&name);
        }
    }

    /// The cursor that holds back compaction most, and the last revision up to which compaction is
    /// possible all the same. Of several, the first by name.
    pub(crate) fn strictest_hold(
        &self,
        revision: i64,
        max_hold_revisions: i64,
    ) -> Option<(&[u8], &Cursor, i64)> {
        let holding = self.iter().filter(|(_, cursor)| cursor.hold);
        holding
            .map(|(name, cursor)| (name, cursor, cursor.held_from(revision, max_hold_revisions)))
            .min_by_key(|&(_, _, held_from)| held_from)
    }
}
