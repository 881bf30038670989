//! Range streams: a range too large for one answer, as of one revision, part by part.

use std::sync::{Arc, Mutex, PoisonError};

use revwatch_core::RangeStream;

use crate::handle::{self, Handle};
use crate::input::{self, Options, Out, or_default};
use crate::key_value::{KeyValues, revwatch_key_value};
use crate::owned::{self, Owned, parts};
use crate::status::{REVWATCH_NOT_FOUND, REVWATCH_OK, guard, revwatch_status};
use crate::store::{StoreObject, revwatch_store};

/// A walk over a range of a store.
pub struct revwatch_range_stream(());

impl Handle for revwatch_range_stream {
    type Object = RangeStreamObject;
    const NAME: &'static str = "range stream";
}

/// A walk that several threads may share: each part goes to one of them.
pub(crate) struct RangeStreamObject {
    store: Arc<StoreObject>,
    stream: Mutex<RangeStream>,
}

/// What a range stream walks over.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_range_stream_options {
    /// sizeof(revwatch_range_stream_options).
    pub struct_size: usize,
    /// As of which revision; 0 or negative for the current one.
    pub revision: i64,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_range_stream_options {}

/// How much one call gives; at least one key, even above both limits.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_next_options {
    /// sizeof(revwatch_next_options).
    pub struct_size: usize,
    /// Stop once there are so many keys; 0: 1000.
    pub max_keys: usize,
    /// Stop once there are so many bytes of keys and values; 0: 1 MiB.
    pub max_bytes: usize,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_next_options {}

/// A part of a range, in key order.
#[repr(C)]
pub struct revwatch_kvs_result {
    /// The keys.
    pub kvs: *const revwatch_key_value,
    /// How many `kvs`, at least 1.
    pub kvs_len: usize,
}

impl Owned for revwatch_kvs_result {
    type Backing = KeyValues;
}

/// Begins a walk over a range (see Ranges) as of one revision, whatever is written meanwhile; which one
/// goes to `revision`, which may be NULL. The walk holds no more of the store than a key. To be freed
/// with revwatch_range_stream_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_range_stream_new(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_range_stream_options,
    stream: *mut *mut revwatch_range_stream,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (key, range_end, options, out, revision) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            (
                key,
                range_end,
                input::options(options)?,
                Out::required("stream", stream)?,
                Out::optional(revision),
            )
        };
        let range = input::key_range(key, range_end, options.prefix)?;
        let store = handle::get(store)?;
        let stream = store.read(|store| store.range_stream(range, options.revision))?;
        let pinned = stream.revision();
        let stream = Mutex::new(stream);
        out.write(handle::insert(Arc::new(RangeStreamObject {
            store,
            stream,
        }))?);
        revision.write(pinned);
        Ok(REVWATCH_OK)
    })
}

/// Gives the next keys of a walk; REVWATCH_NOT_FOUND at its end, and REVWATCH_ERROR_COMPACTED once
/// compaction has overtaken its revision. The answer is to be freed with
/// revwatch_kvs_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_range_stream_next(
    stream: *mut revwatch_range_stream,
    options: *const revwatch_next_options,
    result: *mut *mut revwatch_kvs_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, out) =
            unsafe { (input::options(options)?, Out::required("result", result)?) };
        let object = handle::get(stream)?;
        let mut stream = object.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let max_keys = or_default(options.max_keys, 1000);
        let max_bytes = or_default(options.max_bytes, 1 << 20);
        let kvs = object
            .store
            .read(|store| store.next_kvs(&mut stream, max_keys, max_bytes))?;
        if kvs.is_empty() {
            return Ok(REVWATCH_NOT_FOUND);
        }
        let backing = KeyValues::from(kvs);
        let (kvs, kvs_len) = parts(&backing.seen);
        out.write(owned::give(revwatch_kvs_result { kvs, kvs_len }, backing));
        Ok(REVWATCH_OK)
    })
}

/// Frees a part of a range.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_kvs_result_free(result: *mut revwatch_kvs_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}

/// Ends a walk.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_range_stream_free(stream: *mut revwatch_range_stream) {
    guard(|| {
        handle::remove(stream);
        Ok(REVWATCH_OK)
    });
}
