//! Durable named cursors: how far the consumers of a range have come, kept in the store.
//!
//! What a cursor promises:
//!
//! - *At least once.* Delivery begins after the last acknowledged revision. After a crash, or when
//!   the cursor is opened again, what was delivered and not acknowledged comes again; an
//!   acknowledgement that was not durable yet may be lost, and what it covered comes again too.
//!   Within one opening every event comes once, in order, whole revisions at a time.
//! - *An acknowledgement is cheap.* It makes no revision, is in no hash, and waits for no sync: it
//!   becomes durable with the next change that does, with a `flush` or `close`, or by `step` within
//!   [`ACK_WRITTEN_WITHIN_MS`]. Making, moving and deleting a cursor are as durable as a put.
//! - *Acknowledgements only move forward*, and not beyond what was delivered. Only
//!   `seek_cursor` moves a cursor anywhere.
//! - *One consumer.* Who opens a cursor takes it over from who had it open in this store.
//! - *With `hold`*, compaction that would take what the cursor has yet to see is refused, within the
//!   newest [`max_hold_revisions`](crate::Limits::max_hold_revisions). Beyond them, and without
//!   `hold`, the cursor is told once that it lost history, and goes on with what is kept.
//!
//! What a cursor knows is folded from the log, as leases are: a record that defines it, and the
//! newest acknowledgement. Both stand in the log behind every revision that they speak of, so no
//! crash leaves an acknowledgement of revisions that it has taken.

mod registry;
mod request;
mod response;
mod session;

pub use request::CursorRequest;
pub use response::{CursorReport, CursorResponse};

pub(crate) use registry::{Cursor, Cursors};
pub(crate) use session::{Session, Sessions};

/// Milliseconds after which `step` makes an acknowledgement durable that nothing else has.
pub(crate) const ACK_WRITTEN_WITHIN_MS: i64 = 100;
