//! Changing keys: every change of a transaction under its revision.

use alloc::vec::Vec;

use super::attachments::Attachments;
use super::history::event_of;
use super::request::PutRef;
use super::revision_store::RevisionStore;
use super::standing::Standing;
use crate::error::Result;
use crate::index::{Found, Living, Place};
use crate::log::{Entry, Log, Position, Record};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::{Event, KeyValue};
use crate::revision::Revision;

/// Keys to delete.
#[derive(Debug)]
pub(crate) struct Doomed(Vec<(Living, Found)>);

impl Doomed {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

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
    pub(crate) events: Option<Vec<Event>>,
    /// What it attaches to leases, if there are any.
    pub(crate) attachments: Option<Attachments>,
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
    /// Begins the next transaction. `collect` asks for its events; `attachments` is empty, and there if
    /// somebody wants to know what is attached to leases.
    pub(crate) fn begin(&mut self, collect: bool, attachments: Option<Attachments>) -> WriteTxn {
        // Whatever kept the last one from its end, a panic included.
        self.log.refuse_unfinished();
        WriteTxn {
            main: self.state.revision + 1,
            sub: 0,
            ended: false,
            events: collect.then(Vec::new),
            attachments,
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

    /// Looks for a key that a transaction is going to put: good until then.
    pub(crate) fn locate(&self, key: &[u8]) -> Place {
        self.index.locate(key)
    }

    /// Puts a key, which is at `place`; answers what it was before. The request was checked: what it
    /// keeps is there. `last` says that no further change follows in this transaction.
    pub(crate) fn put_at(
        &mut self,
        place: Place,
        txn: &mut WriteTxn,
        request: PutRef<'_>,
        last: bool,
    ) -> Result<Option<KeyValue>> {
        let before = self.index.found(place, txn.view());
        if !(request.prev_kv || request.ignore_value || request.ignore_lease) {
            self.write_put(place, before, txn, request, last)?;
            return Ok(None);
        }
        let prev_kv = before.map(|found| self.load(found)).transpose()?;
        let mut complete = request;
        if let Some(kept) = &prev_kv {
            if request.ignore_lease {
                complete.lease = kept.lease;
            }
            if request.ignore_value {
                complete.value = &kept.value;
            }
        }
        self.write_put(place, before, txn, complete, last)?;
        Ok(prev_kv.filter(|_| request.prev_kv))
    }

    #[inline]
    fn write_put(
        &mut self,
        place: Place,
        before: Option<Found>,
        txn: &mut WriteTxn,
        request: PutRef<'_>,
        last: bool,
    ) -> Result<()> {
        let (create_revision, version) = match before {
            Some(found) => (found.create_revision, found.version + 1),
            None => (txn.main, 1),
        };
        let PutRef {
            key, value, lease, ..
        } = request;
        let record = Record::Put {
            key,
            value,
            age: (txn.main - create_revision) as u64,
            version: version as u64,
            lease,
        };
        let (revision, position) = append_in(&mut self.log, &mut self.standing, txn, record, last)?;
        if let Some(attachments) = &mut txn.attachments {
            attachments.add(key, lease);
        }
        self.index
            .put_at(place, key, revision, position, create_revision, version);
        Ok(())
    }

    /// The keys of a range that exist as of `main`, in key order.
    pub(crate) fn doomed(&self, range: &KeyRange, main: i64) -> Doomed {
        if let KeyRange::One(key) = range {
            return Doomed(Vec::from_iter(self.index.living(key, main)));
        }
        let mut keys = self.index.range(range, main);
        Doomed(core::iter::from_fn(|| keys.next_living()).collect())
    }

    /// How many bytes their keys have.
    pub(crate) fn key_bytes(&self, doomed: &Doomed) -> usize {
        let keys = doomed.0.iter();
        keys.map(|&(living, _)| self.index.key_of(living).len())
            .sum()
    }

    /// Deletes keys that exist as the transaction sees it; answers what they were, if it is to `load`
    /// that. `last` says that no further change follows in this transaction.
    pub(crate) fn delete(
        &mut self,
        txn: &mut WriteTxn,
        doomed: &Doomed,
        load: bool,
        last: bool,
    ) -> Result<Vec<KeyValue>> {
        let wanted = if load { &doomed.0[..] } else { &[] };
        let prev_kvs = wanted.iter().map(|&(_, found)| self.load(found));
        let prev_kvs = prev_kvs.collect::<Result<_>>()?;
        for (i, &(living, _)) in doomed.0.iter().enumerate() {
            self.delete_living(txn, living, last && i + 1 == doomed.len())?;
        }
        Ok(prev_kvs)
    }

    /// Deletes a key, if it exists as the transaction sees it.
    pub(crate) fn delete_key(&mut self, txn: &mut WriteTxn, key: &[u8], last: bool) -> Result<()> {
        match self.index.living(key, txn.view()) {
            Some((living, _)) => self.delete_living(txn, living, last),
            None => Ok(()),
        }
    }

    fn delete_living(&mut self, txn: &mut WriteTxn, living: Living, last: bool) -> Result<()> {
        let key = self.index.key_of(living);
        let record = Record::Delete { key };
        let (revision, position) = append_in(&mut self.log, &mut self.standing, txn, record, last)?;
        if let Some(attachments) = &mut txn.attachments {
            attachments.add(key, 0);
        }
        self.index.delete_living(living, revision, position);
        Ok(())
    }

    /// Logs state as part of the transaction.
    pub(crate) fn append_state_in(
        &mut self,
        txn: &mut WriteTxn,
        record: Record<'_>,
        last: bool,
    ) -> Result<()> {
        append_in(&mut self.log, &mut self.standing, txn, record, last).map(drop)
    }

    /// Gives up a transaction that failed. If it has changed anything, nothing more can be written:
    /// its changes stand in the log, and only recovery takes them out.
    pub(crate) fn abandon(&mut self, txn: &WriteTxn) {
        if !txn.is_empty() {
            self.log.refuse_unfinished();
        }
    }

    /// Makes the transaction's revision the current one. Nothing happens if it changed nothing.
    pub(crate) fn commit(&mut self, txn: &mut WriteTxn) -> Result<()> {
        if txn.is_empty() {
            return Ok(());
        }
        if !txn.ended {
            self.append_state_in(txn, Record::End, true)?;
        }
        self.state.revision = txn.main;
        self.state.next_sub = txn.sub;
        Ok(())
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

/// Appends an entry of the transaction. If it changes a key, watchers will see it as an event.
#[inline]
fn append_in<P: PageStore>(
    log: &mut Log<P>,
    standing: &mut Standing,
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
    let position = log.append(&entry)?;
    standing.learn(&entry);
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
