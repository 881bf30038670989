//! How a store of a history is made.

use revwatch::{Durability, Limits, Options};
use revwatch_model::Random;

/// More than any history needs, in bytes.
const PLENTY: usize = 1 << 20;

/// What a seed decides once for a whole history.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub durability: Durability,
    /// Whether the writer's store is shared, as threads share it.
    pub is_shared: bool,
    pub page_size: usize,
    /// Responses that wait in a stream.
    pub queue_responses: usize,
    /// Revisions in one response to a watcher that catches up.
    pub catch_up_revisions: usize,
    /// Bytes of events that one stream holds, and all together.
    pub stream_queue_bytes: usize,
    pub watch_queue_bytes: usize,
    /// Bytes of history that a step reads.
    pub budget_bytes: usize,
    /// In how many of a hundred cases somebody at the writer does something, not at a reader.
    pub writer_percent: usize,
    /// What is done.
    pub steps: usize,
}

impl Setup {
    pub fn new(seed: u64, random: &mut Random) -> Self {
        let batch = Durability::Batch {
            max_ms: 100,
            max_writes: random.between(2, 12) as u32,
        };
        Self {
            seed,
            durability: *random.pick(&[Durability::Commit, batch, Durability::Never]),
            is_shared: random.chance(40),
            page_size: *random.pick(&[512, 512, 1024, 4096]),
            queue_responses: *random.pick(&[1, 1, 1, 1, 3]),
            catch_up_revisions: *random.pick(&[1, 2, 3, 10, 1000]),
            stream_queue_bytes: *random.pick(&[300, 2_000, PLENTY, PLENTY, PLENTY, PLENTY, PLENTY]),
            watch_queue_bytes: *random.pick(&[2_000, PLENTY, PLENTY, PLENTY, PLENTY, PLENTY]),
            budget_bytes: *random.pick(&[1, 100, 1000, PLENTY]),
            writer_percent: *random.pick(&[25, 55, 55, 75]),
            steps: 360,
        }
    }

    /// Whether what watchers are shown can never be lost.
    pub fn shown_is_durable(&self) -> bool {
        self.durability != Durability::Never
    }

    pub fn options(&self, read_only: bool) -> Options {
        Options {
            durability: self.durability,
            read_only,
            seed: self.seed,
            limits: Limits {
                stream_queue_responses: self.queue_responses,
                catch_up_revisions: self.catch_up_revisions,
                stream_queue_bytes: self.stream_queue_bytes,
                watch_queue_bytes: self.watch_queue_bytes,
                fragment_bytes: 100,
                progress_notify_ms: 300,
                // One at a time, so that it is seen which.
                lease_expiries_per_step: 1,
                ..Limits::default()
            },
            cache_bytes: 4 * self.page_size,
            ..Options::default()
        }
    }
}
