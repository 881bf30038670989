//! `record-history FOLDER SEED OPERATIONS`: writes random histories with the answers that the model
//! gives, as vectors into FOLDER, for the other languages to repeat.
//!
//! The store that Rust has is asked as well, so a history is written only if these two agree; what
//! then differs in another language is a mistake of its binding.

mod action;
mod ask;
mod live;
mod pair;
mod past;
mod recorder;
mod retention;
mod scribe;
mod tally;
mod walk;

#[path = "../../vectors/notation.rs"]
mod notation;
#[path = "../../vectors/responses.rs"]
mod responses;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use recorder::{RECORDED, Recorder, setup};
use tally::Tally;

/// Histories that the operations are divided into, each with a seed of its own.
const HISTORIES: u64 = 4;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, seed, operations] = arguments.as_slice() else {
        eprintln!("usage: record-history FOLDER SEED OPERATIONS");
        return ExitCode::from(2);
    };
    let (Ok(seed), Ok(operations)) = (seed.parse::<u64>(), operations.parse::<u64>()) else {
        eprintln!("SEED and OPERATIONS are numbers");
        return ExitCode::from(2);
    };
    match record(Path::new(folder), seed, operations) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

fn record(folder: &Path, first_seed: u64, operations: u64) -> Result<(), String> {
    let mut tally = Tally::new(RECORDED);
    let each = operations.div_ceil(HISTORIES);
    let mut names = Vec::new();
    for seed in first_seed..first_seed + HISTORIES {
        let history = Recorder::new(seed).record(each, &mut tally);
        let history = history.map_err(|what| format!("seed {seed}: {what}"))?;
        let name = format!("history_{seed}");
        let about = format!("{each} random operations from the seed {seed}.");
        let options = setup(seed).1;
        let file = serde_json::json!({
            "name": name, "about": about, "options": options, "steps": history,
        });
        let path = folder.join(format!("{name}.json"));
        fs::write(&path, file.to_string())
            .map_err(|error| format!("{}: {error}", path.display()))?;
        names.push(name);
    }
    println!(
        "{operations} operations, seeds {first_seed} to {}: {}",
        first_seed + HISTORIES - 1,
        names.join(", ")
    );
    println!("{tally}");
    match tally.missing().as_slice() {
        [] => Ok(()),
        _ if operations < 10_000 => Ok(()),
        missing => Err(format!("these never happened: {missing:?}")),
    }
}
