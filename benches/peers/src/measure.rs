//! One line of JSON for each measurement.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::count::{Counts, processor_seconds};
use crate::scale::Scale;

/// Names the run that measurements belong to.
pub(crate) struct Run {
    pub(crate) subject: String,
    pub(crate) round: u32,
    pub(crate) scale: Scale,
    /// For everything that this program writes.
    pub(crate) folder: PathBuf,
}

/// What a workload did.
#[derive(Clone, Copy, Default)]
pub(crate) struct Done {
    /// How often it did what is counted.
    pub(crate) count: u32,
    /// Stands for all bytes that were read.
    pub(crate) digest: u64,
    /// Bytes of keys and values that were put, if it wrote.
    pub(crate) user_bytes: u64,
    /// Transactions that were committed, if it wrote.
    pub(crate) commits: u32,
}

/// What passed while something was done.
pub(crate) struct Spent {
    pub(crate) seconds: f64,
    pub(crate) processor_seconds: f64,
    pub(crate) counts: Counts,
}

impl Spent {
    /// Does something and says what that took.
    pub(crate) fn by<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let before = Counts::now();
        let processor_before = processor_seconds();
        let start = Instant::now();
        let result = work();
        let spent = Self {
            seconds: start.elapsed().as_secs_f64(),
            processor_seconds: processor_seconds() - processor_before,
            counts: Counts::now().since(before),
        };
        (result, spent)
    }
}

impl Run {
    /// A folder that is empty now, for the next store.
    pub(crate) fn new_folder(&self) -> &Path {
        self.leave_nothing();
        fs::create_dir_all(&self.folder).expect("the folder can be written to");
        &self.folder
    }

    /// Deletes what the last store has left.
    pub(crate) fn leave_nothing(&self) {
        // What is left behind spoils no figure.
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Prints how often something was done in a second.
    pub(crate) fn rate(&self, workload: &str, unit: &str, spent: &Spent, done: Done) {
        let value = f64::from(done.count) / spent.seconds;
        self.line(workload, unit, value, spent, done);
    }

    /// Prints something else than a rate, of which less is better.
    pub(crate) fn figure(&self, workload: &str, unit: &str, value: f64, done: Done) {
        let nothing = Spent {
            seconds: 0.0,
            processor_seconds: 0.0,
            counts: Counts::default(),
        };
        self.line(workload, unit, value, &nothing, done);
    }

    /// Prints a duration.
    pub(crate) fn duration(&self, workload: &str, spent: &Spent, done: Done) {
        self.line(workload, "ms", spent.seconds * 1e3, spent, done);
    }

    fn line(&self, workload: &str, unit: &str, value: f64, spent: &Spent, done: Done) {
        let Self { subject, round, .. } = self;
        let Done {
            count,
            digest,
            user_bytes,
            commits,
        } = done;
        let Counts { bytes, syncs } = spent.counts;
        let (seconds, processor) = (spent.seconds, spent.processor_seconds);
        println!(
            r#"{{"subject":"{subject}","workload":"{workload}","unit":"{unit}","value":{value},"count":{count},"seconds":{seconds},"processor_seconds":{processor},"digest":"{digest:016x}","round":{round},"written_bytes":{bytes},"syncs":{syncs},"user_bytes":{user_bytes},"commits":{commits}}}"#
        );
    }
}
