//! Runs the vectors: the cases that all languages share. `README.md` says what they mean.

mod notation;
mod requests;
mod responses;
mod runner;
mod told;
mod values;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use runner::Runner;

/// One test for each file, so that a failure names it.
macro_rules! vectors {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            run_file(stringify!($name));
        })+

        #[test]
        fn every_file_is_run() {
            let run: BTreeSet<String> = [$(stringify!($name)),+].map(String::from).into();
            assert_eq!(run, file_names(), "add the file to the list in run.rs");
        }
    };
}

vectors! {
    compaction
    delete
    follow
    lease
    lease_expiry
    limits
    put
    range_end
    range_options
    range_revision
    range_stream
    reopen
    txn_checks
    txn_compare
    txn_duplicates
    txn_nested
    txn_order
    watch
    watch_compaction
    watch_filters
    watch_fragments
    watch_history
    watch_ids
    watch_options
    watch_progress
    watch_ranges
}

fn run_file(name: &str) {
    let text =
        fs::read_to_string(folder().join(format!("{name}.json"))).expect("the file is there");
    let file = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"));
    let mut file = values::Fields::new(file);
    assert_eq!(file.text("name"), name);
    assert!(!file.text("about").is_empty());
    let steps = file.list("steps");
    file.finish();
    assert!(!steps.is_empty());
    let mut runner = Runner::new();
    for (number, step) in steps.into_iter().enumerate() {
        let shown = step.to_string();
        if let Err(what) = runner.step(values::Fields::new(step)) {
            panic!("{name}.json, step {}: {what}\n{shown}", number + 1);
        }
    }
}

fn file_names() -> BTreeSet<String> {
    let files = fs::read_dir(folder()).expect("the folder of the vectors is there");
    let paths = files.map(|file| file.expect("its entries can be read").path());
    let json = paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    json.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect()
}

fn folder() -> PathBuf {
    let package = env::var("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&package).join("vectors")
}
