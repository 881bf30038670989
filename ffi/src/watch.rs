//! Watchers: what is asked, and what is answered.

use std::ptr;

use revwatch_core::{
    Events, EventsRef, KeyRange, Responses, WatchRequest, WatchResponse, WatchResponseRef,
};

use crate::event::revwatch_event;
use crate::input::{self, Options};
use crate::owned::{self, Owned, parts};
use crate::poll::Size;
use crate::status::Failure;

/// What a watcher wants.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_watch_options {
    /// sizeof(revwatch_watch_options).
    pub struct_size: usize,
    /// The first revision; 0: the one after the current.
    pub start_revision: i64,
    /// The id of the watcher within its stream; 0: chosen.
    pub watch_id: i64,
    /// The epoch in which start_revision - 1 was seen, from a revwatch_resume_token; 0: not checked.
    pub epoch: i64,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
    /// Flag: give each event's prev_kv.
    pub prev_kv: i32,
    /// Flag: leave out the events of puts.
    pub no_put: i32,
    /// Flag: leave out the events of deletes.
    pub no_delete: i32,
    /// Flag: leave out values, also those that keys had before.
    pub keys_only: i32,
    /// Flag: a revision too large for the limits of a poll, or for the open option fragment_bytes, may
    /// come in several responses, all but the last of which have `fragment`. Otherwise it comes whole.
    pub fragment: i32,
    /// Flag: tell REVWATCH_RESPONSE_PROGRESS when nothing else was told for the time that the open
    /// option progress_notify_ms says.
    pub progress_notify: i32,
    /// Flag: when behind, only the newest state of each key. Revisions are then skipped, and those that
    /// come may lack keys that have changed again since; the last event of each key always comes.
    pub conflate: i32,
    /// Ranges to be watched beside that of `key`, by the same watcher: a change of a key in several of
    /// them comes once. NULL: none.
    pub ranges: *const revwatch_key_range,
    /// How many `ranges`.
    pub ranges_len: usize,
}

// SAFETY: numbers and a pointer, and the size is first.
unsafe impl Options for revwatch_watch_options {}

/// A range of keys, see Ranges.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_key_range {
    /// The first key; the empty one means the first there can be.
    pub key: *const u8,
    /// Bytes in `key`.
    pub key_len: usize,
    /// See Ranges.
    pub range_end: *const u8,
    /// Bytes in `range_end`.
    pub range_end_len: usize,
    /// Flag: all keys that begin with `key`.
    pub prefix: i32,
}

impl revwatch_key_range {
    /// # Safety
    ///
    /// Its pointers are NULL or point to as many bytes as it says.
    unsafe fn read(&self) -> Result<KeyRange, Failure> {
        // SAFETY: the caller promises it.
        let (key, range_end) = unsafe {
            (
                input::bytes("ranges.key", self.key, self.key_len)?,
                input::bytes("ranges.range_end", self.range_end, self.range_end_len)?,
            )
        };
        input::key_range(key, range_end, self.prefix)
    }
}

impl revwatch_watch_options {
    /// # Safety
    ///
    /// `ranges` is NULL or points to as many ranges as `ranges_len` says.
    pub(crate) unsafe fn request(
        &self,
        key: &[u8],
        range_end: &[u8],
    ) -> Result<WatchRequest, Failure> {
        let mut ranges = vec![input::key_range(key, range_end, self.prefix)?];
        // SAFETY: the caller promises both.
        unsafe {
            for range in input::array("ranges", self.ranges, self.ranges_len)? {
                ranges.push(range.read()?);
            }
        }
        Ok(WatchRequest {
            start_revision: self.start_revision,
            watch_id: self.watch_id,
            prev_kv: self.prev_kv != 0,
            no_put: self.no_put != 0,
            no_delete: self.no_delete != 0,
            epoch: self.epoch,
            keys_only: self.keys_only != 0,
            fragment: self.fragment != 0,
            progress_notify: self.progress_notify != 0,
            conflate: self.conflate != 0,
            ..WatchRequest::of_ranges(ranges)
        })
    }
}

/// The type of a response: the watcher is there; `revision` is the store's.
pub const REVWATCH_RESPONSE_CREATED: i32 = 1;
/// The type of a response: events; `revision` is the store's when they were taken.
pub const REVWATCH_RESPONSE_EVENTS: i32 = 2;
/// The type of a response: no event up to `revision` is to come, for the watcher if it asked for
/// progress_notify, or for all of the stream, with REVWATCH_PROGRESS_OF_STREAM, if it was requested.
pub const REVWATCH_RESPONSE_PROGRESS: i32 = 3;
/// The type of a response: the watcher ended because it was canceled.
pub const REVWATCH_RESPONSE_CANCELED: i32 = 4;
/// The type of a response: the watcher ended because compaction took revisions that it had not
/// seen; `compact_revision` is the oldest to go on from.
pub const REVWATCH_RESPONSE_COMPACTED: i32 = 5;
/// The type of a response: the watcher ended because revisions that its reader saw were lost in a
/// crash, or that it may have been told early with a failed sync; those up to `revision` were not.
pub const REVWATCH_RESPONSE_REWOUND: i32 = 6;

/// The watch_id of progress that was asked for with revwatch_stream_request_progress().
pub const REVWATCH_PROGRESS_OF_STREAM: i32 = -1;

