//! Leases: keys that go when their holder no longer says that it is alive.

use crate::handle;
use crate::input::Out;
use crate::owned::{self, Owned, parts};
use crate::status::{REVWATCH_NOT_FOUND, REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// Some bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_bytes {
    /// Where they are.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

/// How a lease stands.
#[repr(C)]
pub struct revwatch_lease_result {
    /// The lease.
    pub id: i64,
    /// How long it lives without a keep-alive, in milliseconds.
    pub ttl_ms: i64,
    /// How long it lived when it was granted or last kept alive, in milliseconds.
    pub granted_ttl_ms: i64,
    /// The store's revision.
    pub revision: i64,
    /// The keys attached to it, in order, if they were asked for.
    pub keys: *const revwatch_bytes,
    /// How many `keys`.
    pub keys_len: usize,
}

impl Owned for revwatch_lease_result {
    type Backing = (Vec<revwatch_bytes>, Vec<Vec<u8>>);
}

/// All leases.
#[repr(C)]
pub struct revwatch_leases_result {
    /// Their ids, ascending.
    pub ids: *const i64,
    /// How many `ids`.
    pub ids_len: usize,
}

impl Owned for revwatch_leases_result {
    type Backing = Vec<i64>;
}

/// Grants a lease of `ttl_ms` milliseconds, which may be raised to the store's minimum, under `id`,
/// or under a free id if that is 0. The id and the time to live go to `granted_id` and
/// `granted_ttl_ms`, the store's revision to `revision`; all three may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_lease_grant(
    store: *mut revwatch_store,
    id: i64,
    ttl_ms: i64,
    granted_id: *mut i64,
    granted_ttl_ms: *mut i64,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (granted_id, granted_ttl_ms, revision) = unsafe {
            (
                Out::optional(granted_id),
                Out::optional(granted_ttl_ms),
                Out::optional(revision),
            )
        };
        let response = handle::get(store)?.write(|store| store.lease_grant(id, ttl_ms))?;
        granted_id.write(response.id);
        granted_ttl_ms.write(response.ttl_ms);
        revision.write(response.revision);
        Ok(REVWATCH_OK)
    })
}

/// Ends a lease and deletes the keys attached to it, at one revision. The store's revision then goes
/// to `revision`, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_lease_revoke(
    store: *mut revwatch_store,
    id: i64,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let revision = unsafe { Out::optional(revision) };
        let response = handle::get(store)?.write(|store| store.lease_revoke(id))?;
        revision.write(response.revision);
        Ok(REVWATCH_OK)
    })
}

/// Gives a lease its full time to live again. That goes to `ttl_ms`, the store's revision to
/// `revision`; both may be NULL. REVWATCH_NOT_FOUND if there is no such lease, or no longer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_lease_keep_alive(
    store: *mut revwatch_store,
    id: i64,
    ttl_ms: *mut i64,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (ttl_ms, revision) = unsafe { (Out::optional(ttl_ms), Out::optional(revision)) };
        let response = handle::get(store)?.write(|store| store.lease_keep_alive(id))?;
        if response.ttl_ms == 0 {
            return Ok(REVWATCH_NOT_FOUND);
        }
        ttl_ms.write(response.ttl_ms);
        revision.write(response.revision);
        Ok(REVWATCH_OK)
    })
}

/// Asks how a lease stands, with the keys attached to it if the flag `keys` is set.
/// REVWATCH_NOT_FOUND if there is no such lease, or no longer. The answer is to be freed with
/// revwatch_lease_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_lease_time_to_live(
    store: *mut revwatch_store,
    id: i64,
    keys: i32,
    result: *mut *mut revwatch_lease_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let result = unsafe { Out::required("result", result)? };
        let response =
            handle::get(store)?.read(|store| Ok(store.lease_time_to_live(id, keys != 0)))?;
        if response.ttl_ms < 0 {
            return Ok(REVWATCH_NOT_FOUND);
        }
        let seen: Vec<revwatch_bytes> = response
            .keys
            .iter()
            .map(|key| revwatch_bytes {
                data: key.as_ptr(),
                len: key.len(),
            })
            .collect();
        let (keys, keys_len) = parts(&seen);
        let lease = revwatch_lease_result {
            id: response.id,
            ttl_ms: response.ttl_ms,
            granted_ttl_ms: response.granted_ttl_ms,
            revision: response.revision,
            keys,
            keys_len,
        };
        result.write(owned::give(lease, (seen, response.keys)));
        Ok(REVWATCH_OK)
    })
}

/// Lists all leases. The answer is to be freed with revwatch_leases_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_leases(
    store: *mut revwatch_store,
    result: *mut *mut revwatch_leases_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let result = unsafe { Out::required("result", result)? };
        let backing = handle::get(store)?.read(|store| Ok(store.leases()))?;
        let (ids, ids_len) = parts(&backing);
        result.write(owned::give(
            revwatch_leases_result { ids, ids_len },
            backing,
        ));
        Ok(REVWATCH_OK)
    })
}

/// Frees the answer about a lease.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_lease_result_free(result: *mut revwatch_lease_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}

/// Frees the list of leases.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_leases_result_free(result: *mut revwatch_leases_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
