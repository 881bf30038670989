//! The index as the store sees it.

use alloc::vec::Vec;
use core::iter::FusedIterator;
use core::slice;

use hashbrown::HashTable;

use super::change::{Change, Found};
use super::heap::Address;
use super::order::{Cursor, Order};
use super::records::Records;
use crate::key_hasher::{KeyHasher, spread};
use crate::log::Position;
use crate::range::KeyRange;
use crate::revision::Revision;

/// Every key that the log knows, in bytewise order, with its history.
pub(crate) struct KeyIndex {
    pub(super) records: Records,
    pub(super) order: Order,
    by_hash: HashTable<Hashed>,
    hasher: KeyHasher,
    /// Keys that exist now.
    live_keys: u64,
    /// Whether `order` has the keys.
    is_ordered: bool,
}

/// A key in the hash table. With the hash at hand the table grows without looking at keys, and
/// looks at one only if it is the right one.
#[derive(Clone, Copy, Debug)]
struct Hashed {
    hash: u32,
    address: Address,
}

/// What [`KeyIndex::locate`] found out about a key. Good until the index changes in another way
/// than through this place: then the key must be located again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    hash: u32,
    address: Option<Address>,
}

/// A key that existed when it was looked for. Good until it is compacted away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Living(Address);

impl Default for KeyIndex {
    fn default() -> Self {
        Self::with_seed(0)
    }
}

