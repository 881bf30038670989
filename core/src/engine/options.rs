//! How a store is opened.

use super::retention::Retention;
use crate::limits::Limits;

/// When a change is safe from a loss of power: what a store promises of all changes
/// ([`Options::durability`]), and what is promised of single ones
/// ([`Store::with_durability`](crate::Store::with_durability)).
///
/// A program reads its own changes as soon as they are applied. Watchers, followers and `history` see
/// what is *published*, which follows the store's own durability. A sync makes durable all that was
/// applied before it, so changes become durable and are published in the order of their revisions,
/// however durabilities are mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Durability {
    /// When the operation that made it returns. Published then.
    #[default]
    Commit,
    /// At the next [`step`](crate::Store::step) that is `max_ms` after the first change not yet
    /// safe, or once there are `max_writes` such changes, or with a `flush` or a durable change.
    /// Until then a loss of power takes the newest changes, whole transactions from the newest back.
    /// Published when safe.
    Batch {
        /// Milliseconds that a change may wait.
        max_ms: i64,
        /// Changes that may wait.
        max_writes: u32,
    },
    /// When the system sees fit, or with a `flush`, a `close` or a durable change. A loss of power
    /// takes the newest changes, whole transactions from the newest back; the end of the process takes
    /// what the last [`step`](crate::Store::step), at most 100 ms ago, has not handed to the page
    /// store. Published at once.
    Never,
}

impl Durability {
    /// What etcd's own store does: 100 ms or 10,000 writes.
    pub const ETCD: Self = Self::Batch {
        max_ms: 100,
        max_writes: 10_000,
    };
}

/// How a store is opened. The defaults suit most programs.
///
/// ```
/// use revwatch::{Durability, Options};
///
/// let options = Options { durability: Durability::ETCD, ..Options::default() };
/// assert!(!options.read_only);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// When changes are safe from a loss of power.
    pub durability: Durability,
    /// What is refused.
    pub limits: Limits,
    /// How much history is kept without anybody compacting it (all of it).
    pub retention: Retention,
    /// Open for reading only, beside a writer in another process.
    pub read_only: bool,
    /// Any number, best an unpredictable one: lease ids are chosen with it, and it keeps chosen
    /// keys from flooding hash tables. The same seed and commands give the same ids.
    pub seed: u64,
    /// Tells stores apart: written into a new image, so that pages of another store are never
    /// taken for this one's.
    pub store_id: [u8; 16],
    /// Bytes of pages kept in memory, for page stores that are not memory themselves (8 MiB).
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            limits: Limits::default(),
            retention: Retention::default(),
            read_only: false,
            seed: 0,
            store_id: [0; 16],
            cache_bytes: 8 * 1024 * 1024,
        }
    }
}
