//! Changes as bytes: what happened between two revisions, for another store to apply.
//!
//! A *chunk* holds whole transactions, one after the other, and says where it begins and ends. What
//! it is, byte by byte, stands in FORMAT.md. Contracts:
//!
//! - A chunk is believed as a whole or not at all: one that is cut short or damaged is refused
//!   before anything of it is applied.
//! - It applies only to a store that stands exactly where it begins. Its *fingerprint*, a hash of the
//!   transaction that it follows, tells a store with another history, as far as both still have that
//!   transaction; and each change says what its key was before.
//! - Bytes from anywhere lead to an error at worst. Nothing is allocated by what they claim.

mod read;
mod write;

pub(crate) use read::{Cost, chunks};
pub(crate) use write::{ChunkWriter, fingerprint_of};

use crate::log::{Entry, Record, append_frame};
use crate::record::{EventKind, KeyValueRef};
use crate::revision::Revision;
use alloc::vec::Vec;

/// What a chunk begins with; a transfer as text would change it.
const MAGIC: [u8; 12] = *b"rvchange\x0d\x0a\x1a\x0a";
const VERSION: u32 = 1;

/// Where the fields of the header lie.
const VERSION_AT: usize = MAGIC.len();
const FROM_AT: usize = VERSION_AT + 4;
const TO_AT: usize = FROM_AT + 8;
const FINGERPRINT_AT: usize = TO_AT + 8;
const LENGTH_AT: usize = FINGERPRINT_AT + 8;
const HEADER_BYTES: usize = LENGTH_AT + 8;
const CHECKSUM_BYTES: usize = 8;

/// The fingerprint of a transaction that is not known.
pub(crate) const UNKNOWN: u64 = 0;

/// The entry that a change is written as.
fn entry_of(revision: Revision, kind: EventKind, kv: KeyValueRef<'_>) -> Entry<'_> {
    let record = match kind {
        EventKind::Put => Record::Put {
            key: kv.key,
            value: kv.value,
            age: revision.main.abs_diff(kv.create_revision),
            version: kv.version.unsigned_abs(),
            lease: kv.lease,
        },
        EventKind::Delete => Record::Delete { key: kv.key },
    };
    Entry {
        revision,
        last: false,
        record,
    }
}

/// The frames of one transaction, of which the last says that it is.
#[derive(Debug, Default)]
struct Frames {
    bytes: Vec<u8>,
    /// Where the last frame has the bit for that.
    end_bit_at: Option<usize>,
}

impl Frames {
    fn push(&mut self, entry: &Entry<'_>) -> crate::error::Result<()> {
        self.end_bit_at = Some(append_frame(entry, &mut self.bytes)?);
        Ok(())
    }

    fn end(&mut self) {
        if let Some(at) = self.end_bit_at {
            self.bytes[at] |= 1;
        }
    }
}
