//! The watchers of a stream by their ids.

use alloc::collections::{BTreeMap, VecDeque};

use super::watcher::NOBODY;

/// Ids are moved out of the row when less than one in so many of its places is taken.
const THINNEST: usize = 4;

/// Which watcher has which id. Most ids were chosen by counting upwards: those are a row of numbers,
/// four bytes each; the others, and the last few of a row that has emptied, are in a map.
#[derive(Debug, Default)]
pub(super) struct WatchIds {
    /// The watchers with the ids from `first` on.
    row: VecDeque<u32>,
    first: i64,
    taken_in_row: usize,
    others: BTreeMap<i64, u32>,
    /// The id to try next when one is to be chosen; never goes back.
    next: i64,
}

impl WatchIds {
    pub(super) fn get(&self, id: i64) -> Option<u32> {
        let in_row = self.place(id).map(|place| self.row[place]);
        let key = in_row.filter(|&key| key != NOBODY);
        key.or_else(|| self.others.get(&id).copied())
    }

    /// Chooses an id that nobody has.
    pub(super) fn choose(&mut self) -> i64 {
        while self.get(self.next).is_some() {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }

    /// Gives an id that nobody has to a watcher.
    pub(super) fn insert(&mut self, id: i64, watcher: u32) {
        if self.row.is_empty() {
            self.first = id;
        }
        if id == self.first.saturating_add(self.row.len() as i64) {
            self.row.push_back(watcher);
            self.taken_in_row += 1;
        } else {
            self.others.insert(id, watcher);
        }
    }

    pub(super) fn remove(&mut self, id: i64) {
        match self.place(id) {
            Some(place) if self.row[place] != NOBODY => {
                self.row[place] = NOBODY;
                self.taken_in_row -= 1;
                self.tidy();
            }
            _ => drop(self.others.remove(&id)),
        }
    }

    /// Keeps the row full enough to be worth its place.
    fn tidy(&mut self) {
        while self.row.front() == Some(&NOBODY) {
            self.row.pop_front();
            self.first += 1;
        }
        if self.taken_in_row * THINNEST < self.row.len() {
            for (place, key) in self.row.drain(..).enumerate() {
                if key != NOBODY {
                    self.others.insert(self.first + place as i64, key);
                }
            }
            self.taken_in_row = 0;
        }
    }

    fn place(&self, id: i64) -> Option<usize> {
        let place = usize::try_from(id.checked_sub(self.first)?).ok()?;
        (place < self.row.len()).then_some(place)
    }

    /// Everybody, in order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let row = self.row.iter().copied().filter(|&key| key != NOBODY);
        let below = self.others.range(..self.first).map(|(_, &key)| key);
        let above = self.others.range(self.first..).map(|(_, &key)| key);
        below.chain(row).chain(above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn ids_are_found_whatever_came_and_went() {
        let mut ids = WatchIds::default();
        let mut model = BTreeMap::new();
        let mut random = 1_u64;
        for watcher in 0..5_000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let id = if random.is_multiple_of(4) {
                (random >> 8) as i64 % 64 - 32
            } else {
                ids.choose()
            };
            assert_eq!(ids.get(id), model.get(&id).copied());
            if model.insert(id, watcher).is_none() {
                ids.insert(id, watcher);
            } else {
                ids.remove(id);
                model.remove(&id);
            }
            while model.len() > 100 {
                let place = (random >> 20) as usize % 100;
                let &gone = model.keys().nth(place).unwrap();
                ids.remove(gone);
                model.remove(&gone);
            }
            for &id in model.keys() {
                assert_eq!(ids.get(id), model.get(&id).copied());
            }
        }
        let mut found: Vec<_> = ids.iter().collect();
        found.sort_unstable();
        let mut expected: Vec<_> = model.into_values().collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_stream_of_short_lived_watchers_costs_no_memory_for_those_that_went() {
        let mut ids = WatchIds::default();
        let lasting = ids.choose();
        ids.insert(lasting, 0);
        for watcher in 1..10_000 {
            let id = ids.choose();
            ids.insert(id, watcher);
            ids.remove(id);
        }
        assert!(ids.row.len() + ids.others.len() <= 2 * THINNEST);
        assert_eq!(ids.get(lasting), Some(0));
    }
}
