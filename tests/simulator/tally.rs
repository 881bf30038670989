//! How much is tried, from which seed, what was tried, and how to try it again.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::{env, thread};

/// Points that all tests together try unless told otherwise. Without optimization a tenth of it.
const POINTS: u64 = 100_000;
/// Which percentage of them each test tries. No point is tried twice: each is another seed, another
/// moment of what follows from it, or another outcome there.
const PERCENT: [(&str, u64); 24] = [
    ("every_stop_of_a_store_that_syncs_each_commit", 12),
    ("every_stop_of_a_store_that_syncs_batches", 12),
    ("every_stop_of_a_store_that_never_syncs", 10),
    ("every_stop_of_a_store_with_a_checkpoint", 16),
    ("every_stop_of_a_store_that_is_swept", 10),
    ("every_stop_of_a_store_that_shrinks", 3),
    ("a_long_life_of_crashes", 18),
    ("a_failed_write", 4),
    ("a_short_write", 4),
    ("a_failed_sync", 4),
    ("a_turned_bit", 4),
    ("a_misdirected_write", 3),
    ("a_read_that_lies", 3),
    ("a_page_that_lost_a_synced_write", 4),
    ("an_older_page_that_a_sweep_has_left", 3),
    ("a_page_that_is_not_in_its_place", 1),
    ("an_interrupted_creation", 1),
    ("an_interrupted_import", 2),
    ("an_interrupted_update", 2),
    ("a_command_that_finds_no_space", 3),
    ("a_full_store_can_be_read", 1),
    ("a_full_store_can_be_deleted_from", 1),
    ("a_full_store_that_crashed", 3),
    ("a_growth_that_a_crash_took", 1),
];

/// The points that a test has tried, by kind.
pub struct Tally {
    test: &'static str,
    kinds: BTreeMap<&'static str, u64>,
    /// What was seen there, which makes no point of its own.
    observed: BTreeMap<&'static str, u64>,
    goal: u64,
}

impl Tally {
    /// For a test that is to try its percentage of all points. Each kind must come up.
    pub fn new(test: &'static str, kinds: &[&'static str]) -> Self {
        let points = number_from("REVWATCH_SIM_POINTS").unwrap_or(if cfg!(debug_assertions) {
            POINTS / 10
        } else {
            POINTS
        });
        let share = PERCENT.iter().find(|(name, _)| *name == test);
        let (_, percent) = share.expect("every test has its percentage");
        Self {
            kinds: kinds.iter().map(|kind| (*kind, 0)).collect(),
            goal: points * percent / 100,
            ..Self::of(test)
        }
    }

    /// For what is tried beside the points of another.
    pub fn beside() -> Self {
        Self::of("")
    }

    fn of(test: &'static str) -> Self {
        Self {
            test,
            kinds: BTreeMap::new(),
            observed: BTreeMap::new(),
            goal: 0,
        }
    }

    /// Requires that this is seen.
    pub fn expect(mut self, observation: &'static str) -> Self {
        self.observed.insert(observation, 0);
        self
    }

    /// Something was seen at a point.
    pub fn observe(&mut self, observation: &'static str) {
        *self.observed.entry(observation).or_default() += 1;
    }

    /// One more point.
    pub fn count(&mut self, kind: &'static str) {
        *self.kinds.entry(kind).or_default() += 1;
    }

    pub fn total(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Runs `history` with one seed after the other until there are enough points, or with the seed
    /// from `REVWATCH_SEED` alone. Says afterwards what was done.
    pub fn run(mut self, mut history: impl FnMut(&mut Self, u64)) {
        let replayed = number_from("REVWATCH_SEED");
        let mut seed = replayed.unwrap_or(1);
        while self.total() < self.goal {
            let replay = format!(
                "REVWATCH_SEED={seed} cargo test -p revwatch-tests --test simulator {}",
                self.test
            );
            let _replay = note(&replay);
            history(&mut self, seed);
            if replayed.is_some() {
                break;
            }
            seed += 1;
        }
        println!("{}: {} points", self.test, self.total());
        assert!(
            self.total() >= self.goal || replayed.is_some(),
            "{} of {} points",
            self.total(),
            self.goal
        );
        for (kind, count) in self.kinds.iter().chain(&self.observed) {
            println!("  {count:8} {kind}");
            assert!(
                *count > 0 || replayed.is_some(),
                "this never came up: {kind}"
            );
        }
    }
}

#[test]
fn all_tests_together_try_enough_points() {
    let percent: u64 = PERCENT.iter().map(|(_, percent)| percent).sum();
    let points = POINTS * percent / 100;
    println!("{points} points together");
    assert!(points >= 100_000, "only {points}");
}

fn number_from(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

/// Says what was being tried, if that ends in a panic.
pub struct Note<T: Debug>(T);

pub fn note<T: Debug>(what: T) -> Note<T> {
    Note(what)
}

impl<T: Debug> Drop for Note<T> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("while trying: {:?}", self.0);
        }
    }
}
