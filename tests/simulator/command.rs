//! What is asked of a store, chosen by a seed.

use revwatch::page::fault::Random;

use crate::cursors::CURSORS;
use crate::history::{Change, History};

/// One request. None of them is refused for what it asks.
#[derive(Clone, Debug)]
pub enum Command {
    Put(Change),
    Delete(Vec<u8>),
    DeleteAll,
    Txn(Vec<Change>),
    Compact {
        revision: i64,
    },
    Grant {
        id: i64,
        ttl_ms: i64,
    },
    Revoke {
        id: i64,
    },
    KeepAlive {
        id: i64,
    },
    /// Makes a cursor that begins with the next revision.
    MakeCursor(&'static str),
    /// Takes so many revisions from a cursor, and acknowledges them.
    Consume(&'static str, usize),
    DeleteCursor(&'static str),
    Step {
        elapsed_ms: i64,
    },
    Flush,
    /// Closes the store and opens it again.
    Close,
}

impl Command {
    /// Does to a history what the command does to a store.
    pub fn apply(&self, history: &mut History) {
        match self {
            Self::Put(change) => history.commit(std::slice::from_ref(change)),
            Self::Delete(key) => history.commit(&[Change::Delete { key: key.clone() }]),
            Self::DeleteAll => {
                let keys = history.keys_at(history.newest(), i64::MAX).into_iter();
                let changes: Vec<_> = keys
                    .map(|kv| Change::Delete {
                        key: kv.key.clone(),
                    })
                    .collect();
                history.commit(&changes);
            }
            Self::Txn(changes) => history.commit(changes),
            Self::Compact { revision } => history.compact(*revision),
            Self::Grant { id, ttl_ms } => history.grant(*id, *ttl_ms),
            Self::Revoke { id } => history.revoke(*id),
            Self::KeepAlive { id } => history.keep_alive(*id),
            Self::Step { elapsed_ms } => history.step(*elapsed_ms),
            Self::MakeCursor(name) => history.make_cursor(name),
            Self::DeleteCursor(name) => history.delete_cursor(name),
            // How much there is to acknowledge depends on what is published.
            Self::Consume(..) | Self::Flush | Self::Close => {}
        }
    }
}

const KEYS: usize = 5;
const LEASES: i64 = 3;

/// An endless sequence of commands. Every value is another, so that no two states are alike.
#[derive(Clone, Debug)]
pub struct Commands {
    random: Random,
    page_size: usize,
    values: u64,
    first_value: u64,
}

impl Commands {
    pub fn new(seed: u64, page_size: usize) -> Self {
        let mut random = Random::new(seed);
        Self {
            first_value: random.next_u64(),
            random,
            page_size,
            values: 0,
        }
    }

    /// The next command for a store that is as `history` says.
    pub fn next(&mut self, history: &History) -> Command {
        match self.random.below(100) {
            0..34 => Command::Put(self.put(history)),
            34..42 => self.cursor(history),
            42..50 => Command::Delete(self.key()),
            50..52 => Command::DeleteAll,
            52..64 => self.txn(history),
            64..71 => self.compact(history),
            71..80 => self.lease(history),
            80..92 => self.step(),
            92..96 => Command::Flush,
            _ => Command::Close,
        }
    }

    /// A put of a new value, for a store that is as `history` says.
    pub fn put(&mut self, history: &History) -> Change {
        let leases: Vec<i64> = history.last().leases.keys().copied().collect();
        let lease = if self.random.percent(40) && !leases.is_empty() {
            leases[self.random.below(leases.len())]
        } else {
            0
        };
        Change::Put {
            key: self.key(),
            value: self.value(),
            lease,
        }
    }

    fn key(&mut self) -> Vec<u8> {
        let number = self.random.below(KEYS);
        format!("key/{number}").into_bytes()
    }

    /// Mostly short; some fill pages to the last byte or nearly, and some reach over several.
    fn value(&mut self) -> Vec<u8> {
        self.values += 1;
        let stamp = self.first_value.wrapping_add(self.values).to_le_bytes();
        let length = match self.random.below(10) {
            0..6 => 8 + self.random.below(40),
            6..8 => self.page_size / 2 + self.random.below(self.page_size / 2),
            8 => self.page_size + self.random.below(3 * self.page_size),
            _ => 8,
        };
        stamp.into_iter().cycle().take(length).collect()
    }

    fn txn(&mut self, history: &History) -> Command {
        let first = self.random.below(KEYS);
        let count = 2 + self.random.below(KEYS - 1);
        let mut changes = Vec::new();
        for number in (first..).take(count.min(KEYS)) {
            let mut change = if self.random.percent(75) {
                self.put(history)
            } else {
                Change::Delete { key: Vec::new() }
            };
            // No key twice.
            match &mut change {
                Change::Put { key, .. } | Change::Delete { key } => {
                    *key = format!("key/{}", number % KEYS).into_bytes();
                }
            }
            changes.push(change);
        }
        Command::Txn(changes)
    }

    fn compact(&mut self, history: &History) -> Command {
        let now = history.last();
        let newest = history.held_from().min(now.revision);
        let span = newest - now.compact_revision.max(0);
        if span <= 0 {
            return Command::Put(self.put(history));
        }
        Command::Compact {
            revision: newest - self.random.below(span as usize) as i64,
        }
    }

    fn cursor(&mut self, history: &History) -> Command {
        let (name, _) = CURSORS[self.random.below(CURSORS.len())];
        if !history.acked().contains_key(name) {
            return Command::MakeCursor(name);
        }
        if self.random.percent(10) {
            Command::DeleteCursor(name)
        } else {
            Command::Consume(name, 1 + self.random.below(4))
        }
    }

    fn lease(&mut self, history: &History) -> Command {
        let id = 1 + self.random.below(LEASES as usize) as i64;
        if !history.last().leases.contains_key(&id) {
            let ttl_ms = 2_000 + self.random.below(4_000) as i64;
            return Command::Grant { id, ttl_ms };
        }
        if self.random.percent(50) {
            Command::Revoke { id }
        } else {
            Command::KeepAlive { id }
        }
    }

    /// From within a batch to long enough that leases run out; two long ones make a store idle.
    fn step(&mut self) -> Command {
        let elapsed_ms = [1, 30, 120, 1_100, 1_100, 2_500][self.random.below(6)];
        Command::Step { elapsed_ms }
    }
}
