//! Watch streams: many watchers through one bounded queue.

use std::cell::Cell;
use std::ffi::c_void;
use std::task::Waker;

use revwatch_core::{Error, Responses, StreamId, StreamOptions};

use crate::handle::{self, Handle};
use crate::input::{self, Options, Out};
use crate::notify::{self, Polled, revwatch_callback};
use crate::owned;
use crate::poll::{gather, revwatch_poll_options};
use crate::source::{Source, SourceId};
use crate::status::{REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Shared, revwatch_store};
use crate::watch::{self, revwatch_watch_options, revwatch_watch_responses};

/// A watch stream of a store.
pub struct revwatch_stream(());

impl Handle for revwatch_stream {
    type Object = Source<StreamId>;
    const NAME: &'static str = StreamId::NAME;
}

impl SourceId for StreamId {
    const NAME: &'static str = "stream";

    fn has_response(self, store: &Shared) -> Result<bool, Error> {
        store.has_response(self)
    }

    fn set_waker(self, store: &Shared, waker: &Waker) -> Result<(), Error> {
        store.set_waker(self, waker)
    }

    fn close(self, store: &Shared) {
        store.close_stream(self);
    }
}

/// What a watch stream is like.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_stream_options {
    /// sizeof(revwatch_stream_options).
    pub struct_size: usize,
    /// Flag: tell of changes when they are applied, before they are durable, as revwatch_store_get() sees
    /// them. A watcher that may have been told what a failed sync then takes back is told
    /// REVWATCH_RESPONSE_REWOUND, as is one that comes back with the epoch and revision of what a crash
    /// took. A poll that waits and a descriptor tell of it at once; a callback when the call has returned
    /// that made the change. Without meaning in memory, with REVWATCH_DURABILITY_NEVER and in a store
    /// opened read-only: there all are told at once.
    pub early: i32,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_stream_options {}

/// Opens a watch stream on a store, to be freed with revwatch_stream_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_new(
    store: *mut revwatch_store,
    options: *const revwatch_stream_options,
    stream: *mut *mut revwatch_stream,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, out) =
            unsafe { (input::options(options)?, Out::required("stream", stream)?) };
        let options = stream_options(options.early);
        let store = handle::get(store)?;
        let id = store.write(|store| Ok(store.watch_stream_with(options)))?;
        out.write(handle::insert(Source::new(store, id, options))?);
        Ok(REVWATCH_OK)
    })
}

/// The core's options for the stream of something that is polled.
pub(crate) fn stream_options(early: i32) -> StreamOptions {
    StreamOptions { early: early != 0 }
}

/// Closes a stream with all its watchers. Whoever polls it meanwhile is answered
/// REVWATCH_ERROR_CLOSED.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_stream_free(stream: *mut revwatch_stream) {
    guard(|| {
        if let Some(stream) = handle::remove(stream) {
            stream.free();
        }
        Ok(REVWATCH_OK)
    });
}

/// Adds a watcher of a range (see Ranges; the empty key means the first one), and of those in the
/// options, to a stream. Its id within the stream goes to `watch_id`, which may be NULL, and comes with
/// each of its responses.
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

/// Asks to be told how far a stream is: once all that is queued now was polled, it tells
/// REVWATCH_RESPONSE_PROGRESS with REVWATCH_PROGRESS_OF_STREAM. REVWATCH_IDLE, and nothing is told,
/// while one of its watchers is behind or waits for a start in the future: poll, and ask again.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_stream_request_progress(
    stream: *mut revwatch_stream,
) -> revwatch_status {
    guard(|| {
        let stream = handle::get(stream)?;
        let told = stream
            .store
            .write(|store| store.request_progress(stream.id))?;
        Ok(if told { REVWATCH_OK } else { REVWATCH_IDLE })
    })
}

/// Gives the number that revwatch_watcher_report has for this stream; no other stream of the store has
/// the same at any time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_id(
    stream: *mut revwatch_stream,
    stream_id: *mut u64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("stream_id", stream_id)? };
        let stream = handle::get(stream)?;
        stream.check_open()?;
        out.write(stream.id.to_bits());
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
        // Most often there is one response; only where there are more it pays to take them together.
        let has_looked = Cell::new(false);
        let responses = gather(&*stream, &options, |store, max_events, max_bytes| {
            if has_looked.replace(true) && options.max_responses == 0 {
                let more = if store.has_response(stream.id)? {
                    store.poll_many(stream.id, max_events, max_bytes)?
                } else {
                    Responses::default()
                };
                return Ok(None.into_iter().chain(watch::taken_together(&more)));
            }
            let response = store.poll(stream.id, max_events, max_bytes)?;
            Ok(watch::taken(response).into_iter().chain(Vec::new()))
        })?;
        if responses.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let (seen, backing) = revwatch_watch_responses::of(responses);
        out.write(owned::give(seen, backing));
        Ok(REVWATCH_OK)
    })
}

/// Has `callback` called with `context` when the stream has something to say: from now on, at once if
/// it has something now, and after each poll anew, at once if that left something. So a program that
/// polls once for each call misses nothing. It is also called when the store is closed, and when
/// something happens sooner than revwatch_stream_next_poll_ms() said; a poll may then find nothing.
/// After a poll that fails it is not called until the next one. NULL in place of the callback ends this.
///
/// The call is made by the thread whose call of the library gave cause, after the library has let go
/// of all its locks and before that call returns; never by two threads at a time for one stream. It
/// may call every function of the library, also to poll or free this stream, but must not wait, for
/// the thread has other things to do, and must return. What it gives cause for, such as a call for
/// another stream, comes after it has returned.
///
/// When this function or revwatch_stream_free() has returned, the callback of before is not running
/// and is not called any more, so that its context may be freed: they wait for it to return, and must
/// not be called with a lock held that it needs. Within a callback they do not wait.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_stream_set_callback(
    stream: *mut revwatch_stream,
    callback: revwatch_callback,
    context: *mut c_void,
) -> revwatch_status {
    guard(|| {
        notify::set_callback(stream, callback, context)?;
        Ok(REVWATCH_OK)
    })
}

/// Gives a file descriptor that is readable while the stream has something to say, for poll(),
/// select(), epoll and what builds on them. Where there are none (Windows), REVWATCH_ERROR_INVALID_ARGUMENT.
///
/// It is level-triggered: readable from when there is something until a poll has taken all. It may be
/// readable when there is nothing to say, among others for the reasons that the callback has, and when
/// the stream or the store is closed; a poll that answers REVWATCH_IDLE then makes it unreadable. Wait
/// at most as long as revwatch_stream_next_poll_ms() says, since nothing happens in a store that nobody calls.
///
/// Each call gives the same one. It belongs to the stream and is closed with it: take it out of what
/// waits for it before. Do not read from it. It takes two of the process's descriptors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_fd(
    stream: *mut revwatch_stream,
    fd: *mut i32,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("fd", fd)? };
        out.write(notify::fd(stream)?);
        Ok(REVWATCH_OK)
    })
}

/// Gives the milliseconds after which to poll again if neither the descriptor nor the callback says so
/// before: 0 for now, -1 for never. These can be given to poll() as they are. A lease may expire then, a
/// batch become durable, progress be due, or another process have written. With manual_clock: the time
/// to step to and poll, by that clock, where 0 also means now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_stream_next_poll_ms(
    stream: *mut revwatch_stream,
    next_ms: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("next_ms", next_ms)? };
        out.write(notify::next_poll_ms(stream)?);
        Ok(REVWATCH_OK)
    })
}
