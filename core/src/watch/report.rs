//! What there is to know about watchers.

use alloc::vec;
use alloc::vec::Vec;

use super::batch::Slice;
use super::history::History;
use super::hub::Hub;
use super::stream::{Queued, StreamId};
use super::watcher::State;
use crate::range::KeyRange;

/// Where a watcher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WatcherState {
    /// It waits for the next change.
    Synced,
    /// It is behind, and reads history when its stream is polled.
    Unsynced,
    /// It holds what found no room in its stream's queue, and goes on when that is polled.
    Victim,
}

/// One watcher at one moment.
///
/// ```
/// use revwatch::{KeyRange, Options, Store, WatchRequest, WatcherState};
///
/// let mut store = Store::in_memory(Options::default());
/// let stream = store.watch_stream();
/// store.watch(stream, &WatchRequest::new(KeyRange::prefix(b"a")))?;
/// store.put(b"ab", b"1")?;
/// let [report] = &store.watchers()[..] else { panic!("there is one watcher") };
/// assert_eq!((report.state, report.next_revision), (WatcherState::Synced, 3));
/// assert_eq!((report.queued_responses, report.queued_bytes, report.lag), (1, 3, 0));
/// # Ok::<(), revwatch::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatcherReport {
    /// Its stream.
    pub stream: StreamId,
    /// Its id there.
    pub watch_id: i64,
    /// Where it stands.
    pub state: WatcherState,
    /// What it watches; sorted.
    pub ranges: Vec<KeyRange>,
    /// The first revision that it has been given nothing of yet.
    pub next_revision: i64,
    /// Responses with events that wait to be polled.
    pub queued_responses: usize,
    /// Bytes of keys and values in those, and in what a victim holds.
    pub queued_bytes: usize,
    /// Revisions that it has not been given yet: published ones, or applied ones if its stream is told
    /// early.
    pub lag: i64,
}

impl Hub {
    /// All watchers, by stream and id. Costs by the watchers and by what is queued.
    pub(crate) fn watchers(&self, history: &impl History) -> Vec<WatcherReport> {
        let mut reports = Vec::with_capacity(self.watcher_count());
        let mut waiting = vec![(0, 0); self.watchers.capacity()];
        for (place, stream) in &self.streams {
            for queued in &stream.queue {
                let mut count = |watcher: u32, slice: Slice| {
                    let (responses, bytes) = &mut waiting[watcher as usize];
                    *responses += 1;
                    *bytes += self.bytes_of(slice);
                };
                match *queued {
                    Queued::Events { watcher, slice, .. } => count(watcher, slice),
                    Queued::Run { roster, at, slice } => {
                        let members = &self.rosters.members(roster)[at as usize..];
                        for member in members {
                            count(member.watcher, slice);
                        }
                    }
                    Queued::Created { .. } | Queued::Progress { .. } | Queued::Ended { .. } => {}
                }
            }
            for &(victim, slice) in &stream.victims {
                let (_, bytes) = &mut waiting[victim as usize];
                *bytes += self.bytes_of(slice);
            }
            for key in stream.ids.iter() {
                let id = self.id_of(place as u32);
                reports.extend(self.report(key, id, waiting[key as usize], history));
            }
        }
        reports.sort_unstable_by_key(|report| (report.stream, report.watch_id));
        reports
    }

    /// Bytes of keys and values.
    fn bytes_of(&self, slice: Slice) -> usize {
        let batch = self.batches.get(slice.batch);
        let bytes_at = |place| {
            let prev_kv = batch.prev_kv(place, slice.picked);
            let (_, kv) = batch.change(place, slice.picked);
            kv.bytes() + prev_kv.map_or(0, |kv| kv.bytes())
        };
        (slice.start..slice.end).map(bytes_at).sum()
    }

    fn report(
        &self,
        key: u32,
        stream: StreamId,
        (queued_responses, queued_bytes): (usize, usize),
        history: &impl History,
    ) -> Option<WatcherReport> {
        let watcher = &self.watchers[key as usize];
        let published = history.published();
        let mut next_revision = watcher.next_revision;
        let state = match watcher.state {
            State::Synced => {
                next_revision = next_revision.max(published + 1);
                WatcherState::Synced
            }
            State::Unsynced => WatcherState::Unsynced,
            State::Victim => WatcherState::Victim,
            State::Ended => return None,
        };
        let holder = watcher.holder(key);
        Some(WatcherReport {
            stream,
            watch_id: watcher.id,
            state,
            ranges: self.groups.ranges(&self.watchers, holder),
            next_revision,
            queued_responses,
            queued_bytes,
            lag: (published + 1 - next_revision).max(0),
        })
    }
}
