//! History: the events that are kept, without a watch.

use revwatch_core::Event;

use crate::event::revwatch_event;
use crate::handle;
use crate::input::{self, Options, Out, or_default};
use crate::owned::{self, Owned, parts};
use crate::status::{REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;

/// What of history is asked for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_history_options {
    /// sizeof(revwatch_history_options).
    pub struct_size: usize,
    /// The first revision; 0: the oldest that is kept.
    pub start_revision: i64,
    /// Stop at the end of the revision that reaches so many events; 0: 1000.
    pub max_events: usize,
    /// Flag: events of all keys that begin with `key`.
    pub prefix: i32,
}

// SAFETY: numbers only, and the size is first.
unsafe impl Options for revwatch_history_options {}

/// Events in the order of their revisions.
#[repr(C)]
pub struct revwatch_history_result {
    /// The start_revision to go on with; 0 if this reached the newest revision.
    pub next_revision: i64,
    /// The events, by revision and in the order of execution within one.
    pub events: *const revwatch_event,
    /// How many `events`.
    pub events_len: usize,
}

impl Owned for revwatch_history_result {
    type Backing = (Vec<revwatch_event>, Vec<Event>);
}

/// Asks for past events of a range (see Ranges), whole revisions at a time. The answer is to be freed
/// with revwatch_history_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_history(
    store: *mut revwatch_store,
    key: *const u8,
    key_len: usize,
    range_end: *const u8,
    range_end_len: usize,
    options: *const revwatch_history_options,
    result: *mut *mut revwatch_history_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let (key, range_end, options, result) = unsafe {
            let key = input::bytes("key", key, key_len)?;
            let range_end = input::bytes("range_end", range_end, range_end_len)?;
            (
                key,
                range_end,
                input::options(options)?,
                Out::required("result", result)?,
            )
        };
        let range = input::key_range(key, range_end, options.prefix)?;
        let max_events = or_default(options.max_events, 1000);
        let start = options.start_revision;
        let history = handle::get(store)?.read(|store| store.history(&range, start, max_events))?;
        let seen: Vec<revwatch_event> = history
            .events
            .iter()
            .map(|event| {
                let prev_kv = event.prev_kv.as_ref().map(|kv| kv.as_ref());
                revwatch_event::of(event.kind, event.kv.as_ref(), prev_kv)
            })
            .collect();
        let (events, events_len) = parts(&seen);
        let next_revision = history.next_revision.unwrap_or(0);
        let answer = revwatch_history_result {
            next_revision,
            events,
            events_len,
        };
        result.write(owned::give(answer, (seen, history.events)));
        Ok(REVWATCH_OK)
    })
}

/// Frees past events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_history_result_free(result: *mut revwatch_history_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
