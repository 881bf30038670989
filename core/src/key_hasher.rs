//! Hashing keys that anybody may choose.

use core::hash::Hasher;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

/// Hashes keys. All that it hashes with depends on the host's seed: a hasher that is seeded in its
/// beginning only can be flooded with keys that make it forget its beginning.
#[derive(Clone, Debug)]
pub(crate) struct KeyHasher {
    secrets: SharedSeed,
    seed: u64,
}

impl KeyHasher {
    pub(crate) fn with_seed(seed: u64) -> Self {
        Self {
            // A seed of 0, which many programs will have, would leave the secrets almost zero.
            secrets: SharedSeed::from_u64(seed ^ 0x9e37_79b9_7f4a_7c15),
            seed,
        }
    }

    /// A hash of which all low and all high bits are equally good: 32 bits, twice.
    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.secrets);
        hasher.write(key);
        let hash = hasher.finish();
        spread((hash ^ hash >> u32::BITS) as u32)
    }
}

/// Tables take the place from the low bits of a hash and a tag from the high ones.
#[inline]
pub(crate) fn spread(hash: u32) -> u64 {
    u64::from(hash) << u32::BITS | u64::from(hash)
}
