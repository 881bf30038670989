//! A run of changes: the newest in full, the older ones encoded behind it.

use alloc::vec::Vec;

use super::chain::{Chain, Reader};
use super::change::Change;
use super::encoding;
use super::heap::Heap;

/// The changes of a chain from the newest back, behind one that is known.
struct OlderChanges<'a> {
    newer: Change,
    bytes: Reader<'a>,
}

impl<'a> OlderChanges<'a> {
    fn new(newest: Change, chain: Chain, heap: &'a Heap) -> Self {
        Self {
            newer: newest,
            bytes: chain.read(heap),
        }
    }
}

impl Iterator for OlderChanges<'_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        if self.bytes.is_empty() {
            return None;
        }
        self.newer = encoding::decode(&self.newer, || self.bytes.byte());
        Some(self.newer)
    }
}

/// Up to 255 bytes of changes behind their newest. A change takes 3 to 8 bytes as a rule, so to
/// read a run from end to end is a bounded and short piece of work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) newest: Change,
    pub(super) older: Chain,
}

impl Run {
    /// Tries to add a change; it must be newer than all.
    pub(super) fn push(&mut self, change: Change, heap: &mut Heap) -> bool {
        let encoded = encoding::encode(&self.newest, &change);
        let room = self.older.has_room_for(encoded.as_slice().len());
        if room {
            self.older.push(heap, encoded.as_slice());
            self.newest = change;
        }
        room
    }

    /// The newest change up to `main`.
    pub(super) fn at(&self, main: i64, heap: &Heap) -> Option<Change> {
        if self.newest.revision.main <= main {
            return Some(self.newest);
        }
        OlderChanges::new(self.newest, self.older, heap).find(|change| change.revision.main <= main)
    }

    /// Drops what a compaction at `revision` takes from behind the newest change, which is of a
    /// later revision. Tells whether the run had a change up to `revision`: then all earlier runs
    /// are obsolete.
    pub(super) fn trim(&mut self, revision: i64, heap: &mut Heap) -> bool {
        let mut kept: Vec<Change> = Vec::new();
        let mut state = None;
        let mut older = OlderChanges::new(self.newest, self.older, heap);
        for change in older.by_ref() {
            if change.revision.main <= revision {
                state = Some(change);
                break;
            }
            kept.push(change);
        }
        let Some(state) = state else {
            return false;
        };
        let nothing_is_behind = older.bytes.is_empty();
        if state.outlives(revision) {
            if nothing_is_behind {
                return true;
            }
            kept.push(state);
        }
        self.older.free(heap);
        for (i, change) in kept.iter().enumerate().rev() {
            let newer = i.checked_sub(1).map_or(&self.newest, |newer| &kept[newer]);
            self.older
                .push(heap, encoding::encode(change, newer).as_slice());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Position;
    use crate::revision::Revision;

    fn put(main: i64) -> Change {
        let revision = Revision::first_of(main);
        Change::put(revision, Position(main as u64 * 100), 2, main / 2)
    }

    fn run_of(changes: &[Change], heap: &mut Heap) -> Run {
        let mut run = Run {
            newest: changes[0],
            older: Chain::EMPTY,
        };
        for &change in &changes[1..] {
            assert!(run.push(change, heap));
        }
        run
    }

    fn mains(run: &Run, heap: &Heap) -> Vec<i64> {
        OlderChanges::new(run.newest, run.older, heap)
            .map(|change| change.revision.main)
            .collect()
    }

    #[test]
    fn every_change_of_a_full_run_is_found() {
        let mut heap = Heap::default();
        let mut run = run_of(&[put(2)], &mut heap);
        let mut last = 4;
        while run.push(put(last), &mut heap) {
            last += 2;
        }
        assert!(last > 100, "{last}");
        assert_eq!(run.at(1, &heap), None);
        for main in 2..last {
            assert_eq!(run.at(main, &heap), Some(put(main / 2 * 2)));
        }
    }

    #[test]
    fn trimming_keeps_the_state_and_what_came_after() {
        let mut heap = Heap::default();
        let changes: Vec<_> = (1..=10).map(|i| put(2 * i)).collect();
        for revision in 2..20 {
            let mut run = run_of(&changes, &mut heap);
            assert!(run.trim(revision, &mut heap));
            let expected: Vec<_> = (revision / 2..10).rev().map(|i| 2 * i).collect();
            assert_eq!(mains(&run, &heap), expected);
            assert_eq!(run.at(revision, &heap), Some(put(revision / 2 * 2)));
            run.older.free(&mut heap);
        }
        assert!(!run_of(&changes, &mut heap).trim(1, &mut heap));
    }

    #[test]
    fn a_delete_is_kept_by_a_compaction_at_its_own_revision_only() {
        let mut heap = Heap::default();
        let delete = Change::delete(Revision::first_of(4), Position(400));
        for (revision, kept) in [(3, &[4, 2][..]), (4, &[4]), (5, &[])] {
            let mut run = run_of(&[put(2), delete, put(6)], &mut heap);
            assert!(run.trim(revision, &mut heap));
            assert_eq!(mains(&run, &heap), kept);
        }
    }
}
