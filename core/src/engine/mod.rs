//! The store as users see it: all layers behind one type.
//!
//! A [`Store`] has no clock and no thread. Its host calls [`Store::step`] now and then, with the
//! time; everything that happens by itself (leases that run out, batches that become durable,
//! watchers that catch up) happens there, in bounded slices.

mod audit;
mod changes;
mod check;
mod cursor;
mod early;
mod follow;
mod history;
mod import;
mod lease;
mod open;
mod opening;
mod options;
mod promise;
mod publish;
mod range_stream;
mod read;
mod reclaim;
mod repair;
mod retention;
mod snapshot;
mod status;
mod step;
mod store;
mod ticket;
mod update;
mod watch;
mod write;

pub use changes::{ApplyChangesResponse, Changes};
pub use check::Check;
pub use cursor::CursorId;
pub use early::StreamOptions;
pub use follow::FollowId;
#[cfg(feature = "stream")]
pub(crate) use history::Turn;
pub(crate) use history::{Hold, take_turns};
pub use import::Import;
pub use opening::Opening;
pub use options::{Durability, Options};
pub use promise::WithDurability;
pub use range_stream::RangeStream;
pub use read::HistoryPage;
pub use repair::RepairReport;
pub use retention::Retention;
pub use snapshot::Snapshot;
pub use status::Status;
pub use step::Step;
pub use store::Store;
pub use ticket::SyncTicket;
pub use update::SnapshotUpdate;
pub use write::CompactResponse;
