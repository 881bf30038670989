//! Walking over a large range.

use alloc::vec::Vec;

use super::store::Store;
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::KeyValue;

/// How far a walk over a range has come. It is pinned to its revision: whatever is written
/// meanwhile, it finds what was there then. It holds nothing but a key, so it needs no closing.
///
/// ```
/// use revwatch::{KeyRange, Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// for key in [b"a", b"b", b"c"] {
///     store.put(key, b"").unwrap();
/// }
/// let mut cursor = store.range_cursor(KeyRange::All, 0).unwrap();
/// let mut keys = Vec::new();
/// loop {
///     let page = store.next_page(&mut cursor, 2, 1 << 20).unwrap();
///     if page.is_empty() {
///         break;
///     }
///     keys.extend(page.into_iter().map(|kv| kv.key));
///     store.put(b"d", b"").unwrap();
/// }
/// assert_eq!(keys, [b"a", b"b", b"c"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeCursor {
    range: KeyRange,
    revision: i64,
    after: Option<Vec<u8>>,
}

impl RangeCursor {
    /// The revision whose state it walks over.
    pub fn revision(&self) -> i64 {
        self.revision
    }
}

impl<P: PageStore> Store<P> {
    /// A walk over a range as of a revision (0: the current one), in key order.
    pub fn range_cursor(&self, range: KeyRange, revision: i64) -> Result<RangeCursor> {
        if range.lacks_key() {
            return Err(Error::EmptyKey);
        }
        let revision = self.revisions.readable(revision)?;
        Ok(RangeCursor {
            range,
            revision,
            after: None,
        })
    }

    /// The next keys of a walk: at most `max_keys`, no further one once there are `max_bytes` of
    /// keys and values, and at least one; none at the end. Fails with `Compacted` once compaction
    /// has overtaken the walk.
    pub fn next_page(
        &self,
        cursor: &mut RangeCursor,
        max_keys: usize,
        max_bytes: usize,
    ) -> Result<Vec<KeyValue>> {
        let main = self.revisions.readable(cursor.revision)?;
        let after = cursor.after.as_deref();
        let kvs = self
            .revisions
            .page(&cursor.range, after, main, max_keys, max_bytes)?;
        if let Some(last) = kvs.last() {
            cursor.after = Some(last.key.clone());
        }
        Ok(kvs)
    }
}
