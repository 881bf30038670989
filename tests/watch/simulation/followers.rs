//! Who follows: state first, then every change.

use std::collections::BTreeMap;

use revwatch::{
    EventKind, FollowId, FollowResponse, KeyRange, KeyValue, ResumeToken, StreamOptions,
};

use super::World;
use super::clients::EARLY_PERCENT;
use crate::record::{Entry, Follow, FollowTold, FollowerNo, Place};

/// Polls that get to the end of anything.
const POLLS: usize = 2_000;
/// Followers at once, at most.
const MOST_FOLLOWERS: usize = 4;

/// One follower, and the state that it was told.
#[derive(Debug)]
pub(super) struct Follower {
    place: Place,
    id: FollowId,
    early: bool,
    range: KeyRange,
    open: bool,
    state: BTreeMap<Vec<u8>, KeyValue>,
    /// Where it can go on from, with the state as it was then.
    resume: Option<(ResumeToken, Vec<KeyValue>)>,
}

impl World {
    pub(super) fn follow_somewhere(&mut self) {
        let open = self.followers.iter().filter(|follower| follower.open);
        if open.count() >= MOST_FOLLOWERS {
            let follower = self.random.below(self.followers.len());
            return self.close_follower(follower);
        }
        let mut gone = self.followers.iter_mut().filter(|follower| !follower.open);
        let resumed =
            gone.find_map(|gone| Some((gone.place, gone.range.clone(), gone.resume.take()?)));
        let (place, range, resume) = match resumed {
            Some((place, range, resume)) if self.places[place].is_some() => {
                (place, range, Some(resume))
            }
            _ => (self.some_place(), self.some_range(), None),
        };
        let token = resume.as_ref().map(|(token, _)| *token);
        let early = self.random.chance(EARLY_PERCENT);
        let id = self
            .store(place)
            .follow_with(range.clone(), token, StreamOptions { early })
            .expect("it is in order");
        self.look_at(place);
        self.tally.followers += 1;
        let follower = self.followers.len();
        let kvs = resume.iter().flat_map(|(_, kvs)| kvs);
        self.followers.push(Follower {
            place,
            id,
            early,
            range: range.clone(),
            open: true,
            state: kvs.map(|kv| (kv.key.clone(), kv.clone())).collect(),
            resume: resume.clone(),
        });
        self.note(Entry::Follow(Follow {
            follower,
            place,
            range,
            resume,
        }));
    }

    fn close_follower(&mut self, follower: FollowerNo) {
        let Follower {
            place, id, open, ..
        } = self.followers[follower];
        if open {
            self.store(place).close_follow(id);
            self.followers[follower].open = false;
            self.note(Entry::FollowClosed { follower });
        }
    }

    /// Their process has ended.
    pub(super) fn abandon_followers(&mut self, place: Place) {
        for follower in 0..self.followers.len() {
            let gone = &mut self.followers[follower];
            if gone.open && gone.place == place {
                gone.open = false;
                self.note(Entry::FollowClosed { follower });
            }
        }
    }

    pub(super) fn poll_followers(&mut self) {
        for follower in 0..self.followers.len() {
            if self.followers[follower].open {
                match self.random.below(4) {
                    0 => self.drain_follower(follower),
                    1..3 => drop(self.poll_follower(follower)),
                    _ => {}
                }
            }
        }
    }

    /// Polls until there is nothing more to say.
    pub(super) fn drain_follower(&mut self, follower: FollowerNo) {
        let Follower {
            place,
            id,
            early,
            open,
            ..
        } = self.followers[follower];
        if !open {
            return;
        }
        for _ in 0..POLLS {
            if self.poll_follower(follower) {
                continue;
            }
            if self
                .store(place)
                .has_follow_response(id)
                .expect("it is open")
            {
                self.catch_up(place);
                continue;
            }
            let status = self.store(place).status();
            // The state that history begins with may be yet to be published.
            let published = if early {
                status.revision
            } else {
                status.published_revision
            };
            if published >= status.compact_revision {
                self.note(Entry::FollowDrained {
                    follower,
                    published,
                });
            }
            return;
        }
        self.note(Entry::FollowStarved { follower });
    }

    /// Takes one response; whether there was any.
    fn poll_follower(&mut self, follower: FollowerNo) -> bool {
        let Follower { place, id, .. } = self.followers[follower];
        let max_events = *self.random.pick(&[1, 3, usize::MAX]);
        let response = self.store(place).poll_follow(id, max_events, usize::MAX);
        self.look_at(place);
        let response = response.unwrap_or_else(|error| {
            panic!(
                "follower {follower} at {place} is answered {error}: {}",
                self.whole_story()
            )
        });
        let told = match response {
            FollowResponse::Idle => return false,
            FollowResponse::State { kvs } => FollowTold::State { kvs },
            FollowResponse::Synced { revision } => FollowTold::Synced { revision },
            FollowResponse::Events { revision, events } => FollowTold::Events {
                revision,
                events: events.iter().map(|event| event.to_owned()).collect(),
            },
            FollowResponse::Reset { revision } => FollowTold::Reset { revision },
        };
        self.follower_takes(follower, &told);
        let token = self
            .store(place)
            .follow_resume_token(id)
            .expect("it is open");
        let known = &mut self.followers[follower];
        known.resume = token.map(|token| (token, known.state.values().cloned().collect()));
        self.note(Entry::FollowTold { follower, told });
        true
    }

    fn follower_takes(&mut self, follower: FollowerNo, told: &FollowTold) {
        let state = &mut self.followers[follower].state;
        match told {
            FollowTold::State { kvs } => {
                self.tally.states += 1;
                state.extend(kvs.iter().map(|kv| (kv.key.clone(), kv.clone())));
            }
            FollowTold::Synced { .. } => {}
            FollowTold::Events { events, .. } => {
                self.tally.changes += events.len() as u64;
                for event in events {
                    match event.kind {
                        EventKind::Put => {
                            state.insert(event.kv.key.clone(), event.kv.clone());
                        }
                        EventKind::Delete => drop(state.remove(&event.kv.key)),
                    }
                }
            }
            FollowTold::Reset { .. } => {
                self.tally.resets += 1;
                state.clear();
            }
        }
    }
}
