//! Watch streams: many watchers through one bounded queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use revwatch_core::StreamId;

use crate::handle::{self, Handle};
use crate::input::{self, Out};
use crate::owned;
use crate::poll::{gather, revwatch_poll_options};
use crate::status::{Failure, REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{StoreObject, revwatch_store};
use crate::watch::{self, revwatch_watch_options, revwatch_watch_responses};

/// A watch stream of a store.
pub struct revwatch_stream(());

impl Handle for revwatch_stream {
    type Object = StreamObject;
    const NAME: &'static str = "stream";
}

/// A stream that may be freed while other threads poll it.
pub(crate) struct StreamObject {
    store: Arc<StoreObject>,
    id: StreamId,
    freed: AtomicBool,
}

impl StreamObject {
    fn check_open(&self) -> Result<(), Failure> {
        if self.freed.load(Ordering::Acquire) {
            Err(Failure::closed("stream"))
        } else {
            Ok(())
        }
    }
}

/// Opens a watch stream on a store, to be freed with revwatch_stream_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_new(
    store: *mut revwatch_store,
    stream: *mut *mut revwatch_stream,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("stream", stream)? };
        let store = handle::get(store)?;
        let id = store.write(|store| Ok(store.watch_stream()))?;
        let freed = AtomicBool::new(false);
        out.write(handle::insert(Arc::new(StreamObject { store, id, freed }))?);
        Ok(REVWATCH_OK)
    })
}

/// Closes a stream with all its watchers. Whoever polls it meanwhile is answered
/// REVWATCH_ERROR_CLOSED.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_stream_free(stream: *mut revwatch_stream) {
    guard(|| {
        if let Some(stream) = handle::remove(stream) {
            stream.freed.store(true, Ordering::Release);
            // A closed store has closed its streams already. Either way, who waits is woken.
            let _ = stream.store.write(|store| {
                store.close_stream(stream.id);
                Ok(())
            });
        }
        Ok(REVWATCH_OK)
    });
}

/// Adds a watcher of a range (see Ranges; the empty key means the first one) to a stream. Its id
/// within the stream goes to `watch_id`, which may be NULL, and comes with each of its responses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_watch(
    stream: *mut revwatch_stream,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_watch_options,
    watch_id: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (request, watch_id) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            (
                input::options(options)?.request(key, range_end)?,
                Out::optional(watch_id),
            )
        };
        let stream = handle::get(stream)?;
        let id = stream
            .store
            .write(|store| store.watch(stream.id, &request))?;
        watch_id.write(id);
        Ok(REVWATCH_OK)
    })
}

/// Ends a watcher. What was queued for it may still come; the last is
/// REVWATCH_RESPONSE_CANCELED. An unknown id is no error and has no response.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_stream_cancel(
    stream: *mut revwatch_stream,
    watch_id: i64,
) -> revwatch_status {
    guard(|| {
        let stream = handle::get(stream)?;
        stream
            .store
            .write(|store| store.cancel_watch(stream.id, watch_id))?;
        Ok(REVWATCH_OK)
    })
}

/// Takes what there is for the watchers of a stream, after waiting for it if the options say so;
/// REVWATCH_IDLE if there is nothing. The answer is to be freed with
/// revwatch_watch_responses_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_poll(
    stream: *mut revwatch_stream,
    options: *const revwatch_poll_options,
    responses: *mut *mut revwatch_watch_responses,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, out) = unsafe {
            (
                input::options(options)?,
                Out::required("responses", responses)?,
            )
        };
        let stream = handle::get(stream)?;
        let is_open = || stream.check_open();
        let responses = gather(
            &stream.store,
            &options,
            is_open,
            |store, max_events, max_bytes| {
                Ok(watch::taken(store.poll(stream.id, max_events, max_bytes)?))
            },
        )?;
        if responses.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let (seen, backing) = revwatch_watch_responses::of(responses);
        out.write(owned::give(seen, backing));
        Ok(REVWATCH_OK)
    })
}
