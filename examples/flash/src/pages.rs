//! Pages of a store, each in an erase unit of its own.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use revwatch::page::{PageError, PageStore, is_page_size};

use crate::journal::{self, Journal};
use crate::nor::NorFlash;

/// A page store over a chip. It is for one thread, as most firmware is; for several, put a lock in the
/// place of the cell.
pub struct FlashPages<F> {
    state: RefCell<State<F>>,
    page_size: usize,
    pages: u32,
}

struct State<F> {
    flash: F,
    length: Journal,
}

impl<F: NorFlash> FlashPages<F> {
    /// Finds the store on a chip, or an empty one where there is none. Fails with
    /// [`PageError::BadSize`] if a unit cannot be a page.
    pub fn mount(flash: F) -> Result<Self, PageError> {
        let page_size = flash.unit_bytes();
        if !is_page_size(page_size) || flash.units() <= journal::UNITS {
            return Err(PageError::BadSize(alloc::format!(
                "{} erase units of {page_size} bytes cannot hold a store: it needs units of 512 to \
                 65,536 bytes, a power of two, and more than {} of them",
                flash.units(),
                journal::UNITS,
            )));
        }
        let length = Journal::find(&flash).map_err(PageError::other)?;
        Ok(Self {
            page_size,
            pages: flash.units() - journal::UNITS,
            state: RefCell::new(State { flash, length }),
        })
    }

    fn is_page(&self, page: u32, bytes: usize) -> Result<(), PageError> {
        if page < self.state.borrow().length.value() && bytes == self.page_size {
            Ok(())
        } else {
            Err(PageError::OutOfBounds { page })
        }
    }
}

impl<F: NorFlash> State<F> {
    /// Erases a page that is gained, unless it is erased.
    fn blank(&mut self, page: u32) -> Result<(), F::Error> {
        let mut bytes = vec![0; self.flash.unit_bytes()];
        self.flash.read(unit_of(page), 0, &mut bytes)?;
        if bytes.iter().all(|&byte| byte == 0xff) {
            return Ok(());
        }
        self.flash.erase(unit_of(page))
    }

    fn set_len(&mut self, len: u32) -> Result<(), F::Error> {
        for page in self.length.value()..len {
            self.blank(page)?;
        }
        if len == self.length.value() {
            return Ok(());
        }
        self.length.set(&mut self.flash, len)
    }

    /// A write that is cut off may leave anything in this page, which its checksum then tells.
    fn write(&mut self, page: u32, bytes: &[u8]) -> Result<(), F::Error> {
        let unit = unit_of(page);
        self.flash.erase(unit)?;
        let used = bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        let inverted: Vec<u8> = bytes[..used].iter().map(|byte| !byte).collect();
        self.flash.program(unit, 0, &inverted)
    }
}

fn unit_of(page: u32) -> u32 {
    journal::UNITS + page
}

impl<F: NorFlash> PageStore for FlashPages<F> {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn len(&self) -> Result<u32, PageError> {
        Ok(self.state.borrow().length.value())
    }

    fn set_len(&self, len: u32) -> Result<(), PageError> {
        if len > self.pages {
            return Err(PageError::NoSpace);
        }
        let mut state = self.state.borrow_mut();
        state.set_len(len).map_err(PageError::other)
    }

    /// Pages are erased before the length that gains them is written down.
    fn gains_zeros(&self) -> bool {
        true
    }

    fn wearing_pages(&self) -> Option<u32> {
        Some(self.pages)
    }

    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        self.is_page(page, buffer.len())?;
        let state = self.state.borrow();
        let outcome = state.flash.read(unit_of(page), 0, buffer);
        outcome.map_err(PageError::other)?;
        for byte in buffer {
            *byte = !*byte;
        }
        Ok(())
    }

    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.is_page(page, bytes.len())?;
        let mut state = self.state.borrow_mut();
        state.write(page, bytes).map_err(PageError::other)
    }

    /// Whatever was written is on the chip.
    fn sync(&self) -> Result<(), PageError> {
        Ok(())
    }
}
