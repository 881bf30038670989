//! One number for a store's whole kept history, the same as etcd's.
//!
//! etcd's `HashKV`: CRC-32C (Castagnoli) of the name of etcd's bucket, `key`, and then, in order of
//! revision, of every kept change up to the revision asked for: its revision as etcd stores it, and
//! the `KeyValue` in protocol buffers' encoding.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use crc::{CRC_32_ISCSI, Crc, Table};

use super::revision_store::RevisionStore;
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::record::{EventKind, KeyValueRef};
use crate::revision::Revision;

/// Sixteen tables: speed for 16 KiB of constants.
static CASTAGNOLI: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// The answer to a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashKvResponse {
    /// The store's current revision.
    pub revision: i64,
    /// The hash of what is kept up to `hash_revision`.
    pub hash: u32,
    /// History before this is gone; -1 before any compaction.
    pub compact_revision: i64,
    /// The revision up to which changes were hashed.
    pub hash_revision: i64,
}

impl<P: PageStore> RevisionStore<P> {
    /// Hashes what is kept up to `requested` (0: all). Costs by the history.
    pub(crate) fn hash_kv(&self, requested: i64) -> Result<HashKvResponse> {
        let revision = self.state.revision;
        let compact_revision = self.state.compact_revision;
        if requested > revision {
            return Err(Error::FutureRevision {
                requested,
                current: revision,
            });
        }
        if requested > 0 && requested < compact_revision {
            return Err(Error::Compacted {
                requested,
                compact_revision,
            });
        }
        let hash_revision = if requested == 0 { revision } else { requested };
        let hash = self.hash_up_to(hash_revision)?;
        Ok(HashKvResponse {
            revision,
            hash,
            compact_revision,
            hash_revision,
        })
    }

    fn hash_up_to(&self, upper: i64) -> Result<u32> {
        let mut digest = CASTAGNOLI.digest();
        digest.update(b"key");
        // etcd keeps what a compaction at `upper` would keep; if that is nothing, it forgets to
        // leave out what such a compaction would drop.
        let nothing_lives = !self.any_key_at(upper);
        let mut scratch = Vec::new();
        self.changes(1, upper, |revision, kind, kv| {
            if revision.main <= self.state.compact_revision {
                let is_state = |main| {
                    kind == EventKind::Put
                        && self.index.newest_change(kv.key, main) == Some(revision)
                };
                let kept = is_state(self.state.compact_revision);
                if !kept || !(nothing_lives || is_state(upper)) {
                    return ControlFlow::Continue(());
                }
            }
            scratch.clear();
            encode_revision(revision, kind, &mut scratch);
            match kind {
                EventKind::Put => encode_key_value(kv, &mut scratch),
                EventKind::Delete => encode_bytes(1, kv.key, &mut scratch),
            }
            digest.update(&scratch);
            ControlFlow::Continue(())
        })?;
        Ok(digest.finalize())
    }
}

/// `main_sub`, big-endian, and a `t` behind a tombstone.
fn encode_revision(revision: Revision, kind: EventKind, out: &mut Vec<u8>) {
    out.extend(revision.main.to_be_bytes());
    out.push(b'_');
    out.extend(i64::from(revision.sub).to_be_bytes());
    if kind == EventKind::Delete {
        out.push(b't');
    }
}

/// `message KeyValue { bytes key = 1; int64 create_revision = 2, mod_revision = 3, version = 4;
/// bytes value = 5; int64 lease = 6; }`, fields that are zero left out.
fn encode_key_value(kv: KeyValueRef<'_>, out: &mut Vec<u8>) {
    encode_bytes(1, kv.key, out);
    encode_number(2, kv.create_revision, out);
    encode_number(3, kv.mod_revision, out);
    encode_number(4, kv.version, out);
    encode_bytes(5, kv.value, out);
    encode_number(6, kv.lease, out);
}

fn encode_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    const LENGTH_DELIMITED: u8 = 2;
    if !bytes.is_empty() {
        out.push(field << 3 | LENGTH_DELIMITED);
        encode_varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }
}

fn encode_number(field: u8, number: i64, out: &mut Vec<u8>) {
    const VARINT: u8 = 0;
    if number != 0 {
        out.push(field << 3 | VARINT);
        encode_varint(number as u64, out);
    }
}

fn encode_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_castagnolis_of_the_bytes_that_etcd_stores() {
        // The check value of CRC-32/ISCSI, and etcd's answer for a store that hashes nothing.
        assert_eq!(CASTAGNOLI.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(CASTAGNOLI.checksum(b"key"), 1_084_519_789);
    }

    #[test]
    fn fields_that_are_zero_are_left_out() {
        let mut out = Vec::new();
        let kv = KeyValueRef {
            key: b"k",
            value: b"v",
            create_revision: 2,
            mod_revision: 300,
            version: 1,
            lease: 0,
        };
        encode_key_value(kv, &mut out);
        assert_eq!(out, b"\x0a\x01k\x10\x02\x18\xac\x02\x20\x01\x2a\x01v");
    }
}
