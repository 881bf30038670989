//! Reliable watch: every change once, in order, whole transactions at a time.
//!
//! A *watcher* wants the changes of some ranges of keys from some revision on. A *stream* carries the
//! responses of many watchers in one bounded queue, which the caller polls. The [`Hub`] knows all
//! of both. A watcher is in one of these states:
//!
//! ```text
//!            start_revision in the past
//!   watch ──────────────────────────────► Unsynced ◄──────────────┐
//!     │                                    │  ▲ ▲                 │ more was written
//!     │ start_revision now or later        │  │ │ catch-up,       │ while it waited
//!     ▼                                    │  │ └─ not yet all    │
//!   Synced ◄───────────────────────────────┘  │                   │
//!     │ ▲ │          caught up                │                   │
//!     │ │ └───────────────────────────────────┘                   │
//!     │ │   the queues hold as many bytes as they may             │
//!     │ └──────────────────────────────────┐ nothing was written  │
//!     │ a batch does not fit the queue     │ while it waited      │
//!     ▼                                    │                      │
//!   Victim ── a poll made room, the batch is queued ──────────────┘
//!
//!   Synced, Unsynced, Victim ── canceled, compacted, rewound ──► Ended
//! ```
//!
//! A *synced* watcher has been given everything that is published, and is matched against each new
//! transaction. An *unsynced* one is behind; catch-up reads history for it. A *victim* holds one
//! batch that found its stream's queue full, and is matched against nothing until that batch is
//! delivered. The log is the buffer of all watchers that are not synced, so a slow one costs a
//! constant amount of memory however far it falls behind.
//!
//! A watcher ends by being canceled, or because the history that it has yet to see was compacted or
//! lost; it is told so exactly once, behind everything queued for it before. Such notices do not
//! count against the bound of the queue: there is at most one for each watcher.
//!
//! A transaction's events are stored once, in a *batch*; queues and victims hold where in it a
//! watcher's events are. What queues and victims hold is bounded in bytes, for each stream and for
//! all together: neither bound is exceeded by more than one batch for each stream. Watchers of the
//! same ranges are one *group*, matched once for all of them; those of them that share a stream are
//! one *roster*, and what they are told alike is queued once.
//!
//! Watchers see *published* revisions only: those that are as durable as the store promises. Streams
//! that are told early have a hub to themselves, for which published means applied.

mod batch;
mod catch_up;
mod deliver;
mod events;
mod follow;
mod group;
mod history;
mod holder;
mod hub;
mod ids;
mod listing;
mod matching;
mod parts;
mod progress;
mod publish;
mod report;
mod request;
mod response;
mod responses;
mod roster;
mod selection;
mod stream;
mod transitions;
mod wake;
mod watcher;

#[cfg(test)]
mod tests;

pub use events::{EventRef, Events, EventsRef};
pub use follow::FollowResponse;
#[cfg(feature = "measured")]
pub use matching::MeasuredMatcher;
pub use report::{WatcherReport, WatcherState};
pub use request::WatchRequest;
pub use response::{PROGRESS_OF_STREAM, WatchResponse};
pub use responses::{Responses, ResponsesIter, WatchResponseRef};
pub use stream::StreamId;

pub(crate) use catch_up::POLL_BYTES;
pub(crate) use follow::{Follow, Phase};
pub(crate) use history::{History, ReadPart, Turn, Wanted};
pub(crate) use hub::{Hub, Registration, Spent};
pub(crate) use listing::{Listing, Packed};
