//! Durable cursors: changes from where their consumer has come, which the store keeps.

use std::ffi::c_void;
use std::ptr;
use std::task::Waker;

use revwatch_core::{CursorId, CursorRequest, CursorResponse, Error, ResumeToken, StreamOptions};

use crate::event::revwatch_event;
use crate::handle::{self, Handle};
use crate::input::{self, Options, Out};
use crate::notify::{self, Polled, revwatch_callback};
use crate::owned::{self, Owned, parts};
use crate::poll::{Size, gather, revwatch_poll_options};
use crate::source::{Source, SourceId};
use crate::status::{REVWATCH_IDLE, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Shared, revwatch_store};
use crate::store_status::revwatch_resume_token;
use crate::watch::EventList;

/// An opening of a cursor of a store.
pub struct revwatch_cursor(());

impl Handle for revwatch_cursor {
    type Object = Source<CursorId>;
    const NAME: &'static str = CursorId::NAME;
}

impl SourceId for CursorId {
    const NAME: &'static str = "cursor";

    fn has_response(self, store: &Shared) -> Result<bool, Error> {
        store.has_cursor_response(self)
    }

    fn set_waker(self, store: &Shared, waker: &Waker) -> Result<(), Error> {
        store.set_cursor_waker(self, waker)
    }

    fn close(self, store: &Shared) {
        store.close_cursor(self);
    }
}

/// What a cursor is to be.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_cursor_options {
    /// sizeof(revwatch_cursor_options).
    pub struct_size: usize,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
    /// Flag: compaction is refused that would take what the cursor has yet to see. A cursor that is
    /// there is changed to this.
    pub hold: i32,
    /// Where a cursor that is made begins: its first revision; 0: the next one. One that is there goes
    /// on after what was acknowledged.
    pub start_revision: i64,
    /// Flag: events carry what the key was before.
    pub prev_kv: i32,
    /// The last that the consumer has seen by its own account; NULL: it has none. If a crash took
    /// that, the first poll tells REVWATCH_CURSOR_REWOUND.
    pub seen: *const revwatch_resume_token,
}

// SAFETY: numbers and a pointer, and the size is first.
unsafe impl Options for revwatch_cursor_options {}

/// The type of a response: `events` happened, up to and including `revision`.
pub const REVWATCH_CURSOR_EVENTS: i32 = 1;
/// The type of a response: compaction took changes that the consumer had yet to see; those that are
/// kept follow, from `revision` on. Who needs the state reads the range as of that revision first.
pub const REVWATCH_CURSOR_COMPACTED: i32 = 2;
/// The type of a response: a crash took what the consumer has seen after `revision`; what follows the
/// last acknowledgement comes next.
pub const REVWATCH_CURSOR_REWOUND: i32 = 3;

/// What a cursor's consumer is told.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_cursor_response {
    /// A REVWATCH_CURSOR_*.
    pub r#type: i32,
    /// See the type.
    pub revision: i64,
    /// See the type; none where it says nothing.
    pub events: *const revwatch_event,
    /// How many `events`.
    pub events_len: usize,
}

/// What a cursor's consumer is told, in order.
#[repr(C)]
pub struct revwatch_cursor_responses {
    /// The responses.
    pub responses: *const revwatch_cursor_response,
    /// How many `responses`, at least 1.
    pub responses_len: usize,
}

impl Owned for revwatch_cursor_responses {
    type Backing = (Vec<revwatch_cursor_response>, Vec<Option<EventList>>);
}

/// Opens the cursor of a name (any bytes, at least one) on a range (see Ranges), and makes it if
/// there is none. Delivery begins after what was acknowledged. Who had the cursor open before no
/// longer has: its calls answer REVWATCH_ERROR_CURSOR_NOT_FOUND. To be freed with
/// revwatch_cursor_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursor_open(
    store: *mut revwatch_store,
    name: *const u8,
    name_len: usize,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_cursor_options,
    cursor: *mut *mut revwatch_cursor,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (name, key, range_end, options, seen, out) = unsafe {
            let name = input::bytes("name", name, name_len)?;
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            let options = input::options(options)?;
            let out = Out::required("cursor", cursor)?;
            (name, key, range_end, options, options.seen.as_ref(), out)
        };
        let request = CursorRequest {
            start_revision: options.start_revision,
            hold: options.hold != 0,
            prev_kv: options.prev_kv != 0,
            seen: seen.map(|token| ResumeToken {
                epoch: token.epoch,
                revision: token.revision,
            }),
            ..CursorRequest::new(name, input::key_range(key, range_end, options.prefix)?)
        };
        let store = handle::get(store)?;
        let id = store.write(|store| store.cursor(&request))?;
        out.write(handle::insert(Source::new(
            store,
            id,
            StreamOptions::default(),
        ))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends an opening; the cursor stays in the store, with what it holds. Who polls it meanwhile is
/// answered REVWATCH_ERROR_CLOSED.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_cursor_free(cursor: *mut revwatch_cursor) {
    guard(|| {
        if let Some(cursor) = handle::remove(cursor) {
            cursor.free();
        }
        Ok(REVWATCH_OK)
    });
}

