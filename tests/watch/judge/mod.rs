//! The judge: reads a record from its beginning and says which promise was broken first.
//!
//! It knows nothing of the engine. It keeps the [`Ledger`] of all that was written, for each watcher
//! what it was told, and for each follower the state that it was told, and compares.

mod broken;
mod following;
mod tests;
mod watching;
mod world;

use std::collections::{BTreeMap, BTreeSet};

pub use broken::{Broken, Promise};

use crate::ledger::Ledger;
use crate::record::{Entry, FollowerNo, Place, Record, StreamNo, WRITER, WatcherNo};
use broken::{Verdict, demand};
use following::Following;
use watching::Watching;

/// Judges a record: `Ok`, or the first promise that it breaks.
pub fn judge(record: &Record) -> Result<(), Broken> {
    let mut court = Court::default();
    for (number, entry) in record.entries.iter().enumerate() {
        court
            .hear(entry, record.shown_is_durable)
            .map_err(|(watcher, (promise, how))| Broken {
                promise,
                entry: number,
                watcher,
                how,
            })?;
    }
    Ok(())
}

/// What is known so far.
#[derive(Default)]
struct Court {
    ledger: Ledger,
    watchers: BTreeMap<WatcherNo, Watching>,
    /// The watchers of each stream that is still polled.
    streams: BTreeMap<StreamNo, Vec<WatcherNo>>,
    /// The streams that have yet to say how far they are.
    owing_progress: BTreeSet<StreamNo>,
    followers: BTreeMap<FollowerNo, Following>,
    /// The epoch that each process is in.
    epochs: BTreeMap<Place, i64>,
    /// The newest revision of the present timeline that the writer's watchers were shown, but for
    /// those that are told early.
    shown: i64,
    /// Beyond which revision everything has gone out of sight in the writer's process.
    hidden: Option<i64>,
}

/// Says to whom a promise was broken.
type Finding = Result<(), (Option<WatcherNo>, (Promise, String))>;

impl Court {
    fn hear(&mut self, entry: &Entry, shown_is_durable: bool) -> Finding {
        match entry {
            Entry::Open {
                epoch,
                revision,
                compact_revision,
            } => {
                let verdict = self.open(*epoch, *revision, *compact_revision, shown_is_durable);
                verdict.map_err(|broken| (None, broken))?;
            }
            Entry::Write { ops } => self.ledger.write(ops),
            Entry::Compact { revision } => self.ledger.compact(*revision),
            Entry::Hidden { revision } => self.hide(*revision),
            Entry::Refresh { place, epoch } => drop(self.epochs.insert(*place, *epoch)),
            Entry::Watch(watch) => {
                self.epochs.insert(watch.place, watch.epoch);
                let before = watch.resumes.map(|before| &self.watchers[&before]);
                let watching = Watching::new(watch, before, &self.ledger);
                self.watchers.insert(watch.watcher, watching);
                self.streams
                    .entry(watch.stream)
                    .or_default()
                    .push(watch.watcher);
            }
            Entry::Refused { stream, error } => {
                let how = format!("stream {stream} refused a watcher: {error}");
                return Err((None, (Promise::Created, how)));
            }
            Entry::Cancel { watcher } => {
                let newest = self.ledger.newest();
                self.watcher(*watcher).cancel(newest);
            }
            Entry::Told { watcher, told } => {
                let epoch = self.epochs[&self.watchers[watcher].place()];
                let ledger = &self.ledger;
                let watching = self.watchers.get_mut(watcher).expect("it was registered");
                let verdict = watching.told(told, ledger, epoch);
                verdict.map_err(|broken| (Some(*watcher), broken))?;
                if watching.place() == WRITER && !watching.is_early() {
                    self.shown = self.shown.max(watching.last());
                }
            }
            Entry::AskProgress { stream } => drop(self.owing_progress.insert(*stream)),
            Entry::Progress { stream, revision } => {
                self.owing_progress.remove(stream);
                self.for_each(*stream, |watching, ledger, epoch| {
                    watching.progress(*revision, ledger, epoch)
                })?;
            }
            Entry::Drained { stream, published } => {
                demand(
                    !self.owing_progress.contains(stream),
                    Promise::ProgressTold,
                    || format!("stream {stream} did not say how far it is"),
                )
                .map_err(|broken| (None, broken))?;
                self.for_each(*stream, |watching, ledger, epoch| {
                    watching.drained(*published, ledger, epoch)
                })?;
            }
            Entry::Starved { stream } => {
                let how = format!("stream {stream} did not come to an end of what it had to say");
                let watcher = self.streams.get(stream).and_then(|all| all.first());
                return Err((watcher.copied(), (Promise::NotStarved, how)));
            }
            Entry::Closed { stream } => drop(self.streams.remove(stream)),
            Entry::Follow(_)
            | Entry::FollowTold { .. }
            | Entry::FollowDrained { .. }
            | Entry::FollowStarved { .. }
            | Entry::FollowClosed { .. } => {
                self.hear_follower(entry).map_err(|broken| (None, broken))?;
            }
        }
        Ok(())
    }

