//! Changing keys: every change of a transaction under its revision.

use alloc::vec::Vec;

use super::history::event_of;
use super::request::{DeleteRangeRequest, PutRef};
use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::index::Found;
use crate::log::{Entry, Position, Record};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::{Event, KeyValue};
use crate::revision::Revision;

/// Bytes that an entry takes besides its key and value, at most.
const ENTRY_OVERHEAD_BYTES: usize = 64;

/// A transaction being carried out. Nobody else sees its revision until it is committed; it sees
/// its own changes by reading at [`WriteTxn::view`].
#[derive(Debug)]
pub(crate) struct WriteTxn {
    main: i64,
    sub: u32,
    /// Whether the last entry appended was marked as the transaction's last.
    ended: bool,
    /// What watchers will see, if there are any to see it.
    events: Option<Vec<Event>>,
}

impl WriteTxn {
    /// Whether it has changed anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.sub == 0
    }

    /// The revision at which the transaction reads: its own once it has changed something.
    pub(crate) fn view(&self) -> i64 {
        if self.is_empty() {
            self.main - 1
        } else {
            self.main
        }
    }

    fn next_revision(&mut self) -> Revision {
        let revision = Revision {
            main: self.main,
            sub: self.sub,
        };
        self.sub += 1;
        revision
    }
}

impl<P: PageStore> RevisionStore<P> {
    /// Begins the next transaction. `collect` asks for its events.
    pub(crate) fn begin(&mut self, collect: bool) -> WriteTxn {
        // Whatever kept the last one from its end, a panic included.
        self.log.refuse_unfinished();
        WriteTxn {
            main: self.state.revision + 1,
            sub: 0,
            ended: false,
            events: collect.then(Vec::new),
        }
    }

    /// Makes sure that entries of `bytes` keys and values fit, before anything is changed.
    pub(crate) fn reserve(&mut self, bytes: usize, entries: usize) -> Result<()> {
        self.log
            .reserve(bytes.saturating_add(entries.saturating_mul(ENTRY_OVERHEAD_BYTES)))
    }

    /// The same for what makes the store smaller in the end, which a full store must still take.
    pub(crate) fn reserve_to_free(&mut self, bytes: usize, entries: usize) -> Result<()> {
        self.log
            .reserve_to_free(bytes.saturating_add(entries.saturating_mul(ENTRY_OVERHEAD_BYTES)))
    }

    /// How many keys a delete of `range` would remove now, and their bytes.
    pub(crate) fn delete_cost(&self, range: &KeyRange) -> (usize, usize) {
        self.index
            .range(range, self.state.revision)
            .fold((0, 0), |(keys, bytes), (key, _)| {
                (keys + 1, bytes + key.len())
            })
    }

    /// Puts a key; answers what it was before. The request was checked: what it keeps is there.
    /// `last` says that no further change follows in this transaction.
    pub(crate) fn put(
        &mut self,
        txn: &mut WriteTxn,
        request: PutRef<'_>,
        last: bool,
    ) -> Result<Option<KeyValue>> {
        let place = self.index.locate(request.key);
        let before = self.index.found(place, txn.view());
        let needs_prev = request.prev_kv || request.ignore_value || request.ignore_lease;
        let prev_kv = before
            .filter(|_| needs_prev)
            .map(|found| self.load(found))
            .transpose()?;
        let kept = prev_kv.as_ref();
        let lease = kept
            .filter(|_| request.ignore_lease)
            .map_or(request.lease, |kv| kv.lease);
        let value = kept
            .filter(|_| request.ignore_value)
            .map_or(request.value, |kv| &kv.value);

        let create_revision = before.map_or(txn.main, |found| found.create_revision);
        let version = before.map_or(1, |found| found.version + 1);
        let record = Record::Put {
            key: request.key,
            value,
            age: (txn.main - create_revision) as u64,
            version: version as u64,
            lease,
        };
        let (revision, position) = self.append_in(txn, record, last)?;
        let key = request.key;
        self.index
            .put_at(place, key, revision, position, create_revision, version);
        Ok(prev_kv.filter(|_| request.prev_kv))
    }

