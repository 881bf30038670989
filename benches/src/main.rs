//! Whole workloads on one subject: the same as `etcd_mvcc/` runs on etcd, on the same data, one
//! line of JSON for each measurement.
//!
//! ```text
//! revwatch-bench --subject revwatch-memory --round 0 --workloads put,get --dir DIR
//! ```
//!
//! - `table`, `subject`: what is measured: a `BTreeMap`; a store in memory or in a file.
//! - `data`, `objects`: keys, values, picks and digests, twins of those in the Go program.
//! - `keys`, `datasets`, `growth`, `latency`, `durable`, `clients`, `watch`, `matching`, `open`: the workloads.
//! - `writer_latency`: what a reader of history costs a writer in another thread.
//! - `measure`: what is printed.

mod clients;
mod data;
mod datasets;
mod durable;
mod growth;
mod keys;
mod latency;
mod matching;
mod measure;
mod objects;
mod open;
mod subject;
mod table;
mod watch;
mod writer_latency;

use std::collections::HashMap;
use std::env;
use std::path::Path;

use revwatch::page::PageStore;

use crate::measure::Run;
use crate::subject::Subject;
use crate::table::{Plain, Table};

const WORKLOADS: &str = "put,put-txn,get,put-get,compact,watch,watch-prefix,catch-up,watch-many,catch-up-far,crowd,match,datasets,growth,latency";

fn main() {
    let options = read_options();
    let option = |name, otherwise: &str| options.get(name).cloned().unwrap_or(otherwise.to_owned());
    let round = option("round", "0").parse().expect("--round is a number");
    let run = Run {
        subject: option("subject", "revwatch-memory"),
        round,
        largest: option("largest", "100000")
            .parse()
            .expect("--largest is a number"),
    };
    let folder = option("dir", &env::temp_dir().to_string_lossy());
    for workload in option("workloads", WORKLOADS).split(',') {
        match run.subject.as_str() {
            "revwatch-file" if workload == "open" => open::opens(&run, Path::new(&folder)),
            "revwatch-file" if workload == "durable" => {
                durable::one_after_the_other(&run, Path::new(&folder));
            }
            "revwatch-file" if workload == "clients" => {
                clients::all_at_once(&run, Path::new(&folder));
            }
            "iset" if workload == "match" => matching::matching_by_crate(&run),
            "btreemap" => run_keys(&run, workload, Plain::default),
            "revwatch-memory" => run_store(&run, workload, Subject::in_memory),
            "revwatch-file" => run_store(&run, workload, || Subject::in_file(Path::new(&folder))),
            other => panic!("no subject is called {other}"),
        }
    }
}

/// `--name value`, in any order.
fn read_options() -> HashMap<&'static str, String> {
    let mut given = env::args().skip(1);
    let mut options = HashMap::new();
    while let Some(name) = given.next() {
        let known = ["subject", "round", "dir", "workloads", "largest"];
        let name = known
            .into_iter()
            .find(|known| name.strip_prefix("--") == Some(*known));
        let (Some(name), Some(value)) = (name, given.next()) else {
            panic!("give --{}, each with a value", known.join(", --"));
        };
        options.insert(name, value);
    }
    options
}

/// The workloads that any ordered map can do; the others are left out.
fn run_keys<T: Table>(run: &Run, workload: &str, open: impl Fn() -> T) {
    match workload {
        "put" => keys::puts(run, open()),
        "get" => keys::gets(run, open()),
        "put-get" => keys::pairs(run, open()),
        "datasets" => {
            datasets::zipf(run, open());
            datasets::kubernetes(run, open());
        }
        "growth" => {
            growth::by_keys(run, &open);
            growth::by_revisions(run, open);
        }
        "latency" => latency::puts(run, open()),
        "put-txn" | "compact" | "watch" | "watch-prefix" | "catch-up" | "watch-many"
        | "catch-up-far" | "crowd" | "match" => {}
        other => panic!("no workload is called {other}"),
    }
}

fn run_store<P: PageStore + Send + Sync>(run: &Run, workload: &str, open: impl Fn() -> Subject<P>) {
    match workload {
        "put-txn" => keys::puts_in_txns(run, open()),
        "compact" => keys::compaction(run, open()),
        "watch" => watch::watch_keys(run, open),
        "watch-prefix" => watch::watch_prefix(run, open),
        "catch-up" => watch::catch_up(run, open),
        "watch-many" => watch::watch_many(run, open),
        "catch-up-far" => watch::catch_up_far(run, open),
        "crowd" => watch::watch_crowd(run, open),
        "writer-latency" => writer_latency::writer_latency(run, open),
        "datasets" => {
            run_keys(run, workload, &open);
            datasets::kubernetes_watched(run, open());
        }
        "growth" => {
            run_keys(run, workload, &open);
            growth::by_watchers(run, open);
        }
        // No store takes part in it, so one subject does it for both.
        "match" if run.subject == "revwatch-memory" => matching::matching(run),
        other => run_keys(run, other, open),
    }
}
