//! Hashing keys that anybody may choose.

use core::hash::Hasher;

use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

/// Hashes keys. All that it hashes with depends on the host's seed: a hasher that is seeded in its
/// beginning only can be flooded with keys that make it forget its beginning. Of the two hashes that the
/// library has this is the slower one: the other lets numbered keys clump.
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

    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u32 {
        self.hash_of([key])
    }

    /// Of several, one after the other.
    #[inline]
    pub(crate) fn hash_of<'a>(&self, keys: impl IntoIterator<Item = &'a [u8]>) -> u32 {
        let mut hasher = FoldHasher::with_seed(self.seed, &self.secrets);
        for key in keys {
            hasher.write(key);
        }
        let hash = hasher.finish();
        (hash ^ hash >> u32::BITS) as u32
    }
}

/// A hash as tables want it, which take the place from its low bits and a tag from its high ones.
#[inline]
pub(crate) fn spread(hash: u32) -> u64 {
    u64::from(hash) << u32::BITS | u64::from(hash)
}
