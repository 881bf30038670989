//! What the bytes of the log are: pages, entries, numbers. Nothing here knows of a page store.

pub(super) mod frame;
pub(super) mod header;
pub(super) mod layout;
pub(super) mod pieces;
pub(super) mod put;
pub(super) mod record;
pub(super) mod usual;
pub(super) mod varint;
