//! Delete.

use revwatch_core::{DeleteRangeRequest, DeleteRangeResponse};

use crate::handle;
use crate::input::{self, Options, Out};
use crate::key_value::{KeyValues, revwatch_key_value};
use crate::owned::{self, Owned, parts};
use crate::status::{Failure, REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// How keys are deleted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_delete_range_options {
    /// sizeof(revwatch_delete_range_options).
    pub struct_size: usize,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
    /// Flag: answer with what was deleted.
    pub prev_kv: i32,
    /// A REVWATCH_DURABILITY_* for this delete; REVWATCH_DURABILITY_DEFAULT: the store's own, and in a
    /// transaction nothing else.
    pub durability: i32,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_delete_range_options {}

impl revwatch_delete_range_options {
    pub(crate) fn request(
        &self,
        key: &[u8],
        range_end: &[u8],
    ) -> Result<DeleteRangeRequest, Failure> {
        let range = input::key_range(key, range_end, self.prefix)?;
        Ok(DeleteRangeRequest {
            prev_kv: self.prev_kv != 0,
            ..DeleteRangeRequest::new(range)
        })
    }
}

/// The answer to a delete.
#[repr(C)]
pub struct revwatch_delete_range_result {
    /// The store's revision after the delete; one higher than before if it deleted something.
    pub revision: i64,
    /// How many keys were deleted.
    pub deleted: i64,
    /// What was deleted, in key order, if that was asked for.
    pub prev_kvs: *const revwatch_key_value,
    /// How many `prev_kvs`.
    pub prev_kvs_len: usize,
    /// 1 if the delete, and all before it, is safe from a loss of power already, otherwise 0. To an
    /// operation of a transaction always 0.
    pub durable: i32,
}

impl Owned for revwatch_delete_range_result {
    type Backing = KeyValues;
}

impl revwatch_delete_range_result {
    pub(crate) fn of(response: DeleteRangeResponse) -> (Self, KeyValues) {
        let backing = KeyValues::from(response.prev_kvs);
        let (prev_kvs, prev_kvs_len) = parts(&backing.seen);
        let DeleteRangeResponse {
            revision,
            deleted,
            durable,
            ..
        } = response;
        (
            Self {
                revision,
                deleted,
                prev_kvs,
                prev_kvs_len,
                durable: i32::from(durable),
            },
            backing,
        )
    }
}

/// Deletes the keys of a range (see Ranges), all at one revision. The answer goes to `result`, which
/// may be NULL, and is to be freed with revwatch_delete_range_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_delete_range(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_delete_range_options,
    result: *mut *mut revwatch_delete_range_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, request, result) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            let options = input::options(options)?;
            let request = options.request(key, range_end)?;
            (options, request, Out::optional(result))
        };
        let response = handle::get(store)?
            .write_at(options.durability, |store| store.delete_range(&request))?;
        if result.is_wanted() {
            let (seen, backing) = revwatch_delete_range_result::of(response);
            result.write(owned::give(seen, backing));
        }
        Ok(REVWATCH_OK)
    })
}

/// Frees the answer to a delete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_delete_range_result_free(
    result: *mut revwatch_delete_range_result,
) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
