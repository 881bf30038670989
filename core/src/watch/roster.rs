//! Rosters: many watchers of a stream who are told the same.
//!
//! A thousand watchers of a prefix on one stream are told of each change by one entry in its queue: a
//! *run*, which names a list of them, the *roster*. A poll takes one watcher's response after the other
//! from it. So a change costs by the streams that it concerns, and each watcher costs when its reader
//! comes.
//!
//! A group has its synced watchers in rosters, its *lineup*, only while nobody joins or leaves them:
//! whoever does dissolves it, and it is drawn up again once two changes have found the same watchers.
//! A roster never changes, so what is queued is told to those who were there when it was.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use slab::Slab;

use super::group::Groups;
use super::watcher::{Flag, Flags, Watcher};

/// Fewer watchers of a stream are told one by one, and so is a group of fewer.
const FEWEST: usize = 2;
const FEWEST_OF_GROUP: u32 = 4;

/// One of a roster, with all that its responses need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) watch_id: i64,
    pub(super) watcher: u32,
    pub(super) flags: Flags,
}

#[derive(Debug)]
struct Roster {
    members: Arc<[Member]>,
    /// The lineup, and the runs that are queued.
    holders: u32,
}

/// All rosters that somebody holds.
#[derive(Debug, Default)]
pub(super) struct Rosters {
    slab: Slab<Roster>,
}

impl Rosters {
    #[inline]
    pub(super) fn members(&self, roster: u32) -> &Arc<[Member]> {
        &self.slab[roster as usize].members
    }

    pub(super) fn retain(&mut self, roster: u32) {
        self.slab[roster as usize].holders += 1;
    }

    pub(super) fn release(&mut self, roster: u32) {
        let holders = &mut self.slab[roster as usize].holders;
        *holders -= 1;
        if *holders == 0 {
            self.slab.remove(roster as usize);
        }
    }

    fn add(&mut self, members: Arc<[Member]>) -> u32 {
        self.slab.insert(Roster {
            members,
            holders: 1,
        }) as u32
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }
}

/// A group's synced watchers, by how they are told.
#[derive(Debug, Default)]
pub(super) struct Lineup {
    pub(super) rows: Vec<Row>,
    /// Those who are told one by one.
    pub(super) rest: Vec<u32>,
}

/// The watchers of one stream.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) stream: u32,
    pub(super) roster: u32,
    /// The number, among all that the stream ever queued, of the first response of the last run.
    pub(super) last_run: Option<u32>,
}

impl Lineup {
    /// Draws up a group, from one of its synced watchers on. Who looks at each change by itself, to
    /// filter it, to leave it out, or to remember that it was told, is in no roster; nor is one that
    /// has not reached its start at revision `from`.
    fn draw_up(watchers: &Slab<Watcher>, first: u32, from: i64, rosters: &mut Rosters) -> Self {
        let mut lineup = Self::default();
        let mut by_stream: Vec<(u32, u32)> = Vec::new();
        let mut key = first;
        loop {
            let watcher = &watchers[key as usize];
            let is_told_all = watcher.takes_all() && !watcher.has(Flag::ProgressNotify);
            if is_told_all && watcher.next_revision <= from {
                by_stream.push((watcher.stream, key));
            } else {
                lineup.rest.push(key);
            }
            (_, key) = watcher.neighbours();
            if key == first {
                break;
            }
        }
        by_stream.sort_unstable();
        for row in by_stream.chunk_by(|(one, _), (other, _)| one == other) {
            if row.len() < FEWEST {
                lineup.rest.extend(row.iter().map(|&(_, key)| key));
                continue;
            }
            let member = |&(_, key): &(u32, u32)| Member {
                watch_id: watchers[key as usize].id,
                watcher: key,
                flags: watchers[key as usize].flags,
            };
            lineup.rows.push(Row {
                stream: row[0].0,
                roster: rosters.add(row.iter().map(member).collect()),
                last_run: None,
            });
        }
        lineup
    }
}

impl Groups {
    /// The lineup of a group, which the caller gives back: drawn up if nobody has joined or left
    /// since the last change that was asked for.
    pub(super) fn take_lineup(
        &mut self,
        watchers: &Slab<Watcher>,
        group: u32,
        from: i64,
        rosters: &mut Rosters,
    ) -> Option<Box<Lineup>> {
        let group = &mut self.slab[group as usize];
        if group.lineup.is_none() && group.is_settled && group.members >= FEWEST_OF_GROUP {
            let lineup = Lineup::draw_up(watchers, group.first_synced, from, rosters);
            group.lineup = Some(Box::new(lineup));
        }
        group.is_settled = true;
        group.lineup.take()
    }

    pub(super) fn set_lineup(&mut self, group: u32, lineup: Box<Lineup>) {
        self.slab[group as usize].lineup = Some(lineup);
    }

    /// Gives a lineup its rest back, if there still is one.
    pub(super) fn set_rest(&mut self, group: u32, rest: Vec<u32>) {
        if let Some(lineup) = &mut self.slab[group as usize].lineup {
            lineup.rest = rest;
        }
    }
}

/// Tells each watcher of a lineup what was last queued for it, and gives up the rosters.
pub(super) fn dissolve(lineup: Lineup, watchers: &mut Slab<Watcher>, rosters: &mut Rosters) {
    for row in lineup.rows {
        if let Some(first) = row.last_run {
            for (push, member) in (0..).zip(rosters.members(row.roster).iter()) {
                watchers[member.watcher as usize].last_push = first.wrapping_add(push);
            }
        }
        rosters.release(row.roster);
    }
}
