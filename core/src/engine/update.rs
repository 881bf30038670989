//! Applying a snapshot of what happened since a revision to a copy that stands there.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use super::store::Store;
use crate::changes::{Cost, UNKNOWN};
use crate::cursor::{Cursor, Cursors};
use crate::error::{Error, Result};
use crate::log::{Entry, Progress, Record, append_frame, take_frame};
use crate::page::PageStore;
use crate::revision::Revision;
use crate::snapshot::{ChunkReader, Refused, SnapshotHead};

/// How far an incremental snapshot was applied. See [`Store::apply_snapshot`].
#[derive(Debug, Default)]
pub struct SnapshotUpdate {
    reader: ChunkReader,
    gathered: Gathered,
    /// The store was found to be one that it goes on from.
    fits: bool,
    /// What has no revision was applied too.
    is_over: bool,
}

/// What arrived and is not applied yet.
#[derive(Debug, Default)]
struct Gathered {
    /// Whole transactions, as frames.
    transactions: VecDeque<Vec<u8>>,
    /// The frames of one whose end has not arrived, and where its next change belongs.
    open: Vec<u8>,
    next: Option<Revision>,
    /// Leases, with their time to live and what is left of it, in ms.
    leases: BTreeMap<i64, (u64, u64)>,
    cursors: Cursors,
    compact_revision: Option<i64>,
}

impl SnapshotUpdate {
    /// What the snapshot is of, once that has arrived.
    pub fn head(&self) -> Option<&SnapshotHead> {
        self.reader.head()
    }

    /// Whether all of it has arrived and was applied.
    pub fn is_complete(&self) -> bool {
        self.is_over
    }

    /// How far it has come: bytes taken in, and about how many there are.
    pub fn progress(&self) -> Progress {
        self.reader.progress()
    }

    /// Takes in bytes for a store at revision `current`, and applies nothing yet.
    fn feed(&mut self, current: i64, bytes: &[u8]) -> Result<()> {
        let Self {
            reader,
            gathered,
            fits,
            ..
        } = self;
        reader.feed(bytes, &mut |head, entry| {
            if !*fits {
                check_place(head, current)?;
            }
            gathered.take(head, entry)
        })?;
        if reader.is_complete() && !gathered.open.is_empty() {
            return Err(reader.invalid("it ends within a transaction".into()));
        }
        Ok(())
    }
}

impl Gathered {
    fn take(&mut self, head: &SnapshotHead, entry: &Entry<'_>) -> Result<(), Refused> {
        match entry.record {
            Record::Put { .. } | Record::Delete { .. } => return self.take_change(head, entry),
            Record::LeaseGrant { id, ttl_ms } => {
                self.leases.insert(id, (in_time(ttl_ms)?, ttl_ms));
            }
            Record::LeaseRemaining { id, remaining_ms } => {
                let lease = self.leases.get_mut(&id);
                lease.ok_or("a lease was not granted")?.1 = in_time(remaining_ms)?;
            }
            Record::Cursor { lag, id, .. } => {
                if lag > entry.revision.main.unsigned_abs() || id >= NUMBER_LIMIT {
                    return Err("a cursor cannot be so".into());
                }
                self.cursors.replay(entry);
            }
            Record::Compact { revision } => {
                let revision = i64::try_from(revision).unwrap_or(i64::MAX);
                if revision > head.revision {
                    return Err("the future was compacted".into());
                }
                self.compact_revision = Some(revision);
            }
            _ => return Err("an entry is there that none has".into()),
        }
        Ok(())
    }

    fn take_change(&mut self, head: &SnapshotHead, entry: &Entry<'_>) -> Result<(), Refused> {
        let next = self.next.unwrap_or(Revision::first_of(head.since + 1));
        if entry.revision != next || next.main > head.revision {
            return Err("a change is missing".into());
        }
        let is_possible = match entry.record {
            Record::Put { key: [], .. } | Record::Delete { key: [] } => false,
            Record::Put { age, version, .. } => {
                let main = next.main.unsigned_abs();
                age < main && (1..=main).contains(&version)
            }
            _ => true,
        };
        let (true, Some(sub)) = (is_possible, next.sub.checked_add(1)) else {
            return Err("a change cannot be so".into());
        };
        append_frame(entry, &mut self.open)?;
        self.next = Some(Revision { sub, ..next });
        if entry.last {
            self.transactions.push_back(core::mem::take(&mut self.open));
            self.next = Some(Revision::first_of(next.main + 1));
        }
        Ok(())
    }
}

/// Beyond every number that a store can come to.
const NUMBER_LIMIT: u64 = 1 << 62;

impl<P: PageStore> Store<P> {
    /// Takes in the next bytes of a snapshot of what happened since the revision that this store is
    /// at, and applies the transactions that are whole with them, durable as the store's own writes
    /// are. With the last chunk the store gets the leases, cursors and compact revision of the other,
    /// and is then what a copy of it would be; only its epoch is its own.
    ///
    /// A copy takes more as long as nothing else changes it. Time may: a lease that runs out here deletes
    /// its keys here. So a copy that is open between two snapshots is not told the time.
    ///
    /// Fails with `InvalidSnapshot` if the bytes are not a snapshot's or do not follow,
    /// `SnapshotOutOfPlace` if the store does not stand where it begins, `ChangesDiverge` if it got
    /// there by another way, and as a put does if there is no room. What was applied before stays, in
    /// whole transactions: the store's revision says how far it came, and a snapshot since then goes on
    /// from there.
    ///
    /// ```
    /// use revwatch::{Options, SnapshotUpdate, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let mut copy = Store::in_memory(Options::default());
    /// store.put(b"key", b"value")?;
    /// let mut snapshot = store.snapshot(copy.revision())?;
    /// let mut update = SnapshotUpdate::default();
    /// while !update.is_complete() {
    ///     let chunk = store.next_snapshot_chunk(&mut snapshot, 1 << 20)?;
    ///     copy.apply_snapshot(&mut update, &chunk)?;
    /// }
    /// assert_eq!(copy.hash_kv(0)?, store.hash_kv(0)?);
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn apply_snapshot(&mut self, update: &mut SnapshotUpdate, bytes: &[u8]) -> Result<()> {
        self.feed_snapshot(update, bytes)?;
        self.apply_gathered(update)
    }

