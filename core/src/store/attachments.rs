//! What a transaction means for leases.

use alloc::vec::Vec;
use core::iter;

/// So much is kept of what a transaction needed, in bytes of keys, for the next one to use.
const KEPT_BYTES: usize = 64 * 1024;

/// The keys that a transaction has changed, in order, each with the lease that it is attached to from
/// then on; 0 is none. Whoever knows the leases learns of them once the transaction counts.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    /// The keys, one behind the other.
    keys: Vec<u8>,
    /// Where each of them ends, with its lease.
    ends: Vec<(usize, i64)>,
}

impl Attachments {
    pub(super) fn add(&mut self, key: &[u8], lease: i64) {
        self.keys.extend_from_slice(key);
        self.ends.push((self.keys.len(), lease));
    }

    /// Each key with its lease, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], i64)> {
        let starts = iter::once(0).chain(self.ends.iter().map(|&(end, _)| end));
        let each = starts.zip(&self.ends);
        each.map(|(start, &(end, lease))| (&self.keys[start..end], lease))
    }

    /// Empty again, with the memory that it has unless that is much.
    pub(crate) fn clear(&mut self) {
        if self.keys.capacity() > KEPT_BYTES {
            *self = Self::default();
        }
        self.keys.clear();
        self.ends.clear();
    }
}
