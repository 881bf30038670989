//! Answers about leases. Time-to-lives are in milliseconds.

use alloc::vec::Vec;

/// A lease was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseGrantResponse {
    /// The store's current revision, which a grant does not change.
    pub revision: i64,
    /// The lease's id: the one asked for, or the one chosen.
    pub id: i64,
    /// What was granted: the time asked for, raised to the minimum.
    pub ttl_ms: i64,
    /// Whether this, and all before it, was safe from a loss of power when it was answered.
    pub durable: bool,
}

/// A lease was revoked, and its keys with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRevokeResponse {
    /// The store's revision after the keys were deleted.
    pub revision: i64,
    /// Whether this, and all before it, was safe from a loss of power when it was answered.
    pub durable: bool,
}

/// A lease was, or was not, kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseKeepAliveResponse {
    /// The store's current revision, which keeping alive does not change.
    pub revision: i64,
    /// The lease asked for.
    pub id: i64,
    /// How long it now has: its full time, or 0 if there is no such lease.
    pub ttl_ms: i64,
    /// Whether this, and all before it, was safe from a loss of power when it was answered.
    pub durable: bool,
}

/// How long a lease has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseTimeToLiveResponse {
    /// The store's current revision.
    pub revision: i64,
    /// The lease asked for.
    pub id: i64,
    /// What is left; 0 when it is due, -1 if there is no such lease.
    pub ttl_ms: i64,
    /// What it was granted; 0 if there is no such lease.
    pub granted_ttl_ms: i64,
    /// The keys attached to it in bytewise order, if they were asked for.
    pub keys: Vec<Vec<u8>>,
}
