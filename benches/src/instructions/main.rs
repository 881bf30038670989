//! The core paths, for `tests/tools/instructions.py`, which has valgrind count what they take. No clock, no
//! chance and no thread takes part: the same program takes the same instructions each time.
//!
//! Prints one line of JSON for each path, in the order in which [`count_instructions`] is called: its name, and
//! how often it did what is counted.

#[path = "../data.rs"]
#[allow(
    dead_code,
    reason = "shared with the other benchmarks, which use more of it"
)]
mod data;
mod fixture;
mod log;
mod store;
mod streams;
mod watch;

use std::env;
use std::path::PathBuf;

/// Measures one path: `work` does something `count` times.
fn path(name: &str, count: u32, mut work: impl FnMut()) {
    println!(r#"{{"path":"{name}","count":{count}}}"#);
    count_instructions(&mut work);
}

/// Valgrind counts what happens within, and finds it by its name.
#[inline(never)]
fn count_instructions(work: &mut dyn FnMut()) {
    work();
}

fn main() {
    let folder = env::args().nth(1);
    let folder = folder.map_or_else(env::temp_dir, PathBuf::from);
    store::all();
    log::all(&folder);
    watch::all();
}
