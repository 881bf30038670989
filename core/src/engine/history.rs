//! Reading history for watchers, beside whatever else is done to the store.
//!
//! Polls and steps find out what is to be read with the store at hand, read it without, and hand it out
//! with the store at hand again:
//!
//! ```text
//!   store at hand │ what is wanted, where its pages are │           │ taken in, matched, queued, taken │
//!   nothing held  │                                     │ read      │                                  │
//! ```
//!
//! In a [`SharedStore`](crate::SharedStore) others read, write and poll in the middle, so that a writer
//! never waits for history to be read. In a [`Store`] nobody does; the way is the same.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::publish::Unkept;
use super::store::Store;
use crate::error::{Error, Result};
use crate::page::PageStore;
use crate::record::{Event, EventKind, KeyValue, KeyValueRef};
use crate::seeded_bug::is_seeded;
use crate::store::{Before, Read, Reading, RevisionStore};
use crate::watch::{History, Hub, Listing, Packed, ReadPart, Wanted};

/// How often a reader refreshes to get at history that a writer in another process is moving meanwhile.
const REFRESHES: usize = 4;

/// What keys were before is looked up for so many events at a time, or so many bytes, before a writer
/// may have its turn.
const EVENTS_AT_HAND: usize = 8;
const BYTES_AT_HAND: usize = 64 * 1024;

/// What an operation has come to.
pub(crate) type Turn<T, P> = crate::watch::Turn<T, Box<Errand<P>>>;

/// Whoever has a store: for a moment, again and again.
pub(crate) trait Hold<P: PageStore> {
    /// Looks at the store.
    fn look<T>(&self, look: impl FnOnce(&Store<P>) -> T) -> T;

    /// Does something to the store.
    fn act<T>(&mut self, act: impl FnOnce(&mut Store<P>) -> T) -> T;
}

impl<P: PageStore> Hold<P> for &mut Store<P> {
    fn look<T>(&self, look: impl FnOnce(&Store<P>) -> T) -> T {
        look(self)
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Store<P>) -> T) -> T {
        act(self)
    }
}

/// Takes turns until an operation is done, and in between reads the history that it wants.
#[inline]
pub(crate) fn take_turns<P: PageStore, T>(
    mut hold: impl Hold<P>,
    mut turn: impl FnMut(&mut Store<P>) -> Result<Turn<T, P>>,
) -> Result<T> {
    // Mostly nothing is to be read.
    match hold.act(&mut turn) {
        Ok(Turn::Done(answer)) => Ok(answer),
        Ok(Turn::Read(errand)) => take_turns_after(Ok(errand), &mut hold, &mut turn),
        Err(error) => take_turns_after(Err(error), &mut hold, &mut turn),
    }
}

#[cold]
fn take_turns_after<P: PageStore, T>(
    mut outcome: Result<Box<Errand<P>>>,
    hold: &mut impl Hold<P>,
    turn: &mut impl FnMut(&mut Store<P>) -> Result<Turn<T, P>>,
) -> Result<T> {
    let mut refreshes = 0;
    loop {
        let read = outcome.and_then(|errand| {
            let is_early = errand.is_early;
            Ok((errand.read(hold)?, is_early))
        });
        let read = match read {
            Ok(part) => Some(part),
            Err(error) => {
                let is_outdated = hold.look(|store| store.revisions.log().is_outdated());
                if !is_outdated || refreshes == REFRESHES {
                    return Err(error);
                }
                refreshes += 1;
                hold.act(Store::refresh)?;
                None
            }
        };
        // What is of no use is dropped after the turn, with nothing held.
        let (_useless, turned) = hold.act(|store| {
            let useless = read.and_then(|(part, is_early)| store.take_in(part, is_early));
            (useless, turn(store))
        });
        outcome = match turned {
            Ok(Turn::Done(answer)) => return Ok(answer),
            Ok(Turn::Read(errand)) => Ok(errand),
            Err(error) => Err(error),
        };
    }
}

/// A part of history that is to be read, and the way there.
pub(crate) struct Errand<P> {
    wanted: Wanted,
    /// Whether by the hub of those who are told early.
    is_early: bool,
    reading: Reading<P>,
}

