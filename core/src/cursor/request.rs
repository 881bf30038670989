//! What is asked of a cursor.

use alloc::vec::Vec;

use crate::range::KeyRange;
use crate::revision::ResumeToken;

/// Asks for a cursor by its name: the one that is there, or a new one.
///
/// ```
/// use revwatch::{CursorRequest, CursorResponse, KeyRange, Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// let request = CursorRequest {
///     start_revision: 1,
///     ..CursorRequest::new(b"indexer", KeyRange::prefix(b"/doc/"))
/// };
/// store.put(b"/doc/1", b"text")?;
///
/// let cursor = store.cursor(&request)?;
/// let CursorResponse::Events { revision, events } = store.poll_cursor(cursor, 100, 1 << 20)? else {
///     panic!("the put is yet to be seen");
/// };
/// assert_eq!(events.len(), 1);
/// store.ack_cursor(cursor, revision)?;
///
/// // Whoever opens it next goes on from there.
/// let cursor = store.cursor(&request)?;
/// assert_eq!(
///     store.poll_cursor(cursor, 100, 1 << 20)?,
///     CursorResponse::Idle { revision: 2 }
/// );
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorRequest {
    /// The cursor's name: any bytes, at least one, at most
    /// [`cursor_name_bytes`](crate::Limits::cursor_name_bytes).
    pub name: Vec<u8>,
    /// Which keys. A cursor that is there must have the same range.
    pub range: KeyRange,
    /// Where a new cursor begins: the first revision wanted, or 0 for the next one. One that is
    /// there goes on after what was acknowledged, whatever this says.
    pub start_revision: i64,
    /// Whether compaction is refused that would take what the cursor has yet to see. A cursor that
    /// is there is changed to this.
    pub hold: bool,
    /// Whether events carry what the key was before.
    pub prev_kv: bool,
    /// The last that the consumer has seen, if it keeps a record of its own. Should a crash have
    /// taken that revision, the first poll answers `Rewound`.
    pub seen: Option<ResumeToken>,
}

impl CursorRequest {
    /// The changes of `range` from the next revision on, without a hold.
    pub fn new(name: &[u8], range: KeyRange) -> Self {
        Self {
            name: name.to_vec(),
            range,
            start_revision: 0,
            hold: false,
            prev_kv: false,
            seen: None,
        }
    }
}
