//! Reading keys and history.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::store::Store;
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::range::KeyRange;
use crate::record::{Event, KeyValue};
use crate::store::{HashKvResponse, PinnedKeyValue, PinnedRange, RangeRequest, RangeResponse};
use crate::txn::check_range;
use crate::watch::EventRef;

/// A part of the history of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// The events, of whole revisions, in order.
    pub events: Vec<Event>,
    /// Where to go on; `None` if nothing newer is published.
    pub next_revision: Option<i64>,
}

impl<P: PageStore> Store<P> {
    /// What a key is now.
    pub fn get(&self, key: &[u8]) -> Result<Option<KeyValue>> {
        if key.is_empty() {
            return Err(Error::EmptyKey);
        }
        self.revisions.get(key, self.revision())
    }

    /// What a key is now, without a copy where the store is in memory.
    pub fn get_pinned(&self, key: &[u8]) -> Result<Option<PinnedKeyValue<'_>>> {
        if key.is_empty() {
            return Err(Error::EmptyKey);
        }
        self.revisions.get_pinned(key, self.revision())
    }

    /// The keys of a range, now or as of a revision that is not compacted.
    ///
    /// Costs O(log keys) and then by the keys in the range; values are read only for what is
    /// answered, unless they are sorted by.
    pub fn range(&self, request: &RangeRequest) -> Result<RangeResponse> {
        check_range(request)?;
        let main = self.revisions.readable(request.revision)?;
        let response = self.revisions.range(request, main)?;
        Ok(RangeResponse {
            revision: self.revision(),
            ..response
        })
    }

    /// The keys of a range as of a revision (0: the current one), in key order, each where it lies:
    /// without a copy where the store is in memory.
    ///
    /// Costs O(log keys) for the first key, and then by the keys that are taken. What a
    /// [`RangeRequest`] would filter and limit, iterators do.
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// for (key, value) in [("/task/1", "build"), ("/task/2", "test"), ("/user/1", "ann")] {
    ///     store.put(key.as_bytes(), value.as_bytes())?;
    /// }
    /// let mut bytes = 0;
    /// for task in store.range_pinned(&KeyRange::prefix(b"/task/"), 0)? {
    ///     bytes += task?.as_ref().value.len();
    /// }
    /// assert_eq!(bytes, "build".len() + "test".len());
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn range_pinned(&self, range: &KeyRange, revision: i64) -> Result<PinnedRange<'_, P>> {
        if range.lacks_key() {
            return Err(Error::EmptyKey);
        }
        let main = self.revisions.readable(revision)?;
        Ok(self.revisions.range_pinned(range, main))
    }

    /// Hashes everything that is kept up to a revision (0: the current one): bit for bit what
    /// etcd's `HashKV` answers for the same history. Costs by the history.
    ///
    /// ```
    /// use revwatch::{Options, Store};
    ///
    /// let mut one = Store::in_memory(Options::default());
    /// let mut other = Store::in_memory(Options::default());
    /// one.put(b"key", b"value").unwrap();
    /// assert_ne!(one.hash_kv(0).unwrap().hash, other.hash_kv(0).unwrap().hash);
    /// other.put(b"key", b"value").unwrap();
    /// assert_eq!(one.hash_kv(0).unwrap(), other.hash_kv(0).unwrap());
    /// ```
    pub fn hash_kv(&self, revision: i64) -> Result<HashKvResponse> {
        self.revisions.hash_kv(revision)
    }

    /// The kept events of a range from `start_revision` on (0: from the oldest), whole revisions
    /// at a time: no further one once there are `max_events`.
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"a", b"1").unwrap();
    /// store.put(b"a", b"2").unwrap();
    /// let page = store.history(&KeyRange::one(b"a"), 0, 1).unwrap();
    /// assert_eq!((page.events.len(), page.next_revision), (1, Some(3)));
    /// let page = store.history(&KeyRange::one(b"a"), 3, 1).unwrap();
    /// assert_eq!((page.events.len(), page.next_revision), (1, None));
    /// ```
    pub fn history(
        &self,
        range: &KeyRange,
        start_revision: i64,
        max_events: usize,
    ) -> Result<HistoryPage> {
        let from = self.history_from(start_revision)?;
        let mut page = HistoryPage {
            events: Vec::new(),
            next_revision: None,
        };
        self.revisions
            .lend_events(from, self.published, |kind, kv| {
                let revision = kv.mod_revision;
                let begins_one = page
                    .events
                    .last()
                    .is_none_or(|last| last.kv.mod_revision != revision);
                if begins_one && !page.events.is_empty() && page.events.len() >= max_events {
                    page.next_revision = Some(revision);
                    return ControlFlow::Break(());
                }
                if range.contains(kv.key) {
                    page.events.push(Event {
                        kind,
                        kv: kv.to_owned(),
                        prev_kv: None,
                    });
                }
                ControlFlow::Continue(())
            })?;
        Ok(page)
    }

    /// Shows the kept events of a range from `start_revision` on (0: from the oldest), in order and
    /// where they lie, until `visit` breaks off. Nothing is copied, and no more is in memory than a
    /// page at a time; costs by the history that is gone through, whatever the range.
    ///
    /// ```
    /// use core::ops::ControlFlow;
    /// use revwatch::{KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"a", b"1").unwrap();
    /// store.put(b"b", b"2").unwrap();
    /// store.put(b"a", b"34").unwrap();
    /// let mut bytes = 0;
    /// store.visit_history(&KeyRange::one(b"a"), 0, |event| {
    ///     bytes += event.kv.value.len();
    ///     ControlFlow::Continue(())
    /// }).unwrap();
    /// assert_eq!(bytes, 3);
    /// ```
    pub fn visit_history(
        &self,
        range: &KeyRange,
        start_revision: i64,
        mut visit: impl FnMut(EventRef<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let from = self.history_from(start_revision)?;
        let is_all = *range == KeyRange::All;
        self.revisions
            .lend_events(from, self.published, |kind, kv| {
                if !is_all && !range.contains(kv.key) {
                    return ControlFlow::Continue(());
                }
                let prev_kv = None;
                visit(EventRef { kind, kv, prev_kv })
            })
    }

    /// Where to begin with history that is asked for from `start_revision` on.
    fn history_from(&self, start_revision: i64) -> Result<i64> {
        let compact_revision = self.revisions.compact_revision();
        let oldest = compact_revision.max(1);
        let from = if start_revision == 0 {
            oldest
        } else {
            start_revision
        };
        if from < oldest {
            return Err(Error::Compacted {
                requested: from,
                compact_revision,
            });
        }
        self.revisions.readable(from)?;
        Ok(from)
    }
}
