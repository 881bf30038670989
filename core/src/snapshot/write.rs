//! Writing chunks.

use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::{
    BEFORE_AT, CHECKSUM_BYTES, CHUNK_LEAST_BYTES, CONTENTS_LIMIT_BYTES, FLAG_LAST, FLAGS_AT,
    HEADER_BYTES, LENGTH_AT, MAGIC, NUMBER_AT, SnapshotHead, VERSION, VERSION_AT,
};
use crate::error::Result;
use crate::log::{Entry, append_frame};

/// The stream of frames, and how far it was cut into chunks.
#[derive(Debug)]
pub(crate) struct ChunkWriter {
    /// What is in no chunk yet.
    waiting: Vec<u8>,
    /// Where the last frame begins in it, while its transaction may yet go on or end.
    open: Option<OpenFrame>,
    number: u64,
    /// The checksum of the chunk before.
    before: u64,
}

#[derive(Clone, Copy, Debug)]
struct OpenFrame {
    at: usize,
    end_bit_at: usize,
}

impl ChunkWriter {
    pub(crate) fn new(head: &SnapshotHead) -> Self {
        Self {
            waiting: head.encode().to_vec(),
            open: None,
            number: 0,
            before: 0,
        }
    }

    /// How many bytes the contents of a chunk of at most `max_bytes` have.
    pub(crate) fn contents_of(max_bytes: usize) -> usize {
        let bytes = max_bytes.max(CHUNK_LEAST_BYTES) - HEADER_BYTES - CHECKSUM_BYTES;
        bytes.min(CONTENTS_LIMIT_BYTES)
    }

    /// Bytes that could be cut off now.
    pub(crate) fn bytes(&self) -> usize {
        self.open.map_or(self.waiting.len(), |frame| frame.at)
    }

    /// Adds an entry, which is not yet the last of its transaction.
    pub(crate) fn add(&mut self, entry: &Entry<'_>) -> Result<()> {
        let entry = Entry {
            last: false,
            ..*entry
        };
        let at = self.waiting.len();
        let end_bit_at = append_frame(&entry, &mut self.waiting)?;
        self.open = Some(OpenFrame { at, end_bit_at });
        Ok(())
    }

    /// The transaction ends with what was added last, if anything of it was.
    pub(crate) fn end_transaction(&mut self) {
        if let Some(frame) = self.open.take() {
            self.waiting[frame.end_bit_at] |= 1;
        }
    }

    /// The next chunk, with up to so many bytes of contents. It is the last if `is_all` was added and
    /// it takes what is left.
    pub(crate) fn cut(&mut self, contents_bytes: usize, is_all: bool) -> (Vec<u8>, bool) {
        let count = self.bytes().min(contents_bytes);
        let is_last = is_all && self.open.is_none() && count == self.waiting.len();
        let mut chunk = Vec::with_capacity(HEADER_BYTES + count + CHECKSUM_BYTES);
        chunk.resize(HEADER_BYTES, 0);
        chunk[..VERSION_AT].copy_from_slice(&MAGIC);
        chunk[VERSION_AT..NUMBER_AT].copy_from_slice(&VERSION.to_le_bytes());
        chunk[NUMBER_AT..BEFORE_AT].copy_from_slice(&self.number.to_le_bytes());
        chunk[BEFORE_AT..FLAGS_AT].copy_from_slice(&self.before.to_le_bytes());
        let flags = if is_last { FLAG_LAST } else { 0 };
        chunk[FLAGS_AT..LENGTH_AT].copy_from_slice(&flags.to_le_bytes());
        // No longer than `CONTENTS_LIMIT_BYTES`.
        chunk[LENGTH_AT..].copy_from_slice(&(count as u32).to_le_bytes());
        chunk.extend_from_slice(&self.waiting[..count]);
        self.before = xxh3_64(&chunk);
        chunk.extend_from_slice(&self.before.to_le_bytes());
        self.number += 1;
        self.waiting.drain(..count);
        if let Some(frame) = &mut self.open {
            frame.at -= count;
            frame.end_bit_at -= count;
        }
        (chunk, is_last)
    }
}
