//! How watchers change their state. Nothing else does it.

use super::hub::Hub;
use super::stream::{LastWord, Queued};
use super::watcher::{NOBODY, State};
use crate::seeded_bug::is_seeded;

impl Hub {
    /// A watcher that is nowhere comes to stand somewhere.
    pub(super) fn enter(&mut self, key: u32, state: State) {
        let watcher = &mut self.watchers[key as usize];
        let (stream, group) = (watcher.stream, watcher.group);
        watcher.state = state;
        match state {
            State::Synced => {
                self.groups.link(&mut self.watchers, key);
                self.counts.synced += 1;
            }
            State::Unsynced => {
                let next_revision = watcher.next_revision;
                self.groups.one_behind(group);
                self.counts.unsynced += 1;
                let behind = &mut self.streams[stream as usize].behind;
                behind.insert((next_revision, key));
                self.feed(stream);
            }
            State::Victim(_) => {
                self.counts.victims += 1;
                self.streams[stream as usize].victims.push_back(key);
            }
            State::Ended => {}
        }
    }

    /// Takes a watcher from where it stands. What a victim held is the caller's now.
    pub(super) fn leave(&mut self, key: u32) -> State {
        let watcher = &mut self.watchers[key as usize];
        let (stream, group) = (watcher.stream, watcher.group);
        let state = core::mem::replace(&mut watcher.state, State::Ended);
        let stream = &mut self.streams[stream as usize];
        match state {
            State::Synced => {
                self.groups.unlink(&mut self.watchers, key);
                self.counts.synced -= 1;
            }
            State::Unsynced => {
                stream.behind.remove(&(watcher.next_revision, key));
                self.groups.one_ahead(group);
                self.counts.unsynced -= 1;
            }
            State::Victim(_) => {
                if stream.victims.front() == Some(&key) {
                    stream.victims.pop_front();
                } else {
                    stream.victims.retain(|&victim| victim != key);
                }
                self.counts.victims -= 1;
            }
            State::Ended => {}
        }
        state
    }

    /// A watcher has yet to see `next_revision` and what comes after it, and reads it from history.
    pub(super) fn go_behind(&mut self, key: u32, next_revision: i64) {
        self.leave(key);
        self.watchers[key as usize].next_revision = next_revision;
        self.enter(key, State::Unsynced);
    }

    /// A watcher has been given everything up to before its next revision: it waits for what is new
    /// if that is not applied yet, and reads history otherwise.
    pub(super) fn go_on(&mut self, key: u32, applied: i64) {
        let is_synced =
            self.watchers[key as usize].next_revision > applied || is_seeded!(SyncedTooEarly);
        self.enter(
            key,
            if is_synced {
                State::Synced
            } else {
                State::Unsynced
            },
        );
    }

    /// Ends a watcher with a last word, behind all that is queued for it.
    pub(super) fn end(&mut self, key: u32, why: LastWord, revision: i64) {
        let watcher = &self.watchers[key as usize];
        let (stream, id) = (watcher.stream, watcher.id);
        let notice = Queued::Ended {
            watcher: key,
            why,
            revision,
        };
        if why.leaves_watcher() {
            return self.tell(stream, notice);
        }
        self.streams[stream as usize].ids.remove(id);
        if let State::Victim(slice) = self.take_out(key) {
            self.streams[stream as usize].held_bytes -= self.batches.bytes_of(slice.batch);
            self.batches.release(slice.batch);
        }
        if why == LastWord::Compacted && is_seeded!(CompactionIsToldTwice) {
            self.tell(stream, notice);
        }
        let is_alone = self.streams[stream as usize].queue.is_empty();
        if why == LastWord::Compacted && !is_alone && is_seeded!(CompactionNoticeIsDropped) {
            self.watchers.remove(key as usize);
        } else {
            self.tell(stream, notice);
        }
        self.forget_history_if_nobody_is_behind();
    }

    /// Takes a watcher out of everything but its stream's queue.
    pub(super) fn take_out(&mut self, key: u32) -> State {
        if self.watchers[key as usize].group == NOBODY {
            return State::Ended;
        }
        let state = self.leave(key);
        self.drop_claims(key);
        let watcher = &mut self.watchers[key as usize];
        let group = core::mem::replace(&mut watcher.group, NOBODY);
        if self.groups.leave(group) {
            self.parts.forget_group(group, &mut self.batches);
        }
        state
    }

    /// Queues what is said of a watcher, and wakes who waits for the stream.
    pub(super) fn tell(&mut self, stream: u32, notice: Queued) {
        self.sate(stream);
        let stream = &mut self.streams[stream as usize];
        stream.push_notice(notice);
        self.woken.extend(stream.waker.take());
    }
}
