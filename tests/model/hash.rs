//! The hash of a store's history, from etcd's definition of it and nothing else.

use std::collections::BTreeSet;

use revwatch::{ErrorCode, EventKind, HashKvResponse, KeyRange};

use crate::{Change, Model, Outcome};

impl Model {
    /// CRC-32C of `key` and then, for each kept change up to `revision` (0: all) in order, of its
    /// revision as etcd writes it and of the key-value in protocol buffers' encoding.
    pub fn hash_kv(&self, revision: i64) -> Outcome<HashKvResponse> {
        if revision > self.revision {
            return Err(ErrorCode::FutureRevision);
        }
        if revision > 0 && revision < self.compact_revision {
            return Err(ErrorCode::Compacted);
        }
        let hash_revision = if revision == 0 {
            self.revision
        } else {
            revision
        };
        let mut bytes = b"key".to_vec();
        for change in self.hashed(hash_revision) {
            write_change(change, &mut bytes);
        }
        Ok(HashKvResponse {
            revision: self.revision,
            hash: crc32c(&bytes),
            compact_revision: self.compact_revision,
            hash_revision,
        })
    }

    /// Of what a compaction has passed only the state that it left counts, and of that only what
    /// one more compaction, at `upper`, would leave: unless nothing is alive there, when etcd
    /// forgets to look.
    fn hashed(&self, upper: i64) -> impl Iterator<Item = &Change> {
        let compacted = self.alive_at(self.compact_revision);
        let alive = self.alive_at(upper);
        let counts = move |change: &&Change| {
            let id = (change.kv.key.as_slice(), change.kv.mod_revision);
            let is_put = change.kind == EventKind::Put;
            change.revision.main > self.compact_revision
                || is_put && compacted.contains(&id) && (alive.is_empty() || alive.contains(&id))
        };
        self.changes
            .iter()
            .filter(move |change| change.revision.main <= upper)
            .filter(counts)
    }

    fn alive_at(&self, main: i64) -> BTreeSet<(&[u8], i64)> {
        let state = self.state_at(&KeyRange::All, main).into_iter();
        state
            .map(|kv| (kv.key.as_slice(), kv.mod_revision))
            .collect()
    }
}

/// `main` and `sub` in eight bytes each with `_` between them and, for a delete, `t` after them.
fn write_change(change: &Change, bytes: &mut Vec<u8>) {
    bytes.extend(change.revision.main.to_be_bytes());
    bytes.push(b'_');
    bytes.extend(i64::from(change.revision.sub).to_be_bytes());
    let kv = &change.kv;
    if change.kind == EventKind::Delete {
        bytes.push(b't');
        return write_field(1, &kv.key, bytes);
    }
    write_field(1, &kv.key, bytes);
    for (field, number) in [
        (2, kv.create_revision),
        (3, kv.mod_revision),
        (4, kv.version),
    ] {
        write_number(field, number, bytes);
    }
    write_field(5, &kv.value, bytes);
    write_number(6, kv.lease, bytes);
}

/// A field of bytes: its number and kind, its length, itself. Left out if empty.
fn write_field(field: u8, content: &[u8], bytes: &mut Vec<u8>) {
    if !content.is_empty() {
        bytes.push(field << 3 | 2);
        write_varint(content.len() as u64, bytes);
        bytes.extend(content);
    }
}

/// A field that is a number. Left out if 0.
fn write_number(field: u8, number: i64, bytes: &mut Vec<u8>) {
    if number != 0 {
        bytes.push(field << 3);
        write_varint(number as u64, bytes);
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    /// The check value of CRC-32C in the catalogue of such codes, and etcd's hash of nothing.
    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(b"key"), 1_084_519_789);
    }
}
