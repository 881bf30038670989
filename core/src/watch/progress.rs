//! Telling watchers how far they are when nothing happens.

use alloc::collections::{BTreeMap, BTreeSet};

use super::hub::Hub;
use super::stream::{Queued, StreamId};
use super::watcher::{Flag, State, Watcher};
use crate::error::Result;
use crate::seeded_bug::is_seeded;

/// Watchers whose progress one step looks at.
const MOST_WATCHERS: usize = 4096;

/// When the progress of which watcher is due, in the host's milliseconds: for those who asked.
#[derive(Debug, Default)]
pub(super) struct ProgressDue {
    /// `i64::MIN` until the time is known.
    by_time: BTreeSet<(i64, u32)>,
    by_watcher: BTreeMap<u32, i64>,
}

impl ProgressDue {
    /// A watcher asks to be told from now on.
    pub(super) fn begin(&mut self, key: u32) {
        self.set(key, i64::MIN);
    }

    pub(super) fn end(&mut self, key: u32) {
        if let Some(due_ms) = self.by_watcher.remove(&key) {
            self.by_time.remove(&(due_ms, key));
        }
    }

    fn set(&mut self, key: u32, due_ms: i64) {
        self.end(key);
        self.by_time.insert((due_ms, key));
        self.by_watcher.insert(key, due_ms);
    }

    fn first(&self) -> Option<(i64, u32)> {
        self.by_time.first().copied()
    }
}

impl Hub {
    /// Queues that the stream was told everything up to the published revision, behind what it has
    /// queued. Answers false, and says nothing, unless all its watchers have been given all of that
    /// and have reached their start.
    pub(crate) fn request_progress(&mut self, stream_id: StreamId, published: i64) -> Result<bool> {
        let place = self.find(stream_id)?;
        self.published = published;
        let stream = &mut self.streams[place as usize];
        if !stream.is_up_to(published) && !is_seeded!(ProgressIsEarly) {
            return Ok(false);
        }
        if is_seeded!(ProgressIsForgotten) {
            return Ok(true);
        }
        stream.push_progress(published);
        if is_seeded!(ProgressOvertakesQueue) {
            stream.queue.rotate_right(1);
        }
        self.woken.extend(stream.waker.take());
        self.sate(place);
        Ok(true)
    }

    /// Tells the progress of those watchers who asked for it, whose time has come, and who were told
    /// nothing since the last time.
    pub(crate) fn notify_progress(&mut self, now_ms: i64, published: i64) {
        let next_ms = now_ms.saturating_add(self.progress_notify_ms);
        for _ in 0..MOST_WATCHERS {
            let Some((due_ms, key)) = self.progress_due.first() else {
                break;
            };
            if due_ms > now_ms {
                break;
            }
            self.progress_due.set(key, next_ms);
            let watcher = &mut self.watchers[key as usize];
            let was_told = watcher.has(Flag::Told);
            watcher.clear(Flag::Told);
            let has_queued = self.streams[watcher.stream as usize].has_queued(watcher);
            if due_ms == i64::MIN || was_told || has_queued || !watcher.is_up_to(published) {
                continue;
            }
            watcher.set(Flag::ProgressQueued);
            let stream = watcher.stream;
            self.tell(
                stream,
                Queued::Progress {
                    watcher: key,
                    revision: published,
                },
            );
        }
    }

    /// The host's time when the next progress is due.
    pub(crate) fn progress_due_ms(&self) -> Option<i64> {
        self.progress_due.first().map(|(due_ms, _)| due_ms)
    }
}

impl Watcher {
    /// Whether it has been given everything up to `published`, and told its progress if that was
    /// due before, and has reached its start.
    fn is_up_to(&self, published: i64) -> bool {
        let is_up_to = match self.state {
            State::Synced => self.next_revision <= published + 1,
            State::Unsynced => self.next_revision > published,
            State::Victim | State::Ended => false,
        };
        is_up_to && !self.has(Flag::ProgressQueued)
    }
}
