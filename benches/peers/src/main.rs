//! The workloads that any embedded store can do, on one subject: one line of JSON for each
//! measurement.
//!
//! ```text
//! revwatch-bench-peers --subject redb --round 0 --workloads durable,load --scale quick --dir DIR
//! ```
//!
//! - `data`: keys, values and picks, those of `../src`.
//! - `peer`: what is measured, each subject in a file of its own.
//! - `durable`, `load`, `history`, `retain`, `open`: the workloads.
//! - `count`, `measure`: what is counted beside the time, and what is printed.

mod count;
#[path = "../../src/data.rs"]
#[allow(
    dead_code,
    reason = "shared with the other benchmarks, which use more of it"
)]
mod data;
mod durable;
mod history;
mod load;
mod measure;
mod open;
mod peer;
mod retain;
mod scale;
mod values;

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

use crate::measure::Run;
use crate::peer::{Peer, bare, map, revwatch};
use crate::scale::Scale;

fn main() {
    let options = read_options();
    let option = |name, otherwise: &str| options.get(name).cloned().unwrap_or(otherwise.to_owned());
    let folder = PathBuf::from(option("dir", &env::temp_dir().to_string_lossy()))
        .join(format!("peers-{}", std::process::id()));
    let run = Run {
        subject: option("subject", "revwatch"),
        round: option("round", "0").parse().expect("--round is a number"),
        scale: Scale::named(&option("scale", "quick")),
        folder,
    };
    for workload in option("workloads", "durable,load,history,retain,open").split(',') {
        run_on_subject(&run, workload);
    }
    run.leave_nothing();
}

/// `--name value`, in any order.
fn read_options() -> HashMap<&'static str, String> {
    let mut given = env::args().skip(1);
    let mut options = HashMap::new();
    while let Some(name) = given.next() {
        let known = ["subject", "round", "dir", "workloads", "scale"];
        let name = known
            .into_iter()
            .find(|known| name.strip_prefix("--") == Some(*known));
        let (Some(name), Some(value)) = (name, given.next()) else {
            panic!("give --subject, --round, --dir, --workloads or --scale, each with a value");
        };
        options.insert(name, value);
    }
    options
}

fn run_on_subject(run: &Run, workload: &str) {
    match run.subject.as_str() {
        "revwatch" => match workload {
            "history" => history::of_revwatch(run),
            "retain" => retain::by_revwatch(run),
            "open" => open::million(run),
            _ => run_peer::<revwatch::Revwatch>(run, workload),
        },
        "bare" if workload == "durable" => bare::durable(run),
        "btreemap" if workload == "load" => map::load(run),
        "bare" | "btreemap" => {}
        #[cfg(feature = "redb")]
        "redb" => run_peer::<peer::redb::Redb>(run, workload),
        #[cfg(feature = "sqlite")]
        "sqlite" => run_peer::<peer::sqlite::Sqlite>(run, workload),
        #[cfg(feature = "lmdb")]
        "lmdb" => run_peer::<peer::lmdb::Lmdb>(run, workload),
        #[cfg(feature = "sled")]
        "sled" => run_peer::<peer::sled::Sled>(run, workload),
        #[cfg(feature = "fjall")]
        "fjall" => run_peer::<peer::fjall::Fjall>(run, workload),
        other => panic!("no subject is called {other}, or it was not built in"),
    }
}

fn run_peer<P: Peer>(run: &Run, workload: &str) {
    match workload {
        "durable" => durable::all::<P>(run),
        "load" => load::all::<P>(run),
        "history" => history::by_hand::<P>(run),
        "retain" => retain::without_history::<P>(run),
        "open" => {}
        other => panic!("no workload is called {other}"),
    }
}
