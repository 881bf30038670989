//! Changes between two revisions, for people and for other stores.

use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::{Changes, Error, Event};

use crate::event::revwatch_event;
use crate::handle::{self, Handle};
use crate::input::{self, Out, or_default};
use crate::owned::{self, Owned, parts};
use crate::status::{Failure, REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Shared, StoreObject, revwatch_store};

/// A walk over the changes between two revisions of a store.
pub struct revwatch_changes(());

impl Handle for revwatch_changes {
    type Object = ChangesObject;
    const NAME: &'static str = "walk over changes";
}

/// A walk, and the store that it goes through.
pub(crate) struct ChangesObject {
    store: Arc<StoreObject>,
    changes: Mutex<Changes>,
}

impl ChangesObject {
    fn next<R>(
        &self,
        part: impl FnOnce(&Shared, &mut Changes) -> Result<R, Error>,
    ) -> Result<(R, i64), Failure> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let part = self.store.read(|store| part(store, &mut changes))?;
        Ok((part, changes.revision()))
    }
}

/// Events of whole revisions.
#[repr(C)]
pub struct revwatch_changes_result {
    /// Everything up to and including this revision was handed out.
    pub revision: i64,
    /// The events, by revision and in the order of execution within one.
    pub events: *const revwatch_event,
    /// How many `events`, at least 1.
    pub events_len: usize,
}

impl Owned for revwatch_changes_result {
    type Backing = (Vec<revwatch_event>, Vec<Event>);
}

/// Changes as bytes, or a part of a snapshot.
#[repr(C)]
pub struct revwatch_chunk_result {
    /// Everything up to and including this revision was handed out; for a snapshot, the revision that
    /// it is of.
    pub revision: i64,
    /// The bytes.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl Owned for revwatch_chunk_result {
    type Backing = Vec<u8>;
}

/// Begins a walk over every change after revision `from` up to and including `to` (0: the newest
/// that is published), of all keys. REVWATCH_ERROR_COMPACTED if they are not all kept. To be freed
/// with revwatch_changes_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_changes_new(
    store: *mut revwatch_store,
    from: i64,
    to: i64,
    changes: *mut *mut revwatch_changes,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("changes", changes)? };
        let store = handle::get(store)?;
        let changes = Mutex::new(store.read(|store| store.changes(from, to))?);
        out.write(handle::insert(Arc::new(ChangesObject { store, changes }))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends a walk.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_changes_free(changes: *mut revwatch_changes) {
    guard(|| {
        drop(handle::remove(changes));
        Ok(REVWATCH_OK)
    });
}

/// Takes the next events: whole revisions, no further one once there are `max_events` (0: 10000) or
/// `max_bytes` of keys and values (0: 4 MiB). REVWATCH_IDLE at the end. The answer is to be freed with
/// revwatch_changes_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_changes_next(
    changes: *mut revwatch_changes,
    max_events: usize,
    max_bytes: usize,
    result: *mut *mut revwatch_changes_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("result", result)? };
        let (max_events, max_bytes) = (
            or_default(max_events, 10_000),
            or_default(max_bytes, 4 << 20),
        );
        let (owned, revision) = handle::get(changes)?
            .next(|store, changes| store.next_changes(changes, max_events, max_bytes))?;
        if owned.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let of = |event: &Event| revwatch_event::of(event.kind, event.kv.as_ref(), None);
        let seen: Vec<revwatch_event> = owned.iter().map(of).collect();
        let (events, events_len) = parts(&seen);
        let answer = revwatch_changes_result {
            revision,
            events,
            events_len,
        };
        out.write(owned::give(answer, (seen, owned)));
        Ok(REVWATCH_OK)
    })
}

/// Takes the next changes as bytes, for revwatch_store_apply_changes(): whole revisions, no further
/// one once there are `max_bytes` (0: 4 MiB). REVWATCH_IDLE at the end. What the bytes are stands in
/// FORMAT.md; they may be put one behind the other. The answer is to be freed with
/// revwatch_chunk_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_changes_next_chunk(
    changes: *mut revwatch_changes,
    max_bytes: usize,
    chunk: *mut *mut revwatch_chunk_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("chunk", chunk)? };
        let max_bytes = or_default(max_bytes, 4 << 20);
        let (bytes, revision) = handle::get(changes)?
            .next(|store, changes| store.next_changes_chunk(changes, max_bytes))?;
        if bytes.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let (data, len) = parts(&bytes);
        let answer = revwatch_chunk_result {
            revision,
            data,
            len,
        };
        out.write(owned::give(answer, bytes));
        Ok(REVWATCH_OK)
    })
}

/// Applies changes as bytes: the store then has the same revisions, keys and hash as the one that
/// they are from, if it had the same before. Each transaction is applied whole or not at all, and
/// nothing is if the bytes are damaged or cut short. The store's revision then goes to `revision`,
/// which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_apply_changes(
    store: *mut revwatch_store,
    data: *const u8,
    len: usize,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (bytes, out) = unsafe { (input::bytes("data", data, len)?, Out::optional(revision)) };
        let applied = handle::get(store)?.write(|store| store.apply_changes(bytes))?;
        out.write(applied.revision);
        Ok(REVWATCH_OK)
    })
}

/// Frees events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_changes_result_free(result: *mut revwatch_changes_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}

/// Frees changes as bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_chunk_result_free(chunk: *mut revwatch_chunk_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(chunk) }
}
