//! The disk under a fault store: what is durable on it, and what may yet become of the rest.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::iter;

use super::crash::{Crash, Fate, PageBytes};
use super::random::Random;
use super::unsettled::{ChangeNumber, Unsettled};
use crate::seeded_bug::is_seeded;

/// All that a power loss can choose from. To clone it costs a little for each unsettled page and
/// nothing for the others.
#[derive(Clone, Debug)]
pub(super) struct Medium {
    page_size: usize,
    /// The pages as last made durable, and behind the length what shrinking left or noise. Never
    /// shorter than any length that the store has or may fall back to.
    durable: Arc<Vec<PageBytes>>,
    durable_len: u32,
    unsettled: BTreeMap<u32, Unsettled<PageBytes>>,
    unsettled_len: Unsettled<u32>,
    changes: ChangeNumber,
    /// The last change that a failed sync should have made durable.
    doubted: ChangeNumber,
    /// What lies in pages gained is drawn from here, unless it is zeros.
    random: Random,
    gains_zeros: bool,
}

impl Medium {
    pub(super) fn new(page_size: usize, pages: Vec<PageBytes>, seed: u64) -> Self {
        Self {
            page_size,
            durable_len: pages.len() as u32,
            durable: Arc::new(pages),
            unsettled: BTreeMap::new(),
            unsettled_len: Unsettled::new(),
            changes: 0,
            doubted: 0,
            random: Random::new(seed),
            gains_zeros: false,
        }
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size
    }

    pub(super) fn gains_zeros(&self) -> bool {
        self.gains_zeros
    }

    pub(super) fn gain_zeros(&mut self) {
        self.gains_zeros = true;
    }

    /// Whether pages gained are zeros indeed.
    fn keeps_its_promise(&self) -> bool {
        self.gains_zeros && !is_seeded!(GainNoZeros)
    }

    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    pub(super) fn len(&self) -> u32 {
        *self.unsettled_len.newest().unwrap_or(&self.durable_len)
    }

    /// The page as a read finds it.
    pub(super) fn page(&self, page: u32) -> &PageBytes {
        let newest = self.unsettled.get(&page).and_then(Unsettled::newest);
        newest.unwrap_or(&self.durable[page as usize])
    }

    pub(super) fn write(&mut self, page: u32, bytes: PageBytes) {
        self.changes += 1;
        let versions = self.unsettled.entry(page).or_insert_with(Unsettled::new);
        versions.push(self.changes, bytes);
    }

    /// Shrinks, or grows by pages of noise; where there once were pages, half of them come back as
    /// they were. Or grows by zeros, if it is such a disk.
    pub(super) fn set_len(&mut self, len: u32) {
        let shorter = self.len().min(len);
        let ever_held = self.durable.len() as u32;
        if self.len() < len {
            let noise = if self.keeps_its_promise() {
                self.zeros()
            } else {
                self.noise()
            };
            if ever_held < len {
                Arc::make_mut(&mut self.durable).resize(len as usize, Arc::clone(&noise));
            }
            for page in shorter..len.min(ever_held) {
                if self.keeps_its_promise() || self.random.percent(50) {
                    self.write(page, Arc::clone(&noise));
                }
            }
        }
        self.changes += 1;
        self.unsettled_len.push(self.changes, len);
    }

    fn zeros(&self) -> PageBytes {
        vec![0; self.page_size].into()
    }

    /// What lay behind the length is gone for good.
    fn forget_behind_len(&mut self) {
        let zeros = self.zeros();
        let len = self.durable_len as usize;
        if self.keeps_its_promise() && len < self.durable.len() {
            Arc::make_mut(&mut self.durable)[len..].fill(zeros);
        }
    }

    fn noise(&mut self) -> PageBytes {
        let mut bytes = vec![0; self.page_size];
        self.random.fill(&mut bytes);
        bytes.into()
    }

    /// The last change that a sync beginning now makes durable.
    pub(super) fn last_change(&self) -> ChangeNumber {
        self.changes
    }

    /// A sync that began after the change `begun` has succeeded.
    pub(super) fn settle(&mut self, begun: ChangeNumber) {
        let doubted = self.doubted;
        if let Some(len) = self.unsettled_len.settle(begun, doubted) {
            self.durable_len = len;
            self.forget_behind_len();
        }
        if self.unsettled.is_empty() {
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        self.unsettled.retain(|page, versions| {
            if let Some(bytes) = versions.settle(begun, doubted) {
                durable[*page as usize] = bytes;
            }
            !versions.is_empty()
        });
    }

    /// A sync that began after the change `begun` has failed.
    pub(super) fn doubt(&mut self, begun: ChangeNumber) {
        self.doubted = self.doubted.max(begun);
    }

    /// Turns one bit of a page as it lies there, in each of its versions.
    pub(super) fn flip_bit(&mut self, page: u32, bit: usize) {
        let durable = &mut Arc::make_mut(&mut self.durable)[page as usize];
        let unsettled = self.unsettled.get_mut(&page);
        for version in
            iter::once(durable).chain(unsettled.into_iter().flat_map(Unsettled::values_mut))
        {
            *version = with_bit_flipped(version, bit);
        }
    }

    /// The lengths that may survive, without repetition, and the durable one first.
    pub(super) fn possible_lens(&self) -> Vec<u32> {
        let mut lens = vec![self.durable_len];
        for len in self.unsettled_len.values() {
            if !lens.contains(len) {
                lens.push(*len);
            }
        }
        lens
    }

    /// The pages whose content a crash decides, and how many versions each has.
    pub(super) fn unsettled_pages(&self) -> impl Iterator<Item = (u32, usize)> {
        self.unsettled
            .iter()
            .map(|(page, versions)| (*page, 1 + versions.values().len()))
    }

    /// The disk as `crash` leaves it. All that is there then is durable.
    pub(super) fn after(&self, crash: &Crash) -> Self {
        let mut survivor = Self {
            durable: Arc::clone(&self.durable),
            durable_len: crash.len.min(self.durable.len() as u32),
            gains_zeros: self.gains_zeros,
            ..Self::new(self.page_size, Vec::new(), self.random.clone().next_u64())
        };
        let changed = crash
            .fates
            .iter()
            .filter(|(_, fate)| *fate != Fate::Whole(0));
        for (page, fate) in changed {
            let Some(unsettled) = self.unsettled.get(page) else {
                continue;
            };
            let durable = &self.durable[*page as usize];
            let versions: Vec<_> = iter::once(durable).chain(unsettled.values()).collect();
            Arc::make_mut(&mut survivor.durable)[*page as usize] = fate.apply(&versions);
        }
        survivor.forget_behind_len();
        survivor
    }
}

pub(super) fn with_bit_flipped(page: &[u8], bit: usize) -> PageBytes {
    let mut bytes = page.to_vec();
    let bit = bit % (8 * bytes.len());
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes.into()
}