    /// Has an update take in bytes for this store.
    pub(crate) fn feed_snapshot(&self, update: &mut SnapshotUpdate, bytes: &[u8]) -> Result<()> {
        self.refuse_if_read_only()?;
        update.feed(self.revision(), bytes)
    }

    /// Applies what an update has taken in. After `SyncPending` it goes on where it was.
    pub(crate) fn apply_gathered(&mut self, update: &mut SnapshotUpdate) -> Result<()> {
        let Some(head) = update.reader.head().copied() else {
            return Ok(());
        };
        if !update.fits {
            self.check_fits(&head)?;
            update.fits = true;
        }
        let is_last = update.reader.is_complete() && !update.is_over;
        let gathered = &mut update.gathered;
        self.synced_together(|store| {
            // Keys are attached only to leases that are there.
            for (&id, &(ttl_ms, _)) in &gathered.leases {
                store.copy_grant(id, ttl_ms)?;
            }
            while let Some(frames) = gathered.transactions.front() {
                let transaction: Vec<Entry<'_>> = entries(frames).collect();
                let mut cost = Cost::default();
                for entry in &transaction {
                    cost.add(&entry.record);
                }
                store.make_room_for(cost)?;
                store.apply_transaction(&transaction)?;
                gathered.transactions.pop_front();
            }
            if is_last {
                store.copy_state(gathered, &head)?;
            }
            Ok(())
        })?;
        update.is_over |= is_last;
        Ok(())
    }

    /// Whether the store is one that the snapshot goes on from.
    fn check_fits(&self, head: &SnapshotHead) -> Result<()> {
        let current = self.revision();
        check_place(head, current)?;
        let known = self.fingerprint(current)?;
        if known != head.fingerprint && known != UNKNOWN && head.fingerprint != UNKNOWN {
            return Err(Error::ChangesDiverge {
                revision: current,
                what: "the transaction that the snapshot follows is another one here".into(),
            });
        }
        Ok(())
    }

    /// Makes what has no revision of its own what it is in the other store.
    fn copy_state(&mut self, gathered: &Gathered, head: &SnapshotHead) -> Result<()> {
        let at = self.revision();
        if at != head.revision {
            return Err(Error::ChangesDiverge {
                revision: at,
                what: "the snapshot ends at another revision than it says".into(),
            });
        }
        for id in self.lessor.ids() {
            if !gathered.leases.contains_key(&id) {
                self.log_state(Record::LeaseRevoke { id })?;
                self.lessor.revoke(id);
            }
        }
        for (&id, &(_, remaining_ms)) in &gathered.leases {
            self.copy_remaining(id, remaining_ms)?;
        }
        self.copy_cursors(&gathered.cursors)?;
        let compact_revision = gathered.compact_revision.unwrap_or(-1);
        if compact_revision > self.revisions.compact_revision() {
            self.log_state(Record::Compact {
                revision: compact_revision.unsigned_abs(),
            })?;
            self.revisions.compact(compact_revision);
        }
        Ok(())
    }

    /// Grants a lease as another store has it; one that is the same stays.
    fn copy_grant(&mut self, id: i64, ttl_ms: u64) -> Result<()> {
        let there = self
            .lessor
            .time_to_live(id)
            .map(|(_, ttl_ms)| ttl_ms.unsigned_abs());
        if there == Some(ttl_ms) {
            return Ok(());
        }
        self.log_state(Record::LeaseGrant { id, ttl_ms })?;
        self.lessor.revoke(id);
        self.lessor.grant(id, ttl_ms.cast_signed());
        Ok(())
    }

    fn copy_remaining(&mut self, id: i64, remaining_ms: u64) -> Result<()> {
        let record = Record::LeaseRemaining { id, remaining_ms };
        self.log_state(record)?;
        self.lessor.replay(&Entry {
            revision: Revision::first_of(self.revision()),
            last: true,
            record,
        });
        Ok(())
    }

    fn copy_cursors(&mut self, wanted: &Cursors) -> Result<()> {
        for (name, cursor) in named(&self.cursors) {
            if wanted.get(&name).map(|wanted| wanted.id) != Some(cursor.id) {
                self.delete_cursor(&name)?;
            }
        }
        for (name, cursor) in named(wanted) {
            if self.cursors.get(&name) != Some(&cursor) {
                self.define_cursor(&name, cursor)?;
            }
        }
        Ok(())
    }
}

fn check_place(head: &SnapshotHead, current: i64) -> Result<()> {
    if head.since == current {
        return Ok(());
    }
    Err(Error::SnapshotOutOfPlace {
        since: head.since,
        current,
    })
}

fn in_time(ms: u64) -> Result<u64, Refused> {
    if ms < NUMBER_LIMIT {
        Ok(ms)
    } else {
        Err("a lease lasts for ever".into())
    }
}

fn named(cursors: &Cursors) -> Vec<(Vec<u8>, Cursor)> {
    let cursors = cursors.iter();
    cursors
        .map(|(name, cursor)| (name.to_vec(), cursor.clone()))
        .collect()
}

fn entries(mut frames: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    core::iter::from_fn(move || {
        let (entry, rest) = take_frame(frames)?;
        frames = rest;
        Some(entry)
    })
}
