//! The history of one key.

use alloc::vec::Vec;

use crate::log::Position;
use crate::revision::Revision;

/// One change of a key: its revision, and where the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    revision: Revision,
    position: Position,
}

/// A key's life from its creation to its deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Generation {
    /// The main revision of the put that created the key.
    create_revision: i64,
    /// The version of the first of `changes`: 1 unless earlier puts are no longer kept.
    first_version: i64,
    /// In rising order of revision; never empty.
    changes: Vec<Change>,
    /// Whether the last change is the delete that ended this life.
    deleted: bool,
}

/// The put that a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) mod_revision: Revision,
    pub(crate) create_revision: i64,
    pub(crate) version: i64,
}

/// All generations of one key, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    generations: Vec<Generation>,
}

impl History {
    /// Adds a put. Revisions must rise. The create revision and version are those that the log
    /// recorded: they cannot be derived when older changes are no longer kept.
    pub(super) fn put(
        &mut self,
        revision: Revision,
        position: Position,
        create_revision: i64,
        version: i64,
    ) {
        let change = Change { revision, position };
        match self.generations.last_mut() {
            Some(open) if !open.deleted => {
                debug_assert_eq!(open.create_revision, create_revision);
                open.changes.push(change);
            }
            _ => self.generations.push(Generation {
                create_revision,
                first_version: version,
                changes: alloc::vec![change],
                deleted: false,
            }),
        }
    }

    /// Ends the open generation. A tombstone whose puts are no longer kept stands alone.
    pub(super) fn delete(&mut self, revision: Revision, position: Position) {
        let change = Change { revision, position };
        match self.generations.last_mut() {
            Some(open) if !open.deleted => {
                open.changes.push(change);
                open.deleted = true;
            }
            _ => self.generations.push(Generation {
                create_revision: 0,
                first_version: 0,
                changes: alloc::vec![change],
                deleted: true,
            }),
        }
    }

    /// The put that the key was the result of as of `main`, if it existed then.
    pub(super) fn at(&self, main: i64) -> Option<Found> {
        let generation = self.generation_at(main)?;
        let after = generation
            .changes
            .partition_point(|change| change.revision.main <= main);
        let newest = after - 1;
        if generation.deleted && newest == generation.changes.len() - 1 {
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

    /// The revision of the newest change up to `main`, deletes included.
    pub(super) fn newest_change(&self, main: i64) -> Option<Revision> {
        let generation = self.generation_at(main)?;
        let after = generation
            .changes
            .partition_point(|change| change.revision.main <= main);
        Some(generation.changes[after - 1].revision)
    }

    /// The last generation that had begun by `main`.
    fn generation_at(&self, main: i64) -> Option<&Generation> {
        let after = self
            .generations
            .partition_point(|generation| generation.changes[0].revision.main <= main);
        self.generations[..after].last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(main: i64) -> Revision {
        Revision::first_of(main)
    }

    /// put (2), put (3), delete (4), put (6).
    fn example() -> History {
        let mut history = History::default();
        history.put(revision(2), Position(20), 2, 1);
        history.put(revision(3), Position(30), 2, 2);
        history.delete(revision(4), Position(40));
        history.put(revision(6), Position(60), 6, 1);
        history
    }

    #[test]
    fn a_key_is_what_its_newest_change_made_it() {
        let history = example();
        let seen = |main| {
            history.at(main).map(|found| {
                (
                    found.mod_revision.main,
                    found.create_revision,
                    found.version,
                    found.position.0,
                )
            })
        };
        assert_eq!(seen(1), None);
        assert_eq!(seen(2), Some((2, 2, 1, 20)));
        assert_eq!(seen(3), Some((3, 2, 2, 30)));
        assert_eq!(seen(4), None);
        assert_eq!(seen(5), None);
        assert_eq!(seen(6), Some((6, 6, 1, 60)));
        assert_eq!(seen(i64::MAX), Some((6, 6, 1, 60)));
    }

    #[test]
    fn deletes_are_changes_too() {
        let history = example();
        assert_eq!(history.newest_change(1), None);
        assert_eq!(history.newest_change(5), Some(revision(4)));
        assert_eq!(history.newest_change(9), Some(revision(6)));
    }

    #[test]
    fn versions_go_on_where_the_kept_changes_begin() {
        let mut history = History::default();
        history.put(revision(9), Position(0), 4, 5);
        history.put(revision(10), Position(1), 4, 6);
        assert_eq!(history.at(9).unwrap().version, 5);
        assert_eq!(history.at(10).unwrap().version, 6);
        assert_eq!(history.at(10).unwrap().create_revision, 4);
    }

    #[test]
    fn a_key_put_and_deleted_in_one_transaction_is_absent_after_it() {
        let mut history = example();
        history.put(Revision { main: 7, sub: 0 }, Position(70), 6, 2);
        history.delete(Revision { main: 7, sub: 1 }, Position(71));
        assert_eq!(history.at(7), None);
        assert_eq!(history.at(6).unwrap().version, 1);
    }
}
