//! How watchers change their state. Nothing else does it.

use super::batch::Slice;
use super::history::History;
use super::holder::Place;
use super::hub::Hub;
use super::stream::{LastWord, Queued};
use super::watcher::{Flag, State};
use crate::seeded_bug::is_seeded;

impl Hub {
    /// A watcher that is nowhere holds what has no room: it is a victim.
    pub(super) fn hold(&mut self, key: u32, slice: Slice) {
        let watcher = &mut self.watchers[key as usize];
        watcher.state = State::Victim;
        self.counts.victims += 1;
        let stream = &mut self.streams[watcher.stream as usize];
        stream.victims.push_back((key, slice));
    }

    /// A watcher that is nowhere comes to stand somewhere; a victim does so by [`Self::hold`].
    pub(super) fn enter(&mut self, key: u32, state: State) {
        let watcher = &mut self.watchers[key as usize];
        let stream = watcher.stream;
        watcher.state = state;
        match state {
            State::Synced => {
                self.groups.link(&mut self.watchers, &mut self.rosters, key);
                self.counts.synced += 1;
            }
            State::Unsynced => {
                let next_revision = watcher.next_revision;
                self.groups.one_behind(&mut self.watchers, key);
                self.counts.unsynced += 1;
                let behind = &mut self.streams[stream as usize].behind;
                behind.insert((next_revision, key));
                self.feed(stream);
            }
            State::Victim | State::Ended => {}
        }
    }

    /// Takes a watcher from where it stands. What a victim held is the caller's now.
    pub(super) fn leave(&mut self, key: u32) -> Option<Slice> {
        let watcher = &mut self.watchers[key as usize];
        let stream = watcher.stream;
        let state = core::mem::replace(&mut watcher.state, State::Ended);
        let stream = &mut self.streams[stream as usize];
        match state {
            State::Synced => {
                self.groups
                    .unlink(&mut self.watchers, &mut self.rosters, key);
                self.counts.synced -= 1;
            }
            State::Unsynced => {
                stream.behind.remove(&(watcher.next_revision, key));
                self.groups.one_ahead(&self.watchers, key);
                self.counts.unsynced -= 1;
            }
            State::Victim => {
                self.counts.victims -= 1;
                let is_it = |&(victim, _): &(u32, Slice)| victim == key;
                let place = stream.victims.iter().position(is_it)?;
                let (_, slice) = stream.victims.remove(place)?;
                return Some(slice);
            }
            State::Ended => {}
        }
        None
    }

    /// A watcher has yet to see `next_revision` and what comes after it, and reads it from history.
    pub(super) fn go_behind(&mut self, key: u32, next_revision: i64) {
        self.leave(key);
        self.watchers[key as usize].next_revision = next_revision;
        self.enter(key, State::Unsynced);
    }

    /// A watcher has been given everything up to before its next revision: it waits for what is new
    /// if it will be given that, and reads history otherwise.
    pub(super) fn go_on(&mut self, key: u32, history: &impl History) {
        let watcher = &self.watchers[key as usize];
        let prev_kv = watcher.has(Flag::PrevKv);
        let is_synced = watcher.next_revision > history.told_from_history(prev_kv)
            || is_seeded!(SyncedTooEarly);
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
        if let Some(slice) = self.take_out(key) {
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

    /// Takes a watcher out of everything but its stream's queue. What a victim held is the caller's
    /// now.
    pub(super) fn take_out(&mut self, key: u32) -> Option<Slice> {
        if matches!(self.watchers[key as usize].place, Place::Nowhere) {
            return None;
        }
        let held = self.leave(key);
        self.drop_claims(key);
        if let Some(holder) = self.groups.leave(&mut self.watchers, key) {
            self.parts.forget(holder, &mut self.batches);
        }
        held
    }

    /// Queues what is said of a watcher, and wakes who waits for the stream.
    pub(super) fn tell(&mut self, stream: u32, notice: Queued) {
        self.sate(stream);
        let stream = &mut self.streams[stream as usize];
        stream.push_notice(notice);
        self.woken.extend(stream.waker.take());
    }
}
