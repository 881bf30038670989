//! Changes between two revisions: read, written as bytes, and applied to another store.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::mem;
use core::ops::ControlFlow;

use super::store::Store;
use crate::changes::{ChunkWriter, Cost, UNKNOWN, chunks, fingerprint_of};
use crate::error::{Error, Result};
use crate::log::{Entry, Record};
use crate::page::PageStore;
use crate::record::{Event, EventKind, KeyValueRef};
use crate::revision::Revision;
use crate::store::PutRef;

/// How far a walk over changes has come. It holds nothing, so it needs no closing.
///
/// ```
/// use revwatch::{Options, Store};
///
/// let mut source = Store::in_memory(Options::default());
/// let mut copy = Store::in_memory(Options::default());
/// source.put(b"a", b"1")?;
/// source.put(b"b", b"2")?;
///
/// let mut changes = source.changes(copy.revision(), 0)?;
/// loop {
///     let chunk = source.next_changes_chunk(&mut changes, 1 << 20)?;
///     if chunk.is_empty() {
///         break;
///     }
///     copy.apply_changes(&chunk)?;
/// }
/// assert_eq!(copy.hash_kv(0)?, source.hash_kv(0)?);
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// All up to and including this revision was handed out.
    at: i64,
    to: i64,
    epoch: i64,
}

impl Changes {
    /// Everything up to and including this revision was handed out.
    pub fn revision(&self) -> i64 {
        self.at
    }

    /// The last revision that will be.
    pub fn to(&self) -> i64 {
        self.to
    }
}

/// Changes were applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplyChangesResponse {
    /// The store's revision now: that of the last transaction of the changes.
    pub revision: i64,
    /// Whether they are safe from a loss of power.
    pub durable: bool,
}

impl<P: PageStore> Store<P> {
    /// A walk over every change after `from`, up to and including `to` (0: the newest that is
    /// published), of all keys.
    ///
    /// Fails with `Compacted` if not all of them are kept, that is if `from` is before the compact
    /// revision, and with `FutureRevision` if `from` or `to` is not published yet.
    pub fn changes(&self, from: i64, to: i64) -> Result<Changes> {
        let current = self.published;
        for requested in [from, to] {
            if requested > current {
                return Err(Error::FutureRevision { requested, current });
            }
        }
        let to = if to == 0 { current } else { to };
        if from < 1 || to < from {
            return Err(Error::InvalidOption(format!(
                "there are no changes from {from} to {to}: begin at 1, the revision of an empty \
                 store, or later, and end where you begin or later"
            )));
        }
        let changes = Changes {
            at: from,
            to,
            epoch: self.revisions.log().epoch(),
        };
        self.check_changes(&changes)?;
        Ok(changes)
    }

