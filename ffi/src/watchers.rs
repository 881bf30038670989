//! A report of all watchers, for operators and pictures.

use revwatch_core::{KeyRange, WatcherReport, WatcherState};

use crate::handle;
use crate::input::Out;
use crate::owned::{self, Owned, parts};
use crate::status::{REVWATCH_OK, guard, revwatch_status};
use crate::store::revwatch_store;
use crate::watch::revwatch_key_range;

/// The state of a watcher: it waits for the next change.
pub const REVWATCH_WATCHER_SYNCED: i32 = 1;
/// The state of a watcher: it is behind, and reads history when its stream is polled.
pub const REVWATCH_WATCHER_UNSYNCED: i32 = 2;
/// The state of a watcher: it holds what found no room in its stream's queue, and goes on when that is
/// polled.
pub const REVWATCH_WATCHER_VICTIM: i32 = 3;

/// One watcher at one moment.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_watcher_report {
    /// Its stream, see revwatch_stream_id(). Follows and open cursors have a stream of their own each,
    /// with one watcher.
    pub stream_id: u64,
    /// Its id there.
    pub watch_id: i64,
    /// A REVWATCH_WATCHER_*.
    pub state: i32,
    /// What it watches, sorted; `prefix` is 0, as all ranges are written with a range_end.
    pub ranges: *const revwatch_key_range,
    /// How many `ranges`.
    pub ranges_len: usize,
    /// The first revision that it has been given nothing of yet.
    pub next_revision: i64,
    /// Responses with events that wait to be polled.
    pub queued_responses: u64,
    /// Bytes of keys and values in those, and in what a victim holds.
    pub queued_bytes: u64,
    /// Published revisions that it has not been given yet.
    pub lag: i64,
}

/// All watchers of a store, by stream and id.
#[repr(C)]
pub struct revwatch_watchers_result {
    /// The watchers.
    pub watchers: *const revwatch_watcher_report,
    /// How many `watchers`.
    pub watchers_len: usize,
}

/// The ranges of a watcher, with the bytes that they point into.
type Ranges = (Vec<revwatch_key_range>, Vec<(Vec<u8>, Vec<u8>)>);

impl Owned for revwatch_watchers_result {
    type Backing = (Vec<revwatch_watcher_report>, Vec<Ranges>);
}

/// Reports on all watchers, those of follows and cursors too. Costs by the watchers and by what is
/// queued for them. The answer is to be freed with revwatch_watchers_result_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_watchers(
    store: *mut revwatch_store,
    result: *mut *mut revwatch_watchers_result,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions.
        let out = unsafe { Out::required("result", result)? };
        let reports = handle::get(store)?.read(|store| Ok(store.watchers()))?;
        let (seen, backing): (Vec<_>, Vec<_>) = reports.iter().map(report).unzip();
        let (watchers, watchers_len) = parts(&seen);
        let answer = revwatch_watchers_result {
            watchers,
            watchers_len,
        };
        out.write(owned::give(answer, (seen, backing)));
        Ok(REVWATCH_OK)
    })
}

/// A report for C, with what it points into: on the heap, so that it can be moved.
fn report(report: &WatcherReport) -> (revwatch_watcher_report, Ranges) {
    let bytes: Vec<_> = report.ranges.iter().map(KeyRange::to_etcd).collect();
    let ranges: Vec<_> = bytes
        .iter()
        .map(|(key, range_end)| revwatch_key_range {
            key: key.as_ptr(),
            key_len: key.len(),
            range_end: range_end.as_ptr(),
            range_end_len: range_end.len(),
            prefix: 0,
        })
        .collect();
    let seen = revwatch_watcher_report {
        stream_id: report.stream.to_bits(),
        watch_id: report.watch_id,
        state: match report.state {
            WatcherState::Synced => REVWATCH_WATCHER_SYNCED,
            WatcherState::Unsynced => REVWATCH_WATCHER_UNSYNCED,
            WatcherState::Victim => REVWATCH_WATCHER_VICTIM,
        },
        ranges: ranges.as_ptr(),
        ranges_len: ranges.len(),
        next_revision: report.next_revision,
        queued_responses: report.queued_responses as u64,
        queued_bytes: report.queued_bytes as u64,
        lag: report.lag,
    };
    (seen, (ranges, bytes))
}

/// Frees the report of watchers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_watchers_result_free(result: *mut revwatch_watchers_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
