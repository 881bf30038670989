//! etcd's data model as a library: a revision store, transactions, leases and reliable watch.
//!
//! Every change has a revision; whoever watches sees every change once, in order, whole
//! transactions at a time, however slow they are and whenever they come back.
//!
//! ```
//! use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
//!
//! let mut store = Store::in_memory(Options::default());
//! store.put(b"hello", b"world1")?;
//! store.put(b"hello", b"world2")?;
//!
//! // List, then watch from that revision, for ever.
//! let now = store.get(b"hello")?.expect("it was put above");
//! assert_eq!((now.create_revision, now.mod_revision, now.version), (2, 3, 2));
//!
//! let stream = store.watch_stream();
//! let from_there = WatchRequest {
//!     start_revision: store.revision() + 1,
//!     ..WatchRequest::new(KeyRange::one(b"hello"))
//! };
//! store.watch(stream, &from_there)?;
//! store.put(b"hello", b"world3")?;
//! while let response = store.poll(stream, 100, 1 << 20)?
//!     && response != WatchResponse::Idle
//! {
//!     if let WatchResponse::Events { events, .. } = response {
//!         assert_eq!(events.iter().next().unwrap().kv.value, b"world3");
//!     }
//! }
//! # Ok::<(), revwatch::Error>(())
//! ```
//!
//! The layers, each depending only on those below it:
//!
//! | layer | what it is |
//! |---|---|
//! | `engine` | [`Store`]: all of it behind one type, driven by its host |
//! | `watch` | watchers, streams, catch-up, followers |
//! | `cursor` | durable cursors: how far consumers have come |
//! | `changes`, `snapshot` | changes, and whole stores, as bytes for another place |
//! | `lease`, `txn` | the lessor; If/Then/Else |
//! | `store` | keys with all their revisions |
//! | `index` | key → revisions → places in the log, in memory |
//! | `log` | records in pages: commit, recovery, reading |
//! | [`page`] | the plug: where pages are kept |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod changes;
mod cursor;
mod engine;
mod error;
mod index;
mod key_hasher;
mod lease;
mod limits;
mod log;
#[cfg(any(doc, doctest))]
#[doc = include_str!("guide.md")]
pub mod guide {}
pub mod page;
mod prefetch;
mod range;
mod record;
mod revision;
mod seeded_bug;
mod shared;
mod snapshot;
mod store;
mod sync;
mod txn;
mod watch;

pub use cursor::{CursorReport, CursorRequest, CursorResponse};
pub use engine::{
    ApplyChangesResponse, Changes, Check, CompactResponse, CursorId, Durability, FollowId,
    HistoryPage, Import, Opening, Options, RangeStream, RepairReport, Retention, Snapshot,
    SnapshotUpdate, Status, Step, Store, StreamOptions, SyncTicket, WithDurability,
};
pub use error::{Error, ErrorCode, Result};
pub use lease::{
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
};
pub use limits::Limits;
pub use log::Progress;
pub use range::KeyRange;
pub use record::{Event, EventKind, KeyValue, KeyValueRef};
pub use revision::{ResumeToken, Revision};
#[cfg(feature = "seeded-bugs")]
pub use seeded_bug::SeededBug;
pub use shared::SharedStore;
#[cfg(feature = "stream")]
pub use shared::{FollowResponses, WatchResponses};
pub use snapshot::{SnapshotHead, SnapshotVerifier};
pub use store::{
    DeleteRangeRequest, DeleteRangeResponse, HashKvResponse, PinnedKeyValue, PinnedRange,
    PutRequest, PutResponse, RangeRequest, RangeResponse, SortOrder, SortTarget,
};
pub use txn::{Compare, CompareOp, CompareTarget, Op, OpResponse, TxnRequest, TxnResponse};
#[cfg(feature = "measured")]
#[doc(hidden)]
pub use watch::MeasuredMatcher;
pub use watch::{
    EventRef, Events, EventsRef, FollowResponse, PROGRESS_OF_STREAM, Responses, ResponsesIter,
    StreamId, WatchRequest, WatchResponse, WatchResponseRef, WatcherReport, WatcherState,
};
