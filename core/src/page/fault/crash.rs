//! What a loss of power does to each page.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::random::Random;

/// The bytes of a page, shared by all images that hold it.
pub(super) type PageBytes = Arc<[u8]>;

/// The unit in which many disks write a page, in bytes.
pub(super) const SECTOR_BYTES: usize = 512;

/// One outcome of a loss of power: what becomes of the length and of each page that was written
/// since the last sync. Made by [`FaultPages::draw_crash`](super::FaultPages::draw_crash) and
/// [`FaultPages::every_crash`](super::FaultPages::every_crash); printed, it says in full what
/// happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// How many pages survive: the length at the last sync or any that was set since.
    pub len: u32,
    /// Pages and their fates. A page not named here is as the last sync left it.
    pub fates: Vec<(u32, Fate)>,
}

/// What becomes of one page. Its versions are counted from 0, what the last sync left (or whatever
/// lay there, if the page was gained since), and then one more for each write since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// The page is this version, whole.
    Whole(usize),
    /// Each sector of 512 bytes is from one version or the other.
    TornSectors {
        /// Where the sectors are from whose bit is 0.
        below: usize,
        /// Where the sectors are from whose bit is 1.
        above: usize,
        /// One bit for each sector, the lowest for the first.
        sectors: u128,
    },
    /// Any number of bytes are from one version, then any number from the other or from none at
    /// all, and so on.
    TornBytes {
        /// Where one part of the bytes is from.
        below: usize,
        /// Where another part is from.
        above: usize,
        /// What decides which bytes these are, and the noise of the rest.
        seed: u64,
    },
}

impl Fate {
    /// A fate for a page with `versions` versions, of which it has at least one.
    pub(super) fn draw(versions: usize, page_size: usize, random: &mut Random) -> Self {
        match random.below(100) {
            0..40 => Self::Whole(versions - 1),
            40..70 => Self::Whole(0),
            70..80 => Self::Whole(random.below(versions)),
            roll => {
                let (below, above) = two_of(versions, random);
                if roll < 90 && page_size > SECTOR_BYTES {
                    let sectors =
                        u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
                    Self::TornSectors {
                        below,
                        above,
                        sectors,
                    }
                } else {
                    let seed = random.next_u64();
                    Self::TornBytes { below, above, seed }
                }
            }
        }
    }

    /// Every fate of a page with `versions` versions, as far as they differ to a reader: each
    /// version, and three tears between each two. A reader tells a torn page by its checksum,
    /// wherever the tear is, so that more tears would not tell more.
    pub(super) fn all(versions: usize, page_size: usize) -> Vec<Self> {
        let mut fates: Vec<_> = (0..versions).map(Self::Whole).collect();
        let first_half = (1 << (page_size / SECTOR_BYTES / 2)) - 1;
        for above in 1..versions {
            for below in 0..above {
                if page_size > SECTOR_BYTES {
                    for sectors in [first_half, !first_half] {
                        fates.push(Self::TornSectors {
                            below,
                            above,
                            sectors,
                        });
                    }
                }
                let seed = fates.len() as u64;
                fates.push(Self::TornBytes { below, above, seed });
            }
        }
        fates
    }

    /// The page that comes of it. A version that there is not is taken as the newest.
    pub(super) fn apply(self, versions: &[&PageBytes]) -> PageBytes {
        let version = |number: usize| versions[number.min(versions.len() - 1)];
        match self {
            Self::Whole(number) => Arc::clone(version(number)),
            Self::TornSectors {
                below,
                above,
                sectors,
            } => {
                let mut bytes = version(below).to_vec();
                let others = version(above).chunks(SECTOR_BYTES);
                for (place, (sector, other)) in
                    bytes.chunks_mut(SECTOR_BYTES).zip(others).enumerate()
                {
                    if sectors >> place & 1 == 1 {
                        sector.copy_from_slice(other);
                    }
                }
                bytes.into()
            }
            Self::TornBytes { below, above, seed } => {
                shred(version(below), version(above), &mut Random::new(seed)).into()
            }
        }
    }
}

/// Two versions, different ones where there are two.
fn two_of(versions: usize, random: &mut Random) -> (usize, usize) {
    let below = random.below(versions);
    let steps = 1 + random.below(versions.saturating_sub(1));
    (below, (below + steps) % versions)
}

/// Runs of bytes by turns from `below` and from `above`; in every third page, some of noise. How
/// long the runs are differs from page to page, so that tears fall between fields and inside them.
fn shred(below: &[u8], above: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = below.to_vec();
    let longest = bytes.len() >> random.below(bytes.len().ilog2() as usize);
    let noise_percent = if random.percent(33) { 30 } else { 0 };
    let mut start = 0;
    let mut from_above = random.percent(50);
    while start < bytes.len() {
        let end = bytes.len().min(start + 1 + random.below(longest));
        if random.percent(noise_percent) {
            random.fill(&mut bytes[start..end]);
        } else if from_above {
            bytes[start..end].copy_from_slice(&above[start..end]);
        }
        from_above = !from_above;
        start = end;
    }
    bytes
}
