//! What a snapshot says of itself before anything else.

use super::{CONTENTS_LIMIT_BYTES, HEADER_BYTES};
use crate::error::Result;

/// What a snapshot is of, as its first chunk says.
///
/// ```
/// use revwatch::{Options, SnapshotHead, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value")?;
/// let mut snapshot = store.snapshot(0)?;
/// let chunk = store.next_snapshot_chunk(&mut snapshot, 4096)?;
/// let head = SnapshotHead::of(&chunk)?;
/// assert_eq!((head.since, head.revision, head.compact_revision), (0, 2, -1));
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHead {
    /// The revision that a store must stand at to take it; 0 if it is a whole store.
    pub since: i64,
    /// The revision that the store stands at afterwards.
    pub revision: i64,
    /// History before this is not in it; -1 if none was compacted.
    pub compact_revision: i64,
    /// The epoch that its store was in.
    pub epoch: i64,
    /// The fingerprint of the transaction `since`, or 0 if it is not known.
    pub fingerprint: u64,
    /// The store that it was taken of.
    pub store_id: [u8; 16],
    /// About how many bytes of frames follow, at most as many: to show progress by.
    pub extent_bytes: u64,
}

const REVISION_AT: usize = 8;
const COMPACT_REVISION_AT: usize = REVISION_AT + 8;
const EPOCH_AT: usize = COMPACT_REVISION_AT + 8;
const FINGERPRINT_AT: usize = EPOCH_AT + 8;
const STORE_ID_AT: usize = FINGERPRINT_AT + 8;
const EXTENT_AT: usize = STORE_ID_AT + 16;
pub(super) const HEAD_BYTES: usize = EXTENT_AT + 8;

/// Revisions and epochs stay below this.
const NUMBER_LIMIT: i64 = 1 << 62;

impl SnapshotHead {
    /// Reads the head from the bytes that a snapshot begins with: its first chunk, or as much of a
    /// file. Fails with `InvalidSnapshot` if it does not begin as snapshots do. Whether the rest is
    /// whole is not looked at.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        super::read::head_of(bytes)
    }

    /// How many bytes of a snapshot [`of`](Self::of) needs at most.
    pub const BYTES_NEEDED: usize = HEADER_BYTES + CONTENTS_LIMIT_BYTES + super::CHECKSUM_BYTES;

    pub(crate) fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..REVISION_AT].copy_from_slice(&self.since.to_le_bytes());
        bytes[REVISION_AT..COMPACT_REVISION_AT].copy_from_slice(&self.revision.to_le_bytes());
        bytes[COMPACT_REVISION_AT..EPOCH_AT].copy_from_slice(&self.compact_revision.to_le_bytes());
        bytes[EPOCH_AT..FINGERPRINT_AT].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[FINGERPRINT_AT..STORE_ID_AT].copy_from_slice(&self.fingerprint.to_le_bytes());
        bytes[STORE_ID_AT..EXTENT_AT].copy_from_slice(&self.store_id);
        bytes[EXTENT_AT..].copy_from_slice(&self.extent_bytes.to_le_bytes());
        bytes
    }

    /// `None` if no store has written this.
    pub(super) fn decode(bytes: &[u8; HEAD_BYTES]) -> Option<Self> {
        let number = |at: usize| {
            let mut field = [0; 8];
            field.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(field)
        };
        let mut store_id = [0; 16];
        store_id.copy_from_slice(&bytes[STORE_ID_AT..EXTENT_AT]);
        let head = Self {
            since: number(0).cast_signed(),
            revision: number(REVISION_AT).cast_signed(),
            compact_revision: number(COMPACT_REVISION_AT).cast_signed(),
            epoch: number(EPOCH_AT).cast_signed(),
            fingerprint: number(FINGERPRINT_AT),
            store_id,
            extent_bytes: number(EXTENT_AT),
        };
        let is_possible = (1..NUMBER_LIMIT).contains(&head.revision)
            && (0..=head.revision).contains(&head.since)
            && (-1..=head.revision).contains(&head.compact_revision)
            && (1..NUMBER_LIMIT).contains(&head.epoch);
        is_possible.then_some(head)
    }
}
