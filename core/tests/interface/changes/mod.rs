//! What changes between two revisions are promised to be.

mod apply;
mod bytes;