impl<P: PageStore> Errand<P> {
    fn read(mut self, hold: &mut impl Hold<P>) -> Result<ReadPart> {
        let beside = self.read_beside(hold);
        let found = match beside {
            Ok(found) => Ok(found),
            // Pages may have been moved meanwhile. With the store at hand nothing moves.
            Err(_) => hold.look(|store| gather_at_hand(&store.revisions, &self.wanted)),
        };
        match found {
            Ok((events, to)) => Ok(self.wanted.found(events, to)),
            Err(error) => {
                hold.act(|store| {
                    let (hub, _) = store.hub_and_view(self.is_early);
                    hub.give_up(self.wanted.stream);
                });
                Err(error)
            }
        }
    }

    fn read_beside(&mut self, hold: &impl Hold<P>) -> Result<(Listing, i64)> {
        let mut gathered = Gathered::of(&self.wanted);
        loop {
            match self.reading.visit(|_, kind, kv| gathered.add(kind, kv))? {
                Read::All => break,
                Read::ToTheWindowsEnd => {
                    hold.look(|store| store.revisions.read_on(&mut self.reading));
                }
            }
        }
        gathered.leave_out_what_was_compacted();
        if self.wanted.prev_kv {
            gathered.attach_prev_kvs(|events| attach_prev_kvs_beside(hold, events))?;
        }
        Ok(gathered.finish())
    }
}

/// The same as an errand, by the log itself, which finds pages wherever they are now.
fn gather_at_hand<P: PageStore>(
    revisions: &RevisionStore<P>,
    wanted: &Wanted,
) -> Result<(Listing, i64)> {
    let mut gathered = Gathered::of(wanted);
    revisions.changes(wanted.from, wanted.published, |_, kind, kv| {
        gathered.add(kind, kv)
    })?;
    gathered.leave_out_what_was_compacted();
    if wanted.prev_kv {
        gathered.attach_prev_kvs(|events| {
            let (event, _) = events.split_at_mut(1);
            revisions.attach_prev_kvs(event)?;
            Ok(1)
        })?;
    }
    Ok(gathered.finish())
}

/// Events of whole revisions, as many as were wanted.
struct Gathered<'a> {
    wanted: &'a Wanted,
    /// Events that nothing more is to be done with are packed at once.
    packs: bool,
    packed: Packed,
    events: Vec<Event>,
    /// The revision of the last event.
    last: i64,
    revisions: usize,
    bytes: usize,
    /// All events up to and including this revision are there.
    to: i64,
}

impl<'a> Gathered<'a> {
    fn of(wanted: &'a Wanted) -> Self {
        Self {
            wanted,
            packs: !wanted.prev_kv && wanted.from > wanted.compact_revision,
            packed: Packed::default(),
            events: Vec::new(),
            last: 0,
            revisions: 0,
            bytes: 0,
            to: wanted.published,
        }
    }

    #[inline]
    fn add(&mut self, kind: EventKind, kv: KeyValueRef<'_>) -> ControlFlow<()> {
        let revision = kv.mod_revision;
        if revision != self.last {
            let is_enough =
                self.revisions >= self.wanted.max_revisions || self.bytes >= self.wanted.max_bytes;
            if self.revisions > 0 && is_enough {
                self.to = revision - 1;
                return ControlFlow::Break(());
            }
            self.revisions += 1;
            self.last = revision;
        }
        self.bytes += kv.key.len() + kv.value.len();
        if self.packs {
            self.packed.push(kind, kv);
        } else {
            self.events.push(Event {
                kind,
                kv: kv.to_owned(),
                prev_kv: None,
            });
        }
        ControlFlow::Continue(())
    }

    /// The events, and up to which revision they are all there.
    fn finish(self) -> (Listing, i64) {
        let events = if self.packs {
            self.packed.into()
        } else {
            self.events.into()
        };
        (events, self.to)
    }

    /// At exactly the compact revision only the state is kept: of several changes of one key in that
    /// transaction, the last.
    fn leave_out_what_was_compacted(&mut self) {
        let revision = self.wanted.compact_revision;
        if self.wanted.from > revision {
            return;
        }
        let is_later = |event: &Event| event.kv.mod_revision > revision;
        let count = self.events.iter().position(is_later);
        let rest = self.events.split_off(count.unwrap_or(self.events.len()));
        let mut kept: Vec<Event> = Vec::with_capacity(self.events.len() + rest.len());
        let mut seen = BTreeSet::new();
        for event in self.events.drain(..).rev() {
            let is_dropped = event.kind == EventKind::Delete && is_seeded!(TombstoneIsDropped);
            if seen.insert(event.kv.key.clone()) && !is_dropped {
                kept.push(event);
            }
        }
        kept.reverse();
        kept.extend(rest);
        self.events = kept;
    }

