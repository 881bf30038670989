//! A watcher as it is told the history of one epoch.

use std::collections::BTreeSet;

use revwatch::{Event, EventKind, KeyValue};

use super::broken::{Promise, Verdict, demand};
use crate::ledger::{Change, Ledger, Timeline, is_in};
use crate::record::{Ask, Place, Told, Watch};

/// A change's place in history: its revision, and which of that revision's changes it is.
pub(super) type Spot = (i64, usize);

/// What a watcher asked for, and what it was told so far of the history of one epoch.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says something else")]
pub(super) struct World {
    ask: Ask,
    pub(super) place: Place,
    /// Whether it is told of what is applied, before it is durable.
    pub(super) early: bool,
    /// The first revision that is told.
    pub(super) start: i64,
    /// Whether that was said, and was there already.
    resumed: bool,
    /// The revision of the process when it was registered.
    registered_at: i64,
    /// The epoch that it was registered in, and that whose history it is told.
    registered_in: i64,
    pub(super) epoch: i64,
    /// The revision that it must be told it was rewound to.
    must_rewind: Option<i64>,
    /// Beyond which revision a failed sync has taken what it may have been told early.
    hidden: Option<i64>,
    /// What it says that it has seen, and is no longer there.
    lost: Option<Change>,
    /// The last change that it was told of.
    pub(super) seen: Option<Change>,
    created: bool,
    told: BTreeSet<Spot>,
    pub(super) last: Spot,
    /// Whether the rest of the last revision is to come.
    in_fragments: bool,
    /// Everything up to here has been told, as was seen when there was nothing more to say.
    pub(super) known: i64,
    /// Everything up to here has been told, as was promised.
    bookmark: i64,
    /// The newest revision when it was to be canceled.
    pub(super) canceled_at: Option<i64>,
    ended: Option<String>,
}

impl World {
    pub(super) fn new(watch: &Watch, lost: Option<Change>, ledger: &Ledger) -> Self {
        let ask = watch.ask.clone();
        let resumed = ask.start_revision > 0 && ask.start_revision <= watch.revision;
        // The revision before the start was seen in an epoch, and must still be there.
        let (seen_in, seen) = (ask.epoch, ask.start_revision - 1);
        let cut = ledger.cut_between(seen_in, watch.epoch);
        let stands = cut.unwrap_or(i64::MAX).min(watch.revision);
        let must_rewind = (seen_in != 0 && seen > stands).then_some(stands);
        let start = if ask.start_revision == 0 {
            watch.revision + 1
        } else {
            ask.start_revision
        };
        Self {
            place: watch.place,
            early: watch.early,
            hidden: None,
            start,
            resumed,
            registered_at: watch.revision,
            registered_in: watch.epoch,
            epoch: watch.epoch,
            must_rewind,
            lost: lost.filter(|_| seen_in != 0),
            seen: None,
            created: false,
            told: BTreeSet::new(),
            last: (0, 0),
            in_fragments: false,
            known: start - 1,
            bookmark: 0,
            canceled_at: None,
            ended: None,
            ask,
        }
    }

    /// Judges what it is told while its process is in `epoch`.
    pub(super) fn told(
        &mut self,
        told: &Told,
        ledger: &Ledger,
        present: &Timeline,
        epoch: i64,
    ) -> Verdict {
        if let Some(ended) = &self.ended {
            let how = format!("after {ended} came {told:?}");
            return Err((Promise::LastWordOnce, how));
        }
        if let Told::Created { revision } = told {
            return self.create(*revision);
        }
        demand(self.created, Promise::Created, || {
            format!("{told:?} came before `Created`")
        })?;
        match told {
            Told::Created { .. } => unreachable!("it is judged above"),
            Told::Events { .. } => self.response(told, ledger, present),
            Told::Progress { revision } => {
                demand(self.ask.progress_notify, Promise::Filtered, || {
                    "it did not ask for progress".into()
                })?;
                self.progress(*revision, ledger, epoch)
            }
            Told::Canceled => {
                self.ended = Some("`Canceled`".into());
                demand(self.canceled_at.is_some(), Promise::Canceled, || {
                    "it was canceled, and nobody had asked for that".into()
                })
            }
            Told::Compacted { compact_revision } => {
                self.ended = Some(format!("{told:?}"));
                self.compacted(*compact_revision, ledger)
            }
            Told::Rewound { revision } => {
                self.ended = Some(format!("{told:?}"));
                self.rewound(*revision, ledger, epoch)
            }
        }
    }

