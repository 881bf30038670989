//! What revwatch means, written as slowly and obviously as possible.
//!
//! The model keeps a plain list of every change that ever was, and answers each question by reading
//! that list from its beginning. Nothing is indexed, cached or thrown away; compaction only moves a
//! number. Each rule stands in a few lines that can be compared with the rule as etcd has it. It
//! speaks the crate's own requests and responses, so that answers are compared with `==`; a refusal
//! is the error's code.
//!
//! ```
//! use revwatch::{KeyRange, PutRequest, RangeRequest};
//! use revwatch_model::Model;
//!
//! let mut model = Model::default();
//! model.put(&PutRequest::new(b"key", b"value")).unwrap();
//! let response = model.range(&RangeRequest::new(KeyRange::one(b"key"))).unwrap();
//! assert_eq!((response.revision, response.count), (2, 1));
//! ```

mod command;
mod generate;
mod hash;
mod history;
mod keys;
mod lease;
mod random;
mod txn;

pub use command::{Answer, Command, Watch};
pub use generate::{Generator, KEYS, LEASES};
pub use history::watched;
pub use lease::Lease;
pub use random::Random;

use std::collections::BTreeMap;

use revwatch::{ErrorCode, EventKind, KeyRange, KeyValue, Limits, Revision};

/// What an operation answers, or the code of the error that it is refused with.
pub type Outcome<T> = Result<T, ErrorCode>;

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in history.
    pub revision: Revision,
    /// Whether the key was put or deleted.
    pub kind: EventKind,
    /// The key afterwards; of a deleted one only the key and `mod_revision`.
    pub kv: KeyValue,
}

/// A store that does nothing cleverly.
#[derive(Clone, Debug)]
pub struct Model {
    /// Every change that ever was, in order. While a transaction runs, its changes stand at the end
    /// with a revision above `revision`.
    changes: Vec<Change>,
    revision: i64,
    compact_revision: i64,
    /// The revisions of all compactions.
    compactions: Vec<i64>,
    leases: BTreeMap<i64, Lease>,
    now_ms: i64,
    /// What time it is, is not known until the first step after an opening.
    clock_is_known: bool,
    limits: Limits,
    /// Whether what is answered is safe from a loss of power by then.
    pub durable: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Model {
    /// An empty store, which is at revision 1 and was never compacted.
    pub fn new(limits: Limits) -> Self {
        Self {
            changes: Vec::new(),
            revision: 1,
            compact_revision: -1,
            compactions: Vec::new(),
            leases: BTreeMap::new(),
            now_ms: 0,
            clock_is_known: false,
            limits,
            durable: true,
        }
    }

    /// The revision of the last transaction that changed something.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The revision of the last compaction, -1 before any.
    pub fn compact_revision(&self) -> i64 {
        self.compact_revision
    }

    /// The clock, as the last step has set it.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// How many keys there are now.
    pub fn keys(&self) -> usize {
        self.state_at(&KeyRange::All, self.revision).len()
    }

    /// Every change that ever was, whatever compaction would have dropped.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The limits that it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The keys of `range` after the transaction `main`, in key order: what a reader of the whole
    /// list up to there would hold in its hands.
    pub fn state_at(&self, range: &KeyRange, main: i64) -> Vec<&KeyValue> {
        let mut state = BTreeMap::new();
        for change in self
            .changes
            .iter()
            .take_while(|change| change.revision.main <= main)
        {
            let key = change.kv.key.as_slice();
            match change.kind {
                _ if !contains(range, key) => {}
                EventKind::Put => {
                    state.insert(key, &change.kv);
                }
                EventKind::Delete => {
                    state.remove(key);
                }
            }
        }
        state.into_values().collect()
    }

    /// The keys of `range` as they are now, in the midst of a transaction too.
    fn state(&self, range: &KeyRange) -> Vec<&KeyValue> {
        self.state_at(range, i64::MAX)
    }

    /// `key` as it is now.
    fn current(&self, key: &[u8]) -> Option<KeyValue> {
        self.state(&KeyRange::one(key))
            .first()
            .map(|&kv| kv.clone())
    }

    /// The revision as seen within a running transaction: one more once something was written.
    fn running_revision(&self) -> i64 {
        self.changes.last().map_or(self.revision, |change| {
            change.revision.main.max(self.revision)
        })
    }

    /// Appends a change to the running transaction: all its changes share one `main`, and `sub`
    /// counts them in the order of execution.
    fn change(&mut self, kind: EventKind, kv: KeyValue) {
        let main = self.revision + 1;
        let sub = self
            .changes
            .iter()
            .filter(|change| change.revision.main == main)
            .count() as u32;
        self.changes.push(Change {
            revision: Revision { main, sub },
            kind,
            kv,
        });
    }

    /// Ends the running transaction. One that changed nothing makes no revision.
    fn commit(&mut self) -> i64 {
        self.revision = self.running_revision();
        self.revision
    }
}

/// Whether `key` is in `range`, said once more so that a mistake in the crate's own is seen.
fn contains(range: &KeyRange, key: &[u8]) -> bool {
    match range {
        KeyRange::One(one) => key == one.as_slice(),
        KeyRange::Span { start, end } => key >= start.as_slice() && key < end.as_slice(),
        KeyRange::From(start) => key >= start.as_slice(),
        KeyRange::Prefix(prefix) => key.len() >= prefix.len() && key[..prefix.len()] == prefix[..],
        KeyRange::All => true,
    }
}

/// Refuses a range that begins with the empty key, which no key can be, even if it has an end.
fn require_key(range: &KeyRange) -> Outcome<()> {
    let first = match range {
        KeyRange::One(key) | KeyRange::From(key) | KeyRange::Prefix(key) => key,
        KeyRange::Span { start, .. } => start,
        KeyRange::All => return Ok(()),
    };
    if first.is_empty() {
        Err(ErrorCode::EmptyKey)
    } else {
        Ok(())
    }
}
