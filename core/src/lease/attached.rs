//! Which keys are attached to leases.

use alloc::boxed::Box;

use hashbrown::HashTable;
use slab::Slab;

use crate::key_hasher::{KeyHasher, spread};

/// All keys that are attached to a lease, by number. A lease lists the numbers of its keys.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    keys: Slab<AttachedKey>,
    /// With the hash at hand the table grows without looking at keys.
    numbers: HashTable<Hashed>,
    hasher: KeyHasher,
}

#[derive(Clone, Copy, Debug)]
struct Hashed {
    hash: u32,
    number: usize,
}

/// A key with its lease: a key has one at most.
#[derive(Clone, Debug)]
pub(super) struct AttachedKey {
    pub(super) key: Box<[u8]>,
    pub(super) lease: i64,
    /// Where in its lease's list the key's number is.
    pub(super) place: usize,
}

impl Attached {
    /// None yet; `seed` keeps chosen keys from flooding the hash.
    pub(super) fn with_seed(seed: u64) -> Self {
        Self {
            keys: Slab::new(),
            numbers: HashTable::new(),
            hasher: KeyHasher::with_seed(seed),
        }
    }

    pub(super) fn key(&self, number: usize) -> &[u8] {
        &self.keys[number].key
    }

    /// The number of a key, and the lease that it is attached to.
    pub(super) fn find(&self, key: &[u8]) -> Option<(usize, i64)> {
        if self.keys.is_empty() {
            return None;
        }
        let hash = self.hasher.hash(key);
        let is_it = |it: &Hashed| it.hash == hash && *self.keys[it.number].key == *key;
        let number = self.numbers.find(spread(hash), is_it)?.number;
        Some((number, self.keys[number].lease))
    }

    /// Adds a key that is not there, and answers its number.
    pub(super) fn add(&mut self, key: AttachedKey) -> usize {
        let hash = self.hasher.hash(&key.key);
        let number = self.keys.insert(key);
        let hashed = Hashed { hash, number };
        self.numbers
            .insert_unique(spread(hash), hashed, |it| spread(it.hash));
        number
    }

    /// Takes a key out.
    pub(super) fn remove(&mut self, number: usize) -> AttachedKey {
        let gone = self.keys.remove(number);
        let hash = spread(self.hasher.hash(&gone.key));
        if let Ok(entry) = self.numbers.find_entry(hash, |it| it.number == number) {
            entry.remove();
        }
        gone
    }

    /// A key's number has another place in its lease's list.
    pub(super) fn set_place(&mut self, number: usize, place: usize) {
        self.keys[number].place = place;
    }
}
