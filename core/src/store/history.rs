//! Reading history: the events between two revisions.

use core::ops::ControlFlow;

use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::log::{Entry, Record};
use crate::page::PageStore;
use crate::record::{Event, EventKind, KeyValue};
use crate::revision::Revision;

impl<P: PageStore> RevisionStore<P> {
    /// Hands the events from revision `from` up to and including `to` to `visit`, in order, until
    /// it breaks off. The caller has made sure that `from` is not compacted.
    pub(crate) fn events(
        &self,
        from: i64,
        to: i64,
        prev_kv: bool,
        visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut scan = self.log.scan(Revision::first_of(from));
        while let Some((_, stored)) = scan.next(&self.log)? {
            let entry = stored.entry();
            if entry.revision.main > to {
                break;
            }
            let Some(mut event) = event_of(&entry) else {
                continue;
            };
            if self.was_compacted(&entry, &event) {
                continue;
            }
            if prev_kv {
                event.prev_kv = self.prev_kv(&event)?;
            }
            if visit(event).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// What the key of `event` was before the transaction of the event: absent if it did not exist
    /// or compaction has taken that revision.
    pub(crate) fn prev_kv(&self, event: &Event) -> Result<Option<KeyValue>> {
        let before = event.kv.mod_revision - 1;
        if before < self.state.compact_revision {
            return Ok(None);
        }
        self.get(&event.kv.key, before)
    }

    /// At exactly the compact revision only the state is kept: of several changes of one key in
    /// that transaction, the last.
    fn was_compacted(&self, entry: &Entry<'_>, event: &Event) -> bool {
        let main = entry.revision.main;
        main == self.state.compact_revision
            && self.index.newest_change(&event.kv.key, main) != Some(entry.revision)
    }

    /// Attaches to each event what its key was before.
    pub(crate) fn attach_prev_kvs(&self, events: &mut [Event]) -> Result<()> {
        for event in events {
            event.prev_kv = self.prev_kv(event)?;
        }
        Ok(())
    }
}

/// The event that an entry is seen as, if it changed a key.
pub(crate) fn event_of(entry: &Entry<'_>) -> Option<Event> {
    let main = entry.revision.main;
    match entry.record {
        Record::Put {
            key,
            value,
            age,
            version,
            lease,
        } => Some(Event {
            kind: EventKind::Put,
            kv: KeyValue {
                key: key.to_vec(),
                value: value.to_vec(),
                create_revision: main - age as i64,
                mod_revision: main,
                version: version as i64,
                lease,
            },
            prev_kv: None,
        }),
        Record::Delete { key } => Some(Event {
            kind: EventKind::Delete,
            kv: KeyValue {
                key: key.to_vec(),
                mod_revision: main,
                ..KeyValue::default()
            },
            prev_kv: None,
        }),
        _ => None,
    }
}
