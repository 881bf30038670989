//! Groups: watchers of the same ranges.
//!
//! A change is matched once for all watchers of the same ranges, whatever their number and whatever
//! else they ask for. A watcher that falls behind or catches up moves between two places of its
//! group, and the matcher need not know.

use alloc::vec::Vec;
use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;

use super::matching::{Matcher, Membership, spread};
use super::watcher::{NOBODY, Watcher};
use crate::range::KeyRange;
use crate::record::Event;

/// The watchers of the same ranges. There may be one for each watcher: it is kept small.
#[derive(Debug)]
pub(super) struct Group {
    /// Where the matcher has their ranges.
    membership: Membership,
    /// Of the ranges.
    hash: u32,
    /// Watchers in any state but ended.
    members: u32,
    /// One of those that are synced: they are a ring.
    pub(super) first_synced: u32,
    /// How many are unsynced.
    unsynced: u32,
    /// When the first of those came; see [`Groups::stamp`].
    behind_since: u64,
    /// Its place, plus one, in the matching that is under way.
    touched: u32,
}

/// All groups, found by their ranges and by the keys in them.
#[derive(Debug)]
pub(super) struct Groups {
    slab: Slab<Group>,
    by_ranges: HashTable<u32>,
    hasher: FixedState,
    matcher: Matcher,
    /// Counts how often a group began to have somebody behind.
    stamp: u64,
    matching: Matching,
}

/// Those events of a batch that are in a group's ranges: a run of them, or of what was picked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected {
    pub(super) group: u32,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) picked: bool,
}

/// A matching under way. Kept from one to the next for its memory.
#[derive(Debug, Default)]
struct Matching {
    touched: Vec<Touched>,
    /// The runs of those groups whose events are not neighbours, each with the one before it.
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Touched {
    group: u32,
    /// The newest run.
    run: Run,
    count: u32,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    end: u32,
    /// The place of the run before it.
    before: u32,
}

/// The first run has none before it.
const NO_RUN: u32 = u32::MAX;

impl Groups {
    /// None; `seed` keeps chosen keys from flooding hash tables.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            slab: Slab::new(),
            by_ranges: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            matcher: Matcher::new(seed),
            stamp: 0,
            matching: Matching::default(),
        }
    }

    /// One watcher more has these ranges; answers their group.
    pub(super) fn join(&mut self, ranges: &[KeyRange]) -> u32 {
        let mut sorted: Vec<&KeyRange> = ranges.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let hash = self.hasher.hash_one(&sorted) as u32;
        let (groups, matcher) = (&mut self.slab, &mut self.matcher);
        let known = self.by_ranges.find(spread(hash), |&group| {
            let group = &groups[group as usize];
            group.hash == hash && matcher.has_ranges(group.membership, &sorted)
        });
        if let Some(&group) = known {
            groups[group as usize].members += 1;
            return group;
        }
        let key = groups.vacant_key();
        groups.insert(Group {
            membership: matcher.insert(&sorted, key),
            hash,
            members: 1,
            first_synced: NOBODY,
            unsynced: 0,
            behind_since: 0,
            touched: 0,
        });
        let rehash = |&group: &u32| spread(groups[group as usize].hash);
        self.by_ranges
            .insert_unique(spread(hash), key as u32, rehash);
        key as u32
    }

    /// One watcher less has the group's ranges; answers whether it was the last.
    pub(super) fn leave(&mut self, group: u32) -> bool {
        let key = group as usize;
        self.slab[key].members -= 1;
        if self.slab[key].members > 0 {
            return false;
        }
        let Group {
            membership, hash, ..
        } = self.slab[key];
        self.matcher.remove(membership);
        if let Ok(entry) = self
            .by_ranges
            .find_entry(spread(hash), |&other| other == group)
        {
            entry.remove();
        }
        self.slab.remove(key);
        true
    }

    /// What the watchers of a group watch, said in the plainest way.
    pub(super) fn ranges(&self, group: u32) -> Vec<KeyRange> {
        let group = &self.slab[group as usize];
        self.matcher.ranges(group.membership).collect()
    }

    pub(super) fn first_synced(&self, group: u32) -> u32 {
        self.slab[group as usize].first_synced
    }

    /// Puts a watcher last among the synced ones of its group.
    pub(super) fn link(&mut self, watchers: &mut Slab<Watcher>, key: u32) {
        let group = &mut self.slab[watchers[key as usize].group as usize];
        let first = group.first_synced;
        let (before, after) = if first == NOBODY {
            group.first_synced = key;
            (key, key)
        } else {
            (watchers[first as usize].before, first)
        };
        let watcher = &mut watchers[key as usize];
        (watcher.before, watcher.after) = (before, after);
        watchers[before as usize].after = key;
        watchers[after as usize].before = key;
    }

    /// Takes a watcher from among the synced ones of its group.
    pub(super) fn unlink(&mut self, watchers: &mut Slab<Watcher>, key: u32) {
        let watcher = &watchers[key as usize];
        let (before, after) = (watcher.before, watcher.after);
        let group = &mut self.slab[watcher.group as usize];
        if after == key {
            group.first_synced = NOBODY;
        } else if group.first_synced == key {
            group.first_synced = after;
        }
        watchers[before as usize].after = after;
        watchers[after as usize].before = before;
    }

    /// One watcher of the group more is behind.
    pub(super) fn one_behind(&mut self, group: u32) {
        let group = &mut self.slab[group as usize];
        if group.unsynced == 0 {
            self.stamp += 1;
            group.behind_since = self.stamp;
        }
        group.unsynced += 1;
    }

    /// One watcher of the group less is behind.
    pub(super) fn one_ahead(&mut self, group: u32) {
        self.slab[group as usize].unsynced -= 1;
    }

    /// Numbers the moment: groups that had somebody behind then and since have a lower or equal stamp.
    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Whether the group has had somebody behind since the moment of `stamp`, without a pause. May
    /// deny it without need.
    pub(super) fn was_behind(&self, group: u32, stamp: u64) -> bool {
        let group = &self.slab[group as usize];
        group.unsynced > 0 && group.behind_since <= stamp
    }

    /// Finds, for each group with synced watchers, those events that are in its ranges; answers also
    /// the picks of those whose events are not neighbours. Groups come in the order in which the
    /// events touch them.
    pub(super) fn select_for_synced(&mut self, events: &[Event]) -> (Vec<Selected>, Vec<u32>) {
        self.select(events, |group| group.first_synced != NOBODY)
    }

    /// The same for each group with unsynced watchers.
    pub(super) fn select_for_unsynced(&mut self, events: &[Event]) -> (Vec<Selected>, Vec<u32>) {
        self.select(events, |group| group.unsynced > 0)
    }

    fn select(
        &mut self,
        events: &[Event],
        wanted: impl Fn(&Group) -> bool,
    ) -> (Vec<Selected>, Vec<u32>) {
        let Self {
            slab: groups,
            matcher,
            matching,
            ..
        } = self;
        for (index, event) in events.iter().enumerate() {
            matcher.matching(&event.kv.key, |key| {
                let group = &mut groups[key];
                if wanted(group) {
                    matching.touch(group, key as u32, index as u32);
                }
            });
        }
        let mut picks = Vec::new();
        let mut selected = Vec::with_capacity(matching.touched.len());
        for touched in &matching.touched {
            groups[touched.group as usize].touched = 0;
            selected.push(matching.finish(touched, &mut picks));
        }
        matching.touched.clear();
        matching.runs.clear();
        (selected, picks)
    }
}

