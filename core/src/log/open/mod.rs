//! From whatever is in the page store to a log: the rules of order, of the mark and of erasure.

pub(super) mod opening;
pub(super) mod overlay;
pub(super) mod recovery;
pub(super) mod salvage;
pub(super) mod survey;
