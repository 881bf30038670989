//! Random operations on the index and on the model, with the same answers.

use alloc::format;
use alloc::vec::Vec;

use super::Random;
use super::model::Model;
use crate::index::change::{Change, Found};
use crate::index::key_index::KeyIndex;
use crate::log::Position;
use crate::range::KeyRange;
use crate::revision::Revision;

/// An index and a model that have seen the same.
struct Pair {
    index: KeyIndex,
    model: Model,
    random: Random,
    keys: Vec<Vec<u8>>,
    revision: Revision,
    position: u64,
    /// The newest compaction.
    compacted: i64,
    /// Where it goes on, if it is not done.
    rest: Option<Vec<u8>>,
    /// How often each operation was carried out.
    counts: [usize; 7],
}

impl Pair {
    fn new(seed: u64, keys: Vec<Vec<u8>>) -> Self {
        Self {
            index: KeyIndex::with_seed(seed),
            model: Model::default(),
            random: Random::new(seed),
            keys,
            revision: Revision::first_of(1),
            position: 0,
            compacted: 0,
            rest: None,
            counts: [0; 7],
        }
    }

    fn step(&mut self) {
        let kind = match self.random.below(100) {
            0..45 => 0,
            45..60 => 1,
            60..75 => 2,
            75..85 => 3,
            85..95 => 4,
            95..98 => 5,
            _ => 6,
        };
        self.counts[kind] += 1;
        match kind {
            0 => self.put(),
            1 => self.delete(),
            2 => self.compare_key(),
            3 => self.compare_newest_change(),
            4 => self.compare_range(),
            5 => self.begin_compaction(),
            _ => self.go_on_compacting(),
        }
        assert_eq!(self.index.live_keys(), self.model.live_keys());
    }

    fn key(&mut self) -> Vec<u8> {
        // Some keys are changed far more often than others.
        let among = self.random.below(self.keys.len()) + 1;
        self.keys[self.random.below(among)].clone()
    }

    /// The next change goes on in its transaction, begins the next one, or comes much later.
    fn advance(&mut self) -> (Revision, Position) {
        match self.random.below(20) {
            0..8 => self.revision.sub += 1 + self.random.below(300) as u32,
            8..19 => self.revision = Revision::first_of(self.revision.main + 1),
            _ => {
                let gap = 1 << self.random.below(34);
                self.revision = Revision::first_of(self.revision.main + gap);
            }
        }
        self.position += 1 + (self.random.next_u64() >> 24 >> self.random.below(40));
        (self.revision, Position(self.position))
    }

    fn put(&mut self) {
        let key = self.key();
        let (revision, position) = self.advance();
        let before = self.model.at(&key, i64::MAX);
        // A key without history may begin in the middle of a life.
        let is_first = self.model.newest_change(&key, i64::MAX).is_none();
        let (create_revision, version) = match before {
            Some(found) => (found.create_revision, found.version + 1),
            None if is_first && self.random.below(3) == 0 => {
                let puts = 1 << self.random.below(40);
                (revision.main / 2, 1 + puts)
            }
            None => (revision.main, 1),
        };
        let change = Change::put(revision, position, create_revision, version);
        self.model.push(&key, change);
        if self.random.below(2) == 0 {
            self.index
                .put(&key, revision, position, create_revision, version);
            return;
        }
        let place = self.index.locate(&key);
        assert_eq!(self.index.found(place, i64::MAX), before);
        self.index
            .put_at(place, &key, revision, position, create_revision, version);
    }

    fn delete(&mut self) {
        let key = self.key();
        let exists = self.model.at(&key, i64::MAX).is_some();
        // A delete of nothing stands alone; that is rare.
        if !exists && self.random.below(10) > 0 {
            return;
        }
        let (revision, position) = self.advance();
        self.model.push(&key, Change::delete(revision, position));
        self.index.delete(&key, revision, position);
    }

    /// A revision to read at: the newest, one near a change of some key, or any. While a
    /// compaction is not done, none before it.
    fn main(&mut self) -> i64 {
        let main = match self.random.below(4) {
            0 => i64::MAX,
            1 => self.random.next_u64() as i64 % (self.revision.main + 2),
            _ => {
                let key = self.key();
                let before = self.random.next_u64() as i64 % (self.revision.main + 2);
                let near = self.model.newest_change(&key, before);
                near.map_or(0, |near| near.main) - 1 + self.random.below(3) as i64
            }
        };
        if self.rest.is_some() {
            main.max(self.compacted)
        } else {
            main
        }
    }

    fn compare_key(&mut self) {
        let (key, main) = (self.key(), self.main());
        assert_eq!(
            self.index.at(&key, main),
            self.model.at(&key, main),
            "{key:?} at {main}"
        );
    }

