//! Snapshots: taken of a store, and applied to a copy of it.

use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::{Snapshot, SnapshotHead, SnapshotUpdate, SnapshotVerifier};

use crate::changes::revwatch_chunk_result;
use crate::handle::{self, Handle};
use crate::input::{self, Out, or_default};
use crate::owned::{self, parts};
use crate::progress::revwatch_progress;
use crate::status::{REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{StoreObject, revwatch_store};

/// A snapshot that is being taken. Until it is freed or read to its end, space of the store is not
/// reclaimed, within snapshot_hold_bytes.
pub struct revwatch_snapshot(());

impl Handle for revwatch_snapshot {
    type Object = SnapshotObject;
    const NAME: &'static str = "snapshot";
}

/// A snapshot, and the store that it is of.
pub(crate) struct SnapshotObject {
    store: Arc<StoreObject>,
    snapshot: Mutex<Snapshot>,
}

/// What a snapshot is of.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_snapshot_head {
    /// The revision that a store must stand at to take it; 0 if it is a whole store.
    pub since: i64,
    /// The revision that the store stands at afterwards.
    pub revision: i64,
    /// History before this is not in it; -1 if none was compacted.
    pub compact_revision: i64,
    /// The epoch that its store was in.
    pub epoch: i64,
    /// About how many bytes of contents it has.
    pub extent_bytes: u64,
    /// The id of its store.
    pub store_id: [u8; 16],
}

impl From<&SnapshotHead> for revwatch_snapshot_head {
    fn from(head: &SnapshotHead) -> Self {
        Self {
            since: head.since,
            revision: head.revision,
            compact_revision: head.compact_revision,
            epoch: head.epoch,
            extent_bytes: head.extent_bytes,
            store_id: head.store_id,
        }
    }
}

/// Begins a snapshot of a store: of all of it with `since` 0, otherwise of what happened after that
/// revision; REVWATCH_ERROR_COMPACTED if that is not all kept. Writing goes on meanwhile, and is not
/// in it. To be freed with revwatch_snapshot_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_new(
    store: *mut revwatch_store,
    since: i64,
    snapshot: *mut *mut revwatch_snapshot,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("snapshot", snapshot)? };
        let store = handle::get(store)?;
        let snapshot = Mutex::new(store.read(|store| store.snapshot(since))?);
        out.write(handle::insert(Arc::new(SnapshotObject {
            store,
            snapshot,
        }))?);
        Ok(REVWATCH_OK)
    })
}

/// Lets go of a snapshot.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_snapshot_free(snapshot: *mut revwatch_snapshot) {
    guard(|| {
        drop(handle::remove(snapshot));
        Ok(REVWATCH_OK)
    });
}

/// Takes the next bytes of a snapshot, at most `max_bytes` (0: 1 MiB; 512 at least). REVWATCH_IDLE at
/// the end. What the bytes are stands in FORMAT.md; put one behind the other they are a snapshot's
/// file. REVWATCH_ERROR_SNAPSHOT_OVERTAKEN if what it had yet to read was reclaimed. The answer is to
/// be freed with revwatch_chunk_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_next_chunk(
    snapshot: *mut revwatch_snapshot,
    max_bytes: usize,
    chunk: *mut *mut revwatch_chunk_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("chunk", chunk)? };
        let max_bytes = or_default(max_bytes, 1 << 20);
        let object = handle::get(snapshot)?;
        let mut snapshot = object
            .snapshot
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let read = object
            .store
            .read(|store| store.next_snapshot_chunk(&mut snapshot, max_bytes));
        let bytes = read?;
        if bytes.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let (data, len) = parts(&bytes);
        let answer = revwatch_chunk_result {
            revision: snapshot.revision(),
            data,
            len,
        };
        out.write(owned::give(answer, bytes));
        Ok(REVWATCH_OK)
    })
}

/// Says what a snapshot is of, and how far it has come. Either output may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_status(
    snapshot: *mut revwatch_snapshot,
    head: *mut revwatch_snapshot_head,
    progress: *mut revwatch_progress,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (head, progress) = unsafe { (Out::optional(head), Out::optional(progress)) };
        let object = handle::get(snapshot)?;
        let snapshot = object
            .snapshot
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        head.write(snapshot.head().into());
        progress.write(snapshot.progress().into());
        Ok(REVWATCH_OK)
    })
}

