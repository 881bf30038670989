//! What a store should be: a plain list of everything that happened to it.

use std::collections::BTreeMap;
use std::rc::Rc;

use revwatch::{Event, EventKind, KeyValue};

use crate::cursors::{Acked, CURSORS};

/// One change of one key, before it has a revision.
#[derive(Clone, Debug)]
pub enum Change {
    /// The key becomes this, attached to a lease or to 0.
    Put {
        key: Vec<u8>,
        value: Vec<u8>,
        lease: i64,
    },
    /// The key goes, if it is there.
    Delete { key: Vec<u8> },
}

/// What a store is between two changes that cannot be divided. Recovery must lead to one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    pub revision: i64,
    pub compact_revision: i64,
    /// How many events there had been.
    pub events: usize,
    /// The leases there were, with the time that each was granted.
    pub leases: Rc<BTreeMap<i64, i64>>,
    /// The cursors there were, and what they had acknowledged by then at least.
    pub acked: Rc<Acked>,
}

/// All moments of a store, the first of them empty, and the events that lie between them.
#[derive(Clone, Debug)]
pub struct History {
    events: Vec<Rc<Event>>,
    moments: Vec<Moment>,
    /// When each lease runs out, by the clock below.
    due_ms: BTreeMap<i64, i64>,
    now_ms: i64,
    /// What the cursors have acknowledged, which makes no moment.
    acked: Rc<Acked>,
}

impl History {
    pub fn new(now_ms: i64) -> Self {
        let empty = Moment {
            revision: 1,
            compact_revision: -1,
            events: 0,
            leases: Rc::default(),
            acked: Rc::default(),
        };
        Self {
            events: Vec::new(),
            moments: vec![empty],
            due_ms: BTreeMap::new(),
            now_ms,
            acked: Rc::default(),
        }
    }

    /// The index of the newest moment.
    pub fn newest(&self) -> usize {
        self.moments.len() - 1
    }

    pub fn moment(&self, index: usize) -> &Moment {
        &self.moments[index]
    }

    pub fn last(&self) -> &Moment {
        &self.moments[self.newest()]
    }

    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Forgets all that came after a moment: a crash has taken it.
    pub fn cut(&mut self, index: usize) {
        self.moments.truncate(index + 1);
        self.events.truncate(self.last().events);
    }

    /// The keys after the transaction `revision`, as of a moment.
    pub fn keys_at(&self, index: usize, revision: i64) -> Vec<&KeyValue> {
        let mut keys = BTreeMap::new();
        for event in &self.events[..self.moments[index].events] {
            if event.kv.mod_revision > revision {
                break;
            }
            match event.kind {
                EventKind::Put => keys.insert(&event.kv.key, &event.kv),
                EventKind::Delete => keys.remove(&event.kv.key),
            };
        }
        keys.into_values().collect()
    }

    /// The events from `revision` on, as of a moment.
    pub fn events_from(&self, index: usize, revision: i64) -> &[Rc<Event>] {
        let events = &self.events[..self.moments[index].events];
        let first = events.partition_point(|event| event.kv.mod_revision < revision);
        &events[first..]
    }

    /// A transaction: all changes at one revision. One that changes nothing makes none.
    pub fn commit(&mut self, changes: &[Change]) {
        let before = self.events.len();
        let revision = self.last().revision + 1;
        for change in changes {
            let key = match change {
                Change::Put { key, .. } | Change::Delete { key } => key,
            };
            let newest = self.events.iter().rfind(|event| event.kv.key == *key);
            let old = newest
                .filter(|event| event.kind == EventKind::Put)
                .map(Rc::clone);
            let event = match (change, old) {
                (Change::Put { value, lease, .. }, old) => Event {
                    kind: EventKind::Put,
                    kv: KeyValue {
                        key: key.clone(),
                        value: value.clone(),
                        create_revision: old
                            .as_ref()
                            .map_or(revision, |old| old.kv.create_revision),
                        mod_revision: revision,
                        version: old.map_or(1, |old| old.kv.version + 1),
                        lease: *lease,
                    },
                    prev_kv: None,
                },
                (Change::Delete { .. }, Some(_)) => Event {
                    kind: EventKind::Delete,
                    kv: KeyValue {
                        key: key.clone(),
                        mod_revision: revision,
                        ..KeyValue::default()
                    },
                    prev_kv: None,
                },
                (Change::Delete { .. }, None) => continue,
            };
            self.events.push(Rc::new(event));
        }
        if self.events.len() > before {
            self.advance(|moment| moment.revision = revision);
        }
    }

