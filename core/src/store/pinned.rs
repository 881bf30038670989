//! Keys with their values where they lie, read without a copy.

use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;

use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::index::{Found, KeysAt};
use crate::log::Held;
use crate::page::PageStore;
use crate::prefetch;
use crate::record::KeyValueRef;

/// A key with its value where the store has them in memory, so that reading it copies nothing.
///
/// A page that is not in memory is read and kept for as long as this lives.
///
/// ```
/// use revwatch::{Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value").unwrap();
/// let pinned = store.get_pinned(b"key").unwrap().unwrap();
/// assert_eq!(pinned.as_ref().value, b"value");
/// ```
pub struct PinnedKeyValue<'a> {
    held: Held<'a>,
    create_revision: i64,
    mod_revision: i64,
    version: i64,
}

impl<'a> PinnedKeyValue<'a> {
    #[inline]
    pub(super) fn new(held: Held<'a>, found: Found) -> Self {
        Self {
            held,
            create_revision: found.create_revision,
            mod_revision: found.mod_revision.main,
            version: found.version,
        }
    }

    /// The key with its value and revisions.
    #[inline]
    pub fn as_ref(&self) -> KeyValueRef<'_> {
        let put = self.held.put();
        KeyValueRef {
            key: put.key,
            value: put.value,
            create_revision: self.create_revision,
            mod_revision: self.mod_revision,
            version: self.version,
            lease: put.lease,
        }
    }
}

impl fmt::Debug for PinnedKeyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// The keys of a range as of one revision, in key order, read where they lie; made by
/// [`Store::range_pinned`](crate::Store::range_pinned).
///
/// It reads as it goes, so to stop early is to have read no more. One that fails to read a key goes
/// on behind it.
pub struct PinnedRange<'a, P: PageStore>(Pins<'a, P, KeysAt<'a>>);

impl<'a, P: PageStore> Iterator for PinnedRange<'a, P> {
    type Item = Result<PinnedKeyValue<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<P: PageStore> FusedIterator for PinnedRange<'_, P> {}

impl<'a, P: PageStore> PinnedRange<'a, P> {
    pub(super) fn new(store: &'a RevisionStore<P>, keys: KeysAt<'a>) -> Self {
        Self(Pins::new(store, keys))
    }
}

/// How many pages are asked for together: about as many loads as processors keep waiting.
const AHEAD: usize = 16;
/// Entries mostly lie in so many bytes from their beginning, of which each cache line is asked for.
const NEAR_BYTES: usize = 128;
const CACHE_LINE_BYTES: usize = 64;

/// Pins what the index has found, one after the other, a few pages ahead.
pub(super) struct Pins<'a, P, I> {
    store: &'a RevisionStore<P>,
    found: I,
    /// What was found next, each with the bytes of the log from there on if they are in memory.
    ahead: Vec<(Found, Option<&'a [u8]>)>,
    taken: usize,
}

impl<'a, P: PageStore, I: FusedIterator<Item = (&'a [u8], Found)>> Pins<'a, P, I> {
    pub(super) fn new(store: &'a RevisionStore<P>, found: I) -> Self {
        Self {
            store,
            found,
            ahead: Vec::with_capacity(AHEAD),
            taken: 0,
        }
    }

    fn look_ahead(&mut self) {
        self.taken = 0;
        self.ahead.clear();
        let log = self.store.log();
        let found = self.found.by_ref().take(AHEAD);
        let ahead = found.map(|(_, found)| (found, log.bytes_here(found.position)));
        self.ahead.extend(ahead);
        let bytes = self.ahead.iter().filter_map(|&(_, bytes)| bytes);
        let near = bytes.map(|bytes| &bytes[..bytes.len().min(NEAR_BYTES)]);
        prefetch::touch(near.flat_map(|bytes| bytes.iter().step_by(CACHE_LINE_BYTES)));
    }
}

impl<'a, P: PageStore, I: FusedIterator<Item = (&'a [u8], Found)>> Iterator for Pins<'a, P, I> {
    type Item = Result<PinnedKeyValue<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.taken == self.ahead.len() {
            self.look_ahead();
        }
        let &(found, bytes) = self.ahead.get(self.taken)?;
        self.taken += 1;
        Some(self.store.pin(bytes, found))
    }
}