impl KeyIndex {
    /// An empty index; `seed` keeps chosen keys from flooding the hash.
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self {
            records: Records::default(),
            order: Order::default(),
            by_hash: HashTable::new(),
            hasher: KeyHasher::with_seed(seed),
            live_keys: 0,
            is_ordered: true,
        }
    }

    /// An empty index that is going to be filled before it is asked for ranges: until
    /// [`put_in_order`](Self::put_in_order) its keys have no order, which for each of many new keys is
    /// most of the work.
    pub(crate) fn unordered(seed: u64) -> Self {
        Self {
            is_ordered: false,
            ..Self::with_seed(seed)
        }
    }

    /// Puts all keys in order, unless they are: O(keys log keys), and much quicker than one by one.
    pub(crate) fn put_in_order(&mut self) {
        if !self.is_ordered {
            let keys: Vec<Address> = self.by_hash.iter().map(|entry| entry.address).collect();
            self.order = Order::of_unsorted(&keys, &self.records);
            self.is_ordered = true;
        }
    }

    /// Looks for `key`, so that what follows need not.
    pub(crate) fn locate(&self, key: &[u8]) -> Place {
        let hash = self.hash(key);
        let address = self.entry(hash, key).map(|entry| entry.address);
        Place { hash, address }
    }

    /// The put that the key at `place` was the result of as of `main`, if it existed then.
    pub(crate) fn found(&self, place: Place, main: i64) -> Option<Found> {
        self.records.found(place.address?, main)
    }

    /// Adds a put of `key`, which is at `place`; revisions must rise. The create revision and
    /// version are those that the log recorded: they cannot be derived when older changes are no
    /// longer kept.
    pub(crate) fn put_at(
        &mut self,
        place: Place,
        key: &[u8],
        revision: Revision,
        position: Position,
        create_revision: i64,
        version: i64,
    ) {
        let change = Change::put(revision, position, create_revision, version);
        let existed = self.push(place, key, change);
        self.live_keys += u64::from(!existed);
    }

    /// As [`KeyIndex::put_at`], for a put that was read back. `false`, and nothing is added, if the key
    /// exists since another revision than `create_revision`.
    pub(crate) fn put_again(
        &mut self,
        key: &[u8],
        revision: Revision,
        position: Position,
        create_revision: i64,
        version: i64,
    ) -> bool {
        let place = self.locate(key);
        if let Some(address) = place.address {
            let before = self.records.newest(address);
            if !before.deleted && before.create_revision != create_revision {
                return false;
            }
        }
        self.put_at(place, key, revision, position, create_revision, version);
        true
    }

    /// Looks for a key that existed as of `main`.
    pub(crate) fn living(&self, key: &[u8], main: i64) -> Option<(Living, Found)> {
        let address = self.locate(key).address?;
        let found = self.records.at(address, main)?.found()?;
        Some((Living(address), found))
    }

    pub(crate) fn key_of(&self, living: Living) -> &[u8] {
        self.records.key(living.0)
    }

    /// Adds a delete of a key; revisions must rise.
    pub(crate) fn delete_living(&mut self, living: Living, revision: Revision, position: Position) {
        let before = self
            .records
            .push(living.0, Change::delete(revision, position));
        self.live_keys -= u64::from(!before.deleted);
    }

    /// As [`KeyIndex::put_at`], for a key that has not been located.
    #[cfg(test)]
    pub(crate) fn put(
        &mut self,
        key: &[u8],
        revision: Revision,
        position: Position,
        create_revision: i64,
        version: i64,
    ) {
        let place = self.locate(key);
        self.put_at(place, key, revision, position, create_revision, version);
    }

    /// Adds a delete of `key`, which need not be known; revisions must rise.
    pub(crate) fn delete(&mut self, key: &[u8], revision: Revision, position: Position) {
        let change = Change::delete(revision, position);
        let existed = self.push(self.locate(key), key, change);
        self.live_keys -= u64::from(existed);
    }

    /// The put that `key` was the result of as of `main`, if it existed then.
    pub(crate) fn at(&self, key: &[u8], main: i64) -> Option<Found> {
        self.found(self.locate(key), main)
    }

    /// The revision of the newest change of `key` up to `main`, deletes included.
    pub(crate) fn newest_change(&self, key: &[u8], main: i64) -> Option<Revision> {
        let address = self.locate(key).address?;
        Some(self.records.at(address, main)?.revision)
    }

    /// The keys of `range` that existed as of `main`, in order.
    pub(crate) fn range(&self, range: &KeyRange, main: i64) -> KeysAt<'_> {
        let mut keys = KeysAt {
            ahead: &[],
            behind: None,
            end: None,
            records: &self.records,
            main,
        };
        if let KeyRange::One(key) = range {
            let entry = self.entry(self.hash(key), key);
            keys.ahead = entry.map_or(&[], |entry| slice::from_ref(&entry.address));
        } else if !range.is_empty() {
            // Where the range ends is found once, so that no key on the way is compared.
            let end = range.end();
            keys.end = end.and_then(|end| self.order.from(&end, &self.records).next());
            keys.behind = Some(self.order.from(range.start(), &self.records));
        }
        keys
    }

    /// How many keys exist now.
    pub(crate) fn live_keys(&self) -> u64 {
        self.live_keys
    }

    /// How many keys there are, those included that do not exist now.
    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    /// Makes room for so many keys.
    pub(super) fn reserve(&mut self, keys: usize) {
        self.by_hash.reserve(keys, |entry| spread(entry.hash));
    }

    /// Names a key in the hash, where it is not yet, by its record.
    pub(super) fn add_to_hash(&mut self, key: &[u8], address: Address) {
        let hash = self.hash(key);
        let entry = Hashed { hash, address };
        self.by_hash
            .insert_unique(spread(hash), entry, |entry| spread(entry.hash));
    }

    /// Says what is known of all keys together.
    pub(super) fn complete(&mut self, order: Order, live_keys: u64) {
        self.order = order;
        self.is_ordered = true;
        self.live_keys = live_keys;
    }

    /// Takes a key out of the index with all its history. It must not exist now.
    pub(super) fn forget(&mut self, address: Address) {
        let hash = self.hash(self.records.key(address));
        let is_it = |entry: &Hashed| entry.address == address;
        if let Ok(entry) = self.by_hash.find_entry(spread(hash), is_it) {
            entry.remove();
        }
        self.order.remove(address, &self.records);
        self.records.remove(address);
    }

    /// Adds a change; tells whether the key existed before.
    fn push(&mut self, place: Place, key: &[u8], change: Change) -> bool {
        if let Some(address) = place.address {
            debug_assert_eq!(self.records.key(address), key);
            let before = self.records.push(address, change);
            return !before.deleted;
        }
        debug_assert!(self.locate(key).address.is_none());
        let address = self.records.create(key, change);
        if self.is_ordered {
            self.order.insert(address, &self.records);
        }
        let entry = Hashed {
            hash: place.hash,
            address,
        };
        self.by_hash
            .insert_unique(spread(entry.hash), entry, |entry| spread(entry.hash));
        false
    }

    /// All keys, also those that do not exist now.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let addresses = self.order.from(&[], &self.records);
        addresses.map(|address| self.records.key(address))
    }

    /// Panics unless the tree is sound and has the same keys as the hash table and the records.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.order.check(&self.records);
        self.records.check(self.order.from(&[], &self.records));
        assert_eq!(self.keys().count(), self.by_hash.len());
        assert!(self.keys().all(|key| self.locate(key).address.is_some()));
    }

    /// What the hash table has of a key. Not inlined, so that the search in it is.
    #[inline(never)]
    fn entry(&self, hash: u32, key: &[u8]) -> Option<&Hashed> {
        let is_it = |entry: &Hashed| entry.hash == hash && self.records.key(entry.address) == key;
        self.by_hash.find(spread(hash), is_it)
    }

    fn hash(&self, key: &[u8]) -> u32 {
        self.hasher.hash(key)
    }
}

/// How many records are asked for together: more than processors can keep waiting.
const AHEAD: usize = 64;