    pub fn compact(&mut self, revision: i64) {
        self.advance(|moment| moment.compact_revision = revision);
    }

    pub fn grant(&mut self, id: i64, ttl_ms: i64) {
        self.due_ms.insert(id, self.now_ms + ttl_ms);
        self.advance(|moment| {
            Rc::make_mut(&mut moment.leases).insert(id, ttl_ms);
        });
    }

    /// The keys of the lease go in the same moment as the lease.
    pub fn revoke(&mut self, id: i64) {
        self.due_ms.remove(&id);
        let attached = self.keys_at(self.newest(), i64::MAX).into_iter();
        let doomed: Vec<_> = attached
            .filter(|kv| kv.lease == id)
            .map(|kv| Change::Delete {
                key: kv.key.clone(),
            })
            .collect();
        let before = self.moments.len();
        self.commit(&doomed);
        if self.moments.len() == before {
            self.advance(|_| {});
        }
        let newest = self.newest();
        Rc::make_mut(&mut self.moments[newest].leases).remove(&id);
    }

    pub fn keep_alive(&mut self, id: i64) {
        let ttl_ms = self.last().leases[&id];
        if self.due_ms[&id] > self.now_ms {
            self.due_ms.insert(id, self.now_ms + ttl_ms);
        }
    }

    pub fn make_cursor(&mut self, name: &'static str) {
        let revision = self.last().revision;
        Rc::make_mut(&mut self.acked).insert(name, revision);
        self.advance(|_| {});
    }

    pub fn delete_cursor(&mut self, name: &'static str) {
        Rc::make_mut(&mut self.acked).remove(name);
        self.advance(|_| {});
    }

    pub fn acked(&self) -> &Rc<Acked> {
        &self.acked
    }

    /// What was acknowledged, by the store's own account.
    pub fn set_acked(&mut self, acked: Acked) {
        self.acked = Rc::new(acked);
    }

    /// The last revision at which cursors let history be compacted.
    pub fn held_from(&self) -> i64 {
        let holding = CURSORS.iter().filter(|(_, hold)| *hold);
        let acked = holding.filter_map(|(name, _)| self.acked.get(name));
        acked.min().map_or(i64::MAX, |acked| acked + 1)
    }

    /// Time passes, and leases run out: the longest overdue first.
    pub fn step(&mut self, elapsed_ms: i64) {
        self.now_ms += elapsed_ms;
        let mut due: Vec<_> = self
            .due_ms
            .iter()
            .map(|(id, due_ms)| (*due_ms, *id))
            .collect();
        due.retain(|(due_ms, _)| *due_ms <= self.now_ms);
        due.sort_unstable();
        for (_, id) in due {
            self.revoke(id);
        }
    }

    /// How long the leases still live is not part of a moment: the log is told only now and then.
    pub fn set_remaining(&mut self, remaining_ms: impl Iterator<Item = (i64, i64)>) {
        let now_ms = self.now_ms;
        self.due_ms = remaining_ms
            .map(|(id, left_ms)| (id, now_ms + left_ms))
            .collect();
    }

    fn advance(&mut self, change: impl FnOnce(&mut Moment)) {
        let mut next = self.last().clone();
        next.events = self.events.len();
        next.acked = Rc::clone(&self.acked);
        change(&mut next);
        self.moments.push(next);
    }
}
