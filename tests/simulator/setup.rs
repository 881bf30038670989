//! How a store and its disk are made.

use revwatch::{Durability, Options};

const MOST_WEARING_PAGES: u32 = 400;

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

    /// Pages that wear, and there are no more: in every fifth store.
    pub fn wearing_pages(&self) -> Option<u32> {
        let pages = self.capacity.min(MOST_WEARING_PAGES);
        self.seed.is_multiple_of(5).then_some(pages)
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
