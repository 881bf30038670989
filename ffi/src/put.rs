//! Put.

use std::ptr;

use revwatch_core::{PutRequest, PutResponse};

use crate::handle;
use crate::input::{self, Options, Out};
use crate::key_value::{KeyValues, revwatch_key_value};
use crate::owned::{self, Owned};
use crate::status::{REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// How a key is put.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_put_options {
    /// sizeof(revwatch_put_options).
    pub struct_size: usize,
    /// The lease to attach the key to; 0 detaches it from any.
    pub lease: i64,
    /// Flag: answer with what the key was before.
    pub prev_kv: i32,
    /// Flag: keep the value that the key has. The key must exist, the value given must be empty.
    pub ignore_value: i32,
    /// Flag: keep the lease that the key has. The key must exist, the lease given must be 0.
    pub ignore_lease: i32,
    /// A REVWATCH_DURABILITY_* for this put; REVWATCH_DURABILITY_DEFAULT: the store's own, and in a
    /// transaction nothing else.
    pub durability: i32,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_put_options {}

impl revwatch_put_options {
    pub(crate) fn request(&self, key: &[u8], value: &[u8]) -> PutRequest {
        PutRequest {
            lease: self.lease,
            prev_kv: self.prev_kv != 0,
            ignore_value: self.ignore_value != 0,
            ignore_lease: self.ignore_lease != 0,
            ..PutRequest::new(key, value)
        }
    }
}

/// The answer to a put.
#[repr(C)]
pub struct revwatch_put_result {
    /// The revision that the put made.
    pub revision: i64,
    /// What the key was before; NULL if that was not asked for or it did not exist.
    pub prev_kv: *const revwatch_key_value,
    /// 1 if the put, and all before it, is safe from a loss of power already, otherwise 0. To an
    /// operation of a transaction always 0.
    pub durable: i32,
}

impl Owned for revwatch_put_result {
    type Backing = KeyValues;
}

impl revwatch_put_result {
    pub(crate) fn of(response: PutResponse) -> (Self, KeyValues) {
        let kvs = KeyValues::from(Vec::from_iter(response.prev_kv));
        let prev_kv = kvs.seen.first().map_or(ptr::null(), ptr::from_ref);
        (
            Self {
                revision: response.revision,
                prev_kv,
                durable: i32::from(response.durable),
            },
            kvs,
        )
    }
}

/// Creates or changes a key and detaches it from any lease. The revision that this made goes to
/// `revision`, which may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_put(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (key, value, revision) = unsafe {
            let value = input::bytes("value", value, value_len)?;
            (
                input::bytes("key", key, key_len)?,
                value,
                Out::optional(revision),
            )
        };
        let response = handle::get(store)?.write(|store| store.put(key, value))?;
        revision.write(response.revision);
        Ok(REVWATCH_OK)
    })
}

/// Creates or changes a key. The answer goes to `result`, which may be NULL, and is to be freed with
/// revwatch_put_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_put_with(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    value: *const u8,
    value_len: usize,
    options: *const revwatch_put_options,
    result: *mut *mut revwatch_put_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, request, result) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let value = input::bytes("value", value, value_len)?;
            let options = input::options(options)?;
            (options, options.request(key, value), Out::optional(result))
        };
        let response =
            handle::get(store)?.write_at(options.durability, |store| store.put_with(&request))?;
        if result.is_wanted() {
            let (seen, backing) = revwatch_put_result::of(response);
            result.write(owned::give(seen, backing));
        }
        Ok(REVWATCH_OK)
    })
}

/// Frees the answer to a put.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_put_result_free(result: *mut revwatch_put_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
