//! What a watcher asks for.

use crate::range::KeyRange;

/// Asks for every change of a range of keys.
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
pub struct WatchRequest {
    /// Which keys.
    pub range: KeyRange,
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
    /// The epoch in which the revision before `start_revision` was seen; 0 not to check. If that
    /// revision was lost in a crash, the watcher is told `Rewound`.
    pub epoch: i64,
}

impl WatchRequest {
    /// Every change of `range` from the next revision on.
    pub fn new(range: KeyRange) -> Self {
        Self {
            range,
            start_revision: 0,
            watch_id: 0,
            prev_kv: false,
            no_put: false,
            no_delete: false,
            epoch: 0,
        }
    }
}
