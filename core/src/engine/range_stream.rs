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
/// let mut stream = store.range_stream(KeyRange::All, 0).unwrap();
/// let mut keys = Vec::new();
/// loop {
///     let page = store.next_kvs(&mut stream, 2, 1 << 20).unwrap();
///     if page.is_empty() {
///         break;
///     }
///     keys.extend(page.into_iter().map(|kv| kv.key));
///     store.put(b"d", b"").unwrap();
/// }
/// assert_eq!(keys, [b"a", b"b", b"c"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeStream {
    range: KeyRange,
    revision: i64,
    after: Option<Vec<u8>>,
}

impl RangeStream {
    /// The revision whose state it walks over.
    pub fn revision(&self) -> i64 {
        self.revision
    }
}

impl<P: PageStore> Store<P> {
    /// A walk over a range as of a revision (0: the current one), in key order.
    pub fn range_stream(&self, range: KeyRange, revision: i64) -> Result<RangeStream> {
        if range.lacks_key() {
            return Err(Error::EmptyKey);
        }
        let revision = self.revisions.readable(revision)?;
        Ok(RangeStream {
            range,
            revision,
            after: None,
        })
    }

    /// The next keys of a walk: at most `max_keys`, no further one once there are `max_bytes` of
    /// keys and values, and at least one; none at the end. Fails with `Compacted` once compaction
    /// has overtaken the walk.
    pub fn next_kvs(
        &self,
        stream: &mut RangeStream,
        max_keys: usize,
        max_bytes: usize,
    ) -> Result<Vec<KeyValue>> {
        let main = self.revisions.readable(stream.revision)?;
        let after = stream.after.as_deref();
        let kvs = self
            .revisions
            .page(&stream.range, after, main, max_keys, max_bytes)?;
        if let Some(last) = kvs.last() {
            stream.after = Some(last.key.clone());
        }
        Ok(kvs)
    }
}