    /// The next changes of a walk: whole revisions, no further one once there are `max_events` or
    /// `max_bytes` of keys and values, and at least one; none at the end. Fails with `Compacted` once
    /// compaction has overtaken the walk.
    ///
    /// ```
    /// use revwatch::{Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// for value in [b"1", b"2", b"3"] {
    ///     store.put(b"key", value)?;
    /// }
    /// let mut changes = store.changes(2, 0)?;
    /// let mut values = Vec::new();
    /// while let events = store.next_changes(&mut changes, 1, 1 << 20)?
    ///     && !events.is_empty()
    /// {
    ///     values.extend(events.into_iter().map(|event| event.kv.value));
    /// }
    /// assert_eq!(values, [b"2", b"3"]);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn next_changes(
        &self,
        changes: &mut Changes,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<Event>> {
        let mut events: Vec<Event> = Vec::new();
        let mut bytes = 0;
        changes.at = self.walk_changes(changes, |_, kind, kv, begins_revision| {
            if begins_revision
                && !events.is_empty()
                && (events.len() >= max_events || bytes >= max_bytes)
            {
                return Ok(ControlFlow::Break(()));
            }
            bytes += kv.key.len() + kv.value.len();
            events.push(Event {
                kind,
                kv: kv.to_owned(),
                prev_kv: None,
            });
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(events)
    }

    /// The next changes of a walk as a chunk of bytes, for
    /// [`apply_changes`](Self::apply_changes): whole revisions, no further one once there are
    /// `max_bytes`, and at least one; no bytes at the end. What the bytes are is specified in
    /// FORMAT.md. Chunks may be put one behind the other.
    pub fn next_changes_chunk(&self, changes: &mut Changes, max_bytes: usize) -> Result<Vec<u8>> {
        let mut chunk = ChunkWriter::new(changes.at);
        let at = self.walk_changes(changes, |revision, kind, kv, begins_revision| {
            if begins_revision && chunk.bytes() > 0 && chunk.bytes() >= max_bytes {
                return Ok(ControlFlow::Break(()));
            }
            chunk.add(revision, kind, kv)?;
            Ok(ControlFlow::Continue(()))
        })?;
        let fingerprint = self.fingerprint(changes.at)?;
        changes.at = at;
        Ok(chunk.finish(fingerprint))
    }

    /// Applies chunks of changes: afterwards the store has the same revisions as the one that they
    /// come from, with the same answers about keys, the same events and the same `hash_kv`, as far as
    /// both had the same before. All is durable as the store's own writes are; each transaction is
    /// applied whole or not at all, and nothing is if a chunk is damaged or cut short.
    ///
    /// Leases are not changes: keys carry the number of their lease, but none is granted here and
    /// nothing expires. What a lease's end deletes in the source is deleted here by its changes.
    ///
    /// Fails with `InvalidChanges` if the bytes are not whole chunks, `ChangesOutOfPlace` if the store
    /// does not stand where they begin, and as a put does if there is no room for
    /// all of them; nothing was applied then. Fails with `ChangesDiverge` if it got there by another
    /// way: if some transactions were applied by then, the store's revision says how many.
    pub fn apply_changes(&mut self, bytes: &[u8]) -> Result<ApplyChangesResponse> {
        self.refuse_if_read_only()?;
        let chunks = chunks(bytes)?;
        let current = self.revision();
        let first = chunks[0];
        if first.from != current {
            return Err(Error::ChangesOutOfPlace {
                from: first.from,
                current,
            });
        }
        let known = self.fingerprint(current)?;
        if known != first.fingerprint && known != UNKNOWN && first.fingerprint != UNKNOWN {
            return Err(Error::ChangesDiverge {
                revision: current,
                what: "the transaction that they follow is another one here".into(),
            });
        }
        let costs = chunks.iter().map(|chunk| chunk.cost);
        self.make_room_for(costs.fold(Cost::default(), Cost::and))?;
        self.synced_together(|store| {
            chunks.iter().try_for_each(|chunk| {
                chunk.visit_transactions(&mut |changes| store.apply_transaction(changes))
            })
        })?;
        Ok(ApplyChangesResponse {
            revision: self.revision(),
            durable: self.is_durable(),
        })
    }

    /// Shows changes until told to stop; answers up to where all were shown. Each comes with whether
    /// it is the first of its revision.
    fn walk_changes(
        &self,
        changes: &Changes,
        mut visit: impl FnMut(Revision, EventKind, KeyValueRef<'_>, bool) -> Result<ControlFlow<()>>,
    ) -> Result<i64> {
        self.check_changes(changes)?;
        if changes.at == changes.to {
            return Ok(changes.to);
        }
        let mut at = changes.at;
        let mut outcome = Ok(());
        self.revisions
            .changes(changes.at + 1, changes.to, |revision, kind, kv| {
                match visit(revision, kind, kv, revision.main > at) {
                    Ok(ControlFlow::Continue(())) => at = revision.main,
                    Ok(ControlFlow::Break(())) => return ControlFlow::Break(()),
                    Err(error) => {
                        outcome = Err(error);
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
        outcome?;
        Ok(at)
    }

    /// Whether all that a walk has yet to show is kept, and is of the same past as what it has shown.
    fn check_changes(&self, changes: &Changes) -> Result<()> {
        let compact_revision = self.revisions.compact_revision();
        if changes.at < compact_revision && changes.at < changes.to {
            return Err(Error::Compacted {
                requested: changes.at,
                compact_revision,
            });
        }
        match self.cut_since(changes.epoch) {
            Some(cut) if cut < changes.to => Err(Error::Rewound {
                requested: changes.to,
                revision: cut,
            }),
            _ => Ok(()),
        }
    }

    /// The fingerprint of a transaction, if all of it is kept.
    pub(super) fn fingerprint(&self, main: i64) -> Result<u64> {
        if main <= self.revisions.compact_revision() {
            return Ok(UNKNOWN);
        }
        fingerprint_of(|add| {
            let mut outcome = Ok(());
            self.revisions.changes(main, main, |revision, kind, kv| {
                outcome = add(revision, kind, kv);
                match outcome {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            })?;
            outcome
        })
    }

    /// Refuses all of them, before any is applied, if there is not room for all.
    pub(super) fn make_room_for(&mut self, cost: Cost) -> Result<()> {
        if cost.has_puts {
            self.refuse_beyond_quota()?;
            self.reserve(cost.bytes, cost.changes)
        } else {
            self.revisions.reserve_to_free(cost.bytes, cost.changes)
        }
    }

    /// Carries out several transactions with one sync behind them, if the store syncs each. Should
    /// that fail, none of them is shown, as with any transaction whose sync fails.
    pub(super) fn synced_together(
        &mut self,
        apply: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let syncs_later = mem::replace(&mut self.syncs_later, true);
        let applied = apply(self);
        self.syncs_later = syncs_later;
        if mem::take(&mut self.owes_sync) {
            self.sync_now()?;
        }
        applied
    }

    pub(super) fn apply_transaction(&mut self, transaction: &[Entry<'_>]) -> Result<()> {
        self.check_applicable(transaction)?;
        self.transact(|revisions, txn| {
            for entry in transaction {
                match entry.record {
                    Record::Put {
                        key, value, lease, ..
                    } => {
                        let put = PutRef {
                            key,
                            value,
                            lease,
                            ..PutRef::default()
                        };
                        let place = revisions.locate(key);
                        revisions.put_at(place, txn, put, entry.last)?;
                    }
                    Record::Delete { key } => {
                        revisions.delete_key(txn, key, entry.last)?;
                    }
                    _ => unreachable!("a chunk was verified to hold changes only"),
                }
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Whether each change finds its key as it was in the source: of the same age and version, or
    /// there at all.
    fn check_applicable(&self, transaction: &[Entry<'_>]) -> Result<()> {
        let now = self.revision();
        let mut changed: BTreeMap<&[u8], Option<(i64, i64)>> = BTreeMap::new();
        let is_alone = transaction.len() == 1;
        for entry in transaction {
            let main = entry.revision.main;
            let diverges = |key: &[u8]| Error::ChangesDiverge {
                revision: main,
                what: format!("the key \"{}\" was another one before", key.escape_ascii()),
            };
            let before = |key| {
                let found = self.revisions.find(key, now);
                found.map(|found| (found.create_revision, found.version))
            };
            let known = |key| changed.get(key).copied().unwrap_or_else(|| before(key));
            let (key, after) = match entry.record {
                Record::Put {
                    key, age, version, ..
                } => {
                    let (create_revision, last_version) = known(key).unwrap_or((main, 0));
                    let after = (main.saturating_sub_unsigned(age), version as i64);
                    if after != (create_revision, last_version + 1) {
                        return Err(diverges(key));
                    }
                    (key, Some(after))
                }
                Record::Delete { key } => {
                    if known(key).is_none() {
                        return Err(diverges(key));
                    }
                    (key, None)
                }
                _ => unreachable!("a chunk was verified to hold changes only"),
            };
            if !is_alone {
                changed.insert(key, after);
            }
        }
        Ok(())
    }
}