    /// Deletes the keys of a range, in key order; answers how many, and what they were if the
    /// request asks for it. `last` says that no further change follows in this transaction.
    pub(crate) fn delete_range(
        &mut self,
        txn: &mut WriteTxn,
        request: &DeleteRangeRequest,
        last: bool,
    ) -> Result<(i64, Vec<KeyValue>)> {
        let doomed: Vec<(Vec<u8>, Found)> = self
            .index
            .range(&request.range, txn.view())
            .map(|(key, found)| (key.to_vec(), found))
            .collect();
        let mut prev_kvs = Vec::new();
        if request.prev_kv {
            prev_kvs.reserve(doomed.len());
            for (_, found) in &doomed {
                prev_kvs.push(self.load(*found)?);
            }
        }
        let deleted = doomed.len();
        for (i, (key, _)) in doomed.into_iter().enumerate() {
            self.delete(txn, &key, last && i + 1 == deleted)?;
        }
        Ok((deleted as i64, prev_kvs))
    }

    fn delete(&mut self, txn: &mut WriteTxn, key: &[u8], last: bool) -> Result<()> {
        let (revision, position) = self.append_in(txn, Record::Delete { key }, last)?;
        self.index.delete(key, revision, position);
        Ok(())
    }

    /// Logs state as part of the transaction.
    pub(crate) fn append_state_in(
        &mut self,
        txn: &mut WriteTxn,
        record: Record<'_>,
        last: bool,
    ) -> Result<()> {
        self.append_in(txn, record, last).map(drop)
    }

    /// Appends an entry of the transaction. If it changes a key, watchers will see it as an event.
    fn append_in(
        &mut self,
        txn: &mut WriteTxn,
        record: Record<'_>,
        last: bool,
    ) -> Result<(Revision, Position)> {
        let revision = txn.next_revision();
        let entry = Entry {
            revision,
            last,
            record,
        };
        let position = self.log.append(&entry)?;
        self.standing.learn(&entry);
        txn.ended = last;
        if let Some(events) = &mut txn.events {
            if events.is_empty() {
                // Most often it stays the only one, and is kept until all watchers have taken it.
                events.reserve_exact(1);
            }
            events.extend(event_of(&entry));
        }
        Ok((revision, position))
    }

    /// Gives up a transaction that failed. If it has changed anything, nothing more can be written:
    /// its changes stand in the log, and only recovery takes them out.
    pub(crate) fn abandon(&mut self, txn: &WriteTxn) {
        if !txn.is_empty() {
            self.log.refuse_unfinished();
        }
    }

    /// Makes the transaction's revision the current one. Answers its events, if they were asked
    /// for and there are any.
    pub(crate) fn commit(&mut self, mut txn: WriteTxn) -> Result<Option<Vec<Event>>> {
        if txn.is_empty() {
            return Ok(None);
        }
        if !txn.ended {
            self.append_state_in(&mut txn, Record::End, true)?;
        }
        self.state.revision = txn.main;
        self.state.next_sub = txn.sub;
        Ok(txn.events.filter(|events| !events.is_empty()))
    }

    /// Logs state that has no revision of its own, under the current one.
    pub(crate) fn append_state(&mut self, record: Record<'_>) -> Result<()> {
        let bytes = record.payload_bytes();
        if matches!(record, Record::Compact { .. }) && self.log.is_nearly_full() {
            self.log.begin_page()?;
        }
        if matches!(record, Record::LeaseGrant { .. } | Record::Cursor { .. }) {
            self.reserve(bytes, 1)?;
        } else {
            self.reserve_to_free(bytes, 1)?;
        }
        let revision = Revision {
            main: self.state.revision,
            sub: self.state.next_sub,
        };
        let entry = Entry {
            revision,
            last: true,
            record,
        };
        self.log.append(&entry)?;
        self.standing.learn(&entry);
        self.state.next_sub += 1;
        Ok(())
    }

    /// Takes back the newest transaction from sight, when making it durable has failed: the log
    /// takes no further writes then, so its revision is not used again before the store is
    /// reopened.
    pub(crate) fn hide_newest(&mut self, revision: i64) {
        debug_assert!(self.log.is_poisoned());
        self.state.revision = revision;
    }
}
