//! A hash table whose looks cost one cache miss.
//!
//! The tables of the library keep a byte of each hash beside the cells, so that a look begins with two
//! misses, one after the other. Here a hash says in which *row* its cell is: five cells that fill a line of
//! the cache, with all of their hashes, which are compared without a branch between them. So a
//! processor foresees how a look ends, and asks for what the cell leads to while it waits for the line.
//!
//! A row that is full passes cells on to the next one, and counts them: a look goes on only where that
//! is not zero, and a cell that is taken out leaves no mark.

use alloc::vec;
use alloc::vec::Vec;

use crate::index::heap::Address;

const ROW_CELLS: usize = 5;
/// The table grows when its rows have more cells than this on average: four fifths of what they hold.
const MEAN_CELLS: usize = 4;

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row {
    hashes: [u32; ROW_CELLS],
    /// What the cells are about; `NONE` where there is none.
    ids: [Address; ROW_CELLS],
    /// A number that the user keeps beside each.
    beside: [u32; ROW_CELLS],
    /// Cells of this row and those before it that are in a later one.
    passed_on: u32,
}

const EMPTY: Row = Row {
    hashes: [0; ROW_CELLS],
    ids: [Address::NONE; ROW_CELLS],
    beside: [0; ROW_CELLS],
    passed_on: 0,
};

/// Where a cell is; good until one comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellPlace {
    row: u32,
    at: u32,
}

/// Addresses by their hashes, of which several may be the same.
#[derive(Debug, Default)]
pub(super) struct Cells {
    rows: Vec<Row>,
    len: usize,
}

impl Cells {
    /// The place of the cell with this hash and an id that is the one looked for.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(Address) -> bool) -> Option<CellPlace> {
        let home = self.home(hash);
        let mut number = home;
        loop {
            let row = self.rows.get(number)?;
            let mut same = row.same(hash);
            while same != 0 {
                let at = same.trailing_zeros();
                let id = row.ids[at as usize];
                if id != Address::NONE && is_it(id) {
                    let row = number as u32;
                    return Some(CellPlace { row, at });
                }
                same &= same - 1;
            }
            if row.passed_on == 0 {
                return None;
            }
            number = self.behind(number);
            // In a small table every row may have passed something on.
            if number == home {
                return None;
            }
        }
    }

    #[inline]
    pub(super) fn id(&self, place: CellPlace) -> Address {
        self.rows[place.row as usize].ids[place.at as usize]
    }

    pub(super) fn hash(&self, place: CellPlace) -> u32 {
        self.rows[place.row as usize].hashes[place.at as usize]
    }

    #[inline]
    pub(super) fn beside(&self, place: CellPlace) -> u32 {
        self.rows[place.row as usize].beside[place.at as usize]
    }

    pub(super) fn set_beside(&mut self, place: CellPlace, beside: u32) {
        self.rows[place.row as usize].beside[place.at as usize] = beside;
    }

    /// Adds a cell of an id that is an address.
    pub(super) fn insert(&mut self, hash: u32, id: Address, beside: u32) -> CellPlace {
        if self.len >= MEAN_CELLS * self.rows.len() {
            self.grow();
        }
        self.len += 1;
        self.put(hash, id, beside)
    }

    /// Takes out a cell.
    pub(super) fn remove(&mut self, place: CellPlace) {
        let (last, at) = (place.row as usize, place.at as usize);
        let mut number = self.home(self.rows[last].hashes[at]);
        while number != last {
            self.rows[number].passed_on -= 1;
            number = self.behind(number);
        }
        self.rows[last].ids[at] = Address::NONE;
        self.len -= 1;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that are asked for, unused parts included.
    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
    }

    #[cfg(test)]
    pub(super) fn ids(&self) -> impl Iterator<Item = Address> {
        let ids = self.rows.iter().flat_map(|row| row.ids);
        ids.filter(|&id| id != Address::NONE)
    }

    /// The row that a hash belongs to: rows are in the order of hashes, so that a table grows from one end
    /// to the other.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.rows.len() as u64) >> u32::BITS) as usize
    }

    #[inline]
    fn behind(&self, row: usize) -> usize {
        if row + 1 < self.rows.len() {
            row + 1
        } else {
            0
        }
    }

    /// Puts a cell into the first row with room from its home on, of which there is one.
    fn put(&mut self, hash: u32, id: Address, beside: u32) -> CellPlace {
        let mut number = self.home(hash);
        loop {
            let row = &mut self.rows[number];
            let free = row.free();
            if free != 0 {
                let at = free.trailing_zeros() as usize;
                row.hashes[at] = hash;
                row.ids[at] = id;
                row.beside[at] = beside;
                return CellPlace {
                    row: number as u32,
                    at: at as u32,
                };
            }
            row.passed_on += 1;
            number = self.behind(number);
        }
    }

    fn grow(&mut self) {
        let rows = (2 * self.rows.len()).max(1);
        for row in core::mem::replace(&mut self.rows, vec![EMPTY; rows]) {
            for at in 0..ROW_CELLS {
                if row.ids[at] != Address::NONE {
                    self.put(row.hashes[at], row.ids[at], row.beside[at]);
                }
            }
        }
    }
}

