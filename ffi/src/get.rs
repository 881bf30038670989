//! Get: one key as it is now.

use crate::handle;
use crate::input::{self, Out};
use crate::key_value::{KeyValues, revwatch_key_value};
use crate::owned::{self, Owned};
use crate::status::{REVWATCH_NOT_FOUND, REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// One key that was found.
#[repr(C)]
pub struct revwatch_get_result {
    /// The key with its value.
    pub kv: revwatch_key_value,
}

impl Owned for revwatch_get_result {
    type Backing = KeyValues;
}

/// Finds a key as it is now; REVWATCH_NOT_FOUND if there is none. The answer goes to `result`, which
/// may be NULL, and is to be freed with revwatch_get_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_get(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    result: *mut *mut revwatch_get_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (key, result) = unsafe { (input::bytes("key", key, key_len)?, Out::optional(result)) };
        let Some(kv) = handle::get(store)?.read(|store| store.get(key))? else {
            return Ok(REVWATCH_NOT_FOUND);
        };
        if result.is_wanted() {
            let backing = KeyValues::from(vec![kv]);
            result.write(owned::give(
                revwatch_get_result {
                    kv: backing.seen[0],
                },
                backing,
            ));
        }
        Ok(REVWATCH_OK)
    })
}

/// Frees a key that was found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_get_result_free(result: *mut revwatch_get_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
