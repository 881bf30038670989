//! Reading chunks, in whatever pieces their bytes arrive.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::head::HEAD_BYTES;
use super::{
    BEFORE_AT, CHECKSUM_BYTES, CONTENTS_LIMIT_BYTES, FLAG_LAST, FLAGS_AT, HEADER_BYTES, LENGTH_AT,
    MAGIC, NUMBER_AT, SnapshotHead, VERSION, VERSION_AT,
};
use crate::error::{Error, Result};
use crate::log::{Entry, Progress, TakenFrame, take_frame_of_stream};

/// Is shown every entry of a snapshot, in order, with the snapshot's head.
pub(crate) type EntryVisitor<'a> = dyn FnMut(&SnapshotHead, &Entry<'_>) -> Result<(), Refused> + 'a;

/// Why an entry was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// No snapshot has it there.
    Impossible(String),
    /// It could not be written.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<&str> for Refused {
    fn from(what: &str) -> Self {
        Self::Impossible(what.into())
    }
}

/// How far a snapshot has arrived.
#[derive(Debug, Default)]
pub(crate) struct ChunkReader {
    head: Option<SnapshotHead>,
    /// The beginning of a chunk, of which the rest has not arrived.
    chunk: Vec<u8>,
    /// The beginning of a frame, of which the rest has not arrived.
    frame: Vec<u8>,
    /// Chunks that have arrived, and the checksum of the last.
    number: u64,
    before: u64,
    /// Bytes of chunks, and of contents, that have arrived.
    bytes: u64,
    contents_bytes: u64,
    is_complete: bool,
    has_failed: bool,
}

impl ChunkReader {
    pub(crate) fn head(&self) -> Option<&SnapshotHead> {
        self.head.as_ref()
    }

    /// Whether the last chunk has arrived, and with it everything.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete && !self.has_failed
    }

    /// Bytes of contents that have arrived, and how many there are about, once that is known.
    pub(crate) fn progress(&self) -> Progress {
        let done = self.contents_bytes;
        let about = self.head.map_or(0, |head| head.extent_bytes);
        let total = if self.is_complete {
            done
        } else {
            about.max(done)
        };
        Progress { done, total }
    }

    /// Takes in the next bytes, wherever they were cut. After a failure nothing more is taken.
    pub(crate) fn feed(&mut self, bytes: &[u8], visit: &mut EntryVisitor<'_>) -> Result<()> {
        if self.has_failed {
            return Err(self.invalid("an earlier part of it was refused".into()));
        }
        let outcome = self.take(bytes, visit);
        self.has_failed = outcome.is_err();
        outcome
    }

    /// Fails unless everything has arrived.
    pub(crate) fn check_complete(&self) -> Result<()> {
        if self.is_complete() {
            return Ok(());
        }
        Err(self.invalid("its last chunk is missing".into()))
    }

    fn take(&mut self, mut bytes: &[u8], visit: &mut EntryVisitor<'_>) -> Result<()> {
        while !bytes.is_empty() {
            if self.is_complete {
                return Err(self.invalid("something follows its last chunk".into()));
            }
            let wanted = if self.chunk.len() < HEADER_BYTES {
                HEADER_BYTES
            } else {
                self.chunk_bytes()?
            };
            let (part, rest) = bytes.split_at(bytes.len().min(wanted - self.chunk.len()));
            self.chunk.extend_from_slice(part);
            bytes = rest;
            if self.chunk.len() == wanted && wanted > HEADER_BYTES {
                let chunk = core::mem::take(&mut self.chunk);
                self.take_chunk(&chunk, visit)?;
                self.chunk = chunk;
                self.chunk.clear();
            }
        }
        Ok(())
    }

    /// How long the chunk is whose header has arrived.
    fn chunk_bytes(&self) -> Result<usize> {
        let (number, before, length) =
            read_header(&self.chunk).map_err(|what| self.invalid(what))?;
        if number != self.number {
            let what = format!("chunk {number} is where chunk {} should be", self.number);
            return Err(self.invalid(what));
        }
        if before != self.before {
            return Err(self.invalid("it does not follow the chunk before it".into()));
        }
        Ok(HEADER_BYTES + length + CHECKSUM_BYTES)
    }

    fn take_chunk(&mut self, chunk: &[u8], visit: &mut EntryVisitor<'_>) -> Result<()> {
        let invalid = |what: &str| Err(self.invalid(what.into()));
        let end = chunk.len() - CHECKSUM_BYTES;
        let checksum = number(chunk, end);
        if xxh3_64(&chunk[..end]) != checksum {
            return invalid("its checksum is wrong");
        }
        let mut contents = &chunk[HEADER_BYTES..end];
        if self.head.is_none() {
            let Some((head, rest)) = contents.split_first_chunk::<HEAD_BYTES>() else {
                return invalid("it is too short to say what it is");
            };
            let Some(head) = SnapshotHead::decode(head) else {
                return invalid("it names an impossible revision");
            };
            self.head = Some(head);
            contents = rest;
        }
        self.contents_bytes += contents.len() as u64;
        self.take_frames(contents, visit)?;
        self.bytes += chunk.len() as u64;
        self.number += 1;
        self.before = checksum;
        if chunk[FLAGS_AT] & FLAG_LAST as u8 != 0 {
            if !self.frame.is_empty() {
                return Err(self.invalid("it ends within an entry".into()));
            }
            self.is_complete = true;
        }
        Ok(())
    }

    fn take_frames(&mut self, contents: &[u8], visit: &mut EntryVisitor<'_>) -> Result<()> {
        let Some(head) = self.head else {
            return Ok(());
        };
        let mut joined = core::mem::take(&mut self.frame);
        let mut rest = if joined.is_empty() {
            contents
        } else {
            joined.extend_from_slice(contents);
            &joined
        };
        while !rest.is_empty() {
            match take_frame_of_stream(rest) {
                TakenFrame::Whole(entry, behind) => {
                    visit(&head, &entry).map_err(|refused| match refused {
                        Refused::Impossible(what) => self.invalid(what),
                        Refused::Failed(error) => error,
                    })?;
                    rest = behind;
                }
                TakenFrame::Cut => break,
                TakenFrame::Bad => return Err(self.invalid("an entry cannot be decoded".into())),
            }
        }
        let behind = rest.len();
        if joined.is_empty() {
            self.frame = contents[contents.len() - behind..].to_vec();
        } else {
            joined.drain(..joined.len() - behind);
            self.frame = joined;
        }
        Ok(())
    }

    /// What is wrong with the chunk that is being read.
    pub(crate) fn invalid(&self, what: String) -> Error {
        Error::InvalidSnapshot {
            at: self.bytes,
            what,
        }
    }
}

