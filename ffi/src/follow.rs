//! Follows: the state of a range and then every change after it.

use std::ffi::c_void;
use std::ptr;
use std::task::Waker;

use revwatch_core::{Error, FollowId, FollowResponse, ResumeToken};

use crate::event::revwatch_event;
use crate::handle::{self, Handle};
use crate::input::{self, Options, Out};
use crate::key_value::{KeyValues, revwatch_key_value};
use crate::notify::{self, Polled, revwatch_callback};
use crate::owned::{self, Owned, parts};
use crate::poll::{Size, gather, revwatch_poll_options};
use crate::source::{Source, SourceId};
use crate::status::{REVWATCH_IDLE, REVWATCH_NOT_FOUND, REVWATCH_OK, guard, revwatch_status};
use crate::store::{Shared, revwatch_store};
use crate::store_status::revwatch_resume_token;
use crate::stream::stream_options;
use crate::watch::EventList;

/// A follow of a range of a store.
pub struct revwatch_follow(());

impl Handle for revwatch_follow {
    type Object = Source<FollowId>;
    const NAME: &'static str = FollowId::NAME;
}

impl SourceId for FollowId {
    const NAME: &'static str = "follow";

    fn has_response(self, store: &Shared) -> Result<bool, Error> {
        store.has_follow_response(self)
    }

    fn set_waker(self, store: &Shared, waker: &Waker) -> Result<(), Error> {
        store.set_follow_waker(self, waker)
    }

    fn close(self, store: &Shared) {
        store.close_follow(self);
    }
}

/// What a follow wants.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_follow_options {
    /// sizeof(revwatch_follow_options).
    pub struct_size: usize,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
    /// Go on after this point without the state; NULL: the state first.
    pub resume: *const revwatch_resume_token,
    /// Flag: tell the state and its changes before they are durable, as revwatch_stream_options has it;
    /// REVWATCH_FOLLOW_RESET if a failed sync takes back what may have been told.
    pub early: i32,
}

// SAFETY: numbers and a pointer, and the size is first.
unsafe impl Options for revwatch_follow_options {}

/// The type of a response: `kvs` are part of the state, in key order.
pub const REVWATCH_FOLLOW_STATE: i32 = 1;
/// The type of a response: that was all of the state, as of `revision`.
pub const REVWATCH_FOLLOW_SYNCED: i32 = 2;
/// The type of a response: `events` came after, up to and including `revision`.
pub const REVWATCH_FOLLOW_EVENTS: i32 = 3;
/// The type of a response: forget the state, it comes again, because what happened until `revision`
/// is no longer known one by one.
pub const REVWATCH_FOLLOW_RESET: i32 = 4;

/// What a follow is told.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_follow_response {
    /// A REVWATCH_FOLLOW_*.
    pub r#type: i32,
    /// See the type; 0 where it says nothing.
    pub revision: i64,
    /// See the type; none where it says nothing.
    pub kvs: *const revwatch_key_value,
    /// How many `kvs`.
    pub kvs_len: usize,
    /// See the type; none where it says nothing.
    pub events: *const revwatch_event,
    /// How many `events`.
    pub events_len: usize,
}

/// What a follow is told, in order.
#[repr(C)]
pub struct revwatch_follow_responses {
    /// The responses.
    pub responses: *const revwatch_follow_response,
    /// How many `responses`, at least 1.
    pub responses_len: usize,
}

impl Owned for revwatch_follow_responses {
    type Backing = (Vec<revwatch_follow_response>, Vec<Content>);
}

/// What a response points into.
type Content = (Option<KeyValues>, Option<EventList>);

/// Follows a range (see Ranges) of a store: its state at one revision, then every change after that.
/// To be freed with revwatch_follow_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_follow_new(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_follow_options,
    follow: *mut *mut revwatch_follow,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (key, range_end, options, resume, out) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            let options = input::options(options)?;
            (
                key,
                range_end,
                options,
                options.resume.as_ref(),
                Out::required("follow", follow)?,
            )
        };
        let range = input::key_range(key, range_end, options.prefix)?;
        let resume = resume.map(|token| ResumeToken {
            epoch: token.epoch,
            revision: token.revision,
        });
        let options = stream_options(options.early);
        let store = handle::get(store)?;
        let id = store.write(|store| store.follow_with(range, resume, options))?;
        out.write(handle::insert(Source::new(store, id, options))?);
        Ok(REVWATCH_OK)
    })
}

/// Ends a follow. Whoever polls it meanwhile is answered REVWATCH_ERROR_CLOSED.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_follow_free(follow: *mut revwatch_follow) {
    guard(|| {
        if let Some(follow) = handle::remove(follow) {
            follow.free();
        }
        Ok(REVWATCH_OK)
    });
}