/// What one watcher is told.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_watch_response {
    /// A REVWATCH_RESPONSE_*.
    pub r#type: i32,
    /// 1 if the watcher's next response goes on with the revision of the last event here, as only
    /// those who asked for fragments are told; otherwise 0.
    pub fragment: i32,
    /// The watcher that is told.
    pub watch_id: i64,
    /// See the type; 0 where it says nothing.
    pub revision: i64,
    /// See the type; 0 where it says nothing.
    pub compact_revision: i64,
    /// Events by revision, and in the order of execution within one.
    pub events: *const revwatch_event,
    /// How many `events`.
    pub events_len: usize,
}

/// What the watchers of a stream are told, in order.
#[repr(C)]
pub struct revwatch_watch_responses {
    /// The responses.
    pub responses: *const revwatch_watch_response,
    /// How many `responses`, at least 1.
    pub responses_len: usize,
}

impl Owned for revwatch_watch_responses {
    type Backing = (Vec<revwatch_watch_response>, Vec<EventList>);
}

/// Events for C, with what they point into.
pub(crate) struct EventList {
    pub(crate) seen: Vec<revwatch_event>,
    _events: Box<Events>,
}

impl EventList {
    pub(crate) fn new(events: Events) -> Self {
        // Boxed first, so that nothing moves once `seen` points to it.
        let events = Box::new(events);
        let seen = events
            .iter()
            .map(|event| revwatch_event::of(event.kind, event.kv, event.prev_kv));
        Self {
            seen: seen.collect(),
            _events: events,
        }
    }

    pub(crate) fn size(&self) -> Size {
        let bytes = |event: &revwatch_event| {
            event.kv.key_len + event.kv.value_len + event.prev_kv.key_len + event.prev_kv.value_len
        };
        Size {
            events: self.seen.len(),
            bytes: self.seen.iter().map(bytes).sum(),
        }
    }
}

/// A response with what its events point into.
pub(crate) type Taken = (revwatch_watch_response, Option<EventList>);

/// A response of the core for C, or `None` for none.
pub(crate) fn taken(response: WatchResponse) -> Option<(Taken, Size)> {
    let mut seen = revwatch_watch_response {
        r#type: 0,
        fragment: 0,
        watch_id: 0,
        revision: 0,
        compact_revision: 0,
        events: ptr::null(),
        events_len: 0,
    };
    let mut size = Size {
        events: 0,
        bytes: 0,
    };
    let mut list = None;
    (seen.r#type, seen.watch_id) = match response {
        WatchResponse::Idle => return None,
        WatchResponse::Created { watch_id, revision } => {
            seen.revision = revision;
            (REVWATCH_RESPONSE_CREATED, watch_id)
        }
        WatchResponse::Events {
            watch_id,
            revision,
            events,
            fragment,
        } => {
            seen.fragment = i32::from(fragment);
            let events = EventList::new(events);
            size = events.size();
            seen.revision = revision;
            (seen.events, seen.events_len) = parts(&events.seen);
            list = Some(events);
            (REVWATCH_RESPONSE_EVENTS, watch_id)
        }
        WatchResponse::Progress { watch_id, revision } => {
            seen.revision = revision;
            (REVWATCH_RESPONSE_PROGRESS, watch_id)
        }
        WatchResponse::Canceled { watch_id } => (REVWATCH_RESPONSE_CANCELED, watch_id),
        WatchResponse::Compacted {
            watch_id,
            compact_revision,
        } => {
            seen.compact_revision = compact_revision;
            (REVWATCH_RESPONSE_COMPACTED, watch_id)
        }
        WatchResponse::Rewound { watch_id, revision } => {
            seen.revision = revision;
            (REVWATCH_RESPONSE_REWOUND, watch_id)
        }
    };
    Some(((seen, list), size))
}

/// Many responses of the core for C. Those that tell the same events one after the other, as a
/// thousand watchers of one prefix are told, have one list.
pub(crate) fn taken_together(responses: &Responses) -> Vec<(Taken, Size)> {
    let mut all: Vec<(Taken, Size)> = Vec::with_capacity(responses.len());
    let mut told: Option<EventsRef<'_>> = None;
    for response in responses {
        let WatchResponseRef::Events {
            watch_id,
            revision,
            events,
            fragment,
        } = response
        else {
            told = None;
            all.extend(taken(response.to_owned()));
            continue;
        };
        match all.last() {
            Some(&((before, _), size)) if told.is_some_and(|told| told.is_same(events)) => {
                let seen = revwatch_watch_response {
                    watch_id,
                    revision,
                    fragment: i32::from(fragment),
                    ..before
                };
                all.push(((seen, None), size));
            }
            _ => {
                told = Some(events);
                all.extend(taken(response.to_owned()));
            }
        }
    }
    all
}

impl revwatch_watch_responses {
    pub(crate) fn of(taken: Vec<Taken>) -> (Self, <Self as Owned>::Backing) {
        let (seen, lists): (Vec<_>, Vec<_>) = taken.into_iter().unzip();
        let (responses, responses_len) = parts(&seen);
        (
            Self {
                responses,
                responses_len,
            },
            (seen, lists.into_iter().flatten().collect()),
        )
    }
}

/// Frees responses with their events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_watch_responses_free(responses: *mut revwatch_watch_responses) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(responses) }
}
