//! One watcher.

use super::holder::{Holder, Place};
use super::request::{Filter, WatchRequest};
use crate::seeded_bug::is_seeded;

/// What the matcher knows a watcher by, or several of the same ranges: the number of a
/// [`Holder`](super::holder::Holder).
pub(super) type WatcherKey = usize;

/// No watcher.
pub(super) const NOBODY: u32 = u32::MAX;

/// Where a watcher stands; see the module's documentation for the transitions.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// Waits for the next change.
    Synced,
    /// Is behind: has yet to see what is published from `next_revision` on.
    Unsynced,
    /// Something of it did not fit its stream's queue: the stream's list of victims has it.
    Victim,
    /// Will say no more than what is queued; then it is forgotten.
    Ended,
}

/// There may be a million of these: no field that is not needed, none wider than it must be.
#[derive(Debug)]
pub(super) struct Watcher {
    pub(super) id: i64,
    /// Nothing before this revision is delivered; everything from it on is.
    pub(super) next_revision: i64,
    /// The stream's place in the hub.
    pub(super) stream: u32,
    /// The number of the last response with events that its stream queued for it; see
    /// [`Stream::has_queued`](super::stream::Stream::has_queued).
    pub(super) last_push: u32,
    pub(super) place: Place,
    pub(super) state: State,
    pub(super) flags: Flags,
}

/// A set of [`Flag`]s.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags(u16);

/// What a watcher asked for, and what is to be remembered of it, each one bit.
#[derive(Clone, Copy)]
pub(super) enum Flag {
    PrevKv = 1,
    NoPut = 2,
    NoDelete = 4,
    KeysOnly = 8,
    Fragment = 16,
    Conflate = 32,
    ProgressNotify = 64,
    /// Something was queued for it since its progress was last due.
    Told = 128,
    /// A notice of its progress is queued.
    ProgressQueued = 256,
}

impl Watcher {
    /// A watcher that no group knows of yet.
    pub(super) fn new(request: &WatchRequest, id: i64, stream: u32, next_revision: i64) -> Self {
        let flags = [
            (request.prev_kv, Flag::PrevKv),
            (request.no_put && !is_seeded!(FilterIsIgnored), Flag::NoPut),
            (request.no_delete, Flag::NoDelete),
            (
                request.keys_only && !is_seeded!(ValuesAreShown),
                Flag::KeysOnly,
            ),
            (
                request.fragment || is_seeded!(RevisionIsSplit),
                Flag::Fragment,
            ),
            (request.conflate, Flag::Conflate),
            (request.progress_notify, Flag::ProgressNotify),
        ];
        let asked = flags.into_iter().filter(|(asked, _)| *asked);
        let flags = asked.fold(Flags::default(), |flags, (_, flag)| flags.with(flag));
        Self {
            id,
            next_revision,
            stream,
            last_push: 0,
            place: Place::Nowhere,
            state: State::Ended,
            flags,
        }
    }

    pub(super) fn has(&self, flag: Flag) -> bool {
        self.flags.has(flag)
    }

    pub(super) fn set(&mut self, flag: Flag) {
        self.flags = self.flags.with(flag);
    }

    pub(super) fn clear(&mut self, flag: Flag) {
        self.flags.0 &= !(flag as u16);
    }

    /// By whom it is found, if `key` is its number.
    pub(super) fn holder(&self, key: u32) -> Holder {
        match self.place {
            Place::Grouped { group, .. } => Holder::group(group),
            Place::Alone { .. } | Place::Nowhere => Holder::watcher(key),
        }
    }

    /// Its neighbours among the synced watchers of its group; nobody for one that is alone.
    #[inline]
    pub(super) fn neighbours(&self) -> (u32, u32) {
        match self.place {
            Place::Grouped { before, after, .. } => (before, after),
            Place::Alone { .. } | Place::Nowhere => (NOBODY, NOBODY),
        }
    }

    pub(super) fn set_neighbours(&mut self, new_before: u32, new_after: u32) {
        self.set_before(new_before);
        self.set_after(new_after);
    }

    pub(super) fn set_before(&mut self, new: u32) {
        if let Place::Grouped { before, .. } = &mut self.place {
            *before = new;
        }
    }

    pub(super) fn set_after(&mut self, new: u32) {
        if let Place::Grouped { after, .. } = &mut self.place {
            *after = new;
        }
    }

    /// The matching that has touched it is over.
    pub(super) fn forget_touch(&mut self) {
        if let Place::Alone { touched, .. } = &mut self.place {
            *touched = 0;
        }
    }

    /// Whether every event of its ranges is for it, and however many there are.
    pub(super) fn takes_all(&self) -> bool {
        let but = Flag::NoPut as u16 | Flag::NoDelete as u16 | Flag::Conflate as u16;
        self.flags.0 & but == 0
    }

    pub(super) fn filter(&self) -> Filter {
        Filter {
            no_put: self.has(Flag::NoPut),
            no_delete: self.has(Flag::NoDelete),
        }
    }
}

impl Flags {
    #[inline]
    pub(super) fn has(self, flag: Flag) -> bool {
        self.0 & flag as u16 != 0
    }

    pub(super) fn with(self, flag: Flag) -> Self {
        Self(self.0 | flag as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_is_as_small_as_its_budget_asks() {
        assert_eq!(size_of::<Watcher>(), 48);
        // A slab takes the same for one that is there or not.
        assert_eq!(size_of::<Option<Watcher>>(), size_of::<Watcher>());
    }
}
