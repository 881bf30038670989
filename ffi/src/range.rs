//! Range: many keys, as of any revision.

use revwatch_core::{Error, RangeRequest, RangeResponse, SortOrder, SortTarget};

use crate::handle;
use crate::input::{self, Options, Out};
use crate::key_value::{KeyValues, revwatch_key_value};
use crate::owned::{self, Owned, parts};
use crate::status::{Failure, REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// Sort by key, or ascending if the target is not the key.
pub const REVWATCH_SORT_NONE: i32 = 0;
/// Smallest first.
pub const REVWATCH_SORT_ASCEND: i32 = 1;
/// Largest first.
pub const REVWATCH_SORT_DESCEND: i32 = 2;

/// Sort by the key, bytewise.
pub const REVWATCH_SORT_BY_KEY: i32 = 0;
/// Sort by version.
pub const REVWATCH_SORT_BY_VERSION: i32 = 1;
/// Sort by create_revision.
pub const REVWATCH_SORT_BY_CREATE: i32 = 2;
/// Sort by mod_revision.
pub const REVWATCH_SORT_BY_MOD: i32 = 3;
/// Sort by the value, bytewise.
pub const REVWATCH_SORT_BY_VALUE: i32 = 4;

/// How keys are asked for. Evaluated in this order: the revision bounds filter, then comes the sort,
/// then the limit, and keys_only takes the values away last.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_range_options {
    /// sizeof(revwatch_range_options).
    pub struct_size: usize,
    /// As of which revision; 0 or negative for the current one.
    pub revision: i64,
    /// At most so many; 0 or negative for all.
    pub limit: i64,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
    /// REVWATCH_SORT_NONE, REVWATCH_SORT_ASCEND or REVWATCH_SORT_DESCEND.
    pub sort_order: i32,
    /// A REVWATCH_SORT_BY_*.
    pub sort_target: i32,
    /// Flag: leave the values out.
    pub keys_only: i32,
    /// Flag: only count; the limit and the revision bounds do not matter then.
    pub count_only: i32,
    /// Leave out keys changed before this revision; 0 for no bound.
    pub min_mod_revision: i64,
    /// Leave out keys changed after this revision; 0 for no bound.
    pub max_mod_revision: i64,
    /// Leave out keys created before this revision; 0 for no bound.
    pub min_create_revision: i64,
    /// Leave out keys created after this revision; 0 for no bound.
    pub max_create_revision: i64,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_range_options {}

impl revwatch_range_options {
    pub(crate) fn request(&self, key: &[u8], range_end: &[u8]) -> Result<RangeRequest, Failure> {
        Ok(RangeRequest {
            revision: self.revision,
            limit: self.limit,
            sort_order: match self.sort_order {
                REVWATCH_SORT_NONE => SortOrder::None,
                REVWATCH_SORT_ASCEND => SortOrder::Ascend,
                REVWATCH_SORT_DESCEND => SortOrder::Descend,
                _ => return Err(Error::InvalidSortOption.into()),
            },
            sort_target: match self.sort_target {
                REVWATCH_SORT_BY_KEY => SortTarget::Key,
                REVWATCH_SORT_BY_VERSION => SortTarget::Version,
                REVWATCH_SORT_BY_CREATE => SortTarget::Create,
                REVWATCH_SORT_BY_MOD => SortTarget::Mod,
                REVWATCH_SORT_BY_VALUE => SortTarget::Value,
                _ => return Err(Error::InvalidSortOption.into()),
            },
            keys_only: self.keys_only != 0,
            count_only: self.count_only != 0,
            min_mod_revision: self.min_mod_revision,
            max_mod_revision: self.max_mod_revision,
            min_create_revision: self.min_create_revision,
            max_create_revision: self.max_create_revision,
            ..RangeRequest::new(input::key_range(key, range_end, self.prefix)?)
        })
    }
}

/// The answer to a range.
#[repr(C)]
pub struct revwatch_range_result {
    /// The store's current revision, also when an older one was read.
    pub revision: i64,
    /// How many keys are in the range at that revision, whatever the limit and revision bounds.
    pub count: i64,
    /// 1 if the limit left some out, otherwise 0.
    pub more: i32,
    /// The keys, in the order asked for.
    pub kvs: *const revwatch_key_value,
    /// How many `kvs`.
    pub kvs_len: usize,
}

impl Owned for revwatch_range_result {
    type Backing = KeyValues;
}

impl revwatch_range_result {
    pub(crate) fn of(response: RangeResponse) -> (Self, KeyValues) {
        let backing = KeyValues::from(response.kvs);
        let (kvs, kvs_len) = parts(&backing.seen);
        let more = i32::from(response.more);
        (
            Self {
                revision: response.revision,
                count: response.count,
                more,
                kvs,
                kvs_len,
            },
            backing,
        )
    }
}

/// Asks for the keys of a range (see Ranges). The answer goes to `result` and is to be freed with
/// revwatch_range_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_range(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_range_options,
    result: *mut *mut revwatch_range_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (request, result) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            let request = input::options(options)?.request(key, range_end)?;
            (request, Out::required("result", result)?)
        };
        let response = handle::get(store)?.read(|store| store.range(&request))?;
        let (seen, backing) = revwatch_range_result::of(response);
        result.write(owned::give(seen, backing));
        Ok(REVWATCH_OK)
    })
}

/// Frees the answer to a range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_range_result_free(result: *mut revwatch_range_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
