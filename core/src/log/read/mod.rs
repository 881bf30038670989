//! From positions and revisions to entries: in this log, in windows of it that outlive the borrow, and in
//! one that another process writes.

pub(super) mod ahead;
pub(super) mod check;
pub(super) mod follow;
pub(super) mod frames;
pub(super) mod in_order;
pub(super) mod moved;
pub(super) mod reader;
pub(super) mod scan;
pub(super) mod walk;
pub(super) mod window;
