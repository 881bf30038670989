//! Reliable watch: every change once, in order, whole transactions at a time.
//!
//! A *watcher* wants the changes of a range of keys from some revision on. A *stream* carries the
//! responses of many watchers in one bounded queue, which the caller polls. The [`Hub`] knows all
//! of both. A watcher is in one of these states:
//!
//! ```text
//!            start_revision in the past
//!   watch ──────────────────────────────► Unsynced ◄──────────────┐
//!     │                                    │  ▲                   │ more was written
//!     │ start_revision now or later        │  │ catch-up,         │ while it waited
//!     ▼                                    │  │ not yet all       │
//!   Synced ◄───────────────────────────────┘  └── (stays)         │
//!     │  ▲            caught up                                   │
//!     │  └──────────────────────────────────┐ nothing was written │
//!     │ a batch does not fit the queue      │ while it waited     │
//!     ▼                                     │                     │
//!   Victim ── a poll made room, the batch is queued ──────────────┘
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
//! Watchers see *published* revisions only: those that are as durable as the store promises.

mod catch_up;
mod follow;
mod history;
mod hub;
mod matcher;
mod range_index;
mod request;
mod response;
mod stream;
mod watcher;

pub use follow::FollowResponse;
pub use request::WatchRequest;
pub use response::{EventRef, Events, WatchResponse};
pub use stream::StreamId;

pub(crate) use follow::{Follow, Phase};
pub(crate) use history::{History, Reach};
pub(crate) use hub::{Hub, Registration};
