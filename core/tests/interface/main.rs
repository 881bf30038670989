//! What the public interface promises, tested from outside. One program, because linking the core is
//! most of what building a test costs.

mod common;

mod changes;
mod cursor;
mod log;
mod snapshot;
mod store;
mod watch;
