//! The revision store: keys with all their revisions, over the log and the index.
//!
//! Every change gets the next revision and is appended to the log; the index learns where. Nothing
//! is overwritten, so a read names the revision that it wants to see, and a transaction that fails
//! half-way is never seen: its revision is not reached by any read.
//!
//! This layer knows neither leases nor watchers. It hands its changes up as events, and the log's
//! entries to whoever must learn from them when a store is opened.

mod attachments;
mod audit;
mod builder;
mod checkpoint;
mod compact;
mod hash;
mod history;
mod life;
mod opening;
mod pinned;
mod range;
mod reading;
mod reclaim;
mod replay;
mod request;
mod revision_store;
mod standing;
mod write;

pub use hash::HashKvResponse;
pub use pinned::{PinnedKeyValue, PinnedRange};
pub use request::{
    DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse, RangeRequest, RangeResponse,
    SortOrder, SortTarget,
};

pub(crate) use attachments::Attachments;
pub(crate) use audit::Audit;
pub(crate) use history::event_of;
pub(crate) use opening::Opening;
pub(crate) use replay::is_possible;

pub(crate) use builder::Builder;
pub(crate) use reading::{Before, Read, Reading};
pub(crate) use request::PutRef;
pub(crate) use revision_store::{Lesson, RevisionStore};
pub(crate) use write::WriteTxn;
