//! Snapshots: the store as of one revision, read while writing goes on.
//!
//! What has no revision of its own (leases with the time that they have left, cursors, the compact
//! revision) is taken note of when a snapshot begins. Keys and their history are read from the log,
//! chunk by chunk; so that they stay there, the log is not swept meanwhile, within a bound. A
//! compaction is not held up: it counts at once, and its space is reclaimed later.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use super::store::Store;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::log::{Entry, Position, Progress, Record, Scan};
use crate::page::{PageError, PageStore};
use crate::revision::Revision;
use crate::snapshot::{ChunkWriter, SnapshotHead};

/// So many bytes of the log are read for a chunk, per byte of it, before a shorter one has to do.
const READ_PER_CHUNK_BYTE: u64 = 16;

/// A snapshot that is being taken, by [`Store::snapshot`]. Dropping it lets go of what it holds.
///
/// ```
/// use revwatch::page::MemoryPages;
/// use revwatch::{Import, Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value")?;
///
/// let mut snapshot = store.snapshot(0)?;
/// let mut import = Import::begin(MemoryPages::new(4096), Options::default())?;
/// loop {
///     let chunk = store.next_snapshot_chunk(&mut snapshot, 64 * 1024)?;
///     if chunk.is_empty() {
///         break;
///     }
///     import.feed(&chunk)?;
///     store.put(b"key", b"writing goes on")?;
/// }
/// let copy = import.finish()?;
/// assert_eq!(copy.revision(), 2);
/// assert_eq!(copy.get(b"key")?.unwrap().value, b"value");
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Debug)]
pub struct Snapshot {
    head: SnapshotHead,
    /// Where the log ended.
    end: Position,
    scan: Scan,
    /// Where the scan has come to.
    read_to: u64,
    /// The last entry that was read and taken.
    newest: Revision,
    leases: Vec<SavedLease>,
    cursors: Vec<(Vec<u8>, Cursor)>,
    part: Part,
    chunks: ChunkWriter,
    handed_out_bytes: u64,
    hold: Arc<Hold>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Leases are granted before keys are attached to them.
    Leases,
    History,
    State,
    /// All was added to chunks.
    Complete,
    /// All was handed out.
    Over,
}

#[derive(Clone, Copy, Debug)]
struct SavedLease {
    id: i64,
    ttl_ms: i64,
    remaining_ms: i64,
}

/// What keeps the log from being swept.
#[derive(Debug)]
pub(super) struct Hold {
    /// Where the log ended when it began.
    end: Position,
    was_let_go: AtomicBool,
}

/// The snapshots that are being taken.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<Weak<Hold>>);

impl Holds {
    fn add(&mut self, end: Position) -> Arc<Hold> {
        self.0.retain(|hold| hold.strong_count() > 0);
        let hold = Arc::new(Hold {
            end,
            was_let_go: AtomicBool::new(false),
        });
        self.0.push(Arc::downgrade(&hold));
        hold
    }

    fn has(&self, hold: &Arc<Hold>) -> bool {
        self.0
            .iter()
            .any(|known| known.as_ptr() == Arc::as_ptr(hold))
    }

    /// Whether any snapshot still counts on the log. Those that began more than `hold_bytes` of log
    /// ago no longer do.
    fn hold(&mut self, end: Position, hold_bytes: u64) -> bool {
        self.0.retain(|hold| {
            hold.upgrade().is_some_and(|hold| {
                let is_too_old = end.0.saturating_sub(hold.end.0) > hold_bytes;
                if is_too_old {
                    hold.was_let_go.store(true, Ordering::Release);
                }
                !is_too_old
            })
        });
        !self.0.is_empty()
    }

    /// Space is needed more urgently than any snapshot, or what they read is not there any more.
    pub(super) fn let_go(&mut self) {
        for hold in self.0.drain(..).filter_map(|hold| hold.upgrade()) {
            hold.was_let_go.store(true, Ordering::Release);
        }
    }
}

impl Snapshot {
    /// What it is of.
    pub fn head(&self) -> &SnapshotHead {
        &self.head
    }

    /// The revision that it is of.
    pub fn revision(&self) -> i64 {
        self.head.revision
    }

    /// How far it has come: bytes handed out, and about how many there are.
    pub fn progress(&self) -> Progress {
        let done = self.handed_out_bytes;
        let total = if self.part == Part::Over {
            done
        } else {
            done.max(self.head.extent_bytes)
        };
        Progress { done, total }
    }

    fn is_whole_store(&self) -> bool {
        self.head.since == 0
    }
}

