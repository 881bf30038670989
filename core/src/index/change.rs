//! One change of one key.

use crate::log::Position;
use crate::revision::Revision;

/// A put or a delete: its revision, where the log has it, and what it made of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) revision: Revision,
    pub(super) position: Position,
    /// The main revision of the put that created the key; 0 in a delete.
    pub(super) create_revision: i64,
    /// The puts of this life of the key, this one included; 0 in a delete.
    pub(super) version: i64,
    pub(super) deleted: bool,
}

/// The put that a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) mod_revision: Revision,
    pub(crate) create_revision: i64,
    pub(crate) version: i64,
}

impl Change {
    pub(super) fn put(
        revision: Revision,
        position: Position,
        create_revision: i64,
        version: i64,
    ) -> Self {
        Self {
            revision,
            position,
            create_revision,
            version,
            deleted: false,
        }
    }

    pub(super) fn delete(revision: Revision, position: Position) -> Self {
        Self {
            revision,
            position,
            create_revision: 0,
            version: 0,
            deleted: true,
        }
    }

    /// What a lookup that ends at this change answers.
    pub(super) fn found(self) -> Option<Found> {
        (!self.deleted).then_some(Found {
            position: self.position,
            mod_revision: self.revision,
            create_revision: self.create_revision,
            version: self.version,
        })
    }

    /// Whether `newer` is the next put of the same life, so that it says all about this one's.
    pub(super) fn continues_in(&self, newer: &Self) -> bool {
        !self.deleted
            && !newer.deleted
            && self.create_revision == newer.create_revision
            && self.version == newer.version.wrapping_sub(1)
    }

    /// Whether a compaction at `revision` keeps this, the newest change up to it: all but a delete
    /// of an earlier revision, after which there is nothing to be said.
    pub(super) fn outlives(&self, revision: i64) -> bool {
        !self.deleted || self.revision.main == revision
    }
}
