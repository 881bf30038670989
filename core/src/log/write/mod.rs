//! Entries into pages, and pages made durable.

pub(super) mod import;
pub(super) mod sync;
pub(super) mod writer;
