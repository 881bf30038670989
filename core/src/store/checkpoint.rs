//! What a checkpoint says of a store, behind what the log says there of itself.
//!
//! ```text
//! state    = revision | next sub | compact revision + 1
//! counts   = records of state, changes: see `Standing`
//! compact  = main | sub              of the record of the newest compaction, or two zeros
//! standing = number of entries | frame …
//! index    = see `index::transfer`
//! ```
//!
//! The standing entries are those records of state that stand, such as the grants of the leases that
//! there are. Whoever learns from the log's entries when a store is opened learns from these what it
//! would from all.

use alloc::vec::Vec;

use super::replay::State;
use super::revision_store::{Lesson, RevisionStore, Visitor};
use super::standing::Standing;
use crate::error::Result;
use crate::index::KeyIndex;
use crate::log::{
    Entry, Learner, Numbers, Position, Record, decode_body, encode_entry, put_varint,
};
use crate::page::PageStore;
use crate::revision::Revision;

/// Says the records of state that stand, and a put for whatever else the layers above know of a key.
pub(crate) type StandingRecords<'a> = dyn Fn(&mut dyn FnMut(Record<'_>)) + 'a;

impl<P: PageStore> RevisionStore<P> {
    /// Closes the log. A later opening learns of `standing` what it would learn of all entries.
    pub(crate) fn close(&mut self, standing: &StandingRecords<'_>) -> Result<()> {
        let Self {
            log,
            index,
            state,
            standing: counts,
            ..
        } = self;
        log.close(Some(&|emit| {
            let mut out = Vec::new();
            state.encode(&mut out);
            counts.encode(&mut out);
            encode_standing(state.revision, counts, standing, &mut out);
            emit(&out);
            index.encode(emit);
        }))
    }
}

fn encode_standing(
    newest: i64,
    counts: &Standing,
    standing: &StandingRecords<'_>,
    out: &mut Vec<u8>,
) {
    let mut entries = Vec::new();
    let mut count = 0;
    let mut scratch = Vec::new();
    standing(&mut |record| {
        let Some(revision) = counts.revision_of(&record) else {
            return;
        };
        let entry = Entry {
            revision,
            last: true,
            record: since_its_own_revision(record, newest.saturating_sub(revision.main)),
        };
        // The log took a longer one of the kind.
        if let Ok(frame) = encode_entry(&entry, &mut scratch) {
            entries.extend_from_slice(frame);
            count += 1;
        }
    });
    put_varint(count, out);
    out.extend_from_slice(&entries);
}

/// What is acknowledged is said as a distance from the newest revision, and is written as one from the
/// record's own, which is so much older. A definition that acknowledgements have gone beyond says none.
fn since_its_own_revision(record: Record<'_>, older: i64) -> Record<'_> {
    match record {
        Record::Cursor {
            id,
            name,
            key,
            range_end,
            lag,
            hold,
        } => Record::Cursor {
            id,
            name,
            key,
            range_end,
            lag: lag.saturating_sub(older.unsigned_abs()),
            hold,
        },
        Record::CursorAck { id, lag } => Record::CursorAck {
            id,
            lag: lag.saturating_sub(older.unsigned_abs()),
        },
        other => other,
    }
}

/// All that a store learns when it is opened.
pub(super) struct Fold<'a, 'v> {
    pub(super) index: &'a mut KeyIndex,
    pub(super) state: &'a mut State,
    pub(super) standing: &'a mut Standing,
    pub(super) seed: u64,
    pub(super) visitor: &'a mut Visitor<'v>,
}

impl Learner for Fold<'_, '_> {
    fn learn(&mut self, position: Position, entry: &Entry<'_>) -> Result<()> {
        self.state.replay(self.index, position, entry)?;
        self.standing.learn(entry);
        (self.visitor)(Lesson::Entry(entry));
        Ok(())
    }

    fn restore(&mut self, checkpoint: &[u8], end: Position, newest: Revision) -> bool {
        let numbers = &mut Numbers::new(checkpoint);
        self.decode(numbers, end, newest).is_some()
    }

    fn forget(&mut self) {
        *self.index = KeyIndex::unordered(self.seed);
        *self.state = State::EMPTY;
        *self.standing = Standing::default();
        (self.visitor)(Lesson::Nothing);
    }
}

impl Fold<'_, '_> {
    fn decode(&mut self, numbers: &mut Numbers<'_>, end: Position, newest: Revision) -> Option<()> {
        *self.state = State::decode(numbers)?;
        if self.state.revision != newest.main || self.state.next_sub <= newest.sub {
            return None;
        }
        *self.standing = Standing::decode(numbers)?;
        for _ in 0..numbers.next()? {
            let entry = decode_body(numbers.next_bytes()?)?;
            if !self.state.could_have(&entry) {
                return None;
            }
            self.standing.learn_standing(&entry);
            (self.visitor)(Lesson::Entry(&entry));
        }
        self.index.decode(numbers, end, newest)?;
        numbers.rest().is_empty().then_some(())
    }
}

/// A revision as two numbers.
pub(super) fn encode_revision(revision: Revision, out: &mut Vec<u8>) {
    put_varint(revision.main as u64, out);
    put_varint(u64::from(revision.sub), out);
}

pub(super) fn decode_revision(numbers: &mut Numbers<'_>) -> Option<Revision> {
    Some(Revision {
        main: i64::try_from(numbers.next()?).ok()?,
        sub: u32::try_from(numbers.next()?).ok()?,
    })
}
