//! What a store is promised to answer, and within which bounds.

mod compaction;
mod hostile;
mod lease;
mod range;
mod refusals;
mod space;
mod step;
