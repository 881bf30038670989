//! The simulator: seeded workloads over a page store that fails, and after each failure a comparison
//! with what was promised.
//!
//! A [`session`] carries out [`command`]s, which a seed has chosen, and keeps beside the store a
//! plain list of all that happened, its [`history`]. The disk under the store is put on a [`tape`]:
//! for each of its operations, what the disk then was, and what was promised at that moment. From
//! there [`explore`] lets the power go, in each way that the page store's contract allows, opens
//! what is left, and [`inspect`]s it:
//!
//! - it is at one moment of its history, not older than the last acknowledged durable one: keys with
//!   all their numbers, events, the past at older revisions, compaction, leases;
//! - watchers were shown nothing that it lost, where that is promised;
//! - a new epoch has begun unless the store was closed, and tokens of lost revisions are refused;
//! - it verifies, and goes on working, through the next crash too.
//!
//! Everything follows from the seed. A failure prints it; to see it again, run the one test with
//! `REVWATCH_SEED=<seed>`. `REVWATCH_SIM_POINTS=<number>` says how many points all tests try
//! together, each a different seed, position, fault or outcome.

#![allow(
    unreachable_pub,
    reason = "a test has no inside that others could reach into"
)]

mod checkpoint;
mod command;
mod creation;
mod cursors;
mod damage;
mod durable;
mod explore;
mod history;
mod import;
mod inspect;
mod io;
mod perform;
mod power;
mod reclaim;
#[cfg(feature = "seeded-bugs")]
mod seeded;
mod session;
mod setup;
mod space;
mod tally;
mod tape;