/// Takes what there is for a follow, after waiting for it if the options say so; REVWATCH_IDLE if
/// there is nothing. The answer is to be freed with revwatch_follow_responses_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_follow_poll(
    follow: *mut revwatch_follow,
    options: *const revwatch_poll_options,
    responses: *mut *mut revwatch_follow_responses,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (options, out) = unsafe {
            (
                input::options(options)?,
                Out::required("responses", responses)?,
            )
        };
        let follow = handle::get(follow)?;
        let responses = gather(&*follow, &options, |store, max_events, max_bytes| {
            Ok(taken(store.poll_follow(follow.id, max_events, max_bytes)?))
        })?;
        if responses.is_empty() {
            return Ok(REVWATCH_IDLE);
        }
        let (seen, contents): (Vec<_>, Vec<_>) = responses.into_iter().unzip();
        let (responses, responses_len) = parts(&seen);
        let answer = revwatch_follow_responses {
            responses,
            responses_len,
        };
        out.write(owned::give(answer, (seen, contents)));
        Ok(REVWATCH_OK)
    })
}

/// Gives the token from which another follow goes on after all that this one was told, also after a
/// crash: record it together with what was done. REVWATCH_NOT_FOUND until all of the state was told,
/// as only the whole of it can be gone on from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_follow_resume_token(
    follow: *mut revwatch_follow,
    token: *mut revwatch_resume_token,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("token", token)? };
        let follow = handle::get(follow)?;
        follow.check_open()?;
        let token = follow
            .store
            .read(|store| store.follow_resume_token(follow.id))?;
        let Some(ResumeToken { epoch, revision }) = token else {
            return Ok(REVWATCH_NOT_FOUND);
        };
        out.write(revwatch_resume_token { epoch, revision });
        Ok(REVWATCH_OK)
    })
}

/// A response of the core for C, or `None` for none.
fn taken(response: FollowResponse) -> Option<((revwatch_follow_response, Content), Size)> {
    let mut seen = revwatch_follow_response {
        r#type: 0,
        revision: 0,
        kvs: ptr::null(),
        kvs_len: 0,
        events: ptr::null(),
        events_len: 0,
    };
    let mut size = Size {
        events: 0,
        bytes: 0,
    };
    let mut content = Content::default();
    (seen.r#type, seen.revision) = match response {
        FollowResponse::Idle => return None,
        FollowResponse::State { kvs } => {
            let bytes = kvs.iter().map(|kv| kv.key.len() + kv.value.len()).sum();
            size = Size {
                events: kvs.len(),
                bytes,
            };
            let kvs = KeyValues::from(kvs);
            (seen.kvs, seen.kvs_len) = parts(&kvs.seen);
            content.0 = Some(kvs);
            (REVWATCH_FOLLOW_STATE, 0)
        }
        FollowResponse::Synced { revision } => (REVWATCH_FOLLOW_SYNCED, revision),
        FollowResponse::Events { revision, events } => {
            let events = EventList::new(events);
            size = events.size();
            (seen.events, seen.events_len) = parts(&events.seen);
            content.1 = Some(events);
            (REVWATCH_FOLLOW_EVENTS, revision)
        }
        FollowResponse::Reset { revision } => (REVWATCH_FOLLOW_RESET, revision),
    };
    Some(((seen, content), size))
}

/// Frees responses with their keys and events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_follow_responses_free(responses: *mut revwatch_follow_responses) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(responses) }
}

/// Has `callback` called when the follow has something to say; see revwatch_stream_set_callback().
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_follow_set_callback(
    follow: *mut revwatch_follow,
    callback: revwatch_callback,
    context: *mut c_void,
) -> revwatch_status {
    guard(|| {
        notify::set_callback(follow, callback, context)?;
        Ok(REVWATCH_OK)
    })
}

/// Gives a file descriptor that is readable while the follow has something to say; see
/// revwatch_stream_fd().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_follow_fd(
    follow: *mut revwatch_follow,
    fd: *mut i32,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("fd", fd)? };
        out.write(notify::fd(follow)?);
        Ok(REVWATCH_OK)
    })
}

/// Gives the milliseconds after which to poll again; see revwatch_stream_next_poll_ms().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_follow_next_poll_ms(
    follow: *mut revwatch_follow,
    next_ms: *mut i64,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("next_ms", next_ms)? };
        out.write(notify::next_poll_ms(follow)?);
        Ok(REVWATCH_OK)
    })
}
