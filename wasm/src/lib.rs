//! The raw half of the JavaScript package: one class over the core's `Store`, which takes encoded
//! requests and gives encoded answers. The classes that programs see are in `js/`.
//!
//! Every call crosses the boundary once, with one byte string each way, because crossings and not
//! bytes are what a call costs; [`wire`] is the encoding. An answer begins with a status, so that no
//! exception is ever thrown through the boundary: see [`error`].

pub mod changes;
pub mod cursor;
pub mod error;
pub mod follow;
pub mod handles;
pub mod lease;
pub mod range_stream;
pub mod record;
pub mod repair;
pub mod request;
pub mod snapshot;
pub mod store;
#[cfg(test)]
mod tests;
pub mod txn;
pub mod watch;
pub mod wire;