    fn compare_newest_change(&mut self) {
        if self.rest.is_some() {
            // Deletes before the compaction may be gone or not.
            return;
        }
        let (key, main) = (self.key(), self.main());
        assert_eq!(
            self.index.newest_change(&key, main),
            self.model.newest_change(&key, main),
            "{key:?} at {main}"
        );
    }

    fn compare_range(&mut self) {
        let main = self.main();
        let (a, b) = (self.key(), self.key());
        let range = match self
            .random
            .below(if self.keys.len() > 100 { 40 } else { 5 })
        {
            0 => KeyRange::All,
            1 => KeyRange::from_key(&a),
            2 => KeyRange::one(&a),
            3 | 4 => KeyRange::span(&a, &b),
            _ => KeyRange::prefix(&a[..a.len() - self.random.below(2.min(a.len()))]),
        };
        self.compare(&range, main);
    }

    fn compare(&self, range: &KeyRange, main: i64) {
        let context = || format!("{range:?} at {main}");
        let mut expected = self.model.range(range, main);
        for found in self.index.range(range, main) {
            assert_eq!(Some(found), expected.next(), "{}", context());
        }
        assert_eq!(expected.next(), None, "{}", context());

        let expected: Vec<Found> = self.model.range(range, main).map(|(_, put)| put).collect();
        let count = self.index.range(range, main).count();
        assert_eq!(count, expected.len(), "{}", context());
        for most in [1, 7, 100] {
            let (mut keys, mut puts) = (self.index.range(range, main), Vec::new());
            loop {
                let before = puts.len();
                let is_more = keys.show_next(most, |put| puts.push(put));
                assert!(puts.len() - before <= most, "{}", context());
                if !is_more {
                    break;
                }
            }
            assert_eq!(puts, expected, "{most} at most of {}", context());
        }
    }

    fn begin_compaction(&mut self) {
        while self.rest.is_some() {
            self.go_on_compacting();
        }
        let span = self.revision.main - self.compacted;
        if span > 0 {
            // Mostly near the newest change, so that something is left to be dropped.
            self.compacted += (span >> self.random.below(10)).max(1);
            self.model.compact(self.compacted);
            // No transaction goes on through a compaction.
            self.revision = Revision::first_of(self.revision.main + 1);
            self.rest = Some(Vec::new());
        }
    }

    fn go_on_compacting(&mut self) {
        if let Some(from) = self.rest.take() {
            let steps = 1 + self.random.below(self.keys.len());
            self.rest = self.index.compact(self.compacted, &from, steps);
        }
    }

    fn compare_all(&mut self) {
        while self.rest.is_some() {
            self.go_on_compacting();
        }
        self.index.check();
        assert!(self.index.keys().eq(self.model.keys()));
        self.compare(&KeyRange::All, i64::MAX);
        for key in &self.keys {
            let mut main = i64::MAX;
            while let Some(change) = self.model.newest_change(key, main) {
                assert_eq!(self.index.newest_change(key, main), Some(change));
                assert_eq!(self.index.at(key, main), self.model.at(key, main));
                main = change.main - 1;
            }
            assert_eq!(self.index.newest_change(key, main), None);
        }
    }
}

fn run(seed: u64, keys: Vec<Vec<u8>>, steps: usize) {
    let mut pair = Pair::new(seed, keys);
    for step in 1..=steps {
        pair.step();
        if step % (steps / 4) == 0 {
            pair.compare_all();
        }
    }
    assert!(
        pair.counts.iter().all(|&count| count > 0),
        "{:?}",
        pair.counts
    );
}

/// Keys of which some begin others, some differ only in zeros at their end, and some are long.
fn some_keys(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let starts: [&[u8]; 6] = [
        b"",
        b"a",
        b"/registry/pods/",
        b"/registry/pods/x",
        b"\0",
        &[0xff; 9],
    ];
    let mut keys: Vec<Vec<u8>> = Vec::new();
    while keys.len() < count {
        let mut key = starts[random.below(starts.len())].to_vec();
        for _ in 0..random.below(6) {
            key.push([0, 1, b'a', 0xff][random.below(4)]);
        }
        if random.below(3) == 0 {
            key.extend(random.next_u64().to_le_bytes());
        }
        if random.below(50) == 0 {
            key.resize(random.below(10_000), b'x');
        }
        if !key.is_empty() {
            keys.push(key);
        }
    }
    keys
}

#[test]
fn few_keys_with_many_changes_are_as_in_the_model() {
    for seed in 0..10 {
        let keys = some_keys(&mut Random::new(seed), 6);
        run(seed, keys, 10_000);
    }
}

#[test]
fn some_keys_with_some_changes_are_as_in_the_model() {
    for seed in 100..104 {
        let keys = some_keys(&mut Random::new(seed), 60);
        run(seed, keys, 20_000);
    }
}

#[test]
fn many_keys_with_few_changes_are_as_in_the_model() {
    for seed in 200..203 {
        let keys = some_keys(&mut Random::new(seed), 3000);
        run(seed, keys, 20_000);
    }
}
