//! Compacting by itself: a window of history that slides along.
//!
//! etcd's first version had such a window and let watchers fall out of it in silence; here a
//! watcher that the window has left behind is told `Compacted`, as after any compaction.

use alloc::collections::VecDeque;

use super::store::Store;
use crate::error::Result;
use crate::page::PageStore;

/// How much history a store keeps by itself. What both bounds let go is compacted, in steps of a
/// sixteenth of the window.
///
/// ```
/// use revwatch::{Options, Retention, Store};
///
/// let retention = Retention { revisions: 100, ..Retention::default() };
/// let mut store = Store::in_memory(Options { retention, ..Options::default() });
/// for _ in 0..1_000 {
///     store.put(b"key", b"value").unwrap();
/// }
/// store.step(0, 1 << 20).unwrap();
/// assert_eq!(store.status().compact_revision, store.revision() - 100);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Keep the last so many revisions; 0 for no such bound.
    pub revisions: i64,
    /// Keep what is younger than so many milliseconds; 0 for no such bound. Time while the store is
    /// closed does not count, and what is found at opening counts as new.
    pub ms: i64,
}

/// The window is divided so often; it exceeds its bound by at most one part.
const PARTS: i64 = 16;

/// Remembers when which revision was current.
#[derive(Debug, Default)]
pub(super) struct Ages {
    /// Time, and the revision that was current then; both rising.
    samples: VecDeque<(i64, i64)>,
    /// The newest revision that has grown too old; the other bound may hold it for a while yet.
    outgrown: Option<i64>,
}

impl Ages {
    /// Notes the present, not more often than the window is divided.
    fn note(&mut self, now_ms: i64, revision: i64, window_ms: i64) {
        let part_ms = (window_ms / PARTS).max(1);
        let newest = self.samples.back();
        let is_news = |&(then_ms, then): &(i64, i64)| {
            revision > then && now_ms.saturating_sub(then_ms) >= part_ms
        };
        if newest.is_none_or(is_news) {
            self.samples.push_back((now_ms, revision));
        }
    }

    /// The newest revision that was current `window_ms` ago or earlier.
    fn older_than(&mut self, now_ms: i64, window_ms: i64) -> Option<i64> {
        let horizon_ms = now_ms.saturating_sub(window_ms);
        let old = self
            .samples
            .iter()
            .take_while(|&&(then_ms, _)| then_ms <= horizon_ms)
            .count();
        if let Some((_, revision)) = self.samples.drain(..old).next_back() {
            self.outgrown = Some(revision);
        }
        self.outgrown
    }
}

impl<P: PageStore> Store<P> {
    /// When time will let more history go, if there is any; by the host's time.
    pub(super) fn retention_due_ms(&self) -> Option<i64> {
        let window_ms = self.options.retention.ms;
        let (then_ms, _) = self.ages.samples.front().filter(|_| window_ms > 0)?;
        Some(then_ms.saturating_add(window_ms))
    }

    /// Compacts what the window has left behind.
    pub(super) fn retain(&mut self, now_ms: i64) -> Result<()> {
        let Retention { revisions, ms } = self.options.retention;
        let current = self.revision();
        let compacted = self.revisions.compact_revision();
        let mut target = i64::MAX;
        if revisions > 0 {
            let oldest = current.saturating_sub(revisions);
            let slack = revisions / PARTS;
            target = if oldest.saturating_sub(slack) > compacted {
                oldest
            } else {
                compacted
            };
        }
        if ms > 0 {
            self.ages.note(now_ms, current, ms);
            target = target.min(self.ages.older_than(now_ms, ms).unwrap_or(compacted));
        }
        if target != i64::MAX && target > compacted.max(1) {
            self.compact(target)?;
        }
        Ok(())
    }
}
