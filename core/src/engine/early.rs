//! Early delivery: streams that are told what is applied, before it is durable.
//!
//! They have a hub of their own, made for the first of them, whose frontier is the newest applied
//! revision instead of the newest published one. So nothing in `watch` knows of two frontiers, and a
//! store in which nobody asked pays nothing.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{iter, mem};

use super::store::Store;
use crate::page::PageStore;
use crate::record::Event;
use crate::seeded_bug::is_seeded;
use crate::watch::{Hub, StreamId};

/// How a stream is opened, or the private one of a follower. The defaults are those of
/// [`Store::watch_stream`].
///
/// # Early delivery
///
/// A stream is told of a revision when it is *published*: as durable as the store promises. With
/// `early` it is told when the revision is *applied*, in the process that writes: as soon as
/// [`Store::get`] sees it, and never later than a stream without. It waits for no sync, so a change
/// reaches it a sync sooner with [`Durability::Commit`](crate::Durability::Commit) in a
/// [`SharedStore`](crate::SharedStore), and up to a whole batch sooner with
/// [`Durability::Batch`](crate::Durability::Batch).
///
/// What it was told may still be lost, whole revisions from the newest back, those that are not
/// published:
///
/// - *A sync fails.* What goes out of sight with it (see [`Store::finish_sync`]) was perhaps told.
///   Each watcher that may have been told more than what stays is told `Rewound` with the revision
///   that stays, behind what was queued for it, and ends; a follower is told `Reset`.
/// - *The process or the power goes.* Who goes on with the epoch and the revision that it saw is told
///   `Rewound` by the store that is opened again, if that revision is lost.
///
/// Everything else holds as for any stream, with the applied revision in place of the published one:
/// order, no gap, whole revisions, progress, compaction. So do limits, for all streams together.
///
/// It means nothing, and is no error, where changes are shown at once anyway: in memory, with
/// [`Durability::Never`](crate::Durability::Never), and in a store opened read-only, which sees what
/// another process has written before its sync.
///
/// ```
/// use revwatch::page::MemoryPages;
/// use revwatch::{
///     Durability, KeyRange, Options, Store, StreamOptions, WatchRequest, WatchResponse,
/// };
///
/// let options = Options { durability: Durability::ETCD, ..Options::default() };
/// let mut store = Store::open(MemoryPages::new(4096), options)?;
/// let early = store.watch_stream_with(StreamOptions { early: true });
/// let other = store.watch_stream();
/// for stream in [early, other] {
///     store.watch(stream, &WatchRequest::new(KeyRange::All))?;
///     store.poll(stream, 100, 1 << 20)?; // Created
/// }
///
/// store.put(b"key", b"value")?;
/// assert!(matches!(store.poll(early, 100, 1 << 20)?, WatchResponse::Events { .. }));
/// assert_eq!(store.poll(other, 100, 1 << 20)?, WatchResponse::Idle);
/// store.flush()?;
/// assert!(matches!(store.poll(other, 100, 1 << 20)?, WatchResponse::Events { .. }));
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamOptions {
    /// Tell of changes when they are applied, before they are durable.
    pub early: bool,
}

impl<P: PageStore> Store<P> {
    /// Opens a stream with options: see there. O(1).
    pub fn watch_stream_with(&mut self, options: StreamOptions) -> StreamId {
        let is_same = self.shows_what_is_applied() || is_seeded!(EarlyIsLate);
        if !options.early || is_same {
            return self.hub.open_stream();
        }
        let (seed, limits) = (self.options.seed, &self.options.limits);
        let keeps_spent = self.hub.keeps_spent();
        let early = self.early.get_or_insert_with(|| {
            let mut early = Hub::new_early(seed, limits);
            if keeps_spent {
                early.keep_spent();
            }
            Box::new(early)
        });
        early.open_stream()
    }

    /// Whether all streams are told at once what is applied.
    pub(super) fn shows_what_is_applied(&self) -> bool {
        self.options.read_only || !self.shows_only_what_is_durable()
    }

    /// The newest revision that a stream may be told of.
    pub(super) fn frontier(&self, is_early: bool) -> i64 {
        if is_early {
            self.revision()
        } else {
            self.published
        }
    }

    /// The newest revision that any stream may be told of.
    pub(crate) fn newest_frontier(&self) -> i64 {
        let is_wanted = |early: &Hub| early.stream_count() > 0;
        self.frontier(self.early.as_deref().is_some_and(is_wanted))
    }

    /// The hub that knows a stream, if it is one of this store.
    pub(super) fn hub_of(&mut self, stream: StreamId) -> &mut Hub {
        match &mut self.early {
            Some(early) if stream.is_early() => early,
            _ => &mut self.hub,
        }
    }

    /// All hubs there are.
    pub(super) fn hubs(&self) -> impl Iterator<Item = &Hub> {
        iter::once(&self.hub).chain(self.early.as_deref())
    }

    pub(super) fn early_wants_events(&self) -> bool {
        self.early
            .as_ref()
            .is_some_and(|early| early.wants_events())
    }

    pub(super) fn early_wants_prev_kv(&self) -> bool {
        self.early
            .as_ref()
            .is_some_and(|early| early.wants_prev_kv())
    }

    /// The newest transaction cannot be handed to the watchers: they read it from history.
    pub(super) fn early_fall_behind(&mut self) {
        let before = self.revision() - 1;
        if let Some(early) = &mut self.early {
            early.fall_behind(before);
        }
    }

    /// The newest transaction is applied: shows its events. They are left to the caller if that
    /// `keeps` them.
    pub(super) fn show_early(&mut self, events: &mut Vec<Event>, keeps: bool) {
        let applied = self.revision();
        let Some(early) = &mut self.early else {
            return;
        };
        if events.is_empty() || !early.wants_events() {
            return;
        }
        let shown = if keeps {
            events.clone()
        } else {
            mem::take(events)
        };
        early.publish(applied, shown, self.hub.held_bytes());
    }

    pub(super) fn notify_early_progress(&mut self, now_ms: i64) {
        let applied = self.revision();
        if let Some(early) = &mut self.early {
            early.notify_progress(now_ms, applied);
        }
    }

    /// What was applied after `known`, up to `told`, has gone out of sight.
    pub(super) fn rewind_early(&mut self, known: i64, told: i64) {
        if let Some(early) = &mut self.early
            && !is_seeded!(EarlyRewindIsSilent)
        {
            early.learn_published(known);
            early.rewind(known, told);
        }
        self.rewind_follows(known);
    }
}
