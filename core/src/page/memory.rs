//! Pages in memory: for stores that need not outlive the program, and for tests.

use alloc::sync::Arc;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use spin::Mutex;

use super::{PageError, PageStore, is_page_size};

/// A page store in memory, which takes nothing from the system but an allocator.
///
/// This is a handle: a clone is the same pages, not a copy of them, and they live as long as one
/// handle does. A store given one handle can so be closed and its pages be opened again through
/// another. [`to_bytes`](Self::to_bytes) and [`from_bytes`](Self::from_bytes) make a copy.
///
/// ```
/// use revwatch::page::{MemoryPages, PageStore};
///
/// let pages = MemoryPages::new(512);
/// let same = pages.clone();
/// pages.set_len(2).unwrap();
/// assert_eq!(same.len().unwrap(), 2);
///
/// let copy = MemoryPages::from_bytes(512, &pages.to_bytes()).unwrap();
/// pages.set_len(1).unwrap();
/// assert_eq!(copy.len().unwrap(), 2);
/// ```
#[derive(Clone)]
pub struct MemoryPages {
    page_size: usize,
    /// What pages hold that were gained and not yet written: one page for all of them.
    blank: Arc<[u8]>,
    held: Arc<Mutex<Held>>,
}

struct Held {
    /// At most `capacity_limit` pages. One that somebody else holds too is replaced by a write,
    /// never changed: bytes once shared stay what they are.
    pages: Vec<Arc<[u8]>>,
    capacity_limit: u32,
}

impl MemoryPages {
    /// No pages yet, which will be of `page_size` bytes and as many as the memory holds.
    ///
    /// # Panics
    ///
    /// If `page_size` is not one that [`is_page_size`] accepts.
    pub fn new(page_size: usize) -> Self {
        assert!(
            is_page_size(page_size),
            "{}",
            PageError::no_page_size(page_size)
        );
        Self::holding(page_size, Vec::new())
    }

    /// The pages of an image, as [`to_bytes`](Self::to_bytes) gives it or as a file holds it.
    /// Answers [`PageError::BadSize`] if `image` is not made of whole pages.
    pub fn from_bytes(page_size: usize, image: &[u8]) -> Result<Self, PageError> {
        if !is_page_size(page_size) {
            return Err(PageError::no_page_size(page_size));
        }
        let pages = image.chunks_exact(page_size);
        if !pages.remainder().is_empty() || u32::try_from(pages.len()).is_err() {
            return Err(PageError::BadSize(format!(
                "an image of {} bytes is not made of whole pages of {page_size} bytes: give the page size that it was written with",
                image.len(),
            )));
        }
        Ok(Self::holding(page_size, pages.map(Arc::from).collect()))
    }

    /// Refuses from now on, through every handle, to grow beyond `pages` pages, as a full disk
    /// would. Pages beyond it that are there already stay.
    ///
    /// ```
    /// use revwatch::page::{MemoryPages, PageError, PageStore};
    ///
    /// let pages = MemoryPages::new(512).with_capacity_limit(3);
    /// assert!(pages.set_len(3).is_ok());
    /// assert!(matches!(pages.set_len(4), Err(PageError::NoSpace)));
    /// ```
    #[must_use]
    pub fn with_capacity_limit(self, pages: u32) -> Self {
        self.held.lock().capacity_limit = pages;
        self
    }

    /// A copy of all pages, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.held.lock().pages.concat()
    }

    fn holding(page_size: usize, pages: Vec<Arc<[u8]>>) -> Self {
        Self {
            page_size,
            blank: vec![0; page_size].into(),
            held: Arc::new(Mutex::new(Held {
                pages,
                capacity_limit: u32::MAX,
            })),
        }
    }
}

impl PageStore for MemoryPages {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn len(&self) -> Result<u32, PageError> {
        Ok(self.held.lock().pages.len() as u32)
    }

    fn set_len(&self, len: u32) -> Result<(), PageError> {
        let mut held = self.held.lock();
        let wanted = usize::try_from(len).map_err(|_| PageError::NoSpace)?;
        if let Some(gained) = wanted.checked_sub(held.pages.len()) {
            if gained > 0 && len > held.capacity_limit {
                return Err(PageError::NoSpace);
            }
            if held.pages.try_reserve(gained).is_err() {
                return Err(PageError::NoSpace);
            }
        }
        held.pages.resize(wanted, Arc::clone(&self.blank));
        Ok(())
    }

    fn gains_zeros(&self) -> bool {
        true
    }

    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        // The copy is made after the lock is let go.
        let bytes = self.share(page).filter(|bytes| bytes.len() == buffer.len());
        buffer.copy_from_slice(&bytes.ok_or(PageError::OutOfBounds { page })?);
        Ok(())
    }

    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        let mut held = self.held.lock();
        match held.pages.get_mut(page as usize) {
            Some(kept) if bytes.len() == self.page_size => {
                match Arc::get_mut(kept) {
                    Some(unshared) => unshared.copy_from_slice(bytes),
                    None => *kept = bytes.into(),
                }
                Ok(())
            }
            _ => Err(PageError::OutOfBounds { page }),
        }
    }

    fn sync(&self) -> Result<(), PageError> {
        Ok(())
    }

    fn share(&self, page: u32) -> Option<Arc<[u8]>> {
        self.held.lock().pages.get(page as usize).cloned()
    }
}

impl fmt::Debug for MemoryPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held.lock();
        f.debug_struct("MemoryPages")
            .field("page_size", &self.page_size)
            .field("len", &held.pages.len())
            .field("capacity_limit", &held.capacity_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::contract::page_store_contract;

    page_store_contract!(MemoryPages::new);

    #[test]
    fn a_clone_is_the_same_pages_and_an_image_is_a_copy() {
        let pages = MemoryPages::new(512);
        pages.set_len(1).unwrap();
        pages.write(0, &[1; 512]).unwrap();
        let copy = MemoryPages::from_bytes(512, &pages.to_bytes()).unwrap();
        pages.clone().write(0, &[2; 512]).unwrap();
        assert_eq!(pages.to_bytes(), [2; 512]);
        assert_eq!(copy.to_bytes(), [1; 512]);
    }

    #[test]
    fn growth_stops_at_the_limit_and_then_the_length_is_what_it_was() {
        let pages = MemoryPages::new(512).with_capacity_limit(2);
        pages.set_len(1).unwrap();
        assert!(matches!(pages.set_len(3), Err(PageError::NoSpace)));
        assert_eq!(pages.len().unwrap(), 1);
        pages.set_len(2).unwrap();
        let pages = pages.with_capacity_limit(1);
        pages.set_len(2).unwrap();
        assert!(matches!(pages.clone().set_len(3), Err(PageError::NoSpace)));
        pages.set_len(1).unwrap();
    }

    #[test]
    fn an_image_that_is_not_made_of_whole_pages_is_refused() {
        for (page_size, bytes) in [
            (512, 511),
            (512, 513),
            (0, 0),
            (500, 500),
            (131_072, 131_072),
        ] {
            let image = vec![0; bytes];
            let refused = MemoryPages::from_bytes(page_size, &image);
            assert!(
                matches!(refused, Err(PageError::BadSize(_))),
                "{page_size} {bytes}"
            );
        }
    }

    #[test]
    fn pages_gained_together_are_written_apart() {
        let pages = MemoryPages::new(512);
        pages.set_len(3).unwrap();
        pages.write(1, &[1; 512]).unwrap();
        assert_eq!(pages.to_bytes(), [[0; 512], [1; 512], [0; 512]].concat());
    }
}
