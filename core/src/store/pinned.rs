//! Keys with their values where they lie, read without a copy.

use alloc::vec::Vec;
use core::fmt;
use core::iter::FusedIterator;

use super::revision_store::RevisionStore;
use crate::error::Result;
use crate::index::{Found, KeysAt};
use crate::log::{Held, Log, PutFields, put_at};
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
/// It reads as it goes, a little ahead, so to stop early is to have read little more. One that fails
/// to read a key goes on behind it.
pub struct PinnedRange<'a, P: PageStore> {
    store: &'a RevisionStore<P>,
    keys: KeysAt<'a>,
    /// The puts of the next keys, and how many of them were taken.
    ahead: Vec<Ahead<'a>>,
    taken: usize,
    /// How many to look for next.
    reach: usize,
}

impl<'a, P: PageStore> PinnedRange<'a, P> {
    pub(super) fn new(store: &'a RevisionStore<P>, keys: KeysAt<'a>) -> Self {
        Self {
            store,
            keys,
            ahead: Vec::new(),
            taken: 0,
            reach: FIRST_AHEAD,
        }
    }

    /// Reads what comes next: more each time, because many ranges are left after a key or two.
    #[inline(never)]
    fn look_ahead(&mut self) {
        self.taken = 0;
        self.ahead.clear();
        self.ahead.reserve(self.reach);
        let log = self.store.log();
        let mut is_more = true;
        while is_more && self.ahead.is_empty() {
            is_more = self.keys.show_next(self.reach, |found| {
                self.ahead.push(Ahead::of(log, found));
            });
        }
        Ahead::read(&mut self.ahead);
        self.reach = AHEAD.min(4 * self.reach);
    }
}

impl<'a, P: PageStore> Iterator for PinnedRange<'a, P> {
    type Item = Result<PinnedKeyValue<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.taken == self.ahead.len() {
            self.look_ahead();
        }
        let next = self.ahead.get(self.taken)?;
        self.taken += 1;
        Some(next.pin(self.store))
    }
}

impl<P: PageStore> FusedIterator for PinnedRange<'_, P> {}

/// How many puts are read together: more than processors can keep waiting.
pub(super) const AHEAD: usize = 64;
/// How many are at first.
const FIRST_AHEAD: usize = 2;
/// Entries mostly lie in so many bytes from their beginning, of which each cache line is asked for.
const NEAR_BYTES: usize = 128;
const CACHE_LINE_BYTES: usize = 64;

/// A put that will be wanted next.
pub(super) struct Ahead<'a> {
    found: Found,
    /// The bytes of the log from there on, if they are in memory.
    bytes: Option<&'a [u8]>,
    /// The put, if it lies there in one piece.
    put: Option<PutFields<'a>>,
}

impl<'a> Ahead<'a> {
    #[inline]
    pub(super) fn of<P: PageStore>(log: &'a Log<P>, found: Found) -> Self {
        Self {
            found,
            bytes: log.bytes_here(found.position),
            put: None,
        }
    }

    /// Reads several, and waits for memory once. What is done so seldom need not be inlined, but has
    /// its loops to itself.
    #[inline(never)]
    pub(super) fn read(ahead: &mut [Self]) {
        let bytes = ahead.iter().filter_map(|ahead| ahead.bytes);
        prefetch::touch(bytes.map(|bytes| match bytes.first_chunk::<NEAR_BYTES>() {
            Some(near) => near[0] ^ near[CACHE_LINE_BYTES] ^ near[NEAR_BYTES - 1],
            None => bytes.first().unwrap_or(&0) ^ bytes.last().unwrap_or(&0),
        }));
        for ahead in ahead {
            ahead.put = ahead.bytes.and_then(put_at);
        }
    }

    #[inline]
    pub(super) fn pin<P: PageStore>(
        &self,
        store: &'a RevisionStore<P>,
    ) -> Result<PinnedKeyValue<'a>> {
        store.pin(self.put, self.found)
    }
}
