//! Writing chunks.

use alloc::vec;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::{
    FINGERPRINT_AT, FROM_AT, Frames, HEADER_BYTES, LENGTH_AT, MAGIC, TO_AT, VERSION, VERSION_AT,
    entry_of,
};
use crate::error::Result;
use crate::record::{EventKind, KeyValueRef};
use crate::revision::Revision;

/// A chunk that is being filled, change by change.
pub(crate) struct ChunkWriter {
    /// Behind room for the header.
    frames: Frames,
    from: i64,
    /// The transaction of the last change.
    to: i64,
}

impl ChunkWriter {
    /// A chunk for a store that stands at `from`.
    pub(crate) fn new(from: i64) -> Self {
        Self {
            frames: Frames {
                bytes: vec![0; HEADER_BYTES],
                end_bit_at: None,
            },
            from,
            to: from,
        }
    }

    /// Bytes of changes so far.
    pub(crate) fn bytes(&self) -> usize {
        self.frames.bytes.len() - HEADER_BYTES
    }

    /// Adds the next change.
    pub(crate) fn add(
        &mut self,
        revision: Revision,
        kind: EventKind,
        kv: KeyValueRef<'_>,
    ) -> Result<()> {
        if revision.main > self.to {
            self.frames.end();
            self.to = revision.main;
        }
        self.frames.push(&entry_of(revision, kind, kv))
    }

    /// The chunk; no bytes if it holds no change. `fingerprint` is that of the transaction before.
    pub(crate) fn finish(mut self, fingerprint: u64) -> Vec<u8> {
        let contents = self.bytes();
        if contents == 0 {
            return Vec::new();
        }
        self.frames.end();
        let mut chunk = self.frames.bytes;
        chunk[..VERSION_AT].copy_from_slice(&MAGIC);
        chunk[VERSION_AT..FROM_AT].copy_from_slice(&VERSION.to_le_bytes());
        chunk[FROM_AT..TO_AT].copy_from_slice(&self.from.to_le_bytes());
        chunk[TO_AT..FINGERPRINT_AT].copy_from_slice(&self.to.to_le_bytes());
        chunk[FINGERPRINT_AT..LENGTH_AT].copy_from_slice(&fingerprint.to_le_bytes());
        chunk[LENGTH_AT..HEADER_BYTES].copy_from_slice(&(contents as u64).to_le_bytes());
        let checksum = xxh3_64(&chunk);
        chunk.extend_from_slice(&checksum.to_le_bytes());
        chunk
    }
}

/// The fingerprint of a transaction, from its changes in order; `UNKNOWN` if there are none.
pub(crate) fn fingerprint_of(
    changes: impl FnOnce(
        &mut dyn FnMut(Revision, EventKind, KeyValueRef<'_>) -> Result<()>,
    ) -> Result<()>,
) -> Result<u64> {
    let mut frames = Frames::default();
    changes(&mut |revision, kind, kv| frames.push(&entry_of(revision, kind, kv)))?;
    if frames.bytes.is_empty() {
        return Ok(super::UNKNOWN);
    }
    frames.end();
    Ok(xxh3_64(&frames.bytes))
}