    fn create(&mut self, revision: i64) -> Verdict {
        let first = !self.created;
        self.created = true;
        demand(
            first && revision == self.registered_at,
            Promise::Created,
            || {
                let at = self.registered_at;
                format!("it was created once and at {at}, and is told {revision}")
            },
        )
    }

    /// Each event must be the next one that it wants; a response says where the store was, and holds
    /// no more than was asked for.
    fn response(&mut self, told: &Told, ledger: &Ledger, present: &Timeline) -> Verdict {
        let Told::Events {
            revision,
            events,
            fragment,
            max_events,
        } = told
        else {
            unreachable!("only events are judged here")
        };
        demand(!self.is_to_be_rewound(), Promise::RewindTold, || {
            format!("what it goes on from was lost, and it is told {events:?}")
        })?;
        for event in events {
            let spot = self.next_spot(event, ledger)?;
            self.told.insert(spot);
            self.last = spot;
            let changes = ledger.timeline(self.epoch).changes_at(spot.0);
            self.seen = Some(changes[spot.1].clone());
        }
        let first = events.first().map(|event| event.kv.mod_revision);
        let last = self.last.0;
        demand(first.is_some(), Promise::Filtered, || {
            "a response holds nothing".into()
        })?;
        let newest = present.newest().max(last);
        demand(
            (last..=newest).contains(revision),
            Promise::HeaderRight,
            || format!("a response of {revision} has events up to {last}; {newest} is the newest"),
        )?;
        demand(
            events.len() <= (*max_events).max(1) || first == Some(last) && !self.ask.fragment,
            Promise::Bounded,
            || format!("{} events came, of {max_events} at most", events.len()),
        )?;
        self.whole(*fragment, ledger)
    }

    /// Of what was written up to `newest`, everything after `revision` has gone out of sight. Nothing
    /// of it was told to who starts later.
    pub(super) fn hide(&mut self, revision: i64, newest: i64) {
        if self.early && self.ended.is_none() && self.start <= newest + 1 {
            self.hidden = Some(revision);
        }
    }

    /// Whether it was told, or told to expect, more than what a failed sync has left in sight. What was
    /// queued before may still come.
    fn was_told_what_is_hidden(&self) -> bool {
        let expects = self.ask.start_revision == 0;
        let begins = if expects { self.registered_at } else { 0 };
        let told = begins.max(self.last.0).max(self.bookmark);
        self.hidden.is_some_and(|revision| told > revision)
    }

    fn is_to_be_rewound(&self) -> bool {
        self.lost.is_some() || self.must_rewind.is_some()
    }

    /// The place of an event, which must be the next that is wanted.
    fn next_spot(&self, event: &Event, ledger: &Ledger) -> Result<Spot, (Promise, String)> {
        let timeline = ledger.timeline(self.epoch);
        let revision = event.kv.mod_revision;
        let changes = timeline.changes_at(revision);
        let same = |change: &Change| change.kind == event.kind && change.kv.key == event.kv.key;
        let Some(sub) = changes.iter().position(same) else {
            return Err((Promise::True, format!("never was there such an {event:?}")));
        };
        let (change, spot) = (&changes[sub], (revision, sub));
        demand(self.shown(&change.kv) == event.kv, Promise::True, || {
            format!("{event:?} was {change:?}")
        })?;
        demand(!self.told.contains(&spot), Promise::Unique, || {
            format!("{event:?} was told before")
        })?;
        demand(revision > self.bookmark, Promise::Bookmarked, || {
            format!("after progress {} came {event:?}", self.bookmark)
        })?;
        demand(spot > self.last, Promise::Ordered, || {
            format!("after {:?} came {spot:?}", self.last)
        })?;
        demand(revision >= self.start, self.resumption(), || {
            format!("it began at {}, and is told {event:?}", self.start)
        })?;
        demand(
            self.canceled_at.is_none_or(|at| revision <= at),
            Promise::Canceled,
            || format!("it was canceled before there was {event:?}"),
        )?;
        demand(self.asked_for(change), Promise::Filtered, || {
            format!("it did not ask for {event:?}")
        })?;
        self.reliable(spot, timeline.newest(), ledger, timeline)?;
        self.prev_kv(event, ledger, timeline)?;
        Ok(spot)
    }

