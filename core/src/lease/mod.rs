//! Leases: keys that live only as long as somebody keeps them alive.
//!
//! The lessor knows nothing of the store: it says which leases are due, and the store revokes
//! them. Time is the host's, handed in with each step, in milliseconds; only differences count, so
//! time during which the store is closed does not.

mod attached;
mod lessor;
mod response;

pub use response::{
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
};

pub(crate) use lessor::Lessor;
