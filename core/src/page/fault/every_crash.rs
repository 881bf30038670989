//! All outcomes of a loss of power, one after the other.

use alloc::vec;
use alloc::vec::Vec;

use super::crash::{Crash, Fate};
use super::medium::Medium;

/// Goes through every [`Crash`] that there can be, beginning with the one in which nothing survives
/// that was not synced. Made by [`FaultPages::every_crash`](super::FaultPages::every_crash).
#[derive(Clone, Debug)]
pub struct EveryCrash {
    lens: Vec<u32>,
    pages: Vec<(u32, Vec<Fate>)>,
    /// A counter whose digits choose the length and then the fate of each page; `None` at the end.
    digits: Option<Vec<usize>>,
}

impl EveryCrash {
    pub(super) fn of(medium: &Medium) -> Self {
        let fates = |(page, versions)| (page, Fate::all(versions, medium.page_size()));
        let pages: Vec<_> = medium.unsettled_pages().map(fates).collect();
        Self {
            lens: medium.possible_lens(),
            digits: Some(vec![0; 1 + pages.len()]),
            pages,
        }
    }

    /// How many outcomes there are in all, however many of them were already gone through;
    /// `u64::MAX` stands for more than that. They multiply with each page, so look at this first.
    ///
    /// ```
    /// use revwatch::page::PageStore;
    /// use revwatch::page::fault::FaultPages;
    ///
    /// let pages = FaultPages::new(512, 1);
    /// assert_eq!(pages.every_crash().total(), 1);
    /// pages.set_len(2).unwrap(); // survives or not
    /// assert_eq!(pages.every_crash().total(), 2);
    /// pages.write(0, &[1; 512]).unwrap(); // survives or not or is torn
    /// assert_eq!(pages.every_crash().total(), 6);
    /// ```
    pub fn total(&self) -> u64 {
        (0..=self.pages.len()).fold(1, |total: u64, place| {
            total.saturating_mul(self.choices_at(place) as u64)
        })
    }

    fn choices_at(&self, place: usize) -> usize {
        match place.checked_sub(1) {
            None => self.lens.len(),
            Some(page) => self.pages[page].1.len(),
        }
    }

    /// Counts on by one; the first digit goes fastest.
    fn advance(&self, mut digits: Vec<usize>) -> Option<Vec<usize>> {
        for place in 0..digits.len() {
            digits[place] += 1;
            if digits[place] < self.choices_at(place) {
                return Some(digits);
            }
            digits[place] = 0;
        }
        None
    }
}

impl Iterator for EveryCrash {
    type Item = Crash;

    fn next(&mut self) -> Option<Crash> {
        let digits = self.digits.take()?;
        let chosen = self.pages.iter().zip(&digits[1..]);
        let crash = Crash {
            len: self.lens[digits[0]],
            fates: chosen
                .map(|((page, fates), digit)| (*page, fates[*digit]))
                .collect(),
        };
        self.digits = self.advance(digits);
        Some(crash)
    }
}