/// The keys of a range that existed as of a revision, in order, each with its put.
pub(crate) struct KeysAt<'a> {
    /// The next records, which were asked for.
    ahead: &'a [Address],
    /// Those behind them; `None` if there are none.
    behind: Option<Cursor<'a>>,
    /// The first record behind the range.
    end: Option<Address>,
    records: &'a Records,
    main: i64,
}

impl KeysAt<'_> {
    /// The next key, to be deleted.
    #[inline]
    pub(crate) fn next_living(&mut self) -> Option<(Living, Found)> {
        loop {
            let Some((&address, later)) = self.ahead.split_first() else {
                if self.look_ahead(AHEAD) {
                    continue;
                }
                return None;
            };
            self.ahead = later;
            if let Some(found) = self.records.found(address, self.main) {
                return Some((Living(address), found));
            }
        }
    }

    /// Shows the puts of the next keys, `most` at most; `false` if there are no more keys.
    #[inline]
    pub(crate) fn show_next(&mut self, most: usize, mut show: impl FnMut(Found)) -> bool {
        if self.ahead.is_empty() && !self.look_ahead(most) {
            return false;
        }
        let (now, later) = self.ahead.split_at(most.min(self.ahead.len()));
        self.ahead = later;
        for &address in now {
            if let Some(found) = self.records.found(address, self.main) {
                show(found);
            }
        }
        true
    }

    /// Asks for the next records; `false` if there are none.
    fn look_ahead(&mut self, most: usize) -> bool {
        let Some(cursor) = &mut self.behind else {
            return false;
        };
        let run = cursor.next_run(most);
        let end = self
            .end
            .and_then(|end| run.iter().position(|&at| at == end));
        self.ahead = &run[..end.unwrap_or(run.len())];
        if end.is_some() || run.is_empty() {
            self.behind = None;
        }
        self.records.touch(self.ahead);
        !self.ahead.is_empty()
    }
}

impl<'a> Iterator for KeysAt<'a> {
    type Item = (&'a [u8], Found);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (living, found) = self.next_living()?;
        Some((self.records.key(living.0), found))
    }

    fn count(mut self) -> usize {
        let mut count = 0;
        while self.show_next(AHEAD, |_| count += 1) {}
        count
    }
}

impl FusedIterator for KeysAt<'_> {}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use core::hash::Hasher;

    use foldhash::SharedSeed;
    use foldhash::fast::FoldHasher;

    use super::*;

    /// Keys that all have the same hash under the fixed secrets of `foldhash`, whatever its seed: in
    /// the second half of each, the secret that it is combined with wipes out all that came before.
    fn flood() -> impl Iterator<Item = [u8; 24]> {
        let mut hasher = FoldHasher::with_seed(0, SharedSeed::global_fixed());
        hasher.write_u128(1);
        let secret = hasher.finish().to_le_bytes();
        (0..10_000_u64).map(move |number| {
            let parts = [number.to_be_bytes(), secret, secret];
            core::array::from_fn(|i| parts[i / 8][i % 8])
        })
    }

    #[test]
    fn keys_that_collide_under_a_known_hash_do_not_collide_here() {
        for known in [0, 1, u64::MAX] {
            let hash = |key: [u8; 24]| {
                let mut hasher = FoldHasher::with_seed(known, SharedSeed::global_fixed());
                hasher.write(&key);
                hasher.finish()
            };
            assert!(flood().all(|key| hash(key) == 0), "the flood is one");
        }
        for seed in [0, 1, 7, u64::MAX] {
            let mut index = KeyIndex::with_seed(seed);
            let mut same_hash: BTreeMap<u32, usize> = BTreeMap::new();
            for (main, key) in (2..).zip(flood()) {
                index.put(&key, Revision::first_of(main), Position(0), main, 1);
                *same_hash.entry(index.hash(&key)).or_default() += 1;
            }
            // A lookup compares with the keys of the same hash, and with no others.
            assert!(same_hash.values().all(|&keys| keys <= 2), "seed {seed}");
            assert_eq!(index.live_keys(), 10_000);
        }
    }

    #[test]
    fn keys_of_the_same_hash_are_told_apart() {
        let mut index = KeyIndex::default();
        let mut seen = BTreeMap::new();
        // Among so many keys some share their hash, as birthdays are shared.
        let mut pairs = 0;
        for number in 0..400_000_u32 {
            let key = number.to_be_bytes();
            let Some(other) = seen.insert(index.hash(&key), key) else {
                continue;
            };
            pairs += 1;
            index.put(&key, Revision::first_of(2), Position(0), 2, 1);
            assert_eq!(index.at(&other, 2), None);
            index.put(&other, Revision::first_of(3), Position(0), 3, 1);
            assert_eq!(index.at(&key, 3).unwrap().create_revision, 2);
            assert_eq!(index.at(&other, 3).unwrap().create_revision, 3);
        }
        assert!(pairs > 0);
        assert_eq!(index.live_keys(), 2 * pairs);
    }
}
