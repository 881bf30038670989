//! The pages that the log consists of now, where their bytes are in memory, and the slots that are free.

pub(super) mod cache;
pub(super) mod directory;
pub(super) mod free;
pub(super) mod lend;
pub(super) mod live_page;
pub(super) mod slots;
pub(super) mod tail;
