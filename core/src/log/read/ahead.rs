//! Reading pages that lie one behind the other with one call.

use alloc::vec::Vec;

use crate::page::{PageError, PageStore};

/// A few pages of consecutive slots, as they were when they were read.
#[derive(Debug, Default)]
pub(in crate::log) struct Ahead {
    bytes: Vec<u8>,
    first: u32,
    count: u32,
}

impl Ahead {
    /// The page in `slot`, from a store of `length` pages. The one in `next` will be asked for after it:
    /// if that is close by, all pages around the two are read together.
    pub(in crate::log) fn page<P: PageStore>(
        &mut self,
        pages: &P,
        slot: u32,
        next: u32,
        length: u32,
    ) -> Result<&[u8], PageError> {
        let size = pages.page_size();
        if slot.wrapping_sub(self.first) >= self.count {
            self.read(pages, slot, next, length)?;
        }
        let at = (slot - self.first) as usize * size;
        Ok(&self.bytes[at..at + size])
    }

    fn read<P: PageStore>(
        &mut self,
        pages: &P,
        slot: u32,
        next: u32,
        length: u32,
    ) -> Result<(), PageError> {
        let size = pages.page_size();
        let together = pages.pages_per_read().max(1);
        // In the order of the log slots go to and fro a little, so such a group begins where it may.
        let group = slot / together;
        let first = group * together;
        let end = first.saturating_add(together).min(length);
        self.count = 0;
        if next / together == group && slot < end {
            self.bytes.resize((end - first) as usize * size, 0);
            if pages.read_many(first, &mut self.bytes).is_ok() {
                (self.first, self.count) = (first, end - first);
                return Ok(());
            }
            // One that cannot be read is not to take the others with it.
        }
        self.bytes.resize(size, 0);
        pages.read(slot, &mut self.bytes)?;
        (self.first, self.count) = (slot, 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;
    use crate::page::{MemoryPages, PageStore};

    /// Reads four pages together, one of which cannot be read.
    struct Fours {
        pages: MemoryPages,
        bad: u32,
        calls: Cell<u32>,
    }

    impl PageStore for Fours {
        fn page_size(&self) -> usize {
            self.pages.page_size()
        }
        fn len(&self) -> Result<u32, PageError> {
            self.pages.len()
        }
        fn set_len(&self, len: u32) -> Result<(), PageError> {
            self.pages.set_len(len)
        }
        fn pages_per_read(&self) -> u32 {
            4
        }
        fn read_many(&self, first: u32, buffer: &mut [u8]) -> Result<(), PageError> {
            self.calls.set(self.calls.get() + 1);
            let pages = (first..).zip(buffer.chunks_exact_mut(512));
            for (page, buffer) in pages {
                if page == self.bad {
                    return Err(PageError::OutOfBounds { page });
                }
                self.pages.read(page, buffer)?;
            }
            Ok(())
        }
        fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
            self.read_many(page, buffer)
        }
        fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
            self.pages.write(page, bytes)
        }
        fn sync(&self) -> Result<(), PageError> {
            self.pages.sync()
        }
    }

    fn fours(bad: u32) -> Fours {
        let pages = MemoryPages::new(512);
        pages.set_len(10).unwrap();
        for page in 0..10 {
            pages.write(page, &[page as u8; 512]).unwrap();
        }
        Fours {
            pages,
            bad,
            calls: Cell::new(0),
        }
    }

    fn calls_for(bad: u32, slots: &[u32]) -> u32 {
        let pages = fours(bad);
        let mut ahead = Ahead::default();
        for (at, &slot) in slots.iter().enumerate() {
            let next = slots.get(at + 1).copied().unwrap_or(u32::MAX);
            let page = ahead.page(&pages, slot, next, 10);
            assert_eq!(page.is_err(), slot == bad);
            assert!(page.is_err() || page.unwrap() == [slot as u8; 512]);
        }
        pages.calls.get()
    }

    #[test]
    fn pages_close_by_take_one_call_and_distant_ones_take_one_each() {
        assert_eq!(calls_for(99, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), 3);
        assert_eq!(calls_for(99, &[1, 0, 3, 2, 5, 4]), 2);
        assert_eq!(calls_for(99, &[0, 5, 2, 7, 9]), 5);
    }

    #[test]
    fn a_page_that_cannot_be_read_takes_no_other_with_it() {
        for bad in 0..10 {
            calls_for(bad, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
    }
}
