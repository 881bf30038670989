//! One line of JSON for each measurement.

use std::time::Instant;

/// Names the run that measurements belong to.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) subject: String,
    pub(crate) round: u32,
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
        let Self { subject, round } = self;
        let Work { count, digest } = work;
        let value = f64::from(count) / seconds;
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