/// The number, the checksum of the chunk before and the length of a chunk, from its header.
fn read_header(header: &[u8]) -> Result<(u64, u64, usize), String> {
    if header[..VERSION_AT] != MAGIC {
        return Err("it does not begin as snapshots do".into());
    }
    let version = small(header, VERSION_AT);
    if version != VERSION {
        return Err(format!("it has format version {version}, not {VERSION}"));
    }
    if small(header, FLAGS_AT) & !FLAG_LAST != 0 {
        return Err("it has flags that are not known".into());
    }
    let length = small(header, LENGTH_AT) as usize;
    if length > CONTENTS_LIMIT_BYTES {
        return Err(format!(
            "it claims {length} bytes, and no chunk has more than {CONTENTS_LIMIT_BYTES}"
        ));
    }
    Ok((number(header, NUMBER_AT), number(header, BEFORE_AT), length))
}

/// The head, from the bytes of the first chunk and perhaps more.
pub(super) fn head_of(bytes: &[u8]) -> Result<SnapshotHead> {
    let invalid = |what: &str| Error::InvalidSnapshot {
        at: 0,
        what: what.into(),
    };
    let header = bytes.get(..HEADER_BYTES);
    let header = header.ok_or_else(|| invalid("it is cut short"))?;
    let (_, _, length) = read_header(header).map_err(|what| invalid(&what))?;
    let chunk = bytes.get(..HEADER_BYTES + length + CHECKSUM_BYTES);
    let chunk = chunk.ok_or_else(|| invalid("it is cut short"))?;
    let mut reader = ChunkReader::default();
    reader.feed(chunk, &mut |_, _| Ok(()))?;
    reader.head().copied().ok_or_else(|| invalid("it is empty"))
}

fn small(bytes: &[u8], at: usize) -> u32 {
    let mut field = [0; 4];
    field.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(field)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(field)
}