impl Row {
    /// Which places have this hash, a bit for each; those without a cell may.
    #[inline]
    fn same(&self, hash: u32) -> u32 {
        bits(|at| self.hashes[at] == hash)
    }

    /// Which places have no cell.
    fn free(&self) -> u32 {
        bits(|at| self.ids[at] == Address::NONE)
    }
}

/// A bit for each place of which something is so, found out without a branch.
#[inline]
fn bits(is_so: impl Fn(usize) -> bool) -> u32 {
    (0..ROW_CELLS).fold(0, |bits, at| bits | u32::from(is_so(at)) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::fault::Random;

    /// The cells that a table has, and whether each is found by its hash.
    fn check(cells: &Cells, model: &[(u32, Address)]) {
        assert_eq!(cells.len(), model.len());
        for &(hash, id) in model {
            let place = cells.find(hash, |other| other == id).expect("it is there");
            let found = (cells.hash(place), cells.id(place), cells.beside(place));
            assert_eq!(found, (hash, id, !id.0));
        }
        let passed_on: u32 = cells.rows.iter().map(|row| row.passed_on).sum();
        if model.is_empty() {
            assert_eq!(passed_on, 0, "nothing is behind a row that was full");
        }
    }

    #[test]
    fn every_cell_is_found_whatever_came_and_went() {
        // Few hashes make rows that are full, and cells that go round the end.
        for hashes in [3, 40, 1 << 31] {
            let mut random = Random::new(1);
            let (mut cells, mut model) = (Cells::default(), Vec::new());
            for number in 0..2_000 {
                let hash = u32::MAX - random.below(hashes) as u32;
                cells.insert(hash, Address(number), !number);
                model.push((hash, Address(number)));
                while random.below(5) < 2 && !model.is_empty() {
                    let (hash, id) = model.swap_remove(random.below(model.len()));
                    let place = cells.find(hash, |other| other == id);
                    cells.remove(place.expect("it is there"));
                    assert!(cells.find(hash, |other| other == id).is_none());
                }
                if number % 50 == 0 {
                    check(&cells, &model);
                }
            }
            check(&cells, &model);
            for (hash, id) in model.drain(..) {
                let place = cells.find(hash, |other| other == id);
                cells.remove(place.expect("it is there"));
            }
            check(&cells, &[]);
            assert_eq!(cells.ids().count(), 0);
        }
    }

    #[test]
    fn a_look_ends_though_every_row_has_passed_something_on() {
        let mut cells = Cells::default();
        let (low, high) = (0, u32::MAX);
        for number in 0..6 {
            cells.insert(low, Address(number), 0);
        }
        for number in 0..3 {
            let place = cells.find(low, |id| id == Address(number));
            cells.remove(place.expect("it is there"));
        }
        for number in 6..11 {
            cells.insert(high, Address(number), 0);
        }
        assert_eq!(cells.rows.len(), 2);
        assert!(cells.rows.iter().all(|row| row.passed_on > 0));
        for hash in [low, high] {
            assert!(cells.find(hash, |_| false).is_none());
        }
    }

    #[test]
    fn a_row_is_a_line_and_a_table_has_few_that_are_empty() {
        let (mut cells, mut random) = (Cells::default(), Random::new(1));
        for number in 0..100_000_u32 {
            cells.insert(random.below(1 << 31) as u32, Address(number), 0);
            let most = 32 * cells.len().max(64);
            assert!(cells.size() <= most, "{} for {}", cells.size(), cells.len());
        }
        assert_eq!(size_of::<Row>(), 64);
    }
}
