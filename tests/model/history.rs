//! Compaction, and the past as watchers are told it.

use revwatch::{CompactResponse, ErrorCode, Event, EventKind, KeyRange};

use crate::{Change, Model, Outcome, contains};

impl Model {
    /// Gives up what was before `revision`. The same revision twice or an older one is refused;
    /// nothing else changes, the current revision least of all.
    pub fn compact(&mut self, revision: i64) -> Outcome<CompactResponse> {
        if revision > self.revision {
            return Err(ErrorCode::FutureRevision);
        }
        if revision <= self.compact_revision {
            return Err(ErrorCode::Compacted);
        }
        self.compact_revision = revision;
        self.compactions.push(revision);
        Ok(CompactResponse {
            revision: self.revision,
            durable: self.durable,
        })
    }

    /// Whether the last compaction keeps a change.
    pub fn keeps(&self, change: &Change) -> bool {
        self.compaction_keeps(self.compact_revision, change)
    }

    /// Whether some compaction had its revision and did not keep it. A watcher that read history
    /// since then need not have been told of it.
    pub fn was_compacted_at_its_revision(&self, change: &Change) -> bool {
        let main = change.revision.main;
        self.compactions.contains(&main) && !self.compaction_keeps(main, change)
    }

    /// A compaction keeps everything after its revision, and of what is not after it the newest
    /// change of each key, unless that is a delete. A delete at exactly its revision is kept, so
    /// that who watches from there is told of it.
    fn compaction_keeps(&self, at: i64, change: &Change) -> bool {
        if change.revision.main > at {
            return true;
        }
        let superseded = self.changes.iter().any(|later| {
            later.kv.key == change.kv.key
                && later.revision > change.revision
                && later.revision.main <= at
        });
        !superseded && (change.kind == EventKind::Put || change.revision.main == at)
    }

    /// The kept changes of `range` from `start_revision` on, with what each key was before the
    /// transaction.
    pub fn events(&self, range: &KeyRange, start_revision: i64) -> Vec<Event> {
        self.changes
            .iter()
            .filter(|change| change.revision.main >= start_revision)
            .filter(|change| contains(range, &change.kv.key) && self.keeps(change))
            .map(|change| self.event(change))
            .collect()
    }

    /// A change as an event: `prev_kv` is the key as it was before the whole transaction, unless
    /// compaction has taken that revision. A put that created the key has none.
    pub fn event(&self, change: &Change) -> Event {
        let before = change.revision.main - 1;
        let created = change.kind == EventKind::Put && change.kv.create_revision > before;
        let prev_kv = if created || before < self.compact_revision {
            None
        } else {
            self.state_at(&KeyRange::one(&change.kv.key), before)
                .first()
                .map(|&kv| kv.clone())
        };
        Event {
            kind: change.kind,
            kv: change.kv.clone(),
            prev_kv,
        }
    }
}

/// What a watch of `range` watches: the empty key stands for the first one there can be.
pub fn watched(range: &KeyRange) -> KeyRange {
    let first = vec![0];
    match range {
        KeyRange::One(key) if key.is_empty() => KeyRange::One(first),
        KeyRange::Span { start, end } if start.is_empty() => KeyRange::Span {
            start: first,
            end: end.clone(),
        },
        other => other.clone(),
    }
}
