//! Groups: watchers of the same ranges.
//!
//! A change is matched once for all watchers of the same ranges, whatever their number and whatever
//! else they ask for. A watcher that falls behind or catches up moves between two places of its
//! group, and the matcher need not know. A watcher that is alone with its ranges is not put into a
//! group: the matcher names the watcher itself.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::BuildHasher;
use core::mem;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;

use super::holder::{Holder, Place, Who};
use super::matching::{Matcher, Membership, RangeId};
use super::roster::{Lineup, Rosters, dissolve};
use super::selection::{Matching, Selected, Touch};
use super::watcher::{NOBODY, State, Watcher};
use crate::key_hasher::spread;
use crate::range::KeyRange;

/// The watchers of the same ranges.
#[derive(Debug)]
pub(super) struct Group {
    /// Where the matcher has their ranges.
    membership: Membership,
    /// Watchers in any state but ended.
    pub(super) members: u32,
    /// One of those that are synced: they are a ring.
    pub(super) first_synced: u32,
    /// How many are unsynced.
    unsynced: u32,
    /// When the first of those came.
    behind_since: u32,
    touched: Touch,
    /// Whether the synced ones are those whom the last change found.
    pub(super) is_settled: bool,
    /// How they are told, if that has been so for a while.
    pub(super) lineup: Option<Box<Lineup>>,
}

/// Who has which ranges, and who has a range that holds a key.
#[derive(Debug)]
pub(super) struct Groups {
    pub(super) slab: Slab<Group>,
    /// The holders of several ranges, with a hash of those.
    of_several: HashTable<(u32, Holder)>,
    hasher: FixedState,
    matcher: Matcher,
    /// Counts the parts of history that were matched. Does not go beyond its type's last number, and
    /// is of no use from there on.
    parts: u32,
    matching: Matching,
}

impl Group {
    /// Its synced watchers come to be others.
    fn unsettle(&mut self, watchers: &mut Slab<Watcher>, rosters: &mut Rosters) {
        self.is_settled = false;
        if let Some(lineup) = self.lineup.take() {
            dissolve(*lineup, watchers, rosters);
        }
    }
}

