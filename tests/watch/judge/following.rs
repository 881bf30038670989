//! One follower before the judge.

use std::collections::BTreeMap;

use revwatch::{Event, KeyRange, KeyValue};

use super::broken::{Promise, Verdict, demand};
use crate::ledger::{Change, Ledger, Timeline, apply, is_in};
use crate::record::{Follow, FollowTold, Place};

type State = BTreeMap<Vec<u8>, KeyValue>;

/// What a follower was told so far, as the one who applies it has it in his hands.
pub struct Following {
    place: Place,
    range: KeyRange,
    state: State,
    /// The epoch whose history it is told.
    epoch: i64,
    /// The revision of the state; `None` until it is complete.
    at: Option<i64>,
    /// What is still to come is from a state that begins anew.
    anew: bool,
    /// The revision that the state to come was said to be of.
    to_come: Option<i64>,
    /// What it goes on from was lost in a crash.
    is_lost: bool,
    /// Beyond which revision a failed sync has taken what it may have been told early.
    hidden: Option<i64>,
}

impl Following {
    /// Begins, in a process that is in `epoch`.
    /// There, everything after `hidden` has gone out of sight.
    pub fn new(follow: &Follow, ledger: &Ledger, epoch: i64, hidden: Option<i64>) -> Self {
        let resumed = follow.resume.as_ref();
        let is_lost = resumed.is_some_and(|(token, _)| {
            let cut = ledger.cut_between(token.epoch, epoch).or(hidden);
            cut.min(hidden.or(cut))
                .is_some_and(|cut| cut < token.revision)
        });
        Self {
            place: follow.place,
            range: follow.range.clone(),
            state: resumed.map_or_else(State::new, |(_, kvs)| keyed(kvs)),
            epoch,
            to_come: None,
            is_lost,
            hidden: None,
            at: resumed.map(|(token, _)| token.revision),
            anew: resumed.is_none(),
        }
    }

    /// What is newer than `revision` has gone out of sight. What was queued before may still come.
    pub fn hide(&mut self, revision: i64) {
        self.hidden = Some(revision);
    }

    pub fn place(&self) -> Place {
        self.place
    }

    /// Judges what it is told while its process is in `epoch`.
    pub fn told(&mut self, told: &FollowTold, ledger: &Ledger, epoch: i64) -> Verdict {
        match told {
            FollowTold::State { kvs } => {
                let rises = kvs.windows(2).all(|pair| pair[0].key < pair[1].key);
                let after = self.state.keys().next_back() < kvs.first().map(|kv| &kv.key);
                self.state.extend(keyed(kvs));
                demand(
                    self.anew && rises && after && !kvs.is_empty(),
                    Promise::Followed,
                    || format!("a part of the state came out of turn: {kvs:?}"),
                )
            }
            FollowTold::Synced { revision } => {
                let in_turn = std::mem::take(&mut self.anew);
                demand(in_turn, Promise::Followed, || {
                    "the state was complete before".into()
                })?;
                let to_come = self.to_come.take().unwrap_or(*revision);
                demand(to_come == *revision, Promise::Followed, || {
                    format!("a state of {to_come} was to come, and it is of {revision}")
                })?;
                self.epoch = epoch;
                self.reach(*revision, ledger.timeline(epoch))
            }
            FollowTold::Events { revision, events } => {
                self.events(*revision, events, ledger, epoch)
            }
            FollowTold::Reset { revision } => {
                let compacted = self
                    .at
                    .is_none_or(|at| at + 1 < ledger.compacted_for(self.place));
                let hidden = self
                    .hidden
                    .take()
                    .is_some_and(|hidden| self.at > Some(hidden));
                let cut = self.is_lost || ledger.cut_between(self.epoch, epoch).is_some();
                self.state.clear();
                (self.is_lost, self.to_come) = (false, Some(*revision));
                (self.at, self.anew, self.epoch) = (None, true, epoch);
                demand(compacted || cut || hidden, Promise::Followed, || {
                    "it was reset, and had lost nothing".into()
                })
            }
        }
    }

    fn events(&mut self, revision: i64, events: &[Event], ledger: &Ledger, epoch: i64) -> Verdict {
        let at = self.at;
        demand(!self.is_lost, Promise::Followed, || {
            "what it goes on from was lost, and it goes on".into()
        })?;
        let changes_over = at.is_some_and(|at| self.is_as_of(at, ledger.timeline(epoch)).is_ok());
        demand(
            at.is_some_and(|at| at < revision) && !events.is_empty(),
            Promise::Followed,
            || format!("changes up to {revision} came after {at:?}"),
        )?;
        let out_of_turn = events
            .iter()
            .find(|event| Some(event.kv.mod_revision) <= at || event.kv.mod_revision > revision);
        demand(out_of_turn.is_none(), Promise::Followed, || {
            format!("{out_of_turn:?} came between {at:?} and {revision}")
        })?;
        for event in events {
            let change = Change {
                kind: event.kind,
                kv: event.kv.clone(),
            };
            apply(&mut self.state, &change);
        }
        // What was queued may be of the epoch before.
        let queued = self.reach(revision, ledger.timeline(self.epoch));
        if queued.is_err() && changes_over {
            self.epoch = epoch;
            return self.reach(revision, ledger.timeline(epoch));
        }
        queued
    }

    /// There was nothing more to say.
    pub fn drained(&self, published: i64, timeline: &Timeline) -> Verdict {
        if self.at.is_none() && published < 1 {
            return Ok(());
        }
        self.is_as_of(published, timeline)
    }

    fn reach(&mut self, revision: i64, timeline: &Timeline) -> Verdict {
        self.at = Some(revision);
        self.is_as_of(revision, timeline)
    }

    fn is_as_of(&self, revision: i64, timeline: &Timeline) -> Verdict {
        let mut expected = timeline.state_at(revision);
        expected.retain(|key, _| is_in(&self.range, key));
        demand(self.state == expected, Promise::Followed, || {
            format!(
                "at {revision} the state is {expected:?}, and was told as {:?}",
                self.state
            )
        })
    }
}

fn keyed(kvs: &[KeyValue]) -> State {
    let pairs = kvs.iter().map(|kv| (kv.key.clone(), kv.clone()));
    pairs.collect()
}