impl Matching {
    /// The event at `index` is in one of the group's ranges.
    fn touch(&mut self, group: &mut Group, key: u32, index: u32) {
        let one = Run {
            start: index,
            end: index + 1,
            before: NO_RUN,
        };
        if group.touched == 0 {
            self.touched.push(Touched {
                group: key,
                run: one,
                count: 1,
            });
            group.touched = self.touched.len() as u32;
            return;
        }
        let touched = &mut self.touched[group.touched as usize - 1];
        if touched.run.end == index + 1 {
            // It is in another one of them too.
            return;
        }
        touched.count += 1;
        if touched.run.end == index {
            touched.run.end += 1;
        } else {
            self.runs.push(touched.run);
            let before = self.runs.len() as u32 - 1;
            touched.run = Run { before, ..one };
        }
    }

    fn finish(&self, touched: &Touched, picks: &mut Vec<u32>) -> Selected {
        let (group, mut run) = (touched.group, touched.run);
        if run.before == NO_RUN {
            return Selected {
                group,
                start: run.start,
                end: run.end,
                picked: false,
            };
        }
        let start = picks.len();
        let end = start + touched.count as usize;
        picks.resize(end, 0);
        let mut filled_from = end;
        loop {
            let length = (run.end - run.start) as usize;
            filled_from -= length;
            let places = &mut picks[filled_from..filled_from + length];
            for (place, index) in places.iter_mut().zip(run.start..) {
                *place = index;
            }
            if run.before == NO_RUN {
                break;
            }
            run = self.runs[run.before as usize];
        }
        Selected {
            group,
            start: start as u32,
            end: end as u32,
            picked: true,
        }
    }
}
