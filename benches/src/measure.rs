//! One line of JSON for each measurement.

use std::time::{Duration, Instant};

/// Quantiles that are printed, in millionths.
const QUANTILES: [(&str, usize); 6] = [
    ("p50", 500_000),
    ("p90", 900_000),
    ("p99", 990_000),
    ("p99.9", 999_000),
    ("p99.99", 999_900),
    ("max", 1_000_000),
];

/// Names the run that measurements belong to.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) subject: String,
    pub(crate) round: u32,
    /// How far growth is measured.
    pub(crate) largest: u32,
}

impl Run {
    /// Times `work`, which says how often it did what is counted, and prints how often that is a
    /// second.
    pub(crate) fn measure(&self, workload: &str, unit: &str, work: impl FnOnce() -> Work) {
        let start = Instant::now();
        let work = work();
        self.print(workload, unit, start.elapsed().as_secs_f64(), work);
    }

    /// Prints what was timed by other means.
    pub(crate) fn print(&self, workload: &str, unit: &str, seconds: f64, work: Work) {
        let value = f64::from(work.count) / seconds;
        self.line(workload, unit, value, seconds, work);
    }

    /// Prints quantiles of what single operations took, in microseconds.
    pub(crate) fn print_latencies(&self, workload: &str, mut took: Vec<Duration>, digest: u64) {
        took.sort_unstable();
        let seconds = took.iter().sum::<Duration>().as_secs_f64();
        let work = Work::of(took.len() as u32, digest);
        for (name, per_million) in QUANTILES {
            let micros = took[(took.len() - 1) * per_million / 1_000_000].as_secs_f64() * 1e6;
            let workload = format!("latency of a {workload}, {name}");
            self.line(&workload, "us", micros, seconds, work);
        }
    }

    fn line(&self, workload: &str, unit: &str, value: f64, seconds: f64, work: Work) {
        let Self { subject, round, .. } = self;
        let Work { count, digest } = work;
        println!(
            r#"{{"subject":"{subject}","workload":"{workload}","unit":"{unit}","value":{value},"count":{count},"seconds":{seconds},"digest":"{digest:016x}","round":{round}}}"#
        );
    }
}

/// What was done within the time.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    /// How often.
    pub(crate) count: u32,
    /// Stands for all bytes that were read.
    pub(crate) digest: u64,
}

impl Work {
    pub(crate) fn of(count: u32, digest: u64) -> Self {
        Self { count, digest }
    }
}
