//! Tests of the index as a whole: against a model, and with keys and histories that mean harm.

mod compaction;
mod differential;
mod hostile;
mod model;
mod order;

use super::key_index::KeyIndex;
use crate::log::Position;
use crate::revision::Revision;

/// A stream of numbers that is the same everywhere (`SplitMix64`, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Puts `key` at `main`, as the first change or after others.
fn put(index: &mut KeyIndex, key: &[u8], main: i64) {
    let place = index.locate(key);
    let before = index.found(place, i64::MAX);
    let create_revision = before.map_or(main, |found| found.create_revision);
    let version = before.map_or(1, |found| found.version + 1);
    let (revision, position) = (Revision::first_of(main), Position(main as u64 * 100));
    index.put_at(place, key, revision, position, create_revision, version);
}

fn delete(index: &mut KeyIndex, key: &[u8], main: i64) {
    index.delete(key, Revision::first_of(main), Position(main as u64 * 100));
}