    /// Attaches to each event what its key was before; `attach` does so for some of the first, and
    /// answers for how many. That takes memory too: what is then too much for one part is left for
    /// the next.
    fn attach_prev_kvs(
        &mut self,
        mut attach: impl FnMut(&mut [Event]) -> Result<usize>,
    ) -> Result<()> {
        let (mut done, mut bytes) = (0, 0);
        while done < self.events.len() {
            let count = attach(&mut self.events[done..])?;
            for place in done..done + count {
                let event = &self.events[place];
                let begins_one =
                    place > 0 && self.events[place - 1].kv.mod_revision != event.kv.mod_revision;
                if begins_one && bytes >= self.wanted.max_bytes {
                    self.to = event.kv.mod_revision - 1;
                    self.events.truncate(place);
                    return Ok(());
                }
                bytes += event.bytes();
            }
            done += count;
        }
        Ok(())
    }
}

/// Attaches what keys were before to some of the first events, with the store at hand for a moment, and
/// answers for how many.
fn attach_prev_kvs_beside<P: PageStore>(
    hold: &impl Hold<P>,
    events: &mut [Event],
) -> Result<usize> {
    let count = events.len().min(EVENTS_AT_HAND);
    let events = &mut events[..count];
    let before: Vec<Before<P>> = hold.look(|store| {
        let mut bytes = 0;
        let mut before = Vec::with_capacity(count);
        for event in &*events {
            let one = store.revisions.before(event)?;
            if let Before::Known(kv) = &one {
                bytes += kv.bytes();
            }
            before.push(one);
            if bytes >= BYTES_AT_HAND {
                break;
            }
        }
        Ok::<_, Error>(before)
    })?;
    let count = before.len();
    for (event, before) in events.iter_mut().zip(before) {
        event.prev_kv = read_before(hold, before)?;
    }
    Ok(count)
}

fn read_before<P: PageStore>(hold: &impl Hold<P>, before: Before<P>) -> Result<Option<KeyValue>> {
    let mut away = match before {
        Before::Nothing => return Ok(None),
        Before::Known(kv) => return Ok(Some(kv)),
        Before::Away(away) => away,
    };
    loop {
        if let Some(kv) = away.read()? {
            return Ok(Some(kv));
        }
        hold.look(|store| store.revisions.widen(&mut away));
    }
}

/// What the hub sees of a store.
pub(super) struct View<'a, P> {
    revisions: &'a RevisionStore<P>,
    published: i64,
    unkept: Unkept,
}

impl<P: PageStore> History for View<'_, P> {
    fn published(&self) -> i64 {
        self.published
    }

    fn told_from_history(&self, prev_kv: bool) -> i64 {
        let unkept = if prev_kv {
            self.unkept.events.max(self.unkept.prev_kvs)
        } else {
            self.unkept.events
        };
        self.published.max(unkept)
    }

    fn compact_revision(&self) -> i64 {
        self.revisions.compact_revision()
    }

    fn newest_change(&self, key: &[u8]) -> Option<i64> {
        self.revisions.newest_change(key, self.published)
    }
}

impl<P: PageStore> Store<P> {
    /// The hub of the streams that are told early, if there is one, or that of the others, and what it
    /// sees of the store.
    pub(super) fn hub_and_view(&mut self, is_early: bool) -> (&mut Hub, View<'_, P>) {
        let published = self.frontier(is_early);
        let (hub, unkept) = match &mut self.early {
            // What is applied is shown at once: nothing is kept for later.
            Some(early) if is_early => (&mut **early, Unkept::default()),
            _ => (&mut self.hub, self.unkept),
        };
        let view = View {
            revisions: &self.revisions,
            published,
            unkept,
        };
        (hub, view)
    }

    /// What a hub wants is sent for.
    pub(super) fn send_for<T>(&self, turn: crate::watch::Turn<T>, is_early: bool) -> Turn<T, P> {
        match turn {
            crate::watch::Turn::Done(answer) => Turn::Done(answer),
            crate::watch::Turn::Read(wanted) => {
                // Entries take somewhat more than their keys and values.
                let window_bytes = wanted.max_bytes + wanted.max_bytes / 4;
                let Wanted {
                    from, published, ..
                } = wanted;
                let reading = self.revisions.begin_reading(from, published, window_bytes);
                Turn::Read(Box::new(Errand {
                    wanted,
                    is_early,
                    reading,
                }))
            }
        }
    }

    fn take_in(&mut self, part: ReadPart, is_early: bool) -> Option<ReadPart> {
        let (hub, view) = self.hub_and_view(is_early);
        hub.take_in(part, &view)
    }
}
