//! The watch history checker: random histories of writers, watchers, compaction and crashes, each of
//! them recorded and judged.
//!
//! The [`simulation`] plays a history and writes down what was asked and what was told, in the order
//! in which it happened: the [`record`]. The [`judge`] reads the record alone. It keeps a plain
//! [`ledger`] of all that was written, and finds the first promise that was broken, by name.
//!
//! Everything follows from the seed. A failure prints it, and the story of the watcher that the
//! promise was broken to; `REVWATCH_SEED=<seed>` begins with that one, and
//! `REVWATCH_HISTORIES=<number>` says how many are played.

#![allow(
    unreachable_pub,
    reason = "a test has no inside that others could reach into"
)]

#[cfg(feature = "seeded-bugs")]
mod bugs;
mod judge;
mod ledger;
mod meddling;
mod record;
mod simulation;
mod threads;

use std::env;
use std::thread;

use simulation::Tally;

/// What is played by default, and what must come of it.
const HISTORIES: u64 = 2_100;
const LEAST_WATCHERS: u64 = 8;
const LEAST_EVENTS: u64 = 1_000_000;
/// Of all events, those that went through victims, and those that went through catch-up.
const LEAST_PERCENT: u64 = 10;

#[test]
fn no_random_history_breaks_a_promise() {
    let histories = number_from("REVWATCH_HISTORIES", HISTORIES);
    let first_seed = number_from("REVWATCH_SEED", 1);
    println!("{histories} histories, first seed {first_seed}");
    let tally = play_all(first_seed, histories);
    println!("{tally}");
    if histories >= HISTORIES {
        assert_eq!(tally.missing(), Vec::<&str>::new(), "these never happened");
        assert!(tally.fewest_watchers >= LEAST_WATCHERS, "{tally}");
        assert!(tally.events >= LEAST_EVENTS, "{tally}");
        for part in [tally.events_of_victims, tally.events_caught_up_with] {
            assert!(part * 100 >= tally.events * LEAST_PERCENT, "{tally}");
        }
    }
}

/// Plays and judges histories in as many threads as the machine has.
fn play_all(first_seed: u64, histories: u64) -> Tally {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let mut parts = Vec::new();
        for thread in 0..threads {
            parts.push(scope.spawn(move || {
                let mut tally = Tally::default();
                for number in (thread..histories).step_by(threads as usize) {
                    tally += play_one(first_seed + number);
                }
                tally
            }));
        }
        for part in parts {
            tally += part
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    tally
}

fn play_one(seed: u64) -> Tally {
    let (record, tally) = simulation::play(seed);
    if let Err(broken) = judge::judge(&record) {
        let story = record.story(broken.watcher, broken.entry);
        panic!("{story}seed {seed}: {broken}\nREVWATCH_SEED={seed} repeats it.");
    }
    tally
}

fn number_from(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}
