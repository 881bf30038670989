//! The revision log: records packed into pages, made durable, recovered, followed.
//!
//! # The log and its pages
//!
//! The log is one stream of bytes to which entries are appended, each a frame that says how long it
//! is. A page stands for an interval `[from, to)` of positions in that stream. A page is written
//! when it is full, or when a sync is due and it has something new; the last page, the tail, is
//! therefore written again and again as it fills, each time to another slot:
//!
//! ```text
//! write  slot  positions     slots: 0 and 1 hold the header
//!   1      2   [0, 40)       the first commit
//!   2      3   [0, 95)       the second: takes over from write 1
//!   3      4   [0, 400)      the page is full
//!   4      5   [400, 410)    … and the rest of that commit
//!   5      6   [400, 460)    another commit
//!   6      2   [400, 500)    … and another: the slot of write 1 is free again
//! ```
//!
//! A durable commit is one page write and one sync. There is no other structure on disk: page writes
//! are numbered, and the state is a fold over a prefix of them ([`open::overlay`]). Each page takes
//! over its interval from older pages and says where the log then ends.
//!
//! # The rules
//!
//! 1. *Order* ([`open::survey`]). Recovery takes page writes in the order of their numbers, up to the
//!    first missing one, and cuts back to the end of the last whole transaction. A page after a gap
//!    never happened, however valid it is: the missing one may have held what it builds on.
//! 2. *The mark* ([`open::survey`], [`write::writer`]). Each page carries the number of the last write
//!    that was known to be synced, where the log then ended, and a census of the pages that it
//!    consisted of. Recovery begins at the newest mark, and what it finds there must have that census:
//!    damage to what was durable is reported, and never taken for a write that a crash has lost.
//! 3. *Erasure* ([`open::recovery`]). Before it serves, recovery erases the valid pages that it
//!    rejected: a later recovery could otherwise accept them, when their numbers come up. It then
//!    writes the accepted pages beyond the mark again, elsewhere: they may not have reached the disk,
//!    or be all that there is of an acknowledged commit. Last it begins an epoch.
//! 4. *Reuse* ([`live::slots`]). A slot is written again only once a page whose mark covers the write
//!    that superseded it has itself been synced. Before, recovery might still go back to a mark at
//!    which the old page was live.
//! 5. *The sweep* ([`reclaim::sweep`]). Dead entries are reclaimed from the oldest page to the newest,
//!    so that what hides an entry never goes before it.
//!
//! A store that was closed can be opened without all this, by its [`checkpoint`], which is only a cache.
//!
//! # What is open to the layers above
//!
//! [`Log`] appends, syncs, reads and scans; [`Entry`] is what it holds. It knows keys and leases only
//! as bytes and numbers.

mod checkpoint;
mod format;
mod handle;
mod learner;
mod live;
mod open;
mod read;
mod reclaim;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use format::frame::{
    TakenFrame, append as append_frame, decode as decode_body, encode as encode_entry,
    take as take_frame, take_of_stream as take_frame_of_stream,
};
#[cfg(feature = "std")]
pub(crate) use format::header::page_size_of;
pub(crate) use format::put::{PutFields, put_at};
pub(crate) use format::record::{Entry, Record};
pub(crate) use format::varint::{Numbers, put_varint};
pub(crate) use handle::{EPOCHS_REMEMBERED, Log, LogOptions, Position};
pub(crate) use learner::Learner;
pub(crate) use open::opening::Opening;
pub use open::opening::Progress;
pub(crate) use open::salvage::{Found as SalvageFound, Salvage};
pub(crate) use read::check::Checking;
pub(crate) use read::follow::Refresh;
pub(crate) use read::reader::Held;
pub(crate) use read::scan::Scan;
pub(crate) use read::window::Window;
pub(crate) use reclaim::sweep::Sweep;
pub(crate) use write::sync::{SyncGoal, SyncTicket};
