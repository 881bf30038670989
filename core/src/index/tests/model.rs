//! The index as it is meant: slow, plain, and by generations.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::index::change::{Change, Found};
use crate::range::KeyRange;
use crate::revision::Revision;

/// A key's life from its creation to its deletion.
#[derive(Debug)]
struct Generation {
    create_revision: i64,
    /// The version of the first of `changes`: 1 unless earlier puts are no longer kept.
    first_version: i64,
    /// In rising order of revision; never empty.
    changes: Vec<Change>,
    /// Whether the last change is the delete that ended this life.
    deleted: bool,
}

/// All generations of one key, oldest first.
#[derive(Debug, Default)]
struct History {
    generations: Vec<Generation>,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    histories: BTreeMap<Vec<u8>, History>,
}

impl History {
    fn push(&mut self, change: Change) {
        match self.generations.last_mut() {
            Some(open) if !open.deleted => {
                open.changes.push(change);
                open.deleted = change.deleted;
            }
            _ => self.generations.push(Generation {
                create_revision: change.create_revision,
                first_version: change.version,
                changes: alloc::vec![change],
                deleted: change.deleted,
            }),
        }
    }

    fn at(&self, main: i64) -> Option<Found> {
        let generation = self.generation_at(main)?;
        let newest = newest_by(generation, main);
        if generation.deleted && newest + 1 == generation.changes.len() {
            return None;
        }
        let change = generation.changes[newest];
        Some(Found {
            position: change.position,
            mod_revision: change.revision,
            create_revision: generation.create_revision,
            version: generation.first_version + newest as i64,
        })
    }

    fn newest_change(&self, main: i64) -> Option<Revision> {
        let generation = self.generation_at(main)?;
        Some(generation.changes[newest_by(generation, main)].revision)
    }

    /// The last generation that had begun by `main`.
    fn generation_at(&self, main: i64) -> Option<&Generation> {
        let begun = |generation: &&Generation| generation.changes[0].revision.main <= main;
        self.generations.iter().rfind(begun)
    }

    fn compact(&mut self, revision: i64) {
        let changes: Vec<Change> = self
            .generations
            .drain(..)
            .flat_map(|generation| generation.changes)
            .collect();
        let up_to = |change: &&Change| change.revision.main <= revision;
        let state = changes.iter().rfind(up_to).map(|state| state.revision);
        for change in changes {
            let is_state = Some(change.revision) == state
                && !(change.deleted && change.revision.main < revision);
            if is_state || change.revision.main > revision {
                self.push(change);
            }
        }
    }
}

fn newest_by(generation: &Generation, main: i64) -> usize {
    let by = |change: &Change| change.revision.main <= main;
    generation.changes.iter().rposition(by).unwrap()
}

impl Model {
    pub(super) fn push(&mut self, key: &[u8], change: Change) {
        self.histories.entry(key.to_vec()).or_default().push(change);
    }

    pub(super) fn at(&self, key: &[u8], main: i64) -> Option<Found> {
        self.histories.get(key)?.at(main)
    }

    pub(super) fn newest_change(&self, key: &[u8], main: i64) -> Option<Revision> {
        self.histories.get(key)?.newest_change(main)
    }

    pub(super) fn range(
        &self,
        range: &KeyRange,
        main: i64,
    ) -> impl Iterator<Item = (&[u8], Found)> {
        self.histories
            .range(range.start().to_vec()..)
            .skip_while(|(key, _)| !range.contains(key))
            .take_while(|(key, _)| range.contains(key))
            .filter_map(move |(key, history)| Some((key.as_slice(), history.at(main)?)))
    }

    pub(super) fn live_keys(&self) -> u64 {
        let live = |history: &&History| history.at(i64::MAX).is_some();
        self.histories.values().filter(live).count() as u64
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.histories.keys().map(Vec::as_slice)
    }

    pub(super) fn compact(&mut self, revision: i64) {
        self.histories.retain(|_, history| {
            history.compact(revision);
            !history.generations.is_empty()
        });
    }
}
