//! What the entries add up to, kept beside the log of a store that was closed: a cache, which spares the
//! next opening to read them.

pub(super) mod format;
pub(super) mod open;
pub(super) mod write;
