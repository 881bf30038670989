//! Pages that were read and verified, within a budget of bytes.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// A page is verified when it enters, and then taken as it is. Slots are written again, so a page is
/// asked for with its census term, which no other page of the store has.
///
/// The victim is chosen by the second-chance rule: a hand goes round and takes the first page that
/// was not used since it last came by. A scan of the log therefore costs the pages in use little.
/// Slot numbers are chosen by the log and not by its users, so the map needs no secret seed.
#[derive(Debug)]
pub(in crate::log) struct PageCache {
    capacity: usize,
    places: Vec<Place>,
    by_slot: HashMap<u32, usize, FixedState>,
    hand: usize,
}

#[derive(Debug)]
struct Place {
    slot: u32,
    term: u64,
    bytes: Arc<[u8]>,
    used: bool,
}

impl PageCache {
    pub(in crate::log) fn new(budget_bytes: usize, page_size: usize) -> Self {
        Self {
            capacity: budget_bytes / page_size,
            places: Vec::new(),
            by_slot: HashMap::default(),
            hand: 0,
        }
    }

    /// Whether a page would be found.
    pub(in crate::log) fn has(&self, slot: u32, term: u64) -> bool {
        let index = self.by_slot.get(&slot);
        index.is_some_and(|&index| self.places[index].term == term)
    }

    pub(in crate::log) fn get(&mut self, slot: u32, term: u64) -> Option<Arc<[u8]>> {
        let place = &mut self.places[*self.by_slot.get(&slot)?];
        if place.term != term {
            return None;
        }
        place.used = true;
        Some(Arc::clone(&place.bytes))
    }

    /// Answers the page that makes room, for the caller to drop when the cache is free again.
    pub(in crate::log) fn insert(
        &mut self,
        slot: u32,
        term: u64,
        bytes: Arc<[u8]>,
    ) -> Option<Arc<[u8]>> {
        if self.capacity == 0 {
            return None;
        }
        let entry = Place {
            slot,
            term,
            bytes,
            used: false,
        };
        let index = if let Some(&index) = self.by_slot.get(&slot) {
            index
        } else if self.places.len() < self.capacity {
            self.by_slot.insert(slot, self.places.len());
            self.places.push(entry);
            return None;
        } else {
            let index = self.victim();
            self.by_slot.remove(&self.places[index].slot);
            self.by_slot.insert(slot, index);
            index
        };
        Some(mem::replace(&mut self.places[index], entry).bytes)
    }

    fn victim(&mut self) -> usize {
        loop {
            let index = self.hand % self.places.len();
            self.hand = index + 1;
            if !mem::take(&mut self.places[index].used) {
                return index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(byte: u8) -> Arc<[u8]> {
        Arc::from([byte; 512].as_slice())
    }

    #[test]
    fn it_never_holds_more_than_its_budget() {
        let mut cache = PageCache::new(4 * 512 + 511, 512);
        for slot in 0..100 {
            cache.insert(slot, 1, page(slot as u8));
        }
        assert_eq!((cache.places.len(), cache.by_slot.len()), (4, 4));
        let mut none = PageCache::new(511, 512);
        none.insert(2, 1, page(1));
        assert!(none.get(2, 1).is_none());
    }

    #[test]
    fn a_slot_that_was_written_again_is_not_answered_with_its_old_page() {
        let mut cache = PageCache::new(8 * 512, 512);
        cache.insert(2, 1, page(1));
        assert!(cache.get(2, 99).is_none());
        cache.insert(2, 99, page(2));
        assert_eq!(cache.get(2, 99).unwrap()[0], 2);
        assert!(cache.get(2, 1).is_none());
    }

    #[test]
    fn a_page_in_use_outlives_a_scan() {
        let mut cache = PageCache::new(8 * 512, 512);
        cache.insert(2, 1, page(7));
        for slot in 100..1000 {
            assert!(cache.get(2, 1).is_some(), "lost before {slot}");
            cache.insert(slot, 1, page(0));
        }
    }
}