impl Groups {
    /// None; `seed` keeps chosen keys from flooding hash tables.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            slab: Slab::new(),
            of_several: HashTable::new(),
            hasher: FixedState::with_seed(seed),
            matcher: Matcher::new(seed),
            parts: 0,
            matching: Matching::default(),
        }
    }

    /// A watcher comes to have these ranges. Answers who had them to itself until now and is found
    /// by another number from here on, if somebody did.
    pub(super) fn join(
        &mut self,
        watchers: &mut Slab<Watcher>,
        key: u32,
        ranges: &[KeyRange],
    ) -> Option<Holder> {
        let settled = if let [range] = ranges {
            self.settle(watchers, key, &[range])
        } else {
            let mut sorted: Vec<&KeyRange> = ranges.iter().collect();
            sorted.sort_unstable();
            sorted.dedup();
            self.settle(watchers, key, &sorted)
        };
        let known = match settled {
            Ok(membership) => {
                watchers[key as usize].place = Place::Alone {
                    membership,
                    behind_since: 0,
                    touched: 0,
                };
                return None;
            }
            Err(known) => known,
        };
        let (group, former) = match known.who() {
            Who::Group(group) => (group, None),
            Who::Watcher(other) => (self.found(watchers, other), Some(known)),
        };
        self.slab[group as usize].members += 1;
        watchers[key as usize].place = Place::Grouped {
            group,
            before: NOBODY,
            after: NOBODY,
        };
        former
    }

    /// Whether nobody has ranges.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.slab.is_empty() && self.of_several.is_empty() && self.matcher.is_empty()
    }

    /// Gives a watcher its ranges for itself, if nobody has these and no others; else answers who does.
    fn settle(
        &mut self,
        watchers: &Slab<Watcher>,
        key: u32,
        sorted: &[&KeyRange],
    ) -> Result<Membership, Holder> {
        let holder = Holder::watcher(key);
        if let &[range] = sorted {
            let settled = self.matcher.insert_sole(range, holder.number());
            return settled.map_err(Holder::from_number);
        }
        if let Some(known) = self.holder_of(watchers, sorted) {
            return Err(known);
        }
        let membership = self.matcher.insert(sorted, holder.number());
        let hash = self.hash(self.matcher.range_ids(membership));
        let rehash = |&(hash, _): &(u32, Holder)| spread(hash);
        self.of_several
            .insert_unique(spread(hash), (hash, holder), rehash);
        Ok(membership)
    }

    /// Makes a group of a watcher that was alone with its ranges.
    fn found(&mut self, watchers: &mut Slab<Watcher>, key: u32) -> u32 {
        let watcher = &mut watchers[key as usize];
        let Place::Alone { membership, .. } = watcher.place else {
            unreachable!("the matcher names watchers that are alone");
        };
        let is_synced = matches!(watcher.state, State::Synced);
        let group = self.slab.insert(Group {
            membership,
            members: 1,
            first_synced: if is_synced { key } else { NOBODY },
            unsynced: u32::from(matches!(watcher.state, State::Unsynced)),
            // What was matched before was matched for the watcher by itself.
            behind_since: self.parts,
            touched: 0,
            is_settled: false,
            lineup: None,
        }) as u32;
        watcher.place = Place::Grouped {
            group,
            before: key,
            after: key,
        };
        let holder = Holder::group(group);
        self.matcher.renumber(membership, holder.number());
        if let Membership::Chain(_) = membership {
            let hash = self.hash(self.matcher.range_ids(membership));
            let is_it = |&(_, known): &(u32, Holder)| known == Holder::watcher(key);
            if let Some((_, known)) = self.of_several.find_mut(spread(hash), is_it) {
                *known = holder;
            }
        }
        group
    }

    /// Who has these several ranges and no others.
    fn holder_of(&self, watchers: &Slab<Watcher>, sorted: &[&KeyRange]) -> Option<Holder> {
        let ids = sorted.iter().map(|range| self.matcher.range_id(range));
        let ids: Vec<RangeId> = ids.collect::<Option<_>>()?;
        let hash = self.hash(ids.iter().copied());
        let has_them = |&(other, holder): &(u32, Holder)| {
            let membership = self.membership(watchers, holder);
            other == hash
                && membership.is_some_and(|membership| {
                    self.matcher.range_ids(membership).eq(ids.iter().copied())
                })
        };
        let found = self.of_several.find(spread(hash), has_them);
        found.map(|&(_, holder)| holder)
    }

    fn hash(&self, ids: impl Iterator<Item = RangeId>) -> u32 {
        self.hasher.hash_one(ids.collect::<Vec<_>>()) as u32
    }

    fn membership(&self, watchers: &Slab<Watcher>, holder: Holder) -> Option<Membership> {
        match holder.who() {
            Who::Group(group) => Some(self.slab[group as usize].membership),
            Who::Watcher(key) => match watchers[key as usize].place {
                Place::Alone { membership, .. } => Some(membership),
                Place::Grouped { .. } | Place::Nowhere => None,
            },
        }
    }

    /// A watcher no longer has ranges. Answers who is no more if it was the last to have them.
    pub(super) fn leave(&mut self, watchers: &mut Slab<Watcher>, key: u32) -> Option<Holder> {
        let place = mem::replace(&mut watchers[key as usize].place, Place::Nowhere);
        let (holder, membership) = match place {
            Place::Nowhere => return None,
            Place::Alone { membership, .. } => (Holder::watcher(key), membership),
            Place::Grouped { group, .. } => {
                let members = &mut self.slab[group as usize].members;
                *members -= 1;
                if *members > 0 {
                    return None;
                }
                let group_of_none = self.slab.remove(group as usize);
                (Holder::group(group), group_of_none.membership)
            }
        };
        if let Membership::Chain(_) = membership {
            let hash = self.hash(self.matcher.range_ids(membership));
            let is_it = |&(_, known): &(u32, Holder)| known == holder;
            if let Ok(entry) = self.of_several.find_entry(spread(hash), is_it) {
                entry.remove();
            }
        }
        self.matcher.remove(membership);
        Some(holder)
    }

    /// What is watched by a holder, said in the plainest way.
    pub(super) fn ranges(&self, watchers: &Slab<Watcher>, holder: Holder) -> Vec<KeyRange> {
        let membership = self.membership(watchers, holder);
        let ranges = membership.map(|membership| self.matcher.ranges(membership));
        ranges.into_iter().flatten().collect()
    }

    /// One of a holder's synced watchers, of which there must be one.
    #[inline]
    pub(super) fn first_synced(&self, holder: Holder) -> u32 {
        match holder.who() {
            Who::Watcher(key) => key,
            Who::Group(group) => self.slab[group as usize].first_synced,
        }
    }

    /// Puts a watcher last among the synced ones of its group.
    pub(super) fn link(&mut self, watchers: &mut Slab<Watcher>, rosters: &mut Rosters, key: u32) {
        let Place::Grouped { group, .. } = watchers[key as usize].place else {
            return;
        };
        let group = &mut self.slab[group as usize];
        group.unsettle(watchers, rosters);
        let first = group.first_synced;
        if first == NOBODY {
            group.first_synced = key;
            watchers[key as usize].set_neighbours(key, key);
            return;
        }
        let (last, _) = watchers[first as usize].neighbours();
        watchers[key as usize].set_neighbours(last, first);
        watchers[last as usize].set_after(key);
        watchers[first as usize].set_before(key);
    }

    /// Takes a watcher from among the synced ones of its group.
    pub(super) fn unlink(&mut self, watchers: &mut Slab<Watcher>, rosters: &mut Rosters, key: u32) {
        let Place::Grouped {
            group,
            before,
            after,
        } = watchers[key as usize].place
        else {
            return;
        };
        let group = &mut self.slab[group as usize];
        group.unsettle(watchers, rosters);
        if after == key {
            group.first_synced = NOBODY;
        } else if group.first_synced == key {
            group.first_synced = after;
        }
        watchers[before as usize].set_after(after);
        watchers[after as usize].set_before(before);
    }

    /// A watcher comes to be behind.
    pub(super) fn one_behind(&mut self, watchers: &mut Slab<Watcher>, key: u32) {
        match &mut watchers[key as usize].place {
            Place::Alone { behind_since, .. } => *behind_since = self.parts,
            Place::Grouped { group, .. } => {
                let group = &mut self.slab[*group as usize];
                if group.unsynced == 0 {
                    group.behind_since = self.parts;
                }
                group.unsynced += 1;
            }
            Place::Nowhere => {}
        }
    }

    /// A watcher is no longer behind.
    pub(super) fn one_ahead(&mut self, watchers: &Slab<Watcher>, key: u32) {
        if let Place::Grouped { group, .. } = watchers[key as usize].place {
            self.slab[group as usize].unsynced -= 1;
        }
    }

    /// Numbers the part of history that was matched last.
    pub(super) fn part(&self) -> u32 {
        self.parts
    }

    /// Whether a holder had somebody behind when a part was matched, and has had since without a
    /// pause. May deny it without need. Asked for one that has somebody behind.
    pub(super) fn was_behind(&self, watchers: &Slab<Watcher>, holder: Holder, part: u32) -> bool {
        let behind_since = match holder.who() {
            Who::Group(group) => self.slab[group as usize].behind_since,
            Who::Watcher(key) => match watchers[key as usize].place {
                Place::Alone { behind_since, .. } => behind_since,
                Place::Grouped { .. } | Place::Nowhere => return false,
            },
        };
        behind_since < part
    }

    /// The same for a number that may be nobody's now, or another one's.
    pub(super) fn has_been_behind(
        &self,
        watchers: &Slab<Watcher>,
        holder: Holder,
        part: u32,
    ) -> bool {
        let is_behind = match holder.who() {
            Who::Group(group) => {
                let group = self.slab.get(group as usize);
                group.is_some_and(|group| group.unsynced > 0)
            }
            Who::Watcher(key) => {
                let watcher = watchers.get(key as usize);
                watcher.is_some_and(|watcher| matches!(watcher.state, State::Unsynced))
            }
        };
        is_behind && self.was_behind(watchers, holder, part)
    }

    /// Counts one part more: whoever comes to be behind from now on was not when that was asked for.
    pub(super) fn count_part(&mut self) -> u32 {
        self.parts = self.parts.saturating_add(1);
        self.parts
    }

    /// Finds, for each holder with synced watchers, those events whose keys are in its ranges, and adds
    /// them to `selected`; answers the picks of those whose events are not neighbours. Holders come in
    /// the order in which the events touch them.
    pub(super) fn select_for_synced<'k>(
        &mut self,
        watchers: &mut Slab<Watcher>,
        keys: impl Iterator<Item = &'k [u8]>,
        selected: &mut Vec<Selected>,
    ) -> Vec<u32> {
        let is_synced = |state| matches!(state, State::Synced);
        let has_synced = |group: &Group| group.first_synced != NOBODY;
        self.select(watchers, keys, is_synced, has_synced, selected)
    }

    /// The same for each holder with unsynced watchers, who are then told by [`Self::was_behind`].
    pub(super) fn select_for_unsynced<'k>(
        &mut self,
        watchers: &mut Slab<Watcher>,
        keys: impl Iterator<Item = &'k [u8]>,
    ) -> (Vec<Selected>, Vec<u32>) {
        self.count_part();
        let mut selected = Vec::new();
        let is_unsynced = |state| matches!(state, State::Unsynced);
        let has_unsynced = |group: &Group| group.unsynced > 0;
        let picks = self.select(watchers, keys, is_unsynced, has_unsynced, &mut selected);
        (selected, picks)
    }

    /// A holder that a change of `key` perhaps concerns; see [`Matcher::foresee`].
    #[inline]
    pub(super) fn foresee(&self, key: &[u8]) -> Option<Holder> {
        self.matcher.foresee(key).map(Holder::from_number)
    }

    fn select<'k>(
        &mut self,
        watchers: &mut Slab<Watcher>,
        keys: impl Iterator<Item = &'k [u8]>,
        is_wanted: impl Fn(State) -> bool,
        has_wanted: impl Fn(&Group) -> bool,
        selected: &mut Vec<Selected>,
    ) -> Vec<u32> {
        let Self {
            slab: groups,
            matcher,
            matching,
            ..
        } = self;
        for (index, key) in keys.enumerate() {
            matcher.matching(key, |number| {
                let holder = Holder::from_number(number);
                let mark = match holder.who() {
                    Who::Watcher(key) => {
                        let watcher = &mut watchers[key as usize];
                        match &mut watcher.place {
                            Place::Alone { touched, .. } if is_wanted(watcher.state) => touched,
                            _ => return,
                        }
                    }
                    Who::Group(group) => {
                        let group = &mut groups[group as usize];
                        if !has_wanted(group) {
                            return;
                        }
                        &mut group.touched
                    }
                };
                matching.touch(holder, mark, index as u32);
            });
        }
        let mut picks = Vec::new();
        selected.reserve(matching.touched.len());
        for touched in &matching.touched {
            match touched.holder.who() {
                Who::Watcher(key) => watchers[key as usize].forget_touch(),
                Who::Group(group) => groups[group as usize].touched = 0,
            }
            selected.push(matching.finish(touched, &mut picks));
        }
        matching.clear();
        picks
    }
}
