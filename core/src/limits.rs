//! Every limit, with its unit in its name.

/// What a store refuses, so that one caller's mistake stays one caller's mistake.
///
/// The defaults are etcd's.
///
/// ```
/// use revwatch::Limits;
///
/// let limits = Limits { request_bytes: 64 * 1024, ..Limits::default() };
/// assert_eq!(limits.txn_ops, 128);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Keys and values of one request together, in bytes (1.5 MiB).
    pub request_bytes: usize,
    /// Puts are refused once the store's pages in use hold so many bytes; deletes and compaction
    /// are not (no limit).
    pub quota_bytes: u64,
    /// Comparisons, and operations in each branch, of one transaction (128).
    pub txn_ops: usize,
    /// Shorter time-to-lives are raised to this (2 s).
    pub lease_min_ttl_ms: i64,
    /// Longer time-to-lives are refused (9,000,000,000 s).
    pub lease_max_ttl_ms: i64,
    /// Leases that one `step` may expire (500).
    pub lease_expiries_per_step: usize,
    /// Responses that wait in one watch stream before its watchers fall behind; one for each of them
    /// may always wait (128).
    pub stream_queue_responses: usize,
    /// Distinct revisions in one response to a watcher that catches up (1000).
    pub catch_up_revisions: usize,
    /// Events that one watch stream may hold for its reader, in bytes; what exceeds it is read from
    /// the log later. One transaction or batch is held whatever its size (8 MiB).
    pub stream_queue_bytes: usize,
    /// Events that all watch streams together may hold, in bytes; beyond it each may hold one
    /// transaction or batch (64 MiB).
    pub watch_queue_bytes: usize,
    /// Keys and values in one fragment of a revision, in bytes, for watchers who asked for fragments
    /// (2 MiB).
    pub fragment_bytes: usize,
    /// Milliseconds without an event after which a watcher who asked for it is told its progress
    /// (10 min).
    pub progress_notify_ms: i64,
    /// Durable cursors that there may be (1000).
    pub cursors: usize,
    /// The length of a cursor's name, in bytes (255).
    pub cursor_name_bytes: usize,
    /// The newest revisions, so many, that cursors with `hold` may keep from being compacted
    /// (1,000,000).
    pub max_hold_revisions: i64,
    /// So much may be written while a snapshot is being taken, in bytes, before what it has yet to
    /// read may be reclaimed (1 GiB).
    pub snapshot_hold_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 1536 * 1024,
            quota_bytes: u64::MAX,
            txn_ops: 128,
            lease_min_ttl_ms: 2_000,
            lease_max_ttl_ms: 9_000_000_000_000,
            lease_expiries_per_step: 500,
            stream_queue_responses: 128,
            catch_up_revisions: 1000,
            stream_queue_bytes: 8 * 1024 * 1024,
            watch_queue_bytes: 64 * 1024 * 1024,
            fragment_bytes: 2 * 1024 * 1024,
            progress_notify_ms: 600_000,
            cursors: 1000,
            cursor_name_bytes: 255,
            max_hold_revisions: 1_000_000,
            snapshot_hold_bytes: 1024 * 1024 * 1024,
        }
    }
}
