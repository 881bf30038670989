//! What must be true of a put, and between a put and the change of its key before it.
//!
//! A log does not have every change: compaction drops some. With C for the compact revision:
//!
//! 1. Every change above C is there, and so is the put that a key was the result of at C.
//! 2. A put above C goes on from the change of its key that stands right before it, perhaps in its own
//!    transaction. After a put it has the same create revision and the next version. After a delete, or
//!    if nothing stands before it, it begins a life: it is its own create revision, and version 1.
//! 3. Up to C nothing follows from what stands before, because what stood between may be gone: what is
//!    kept of a key may begin with any version, and after a delete that is gone a new life begins.
//! 4. A transaction puts a key once at most. So a put has version 1 exactly if it created its key, and
//!    a version never counts more puts than there were revisions since then, wherever it stands.
//!
//! Repair leaves one exception to 2. It compacts a damaged store where the last damage was, and may not
//! find what a key was there. So a put above C with nothing before it may also go on with a life that
//! began at C or earlier.

use crate::index::Found;

/// How long a key has lived as of a put: all that the put says of it besides the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    create_revision: i64,
    version: u64,
}

impl Life {
    /// Of a put at `main`, in the words of its record.
    pub(super) fn of_put(main: i64, age: u64, version: u64) -> Self {
        Self {
            create_revision: main.saturating_sub_unsigned(age),
            version,
        }
    }

    pub(super) fn of_found(found: Found) -> Self {
        Self {
            create_revision: found.create_revision,
            version: found.version.unsigned_abs(),
        }
    }

    /// Rule 4: whether any put at `main` can say this.
    pub(super) fn is_possible_at(self, main: i64) -> bool {
        let age = main.abs_diff(self.create_revision);
        self.create_revision <= main
            && (self.version == 1) == (age == 0)
            && (1..=age + 1).contains(&self.version)
    }

    /// Rules 2 and 3: whether a put at `main` can say this where the change of its key before it made
    /// the key `before`, or nothing.
    pub(super) fn follows(self, before: Option<Self>, main: i64, compact_revision: i64) -> bool {
        if main <= compact_revision {
            return true;
        }
        match before {
            Some(before) => {
                self.create_revision == before.create_revision
                    && Some(self.version) == before.version.checked_add(1)
            }
            None => self.create_revision == main || self.create_revision <= compact_revision,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(create_revision: i64, version: u64) -> Life {
        Life {
            create_revision,
            version,
        }
    }

    #[test]
    fn a_put_has_a_version_that_its_revisions_allow() {
        assert!(life(5, 1).is_possible_at(5));
        assert!(life(5, 2).is_possible_at(6) && life(5, 2).is_possible_at(60));
        assert!(!life(5, 0).is_possible_at(5));
        assert!(!life(5, 2).is_possible_at(5));
        assert!(!life(5, 1).is_possible_at(6));
        assert!(!life(5, 3).is_possible_at(6));
        assert!(!life(5, 1).is_possible_at(4));
    }

    #[test]
    fn a_put_goes_on_from_the_change_before_it_where_none_can_be_missing() {
        let before = Some(life(5, 3));
        assert!(life(5, 4).follows(before, 9, -1));
        assert!(!life(5, 5).follows(before, 9, -1));
        assert!(!life(4, 4).follows(before, 9, -1));
        assert!(!life(9, 1).follows(before, 9, -1));
        assert!(life(9, 1).follows(None, 9, -1));
        assert!(!life(5, 4).follows(None, 9, -1));
        // What was lost to damage, and what was compacted.
        assert!(life(5, 4).follows(None, 9, 5) && !life(5, 4).follows(None, 9, 4));
        assert!(life(9, 1).follows(before, 9, 9) && !life(9, 1).follows(before, 9, 8));
    }
}
