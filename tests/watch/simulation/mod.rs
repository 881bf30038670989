//! The simulation: a writer, its readers in other processes, and everybody's watchers, chosen by a
//! seed and written into a [`Record`].
//!
//! Each [`World`] is one store on a disk that can fail. At each step somebody does something:
//! writes, polls, watches, cancels, resumes, compacts, or the power goes. Streams differ in how
//! eagerly they are polled, and their queues are small, so that watchers become victims and read
//! history all the time. At the end everything is made durable and every stream is polled to its end.

mod clients;
mod followers;
mod handle;
mod polls;
mod power;
mod setup;
mod tally;
mod ways;
mod world;
mod writer;

pub use tally::Tally;
pub use world::World;

use crate::record::Record;

/// Plays the history that belongs to a seed.
pub fn play(seed: u64) -> (Record, Tally) {
    let mut world = World::new(seed);
    world.play();
    world.finish()
}