impl<P: PageStore> Store<P> {
    /// Begins a snapshot of the store as it is published now, to be read with
    /// [`next_snapshot_chunk`](Self::next_snapshot_chunk) while writing goes on. With `since` 0 it is
    /// of the whole store, for [`Import`](crate::Import); otherwise of what happened after that
    /// revision, for [`apply_snapshot`](Self::apply_snapshot) to a copy that stands there.
    ///
    /// Until it is dropped or read to its end, space is not reclaimed, but for the bound
    /// [`snapshot_hold_bytes`](crate::Limits::snapshot_hold_bytes), the quota, and a page store that
    /// is full: beyond them the snapshot fails with `SnapshotOvertaken`. In a store opened read-only
    /// nothing holds back the process that writes.
    ///
    /// Fails with `FutureRevision` if `since` is not published yet, and with `Compacted` if not all
    /// that followed it is kept. Costs by the leases and cursors that there are.
    pub fn snapshot(&mut self, since: i64) -> Result<Snapshot> {
        if since < 0 {
            return Err(Error::InvalidOption(alloc::format!(
                "there is no snapshot since revision {since}: give 0 for the whole store, or the \
                 revision that the copy is at"
            )));
        }
        if since > 0 {
            self.changes(since, 0)?;
        }
        let log = self.revisions.log();
        let head = SnapshotHead {
            since,
            revision: self.published,
            compact_revision: self.revisions.compact_revision(),
            epoch: log.epoch(),
            fingerprint: if since > 0 {
                self.fingerprint(since)?
            } else {
                0
            },
            store_id: log.store_id(),
            extent_bytes: log.size_in_use(),
        };
        let end = log.end();
        let leases = self.lessor.ids().into_iter().filter_map(|id| {
            let (remaining_ms, ttl_ms) = self.lessor.time_to_live(id)?;
            Some(SavedLease {
                id,
                ttl_ms,
                remaining_ms,
            })
        });
        let cursors = self.cursors.iter();
        Ok(Snapshot {
            head,
            end,
            scan: log.scan(Revision::first_of(since + 1)),
            read_to: 0,
            newest: Revision::first_of(since.max(1)),
            leases: leases.collect(),
            cursors: cursors
                .map(|(name, cursor)| (name.to_vec(), cursor.clone()))
                .collect(),
            part: Part::Leases,
            chunks: ChunkWriter::new(&head),
            handed_out_bytes: 0,
            hold: self.snapshots.add(end),
        })
    }

    /// The next chunk of a snapshot, of at most `max_bytes` (512 at least); no bytes at the end. What
    /// the bytes are is specified in FORMAT.md. Chunks may be put one behind the other.
    ///
    /// Fails with `SnapshotOvertaken` once the snapshot has lost its hold on what it had yet to read.
    pub fn next_snapshot_chunk(
        &self,
        snapshot: &mut Snapshot,
        max_bytes: usize,
    ) -> Result<Vec<u8>> {
        if !self.snapshots.has(&snapshot.hold) && !snapshot.hold.was_let_go.load(Ordering::Acquire)
        {
            return Err(Error::InvalidOption(
                "the snapshot is of another store: read it from the store that it was taken of"
                    .into(),
            ));
        }
        if snapshot.part == Part::Over {
            return Ok(Vec::new());
        }
        let contents_bytes = ChunkWriter::contents_of(max_bytes);
        let filled = self.fill(snapshot, contents_bytes);
        // What was read may have been something else by then.
        let is_outdated = self.revisions.log().is_outdated();
        if is_outdated || snapshot.hold.was_let_go.load(Ordering::Acquire) {
            return Err(Error::SnapshotOvertaken {
                revision: snapshot.head.revision,
            });
        }
        filled?;
        let is_all = snapshot.part == Part::Complete;
        let (chunk, is_last) = snapshot.chunks.cut(contents_bytes, is_all);
        snapshot.handed_out_bytes += chunk.len() as u64;
        if is_last {
            snapshot.part = Part::Over;
        }
        Ok(chunk)
    }

    /// Adds entries until a chunk is full, or all are there.
    fn fill(&self, snapshot: &mut Snapshot, contents_bytes: usize) -> Result<()> {
        let budget = READ_PER_CHUNK_BYTE.saturating_mul(contents_bytes as u64);
        let stop_at = snapshot.read_to.saturating_add(budget);
        while snapshot.chunks.bytes() < contents_bytes {
            match snapshot.part {
                Part::Leases => {
                    if !snapshot.is_whole_store() {
                        snapshot.add_grants()?;
                    }
                    snapshot.part = Part::History;
                }
                Part::History => {
                    if snapshot.read_to >= stop_at && snapshot.read_to > 0 {
                        break;
                    }
                    if !self.add_next_entry(snapshot)? {
                        snapshot.part = Part::State;
                    }
                }
                Part::State => {
                    snapshot.add_state()?;
                    snapshot.part = Part::Complete;
                }
                Part::Complete | Part::Over => break,
            }
        }
        Ok(())
    }

