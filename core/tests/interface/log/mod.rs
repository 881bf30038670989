//! What survives what: durability, syncs, failures and checkpoints.

mod checkpoint;
mod durability;
mod failures;
mod space;
mod tickets;