    fn hear_follower(&mut self, entry: &Entry) -> Verdict {
        match entry {
            Entry::Follow(follow) => {
                let epoch = self.epochs.get(&follow.place).copied();
                let epoch = epoch.expect("its process is open");
                let hidden = self.hidden.filter(|_| follow.place == WRITER);
                let following = Following::new(follow, &self.ledger, epoch, hidden);
                self.followers.insert(follow.follower, following);
                Ok(())
            }
            Entry::FollowTold { follower, told } => {
                let following = self.followers.get_mut(follower).expect("it has begun");
                let epoch = self.epochs[&following.place()];
                following.told(told, &self.ledger, epoch)
            }
            Entry::FollowDrained {
                follower,
                published,
            } => {
                let following = &self.followers[follower];
                let epoch = self.epochs[&following.place()];
                following.drained(*published, self.ledger.timeline(epoch))
            }
            Entry::FollowStarved { follower } => Err((
                Promise::NotStarved,
                format!("follower {follower} did not come to an end of what it had to say"),
            )),
            Entry::FollowClosed { follower } => {
                self.followers.remove(follower);
                Ok(())
            }
            _ => unreachable!("the others are about watchers"),
        }
    }

    fn open(
        &mut self,
        epoch: i64,
        revision: i64,
        compact_revision: i64,
        shown_is_durable: bool,
    ) -> Verdict {
        let newest = self.ledger.open(epoch, revision, compact_revision);
        self.epochs.insert(WRITER, epoch);
        self.hidden = None;
        let shown = self.shown;
        self.shown = shown.min(revision);
        demand(newest >= revision || newest == 1, Promise::True, || {
            format!("the store is at {revision}, but nothing beyond {newest} was ever written")
        })?;
        demand(
            shown <= revision || !shown_is_durable,
            Promise::Durable,
            || {
                format!(
                    "watchers were shown revision {shown}, and after the crash there is {revision}"
                )
            },
        )
    }

    /// What is newer than `revision` has gone out of sight in the writer's process.
    fn hide(&mut self, revision: i64) {
        self.hidden = Some(revision);
        let newest = self.ledger.newest();
        let watching = self.watchers.values_mut();
        for watching in watching.filter(|watching| watching.place() == WRITER) {
            watching.hide(revision, newest);
        }
        let following = self.followers.values_mut();
        for following in following.filter(|following| following.place() == WRITER) {
            following.hide(revision);
        }
    }

    fn watcher(&mut self, watcher: WatcherNo) -> &mut Watching {
        self.watchers
            .get_mut(&watcher)
            .expect("the record speaks of watchers after they were registered")
    }

    /// Asks each watcher of a stream.
    fn for_each(
        &mut self,
        stream: StreamNo,
        mut ask: impl FnMut(&mut Watching, &Ledger, i64) -> Verdict,
    ) -> Finding {
        for watcher in self.streams.get(&stream).into_iter().flatten() {
            let watching = self.watchers.get_mut(watcher).expect("it was registered");
            let epoch = self.epochs[&watching.place()];
            let verdict = ask(watching, &self.ledger, epoch);
            verdict.map_err(|broken| (Some(*watcher), broken))?;
        }
        Ok(())
    }
}
