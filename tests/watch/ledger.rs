//! What was written: every transaction of every epoch, kept as plainly as can be.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use revwatch::{EventKind, KeyRange, KeyValue};

use crate::record::{Place, WRITER, WriteOp};

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: EventKind,
    pub kv: KeyValue,
}

/// The transactions of one epoch, from the first revision on. What an earlier epoch wrote and no
/// crash has taken is among them.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// That of revision 2 comes first.
    transactions: Vec<Rc<[Change]>>,
}

impl Timeline {
    /// The revision of the last transaction; 1 if there is none.
    pub fn newest(&self) -> i64 {
        1 + self.transactions.len() as i64
    }

    /// The changes that made a revision, in order.
    pub fn changes_at(&self, revision: i64) -> &[Change] {
        let index = usize::try_from(revision - 2).unwrap_or(usize::MAX);
        self.transactions.get(index).map_or(&[], |changes| changes)
    }

    /// What a key was after `revision`.
    pub fn value_at(&self, key: &[u8], revision: i64) -> Option<&KeyValue> {
        let mut past = (2..=revision.min(self.newest())).rev();
        let newest = past.find_map(|revision| {
            let mut changes = self.changes_at(revision).iter().rev();
            changes.find(|change| change.kv.key == key)
        });
        let put = newest.filter(|change| change.kind == EventKind::Put);
        put.map(|change| &change.kv)
    }

    /// All keys after `revision`.
    pub fn state_at(&self, revision: i64) -> BTreeMap<Vec<u8>, KeyValue> {
        let mut state = BTreeMap::new();
        for revision in 2..=revision {
            for change in self.changes_at(revision) {
                apply(&mut state, change);
            }
        }
        state
    }
}

/// Does to a state what a change says.
pub fn apply(state: &mut BTreeMap<Vec<u8>, KeyValue>, change: &Change) {
    match change.kind {
        EventKind::Put => drop(state.insert(change.kv.key.clone(), change.kv.clone())),
        EventKind::Delete => drop(state.remove(&change.kv.key)),
    }
}

/// All that was written, lost or not.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By epoch. The last one is the present.
    timelines: BTreeMap<i64, Timeline>,
    /// The epochs that a crash has begun, and the last revision that it has left.
    cuts: Vec<(i64, i64)>,
    /// The present keys.
    state: BTreeMap<Vec<u8>, KeyValue>,
    compact_revision: i64,
    /// Every compaction that ever was.
    compactions: BTreeSet<i64>,
}

impl Ledger {
    /// The store was opened and is at `revision`. Answers the newest revision there had been.
    pub fn open(&mut self, epoch: i64, revision: i64, compact_revision: i64) -> i64 {
        let mut timeline = match self.timelines.last_key_value() {
            Some((_, timeline)) => timeline.clone(),
            None => Timeline::default(),
        };
        let newest = timeline.newest();
        timeline.transactions.truncate((revision - 1) as usize);
        if !self.timelines.contains_key(&epoch) {
            self.cuts.push((epoch, revision));
        }
        self.state = timeline.state_at(revision);
        self.timelines.insert(epoch, timeline);
        self.compact(compact_revision);
        newest
    }

    /// History before `revision` is given up.
    pub fn compact(&mut self, revision: i64) {
        self.compact_revision = revision;
        self.compactions.insert(revision);
    }

    /// A transaction; it makes a revision if it changes something.
    pub fn write(&mut self, ops: &[WriteOp]) {
        let revision = self.newest() + 1;
        let mut changes = Vec::new();
        for op in ops {
            match op {
                WriteOp::Put { key, value, lease } => {
                    let before = self.state.get(key);
                    let kv = KeyValue {
                        key: key.clone(),
                        value: value.clone(),
                        create_revision: before.map_or(revision, |kv| kv.create_revision),
                        mod_revision: revision,
                        version: before.map_or(0, |kv| kv.version) + 1,
                        lease: *lease,
                    };
                    self.change(EventKind::Put, kv, &mut changes);
                }
                WriteOp::Delete { range } => {
                    self.delete(|kv| is_in(range, &kv.key), revision, &mut changes);
                }
                WriteOp::Revoke { lease } => {
                    self.delete(|kv| kv.lease == *lease, revision, &mut changes);
                }
            }
        }
        if !changes.is_empty() {
            let mut present = self.timelines.last_entry().expect("the store is open");
            present.get_mut().transactions.push(changes.into());
        }
    }

    fn delete(
        &mut self,
        goes: impl Fn(&KeyValue) -> bool,
        revision: i64,
        changes: &mut Vec<Change>,
    ) {
        let keys = self.state.values().filter(|kv| goes(kv));
        let keys: Vec<Vec<u8>> = keys.map(|kv| kv.key.clone()).collect();
        for key in keys {
            let kv = KeyValue {
                key,
                mod_revision: revision,
                ..KeyValue::default()
            };
            self.change(EventKind::Delete, kv, changes);
        }
    }

    fn change(&mut self, kind: EventKind, kv: KeyValue, changes: &mut Vec<Change>) {
        let change = Change { kind, kv };
        apply(&mut self.state, &change);
        changes.push(change);
    }

    /// What stands, and what has been written since.
    pub fn present(&self) -> &Timeline {
        let (_, present) = self.timelines.last_key_value().expect("the store is open");
        present
    }

    /// What an epoch knew.
    pub fn timeline(&self, epoch: i64) -> &Timeline {
        let (_, timeline) = self
            .timelines
            .range(..=epoch)
            .next_back()
            .expect("the epoch has begun");
        timeline
    }

    /// The newest revision that was written and not lost.
    pub fn newest(&self) -> i64 {
        self.present().newest()
    }

    /// History before this is gone; -1 before any compaction.
    pub fn compact_revision(&self) -> i64 {
        self.compact_revision
    }

    /// Before which revision history may be gone for a process. A crash can take back a compaction
    /// of which a reader goes on knowing.
    pub fn compacted_for(&self, place: Place) -> i64 {
        let ever = self.compactions.last().copied().unwrap_or(-1);
        if place == WRITER {
            self.compact_revision
        } else {
            ever
        }
    }

    /// Whether there was ever a compaction at `revision`.
    pub fn was_compacted_at(&self, revision: i64) -> bool {
        self.compactions.contains(&revision)
    }

    /// Whether `revision` is all that a crash has left, for who was in `epoch` and knows of the epochs
    /// up to `now`.
    pub fn was_cut_at(&self, revision: i64, epoch: i64, now: i64) -> bool {
        self.cuts_between(epoch, now).any(|cut| cut == revision)
    }

    /// Up to where what `epoch` saw still stands for who knows of the epochs up to `now`; `None` if
    /// nothing was lost since.
    pub fn cut_between(&self, epoch: i64, now: i64) -> Option<i64> {
        self.cuts_between(epoch, now).min()
    }

    fn cuts_between(&self, epoch: i64, now: i64) -> impl Iterator<Item = i64> {
        let later = self
            .cuts
            .iter()
            .filter(move |(begun, _)| epoch < *begun && *begun <= now);
        later.map(|&(_, cut)| cut)
    }
}

/// Whether a key is in a range, said without the help of the crate.
pub fn is_in(range: &KeyRange, key: &[u8]) -> bool {
    match range {
        KeyRange::One(one) => key == one.as_slice(),
        KeyRange::Span { start, end } => key >= start.as_slice() && key < end.as_slice(),
        KeyRange::From(start) => key >= start.as_slice(),
        KeyRange::Prefix(prefix) => key.len() >= prefix.len() && key[..prefix.len()] == prefix[..],
        KeyRange::All => true,
    }
}
