//! Reading chunks: nothing is believed that no store has written.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::{
    CHECKSUM_BYTES, FINGERPRINT_AT, FROM_AT, HEADER_BYTES, LENGTH_AT, MAGIC, TO_AT, VERSION,
    VERSION_AT,
};
use crate::error::{Error, Result};
use crate::log::{Entry, Record, take_frame};
use crate::revision::Revision;

/// Revisions stay below this.
const REVISION_LIMIT: i64 = 1 << 62;

/// A chunk that was verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a> {
    /// Where a store must stand to take it.
    pub(crate) from: i64,
    /// Where it stands then.
    pub(crate) to: i64,
    /// Of the transaction `from`.
    pub(crate) fingerprint: u64,
    /// What its changes take together.
    pub(crate) cost: Cost,
    contents: &'a [u8],
}

/// What has to be logged for changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Bytes of keys and values.
    pub(crate) bytes: usize,
    pub(crate) changes: usize,
    pub(crate) has_puts: bool,
}

impl Cost {
    pub(crate) fn add(&mut self, record: &Record<'_>) {
        self.bytes = self.bytes.saturating_add(record.payload_bytes());
        self.changes += 1;
        self.has_puts |= matches!(record, Record::Put { .. });
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            changes: self.changes + other.changes,
            has_puts: self.has_puts || other.has_puts,
        }
    }
}

/// Verifies chunks that follow each other, and then hands them out.
pub(crate) fn chunks(bytes: &[u8]) -> Result<Vec<Chunk<'_>>> {
    let mut chunks: Vec<Chunk<'_>> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() || chunks.is_empty() {
        let at = bytes.len() - rest.len();
        let invalid = |what: String| Error::InvalidChanges { at, what };
        let (chunk, behind) = take_chunk(rest).map_err(invalid)?;
        if let Some(before) = chunks.last().filter(|before| before.to != chunk.from) {
            return Err(invalid(format!(
                "it begins after revision {}, the one before it ends at {}",
                chunk.from, before.to
            )));
        }
        chunks.push(chunk);
        rest = behind;
    }
    Ok(chunks)
}

/// The first chunk of `bytes`, and what follows it.
fn take_chunk(bytes: &[u8]) -> Result<(Chunk<'_>, &[u8]), String> {
    let header = bytes.get(..HEADER_BYTES).ok_or("it is cut short")?;
    if header[..VERSION_AT] != MAGIC {
        return Err("it does not begin as changes do".into());
    }
    let version = u32::from_le_bytes([header[12], header[13], header[14], header[15]]);
    if version != VERSION {
        return Err(format!("it has format version {version}, not {VERSION}"));
    }
    let end = usize::try_from(number(header, LENGTH_AT))
        .ok()
        .and_then(|length| length.checked_add(HEADER_BYTES))
        .filter(|end| bytes.len().saturating_sub(*end) >= CHECKSUM_BYTES)
        .ok_or("it is cut short")?;
    if xxh3_64(&bytes[..end]) != number(bytes, end) {
        return Err("its checksum is wrong".into());
    }
    let revision = |at| {
        let revision = i64::try_from(number(header, at)).ok();
        revision.filter(|revision| (1..REVISION_LIMIT).contains(revision))
    };
    let (Some(from), Some(to)) = (revision(FROM_AT), revision(TO_AT)) else {
        return Err("it names an impossible revision".into());
    };
    let mut chunk = Chunk {
        from,
        to,
        fingerprint: number(header, FINGERPRINT_AT),
        cost: Cost::default(),
        contents: &bytes[HEADER_BYTES..end],
    };
    chunk.verify()?;
    Ok((chunk, &bytes[end + CHECKSUM_BYTES..]))
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(field)
}

impl<'a> Chunk<'a> {
    /// Shows the transactions, which were verified, one after the other: the changes of each, in order,
    /// only puts and deletes.
    pub(crate) fn visit_transactions(
        &self,
        visit: &mut dyn FnMut(&[Entry<'a>]) -> Result<()>,
    ) -> Result<()> {
        let mut rest = self.contents;
        let mut transaction = Vec::new();
        while let Some((entry, behind)) = take_frame(rest) {
            rest = behind;
            transaction.push(entry);
            if entry.last {
                visit(&transaction)?;
                transaction.clear();
            }
        }
        Ok(())
    }

    /// Every transaction from the one after `from` up to `to` is there, whole, and could have been
    /// written by a store.
    fn verify(&mut self) -> Result<(), String> {
        let mut rest = self.contents;
        let mut next = Revision::first_of(self.from + 1);
        while !rest.is_empty() {
            let (entry, behind) =
                take_frame(rest).ok_or_else(|| format!("no change is at {next}"))?;
            if entry.revision != next {
                return Err(format!("{} is where {next} should be", entry.revision));
            }
            check_record(&entry)?;
            self.cost.add(&entry.record);
            next = if entry.last {
                Revision::first_of(next.main + 1)
            } else {
                let sub = next.sub.checked_add(1).ok_or("it has too many changes")?;
                Revision { sub, ..next }
            };
            rest = behind;
        }
        if next == Revision::first_of(self.to + 1) && self.to > self.from {
            Ok(())
        } else {
            Err(format!("it ends before {next} and not with {}", self.to))
        }
    }
}

fn check_record(entry: &Entry<'_>) -> Result<(), String> {
    let main = entry.revision.main.unsigned_abs();
    match entry.record {
        Record::Put { key: [], .. } | Record::Delete { key: [] } => Err("a key is empty".into()),
        Record::Put { age, version, .. } if age >= main || version == 0 || version > main => {
            Err("a key has an impossible create revision or version".into())
        }
        Record::Put { .. } | Record::Delete { .. } => Ok(()),
        _ => Err("something is there that changes no key".into()),
    }
}
