//! Tests of the index as a whole: against a model, and with keys and histories that mean harm.

mod compaction;
mod differential;
mod hostile;
mod model;
mod order;

use super::key_index::KeyIndex;
use crate::log::Position;
use crate::page::fault::Random;
use crate::revision::Revision;

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
