//! Which way events took: told live, held by a victim, or read from history.
//!
//! It is seen from outside. Whoever was synced when something was published, and still is, has it in
//! its queue; whoever became a victim meanwhile holds it; everybody else will read it.

use revwatch::{Status, WatcherState};

use super::World;
use crate::record::{Place, WatcherNo};

/// What is known of a watcher's ways.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    state: Option<WatcherState>,
    /// Revisions that were told live, and those that a victim held; first and last of each run.
    live: Vec<(i64, i64)>,
    held: Vec<(i64, i64)>,
}

impl World {
    /// Looks where the watchers of a process stand, after anything that may have changed that.
    pub(super) fn look_at_watchers(&mut self, place: Place, status: &Status) {
        let process = self.process(place);
        let (published, applied) = (status.published_revision, status.revision);
        let old_published = std::mem::replace(&mut process.published, published);
        let old_applied = std::mem::replace(&mut process.applied, applied);
        let reports = process.store.watchers();
        for report in reports {
            let key = (place, report.stream, report.watch_id);
            let Some(&watcher) = self.by_id.get(&key) else {
                // It is a follower's.
                continue;
            };
            let client = &mut self.clients[watcher];
            let (old, now) = if self.streams[client.stream].early {
                (old_applied, applied)
            } else {
                (old_published, published)
            };
            let ways = &mut client.ways;
            let before = ways.state.replace(report.state);
            if now > old && before == Some(WatcherState::Synced) {
                match report.state {
                    WatcherState::Synced => ways.live.push((old + 1, now)),
                    WatcherState::Victim => ways.held.push((old + 1, now)),
                    WatcherState::Unsynced => {}
                }
            }
        }
    }

    /// Counts an event by the way that it took.
    pub(super) fn count_way(&mut self, watcher: WatcherNo, revision: i64) {
        let ways = &self.clients[watcher].ways;
        let is_in = |runs: &[(i64, i64)]| {
            runs.iter()
                .any(|&(first, last)| first <= revision && revision <= last)
        };
        if is_in(&ways.held) {
            self.tally.events_of_victims += 1;
        } else if is_in(&ways.live) {
            self.tally.events_told_live += 1;
        } else {
            self.tally.events_caught_up_with += 1;
        }
    }
}
