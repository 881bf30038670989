//! How much is tried, from which seed, what was tried, and how to try it again.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::{env, thread};

/// Points that all tests together try unless told otherwise. Without optimization a tenth of it.
const POINTS: u64 = 60_000;

/// The points that a test has tried, by kind.
pub struct Tally {
    test: &'static str,
    kinds: BTreeMap<&'static str, u64>,
    goal: u64,
}

impl Tally {
    /// For a test that is to try this percentage of all points. Each kind must come up.
    pub fn new(test: &'static str, percent: u64, kinds: &[&'static str]) -> Self {
        let points = number_from("REVWATCH_SIM_POINTS").unwrap_or(if cfg!(debug_assertions) {
            POINTS / 10
        } else {
            POINTS
        });
        Self {
            test,
            kinds: kinds.iter().map(|kind| (*kind, 0)).collect(),
            goal: points * percent / 100,
        }
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
        for (kind, count) in &self.kinds {
            println!("  {count:8} {kind}");
            assert!(
                *count > 0 || replayed.is_some(),
                "no point of this kind: {kind}"
            );
        }
    }
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