/// A snapshot that is read through to see whether it is whole, and what it is of.
pub struct revwatch_snapshot_verifier(());

impl Handle for revwatch_snapshot_verifier {
    type Object = Mutex<SnapshotVerifier>;
    const NAME: &'static str = "snapshot verifier";
}

/// Begins to verify a snapshot. To be freed with revwatch_snapshot_verifier_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_verifier_new(
    verifier: *mut *mut revwatch_snapshot_verifier,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("verifier", verifier)? };
        out.write(handle::insert(Arc::default())?);
        Ok(REVWATCH_OK)
    })
}

/// Frees a verifier.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_snapshot_verifier_free(verifier: *mut revwatch_snapshot_verifier) {
    guard(|| {
        drop(handle::remove(verifier));
        Ok(REVWATCH_OK)
    });
}

/// Takes in the next bytes, wherever they were cut. REVWATCH_OK once the snapshot is whole,
/// REVWATCH_IDLE while more is to come; REVWATCH_ERROR_INVALID_SNAPSHOT if they are damaged or do not
/// follow.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_verifier_feed(
    verifier: *mut revwatch_snapshot_verifier,
    data: *const u8,
    len: usize,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let bytes = unsafe { input::bytes("data", data, len)? };
        let verifier = handle::get(verifier)?;
        let mut verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
        verifier.feed(bytes)?;
        Ok(if verifier.is_complete() {
            REVWATCH_OK
        } else {
            REVWATCH_IDLE
        })
    })
}

/// Says what the snapshot is of and how many changes of keys have arrived; REVWATCH_IDLE, and nothing,
/// before its first chunk was taken in. Either output may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_verifier_status(
    verifier: *mut revwatch_snapshot_verifier,
    head: *mut revwatch_snapshot_head,
    changes: *mut u64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (head, changes) = unsafe { (Out::optional(head), Out::optional(changes)) };
        let verifier = handle::get(verifier)?;
        let verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = verifier.head() else {
            return Ok(REVWATCH_IDLE);
        };
        head.write(known.into());
        changes.write(verifier.changes());
        Ok(REVWATCH_OK)
    })
}

/// A snapshot of what happened since a revision, that is being applied to a copy which stands there.
pub struct revwatch_snapshot_update(());

impl Handle for revwatch_snapshot_update {
    type Object = UpdateObject;
    const NAME: &'static str = "snapshot update";
}

/// An update, and the store that it is for.
pub(crate) struct UpdateObject {
    store: Arc<StoreObject>,
    update: Mutex<SnapshotUpdate>,
}

/// Begins to apply a snapshot to a store. A lease that runs out there deletes its keys there, and then
/// the store is no copy any more: one that is open for long between two snapshots wants manual_clock.
/// To be freed with revwatch_snapshot_update_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_update_new(
    store: *mut revwatch_store,
    update: *mut *mut revwatch_snapshot_update,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("update", update)? };
        let store = handle::get(store)?;
        let update = Mutex::default();
        out.write(handle::insert(Arc::new(UpdateObject { store, update }))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends an update. What was applied stays.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_snapshot_update_free(update: *mut revwatch_snapshot_update) {
    guard(|| {
        drop(handle::remove(update));
        Ok(REVWATCH_OK)
    });
}

/// Takes in the next bytes of the snapshot, wherever they were cut, and applies the transactions that
/// are whole with them. REVWATCH_OK once all is applied, REVWATCH_IDLE while more is to come.
/// REVWATCH_ERROR_SNAPSHOT_OUT_OF_PLACE if the store does not stand where it begins; what was applied
/// before an error stays, in whole transactions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_snapshot_update_feed(
    update: *mut revwatch_snapshot_update,
    data: *const u8,
    len: usize,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let bytes = unsafe { input::bytes("data", data, len)? };
        let object = handle::get(update)?;
        let mut update = object.update.lock().unwrap_or_else(PoisonError::into_inner);
        object
            .store
            .write(|store| store.apply_snapshot(&mut update, bytes))?;
        Ok(if update.is_complete() {
            REVWATCH_OK
        } else {
            REVWATCH_IDLE
        })
    })
}
