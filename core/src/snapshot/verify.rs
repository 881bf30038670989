//! Verifying a snapshot without a store.

use super::{ChunkReader, SnapshotHead};
use crate::error::Result;
use crate::log::{Progress, Record};

/// Reads a snapshot through, to see whether it is whole, and what it is of.
///
/// Whether its changes follow from each other is seen when it is imported.
///
/// ```
/// use revwatch::{Options, SnapshotVerifier, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value")?;
/// let mut snapshot = store.snapshot(0)?;
/// let chunk = store.next_snapshot_chunk(&mut snapshot, 4096)?;
/// let mut verifier = SnapshotVerifier::default();
/// verifier.feed(&chunk)?;
/// assert!(verifier.is_complete());
/// assert_eq!((verifier.head().unwrap().revision, verifier.changes()), (2, 1));
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct SnapshotVerifier {
    reader: ChunkReader,
    changes: u64,
}

impl SnapshotVerifier {
    /// Takes in the next bytes, wherever they were cut. Fails with `InvalidSnapshot` if they are not a
    /// snapshot's, are damaged, or do not follow.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        let Self { reader, changes } = self;
        reader.feed(bytes, &mut |_, entry| {
            if matches!(entry.record, Record::Put { .. } | Record::Delete { .. }) {
                *changes += 1;
            }
            Ok(())
        })
    }

    /// What the snapshot is of, once that has arrived.
    pub fn head(&self) -> Option<&SnapshotHead> {
        self.reader.head()
    }

    /// Whether the last chunk has arrived.
    pub fn is_complete(&self) -> bool {
        self.reader.is_complete()
    }

    /// Changes of keys that have arrived.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// How far it has come: bytes taken in, and about how many there are.
    pub fn progress(&self) -> Progress {
        self.reader.progress()
    }
}
