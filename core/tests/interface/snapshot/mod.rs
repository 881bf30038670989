//! What snapshots, imports and repair are promised to be.

mod bytes;
mod export;
mod repair;
