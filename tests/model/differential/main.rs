//! Random histories on the model and on the store: every answer must be the same.
//!
//! `REVWATCH_SEED` is the seed of the first history (a failure prints the one to use), and
//! `REVWATCH_OPS` says how many operations each test does.

mod action;
mod ask;
mod live;
mod pair;
mod past;
mod retention;
mod shrink;
mod tally;
mod walk;

use std::env;

use revwatch::{Limits, Retention};
use revwatch_model::{Generator, Model};

use action::Action;
use pair::{Pair, Setup};
use tally::Tally;

#[test]
fn a_store_in_memory_answers_as_the_model_does() {
    compare(Setup {
        page_size: None,
        ..KEEPS_ALL
    });
}

#[test]
fn a_store_on_small_pages_answers_as_the_model_does_across_reopening() {
    compare(Setup {
        page_size: Some(512),
        ..KEEPS_ALL
    });
}

#[test]
fn a_store_on_usual_pages_answers_as_the_model_does_across_reopening() {
    compare(Setup {
        page_size: Some(4096),
        ..KEEPS_ALL
    });
}

#[test]
fn a_store_that_keeps_so_many_revisions_answers_as_the_model_does() {
    let retention = Retention {
        revisions: 40,
        ms: 0,
    };
    compare(Setup {
        page_size: Some(512),
        retention,
        ..KEEPS_ALL
    });
}

#[test]
fn a_store_that_keeps_so_much_time_answers_as_the_model_does() {
    let retention = Retention {
        revisions: 10,
        ms: 3_000,
    };
    compare(Setup {
        page_size: Some(1024),
        retention,
        ..KEEPS_ALL
    });
}

const KEEPS_ALL: Setup = Setup {
    page_size: None,
    retention: Retention {
        revisions: 0,
        ms: 0,
    },
    limits,
};

/// Small enough that random histories run into all of them.
fn limits() -> Limits {
    Limits {
        request_bytes: 64 * 1024,
        txn_ops: 8,
        lease_expiries_per_step: 2,
        stream_queue_responses: 4,
        catch_up_revisions: 10,
        ..Limits::default()
    }
}

/// Runs histories of different lengths, each with its own seed, until all operations are done.
/// Most are short: the model reads its whole list for every answer.
fn compare(setup: Setup) {
    let default = if cfg!(debug_assertions) {
        20_000
    } else {
        200_000
    };
    let operations = number_from("REVWATCH_OPS", default);
    let first_seed = number_from("REVWATCH_SEED", 1);
    let Setup {
        page_size,
        retention,
        ..
    } = setup;
    println!("{page_size:?}, {retention:?}: {operations} operations, first seed {first_seed}");
    let mut tally = Tally::new(&possible(setup));
    let (mut seed, mut done) = (first_seed, 0);
    while done < operations {
        let length = match seed % 50 {
            0 => 5_000,
            10 | 20 | 30 | 40 => 1_500,
            _ => 300,
        };
        let length = length.min(operations - done);
        one_history(setup, seed, length, &mut tally);
        done += length;
        seed += 1;
    }
    println!("{tally}");
    if operations >= default.min(20_000) {
        assert_eq!(tally.missing(), Vec::<&str>::new(), "these never happened");
    }
}

/// What is counted only where it is possible.
fn possible(setup: Setup) -> Vec<&'static str> {
    let mut names = vec!["live: created", "live: idle", "live: compacted", "check"];
    if setup.page_size.is_some() {
        names.extend(["reopen after close", "reopen after a crash"]);
    }
    if setup.retention != Retention::default() {
        names.push("compacted by itself");
    }
    names
}

fn one_history(setup: Setup, seed: u64, length: u64, tally: &mut Tally) {
    let mut generator = Generator::new(seed);
    let mut pair = Pair::new(setup);
    let mut actions = Vec::new();
    for _ in 0..length {
        let action = next(&mut generator, &pair.model, setup);
        actions.push(action.clone());
        if let Err(what) = shrink::without_panic(|| pair.act(&action, Some(&mut *tally)).map(drop))
        {
            let fewest = shrink::shrink(setup, actions, &what);
            panic!(
                "seed {seed}: {what}\nREVWATCH_SEED={seed} repeats it. The fewest operations that differ:\n{fewest}"
            );
        }
    }
}

/// The next action on a store of this kind.
fn next(generator: &mut Generator, model: &Model, setup: Setup) -> Action {
    let random = generator.random();
    match random.below(204) {
        0..2 => Action::History {
            max_events: 1 + random.below(20),
            start_revision: generator.start_revision(model, model.compact_revision() - 1),
            range: generator.key_range(),
        },
        2..4 => Action::Watch(generator.watch(model)),
        200..204 => Action::Walk {
            range: generator.key_range(),
            revision: generator.revision(model),
            max_keys: generator.random().below(5),
        },
        4..12 => Action::PollLive {
            polls: random.below(12),
            max_events: 1 + random.below(8),
        },
        12 if setup.page_size.is_some() => Action::Reopen {
            clean: random.chance(50),
        },
        13..21 => Action::Check,
        _ => Action::Ask(generator.command(model)),
    }
}

fn number_from(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
        Err(_) => default,
    }
}
