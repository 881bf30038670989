//! What a watcher asks for.

use alloc::vec;
use alloc::vec::Vec;

use crate::range::KeyRange;

/// Asks for every change of one or more ranges of keys.
///
/// ```
/// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"a", b"1").unwrap();
/// let stream = store.watch_stream();
/// let request = WatchRequest { start_revision: 1, ..WatchRequest::new(KeyRange::All) };
/// let watch_id = store.watch(stream, &request).unwrap();
///
/// let created = store.poll(stream, 100, 1 << 20).unwrap();
/// assert_eq!(created, WatchResponse::Created { watch_id, revision: 2 });
/// let WatchResponse::Events { events, .. } = store.poll(stream, 100, 1 << 20).unwrap() else {
///     panic!("the put at revision 2 is history to be caught up with");
/// };
/// assert_eq!(events.iter().next().unwrap().kv.key, b"a");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "etcd's options, each a yes or no"
)]
pub struct WatchRequest {
    /// Which keys: those in any of these ranges. A change of a key that is in several of them comes
    /// once.
    pub ranges: Vec<KeyRange>,
    /// The first revision wanted: 0 for the next one, one in the past for history first, one in
    /// the future to skip what comes before it.
    pub start_revision: i64,
    /// The watcher's id in its stream; 0 to have the next free one chosen.
    pub watch_id: i64,
    /// Whether events carry what the key was before.
    pub prev_kv: bool,
    /// Leave out puts.
    pub no_put: bool,
    /// Leave out deletes.
    pub no_delete: bool,
    /// Leave out values, also those that keys had before.
    pub keys_only: bool,
    /// A revision too large for a poll's limits, or for
    /// [`Limits::fragment_bytes`](crate::Limits::fragment_bytes), may come in several responses: all
    /// but the last of them are marked as fragments. Without this it comes whole, whatever its size.
    pub fragment: bool,
    /// Tell [`Progress`](crate::WatchResponse::Progress) when nothing else was told for
    /// [`Limits::progress_notify_ms`](crate::Limits::progress_notify_ms).
    pub progress_notify: bool,
    /// When behind, only the newest state of each key.
    ///
    /// Who is slower than the writer then never sees more than what is still true: of the changes of
    /// one key that it has missed, the last. It holds at most one response at a time and never one
    /// that history has overtaken twice.
    ///
    /// What holds still: events come in order of revision, none twice; the last event of each key
    /// always comes, deletes as deletes; a compaction that may have taken one of them is told.
    /// What does not: revisions are skipped, and of a transaction those keys may be missing that have
    /// changed again since. `prev_kv` is what the key was before that change, told or not.
    pub conflate: bool,
    /// The epoch in which the revision before `start_revision` was seen; 0 not to check. If that
    /// revision was lost in a crash, the watcher is told `Rewound`.
    pub epoch: i64,
}

impl WatchRequest {
    /// Every change of `range` from the next revision on.
    pub fn new(range: KeyRange) -> Self {
        Self::of_ranges(vec![range])
    }

    /// Every change of several ranges from the next revision on.
    ///
    /// ```
    /// use revwatch::{KeyRange, Options, Store, WatchRequest, WatchResponse};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// let stream = store.watch_stream();
    /// let ranges = vec![KeyRange::prefix(b"/task/"), KeyRange::one(b"/leader")];
    /// store.watch(stream, &WatchRequest::of_ranges(ranges))?;
    /// store.put(b"/leader", b"me")?;
    /// store.poll(stream, 100, 1 << 20)?; // Created
    /// assert!(matches!(store.poll(stream, 100, 1 << 20)?, WatchResponse::Events { .. }));
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn of_ranges(ranges: Vec<KeyRange>) -> Self {
        Self {
            ranges,
            start_revision: 0,
            watch_id: 0,
            prev_kv: false,
            no_put: false,
            no_delete: false,
            keys_only: false,
            fragment: false,
            progress_notify: false,
            conflate: false,
            epoch: 0,
        }
    }
}

/// What a watcher leaves out. Watchers of the same ranges with the same filter see the same events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Filter {
    pub(super) no_put: bool,
    pub(super) no_delete: bool,
}

impl Filter {
    /// Leaves out nothing.
    pub(super) const NONE: Self = Self {
        no_put: false,
        no_delete: false,
    };
    /// How many filters there are.
    pub(super) const COUNT: usize = 4;

    /// Numbers the filters from 0.
    pub(super) fn index(self) -> usize {
        usize::from(self.no_put) + 2 * usize::from(self.no_delete)
    }
}