    /// Reads on by one entry. Answers whether there was one.
    fn add_next_entry(&self, snapshot: &mut Snapshot) -> Result<bool> {
        let Some((position, stored)) = snapshot.scan.next(self.revisions.log())? else {
            return Ok(false);
        };
        let entry = stored.entry();
        if position >= snapshot.end || entry.revision.main > snapshot.head.revision {
            return Ok(false);
        }
        snapshot.read_to = position.0.max(1);
        if self.is_part_of(snapshot, &entry) {
            snapshot.newest = entry.revision;
            snapshot.chunks.add(&entry)?;
        }
        if entry.last {
            snapshot.chunks.end_transaction();
        }
        Ok(true)
    }

    /// Whether a snapshot needs the entry: not if compaction lets it go, nor what is said once and
    /// for all at its end.
    fn is_part_of(&self, snapshot: &Snapshot, entry: &Entry<'_>) -> bool {
        let is_granted = |id: i64| {
            snapshot
                .leases
                .binary_search_by_key(&id, |it| it.id)
                .is_ok()
        };
        let head = &snapshot.head;
        match entry.record {
            Record::Put { key, .. } | Record::Delete { key } => {
                let is_delete = matches!(entry.record, Record::Delete { .. });
                let main = entry.revision.main;
                main > head.compact_revision
                    || !snapshot.is_whole_store()
                    || (self
                        .revisions
                        .is_newest_change(key, entry.revision, head.compact_revision)
                        && (!is_delete || main == head.compact_revision))
            }
            Record::LeaseGrant { id, .. } | Record::LeaseRevoke { id } => {
                snapshot.is_whole_store() && is_granted(id)
            }
            Record::Epoch { .. } => snapshot.is_whole_store(),
            _ => false,
        }
    }

    /// Whether a snapshot still reads what a sweep would reclaim.
    pub(super) fn is_held_by_a_snapshot(&mut self) -> bool {
        let end = self.revisions.log().end();
        let hold_bytes = self.options.limits.snapshot_hold_bytes;
        if self.refuse_beyond_quota().is_err() {
            self.snapshots.let_go();
        }
        self.snapshots.hold(end, hold_bytes)
    }

    /// Makes room for a change. If there is none, no snapshot keeps it from being made any longer.
    pub(super) fn reserve(&mut self, bytes: usize, entries: usize) -> Result<()> {
        let outcome = self.revisions.reserve(bytes, entries);
        if let Err(Error::Page(PageError::NoSpace)) = outcome {
            self.snapshots.let_go();
        }
        outcome
    }
}

impl Snapshot {
    /// One record that makes no revision, under the revision of the last entry.
    fn add_record(&mut self, record: Record<'_>) -> Result<()> {
        self.newest.sub += 1;
        self.chunks.add(&Entry {
            revision: self.newest,
            last: true,
            record,
        })?;
        self.chunks.end_transaction();
        Ok(())
    }

    fn add_grants(&mut self) -> Result<()> {
        for lease in self.leases.clone() {
            self.add_record(Record::LeaseGrant {
                id: lease.id,
                ttl_ms: lease.ttl_ms.unsigned_abs(),
            })?;
        }
        Ok(())
    }

    /// What is true at the end: the state that has no revision of its own.
    fn add_state(&mut self) -> Result<()> {
        let head = self.head;
        self.newest.main = self.newest.main.max(head.revision);
        if let Ok(revision) = u64::try_from(head.compact_revision) {
            self.add_record(Record::Compact { revision })?;
        }
        for lease in core::mem::take(&mut self.leases) {
            self.add_record(Record::LeaseRemaining {
                id: lease.id,
                remaining_ms: lease.remaining_ms.unsigned_abs(),
            })?;
        }
        for (name, cursor) in core::mem::take(&mut self.cursors) {
            let (key, range_end) = cursor.range.to_etcd();
            self.add_record(Record::Cursor {
                id: cursor.id,
                name: &name,
                key: &key,
                range_end: &range_end,
                lag: head
                    .revision
                    .abs_diff(cursor.acked_revision.min(head.revision)),
                hold: cursor.hold,
            })?;
        }
        Ok(())
    }
}