    /// Nothing that is wanted may be missing before `spot`. Who conflates may have been told of a later
    /// change instead, up to revision `seen`.
    fn reliable(&self, spot: Spot, seen: i64, ledger: &Ledger, timeline: &Timeline) -> Verdict {
        let Some((missing, change)) = self.missing(spot, seen, ledger, timeline) else {
            return Ok(());
        };
        let promise = if missing.0 < ledger.compacted_for(self.place) {
            Promise::CompactionTold
        } else if self.told.is_empty() && self.resumed {
            Promise::Resumable
        } else {
            Promise::Reliable
        };
        Err((promise, format!("it was never told of {change:?}")))
    }

    /// The first wanted change before `end` that it was not told of.
    fn missing<'a>(
        &self,
        end: Spot,
        seen: i64,
        ledger: &Ledger,
        timeline: &'a Timeline,
    ) -> Option<(Spot, &'a Change)> {
        let first = self.last.0.max(self.known + 1).max(self.start);
        (first..=end.0)
            .flat_map(|revision| {
                let changes = timeline.changes_at(revision).iter().enumerate();
                changes.map(move |(sub, change)| ((revision, sub), change))
            })
            .take_while(|(spot, _)| *spot < end)
            .filter(|(spot, _)| *spot > self.last)
            .filter(|(_, change)| self.asked_for(change))
            .filter(|(spot, _)| !(self.ask.conflate && is_overtaken(*spot, seen, timeline)))
            .find(|(spot, _)| !may_be_gone(*spot, ledger, timeline))
    }

    /// A response ends with its last revision, unless it says that it does not.
    fn whole(&mut self, fragment: bool, ledger: &Ledger) -> Verdict {
        self.in_fragments = fragment;
        demand(!fragment || self.ask.fragment, Promise::Atomic, || {
            "a part of a revision came, and none was asked for".into()
        })?;
        let next_revision = (self.last.0 + 1, 0);
        let timeline = ledger.timeline(self.epoch);
        let rest = self.missing(next_revision, timeline.newest(), ledger, timeline);
        demand(fragment || rest.is_none(), Promise::Atomic, || {
            format!(
                "revision {} came without {:?}",
                self.last.0,
                rest.map(|rest| rest.1)
            )
        })
    }

    fn prev_kv(&self, event: &Event, ledger: &Ledger, timeline: &Timeline) -> Verdict {
        let before = event.kv.mod_revision - 1;
        let created = event.kind == EventKind::Put && event.kv.create_revision > before;
        let expected = if self.ask.prev_kv && !created {
            timeline.value_at(&event.kv.key, before)
        } else {
            None
        };
        let expected = expected.map(|kv| self.shown(kv));
        let forgotten = event.prev_kv.is_none() && before < ledger.compacted_for(self.place);
        demand(
            event.prev_kv == expected || forgotten,
            Promise::PrevKvRight,
            || format!("before {event:?} there was {expected:?}"),
        )
    }

    /// Everything up to `revision` is said to have been told.
    pub(super) fn progress(&mut self, revision: i64, ledger: &Ledger, epoch: i64) -> Verdict {
        // Who was not created yet has come after this was said.
        if self.ended.is_some() || !self.created {
            return Ok(());
        }
        self.is_of(epoch)?;
        let timeline = ledger.timeline(self.epoch);
        let rest = self.missing((revision + 1, 0), revision, ledger, timeline);
        demand(rest.is_none(), Promise::ProgressIsTrue, || {
            format!(
                "progress is {revision} before it is told {:?}",
                rest.map(|rest| rest.1)
            )
        })?;
        demand(revision >= self.bookmark, Promise::ProgressIsTrue, || {
            format!("progress went back from {} to {revision}", self.bookmark)
        })?;
        self.bookmark = revision;
        self.known = self.known.max(revision);
        Ok(())
    }

    /// There was nothing more to say: everything that is published has been told.
    pub(super) fn drained(&mut self, published: i64, ledger: &Ledger, epoch: i64) -> Verdict {
        if self.ended.is_some() {
            return Ok(());
        }
        demand(self.created, Promise::Created, || {
            "it was never created".into()
        })?;
        demand(!self.is_to_be_rewound(), Promise::RewindTold, || {
            "what it goes on from was lost, and it was never told".into()
        })?;
        demand(self.canceled_at.is_none(), Promise::Canceled, || {
            "it was canceled, and never told".into()
        })?;
        demand(!self.was_told_what_is_hidden(), Promise::RewindTold, || {
            format!(
                "it was told early up to {}, and never that a failed sync took that",
                self.last.0
            )
        })?;
        self.is_of(epoch)?;
        demand(!self.in_fragments, Promise::Atomic, || {
            format!("the rest of revision {} never came", self.last.0)
        })?;
        self.reliable(
            (published + 1, 0),
            published,
            ledger,
            ledger.timeline(epoch),
        )?;
        self.known = self.known.max(published);
        Ok(())
    }

    /// Who has come to the end of what there is must be in the world that its process is in.
    fn is_of(&self, epoch: i64) -> Verdict {
        demand(self.epoch == epoch, Promise::RewindTold, || {
            format!("it was told of {}, which was lost", self.last.0)
        })
    }

    fn compacted(&self, compact_revision: i64, ledger: &Ledger) -> Verdict {
        let known = self.known.max(self.last.0);
        let meant = ledger.was_compacted_at(compact_revision) && known + 1 < compact_revision;
        demand(meant, Promise::CompactionMeant, || {
            format!(
                "it had been told everything up to {known}, and {compact_revision} is said to be compacted"
            )
        })
    }

    fn rewound(&self, revision: i64, ledger: &Ledger, epoch: i64) -> Verdict {
        let lost = if let Some(must) = self.must_rewind {
            must == revision
        } else if self.hidden == Some(revision) {
            true
        } else {
            let seen = self.registered_at.max(self.known).max(self.last.0);
            ledger.was_cut_at(revision, self.registered_in, epoch) && revision < seen
        };
        demand(lost, Promise::RewindMeant, || {
            format!("nothing that it saw beyond {revision} was lost")
        })
    }

    /// How a key is shown to it.
    fn shown(&self, kv: &KeyValue) -> KeyValue {
        let mut shown = kv.clone();
        if self.ask.keys_only {
            shown.value.clear();
        }
        shown
    }

    fn asked_for(&self, change: &Change) -> bool {
        let filtered = match change.kind {
            EventKind::Put => self.ask.no_put,
            EventKind::Delete => self.ask.no_delete,
        };
        !filtered
            && self
                .ask
                .ranges
                .iter()
                .any(|range| is_in(range, &change.kv.key))
    }

    fn resumption(&self) -> Promise {
        if self.resumed {
            Promise::Resumable
        } else {
            Promise::Filtered
        }
    }
}

/// Whether who reads history need not find a change: a compaction had exactly its revision, and a
/// later change of the same transaction replaced it.
fn may_be_gone(spot: Spot, ledger: &Ledger, timeline: &Timeline) -> bool {
    let changes = timeline.changes_at(spot.0);
    let mut later = changes[spot.1 + 1..].iter();
    ledger.was_compacted_at(spot.0) && later.any(|later| later.kv.key == changes[spot.1].kv.key)
}

/// Whether a key changed again after a change, up to revision `seen`.
fn is_overtaken(spot: Spot, seen: i64, timeline: &Timeline) -> bool {
    let key = &timeline.changes_at(spot.0)[spot.1].kv.key;
    let again = |revision| {
        let mut changes = timeline.changes_at(revision).iter().enumerate();
        changes.any(|(sub, change)| (revision, sub) > spot && change.kv.key == *key)
    };
    (spot.0..=seen).any(again)
}
