//! Snapshots as bytes: a store, or what became of it since a revision, for another place.
//!
//! A snapshot is a stream of *frames*, the log's own, behind a *head* that says what they are, cut
//! into *chunks* of bounded size. What they are, byte by byte, stands in FORMAT.md. Contracts:
//!
//! - Each chunk has a checksum, and names the one before it by its own, so that a chunk that is
//!   damaged, missing, doubled or of another snapshot is refused. The last one says that it is.
//! - Bytes from anywhere lead to an error at worst. Nothing is allocated by what they claim: a chunk's
//!   length is held to [`CONTENTS_LIMIT_BYTES`], and a frame's bytes are kept only as they arrive.

mod head;
mod read;
mod verify;
mod write;

pub use head::SnapshotHead;
pub(crate) use read::{ChunkReader, Refused};
pub use verify::SnapshotVerifier;
pub(crate) use write::ChunkWriter;

/// What a chunk begins with; a transfer as text would change it.
const MAGIC: [u8; 12] = *b"rvsnapsh\x0d\x0a\x1a\x0a";
const VERSION: u32 = 1;

/// Where the fields of a chunk's header lie.
const VERSION_AT: usize = MAGIC.len();
const NUMBER_AT: usize = VERSION_AT + 4;
const BEFORE_AT: usize = NUMBER_AT + 8;
const FLAGS_AT: usize = BEFORE_AT + 8;
const LENGTH_AT: usize = FLAGS_AT + 4;
const HEADER_BYTES: usize = LENGTH_AT + 4;
const CHECKSUM_BYTES: usize = 8;

const FLAG_LAST: u32 = 1;

/// No chunk has more contents than this, in bytes.
pub(crate) const CONTENTS_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// No chunk is asked to be smaller than this, in bytes: the first holds the head.
pub(crate) const CHUNK_LEAST_BYTES: usize = 512;
