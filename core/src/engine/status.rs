//! What there is to know about a store.

use super::store::Store;
use crate::page::PageStore;
use crate::watch::Hub;

/// A store's figures at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The revision of the newest transaction.
    pub revision: i64,
    /// The newest revision that watchers may see.
    pub published_revision: i64,
    /// History before this is gone; -1 before any compaction.
    pub compact_revision: i64,
    /// One more than the number of times that the store was opened after a crash.
    pub epoch: i64,
    /// Keys that exist.
    pub keys: u64,
    /// Leases that exist.
    pub leases: u64,
    /// Bytes of pages that hold something.
    pub size_in_use: u64,
    /// Bytes of all pages.
    pub size_allocated: u64,
    /// Open watch streams.
    pub watch_streams: u64,
    /// Watchers of all streams.
    pub watchers: u64,
    /// Those of them that are behind and read history.
    pub unsynced_watchers: u64,
    /// Those of them that hold a batch because their stream is full.
    pub victim_watchers: u64,
    /// Whether what was compacted is still being reclaimed, by `step`.
    pub compacting: bool,
    /// Whether the store was opened for reading only.
    pub read_only: bool,
    /// Whether a write or sync has failed, so that nothing more can be written.
    pub poisoned: bool,
}

impl<P: PageStore> Store<P> {
    /// The store's figures now.
    ///
    /// ```
    /// use revwatch::{Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"key", b"value").unwrap();
    /// let status = store.status();
    /// assert_eq!((status.revision, status.compact_revision, status.keys), (2, -1, 1));
    /// ```
    pub fn status(&self) -> Status {
        let log = self.revisions.log();
        let watching = |count: fn(&Hub) -> usize| self.hubs().map(count).sum::<usize>() as u64;
        Status {
            revision: self.revision(),
            published_revision: self.published,
            compact_revision: self.revisions.compact_revision(),
            epoch: log.epoch(),
            keys: self.revisions.live_keys(),
            leases: self.lessor.len() as u64,
            size_in_use: log.size_in_use(),
            size_allocated: log.size_allocated(),
            watch_streams: watching(Hub::stream_count),
            watchers: watching(Hub::watcher_count),
            unsynced_watchers: watching(Hub::unsynced_count),
            victim_watchers: watching(Hub::victim_count),
            compacting: self.is_compacting(),
            read_only: self.options.read_only,
            poisoned: log.is_poisoned(),
        }
    }
}