/// Takes what there is for a cursor, after waiting for it if the options say so; REVWATCH_IDLE if
/// there is nothing. The answer is to be freed with revwatch_cursor_responses_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursor_poll(
    cursor: *mut revwatch_cursor,
    options: *const revwatch_poll_options,
    responses: *mut *mut revwatch_cursor_responses,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, out) = unsafe {
            let out = Out::required("responses", responses)?;
            (input::options(options)?, out)
        };
        let cursor = handle::get(cursor)?;
        let responses = gather(&*cursor, &options, |store, max_events, max_bytes| {
            Ok(taken(store.poll_cursor(cursor.id, max_events, max_bytes)?))
        })?;
        if responses.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let (seen, contents): (Vec<_>, Vec<_>) = responses.into_iter().unzip();
        let (responses, responses_len) = parts(&seen);
        let answer = revwatch_cursor_responses {
            responses,
            responses_len,
        };
        out.write(owned::give(answer, (seen, contents)));
        Ok(REVWATCH_OK)
    })
}

/// A response of the core for C, or `None` for none.
fn taken(
    response: CursorResponse,
) -> Option<((revwatch_cursor_response, Option<EventList>), Size)> {
    let mut seen = revwatch_cursor_response {
        r#type: 0,
        revision: 0,
        events: ptr::null(),
        events_len: 0,
    };
    let mut size = Size {
        events: 0,
        bytes: 0,
    };
    let mut content = None;
    (seen.r#type, seen.revision) = match response {
        CursorResponse::Idle { .. } => return None,
        CursorResponse::Events { revision, events } => {
            let events = EventList::new(events);
            size = events.size();
            (seen.events, seen.events_len) = parts(&events.seen);
            content = Some(events);
            (REVWATCH_CURSOR_EVENTS, revision)
        }
        CursorResponse::Compacted { compact_revision } => {
            (REVWATCH_CURSOR_COMPACTED, compact_revision)
        }
        CursorResponse::Rewound { revision } => (REVWATCH_CURSOR_REWOUND, revision),
    };
    Some(((seen, content), size))
}

/// Frees responses with their events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursor_responses_free(responses: *mut revwatch_cursor_responses) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(responses) }
}

/// Gives the revision up to which everything was told, and can be acknowledged, also where nothing
/// in it was for this cursor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursor_revision(
    cursor: *mut revwatch_cursor,
    revision: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("revision", revision)? };
        let cursor = handle::get(cursor)?;
        cursor.check_open()?;
        let id = cursor.id;
        out.write(cursor.store.read(|store| store.cursor_revision(id))?);
        Ok(REVWATCH_OK)
    })
}

/// Takes note that everything up to `revision` was dealt with: the next opening goes on after it.
/// Waits for no sync; the acknowledgement is durable with the next write that is, with a flush or a
/// close, or about a tenth of a second later, and a crash before means that what it covered comes
/// again. REVWATCH_ERROR_ACK_NOT_DELIVERED if so much was not told yet.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_cursor_ack(
    cursor: *mut revwatch_cursor,
    revision: i64,
) -> revwatch_status {
    guard(|| {
        let cursor = handle::get(cursor)?;
        cursor.check_open()?;
        let id = cursor.id;
        cursor.store.write(|store| store.ack_cursor(id, revision))?;
        Ok(REVWATCH_OK)
    })
}

/// Moves a cursor, forward or back: it goes on with `start_revision`, or for 0 with the next one.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_cursor_seek(
    cursor: *mut revwatch_cursor,
    start_revision: i64,
) -> revwatch_status {
    guard(|| {
        let cursor = handle::get(cursor)?;
        cursor.check_open()?;
        let id = cursor.id;
        let seek = |store: &Shared| store.seek_cursor(id, start_revision);
        cursor.store.write(seek)?;
        Ok(REVWATCH_OK)
    })
}

/// Has `callback` called when the cursor has something to say; see revwatch_stream_set_callback().
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_cursor_set_callback(
    cursor: *mut revwatch_cursor,
    callback: revwatch_callback,
    context: *mut c_void,
) -> revwatch_status {
    guard(|| {
        notify::set_callback(cursor, callback, context)?;
        Ok(REVWATCH_OK)
    })
}

/// Gives a file descriptor that is readable while the cursor has something to say; see
/// revwatch_stream_fd().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursor_fd(
    cursor: *mut revwatch_cursor,
    fd: *mut i32,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("fd", fd)? };
        out.write(notify::fd(cursor)?);
        Ok(REVWATCH_OK)
    })
}

/// Gives the milliseconds after which to poll again; see revwatch_stream_next_poll_ms().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_cursor_next_poll_ms(
    cursor: *mut revwatch_cursor,
    next_ms: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("next_ms", next_ms)? };
        out.write(notify::next_poll_ms(cursor)?);
        Ok(REVWATCH_OK)
    })
}
