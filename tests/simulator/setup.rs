//! How a store and its disk are made.

use revwatch::{Durability, Options};

/// Everything that a replay needs besides the commands.
#[derive(Clone, Debug)]
pub struct Setup {
    pub seed: u64,
    pub durability: Durability,
    pub page_size: usize,
    /// Pages that the disk has room for.
    pub capacity: u32,
}

impl Setup {
    /// Whether the disk promises that pages gained are zeros: every other one does.
    pub fn gains_zeros(&self) -> bool {
        !self.seed.is_multiple_of(2)
    }

    pub fn options(&self) -> Options {
        Options {
            durability: self.durability,
            seed: self.seed,
            store_id: [7; 16],
            // Few pages, so that most reads go to the disk.
            cache_bytes: 3 * self.page_size,
            ..Options::default()
        }
    }
}
