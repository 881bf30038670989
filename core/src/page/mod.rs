//! The plug: a growable array of fixed-size pages, and what it may lose when the power goes.

#[cfg(test)]
mod contract;
mod error;
#[cfg(any(feature = "fault", test))]
pub mod fault;
#[cfg(feature = "std")]
mod file;
mod memory;

pub use error::PageError;
#[cfg(feature = "std")]
pub use file::{FileOptions, FilePages};
pub use memory::MemoryPages;

use alloc::boxed::Box;
use alloc::sync::Arc;

/// The smallest page that a store may use, in bytes.
pub const MIN_PAGE_SIZE: usize = 512;
/// The largest page that a store may use, in bytes.
pub const MAX_PAGE_SIZE: usize = 65_536;

/// Whether pages may be of this many bytes.
///
/// ```
/// use revwatch::page::is_page_size;
///
/// assert!(is_page_size(4096));
/// assert!(!is_page_size(5000));
/// ```
pub const fn is_page_size(bytes: usize) -> bool {
    bytes.is_power_of_two() && bytes >= MIN_PAGE_SIZE && bytes <= MAX_PAGE_SIZE
}

/// Where a store keeps its bytes: `len` pages of `page_size` bytes each, numbered from 0.
///
/// # Power loss
///
/// Until [`sync`](Self::sync) returns, each page written since the last sync may after a crash be
/// *old* (as the last sync left it), *new* (as any of the writes since left it) or *torn* (neither,
/// in any mixture of bytes), independently of all other pages and in any order. Once `sync` has
/// returned, a page is what was last written to it before the sync began. A change of length made
/// since the last sync may or may not survive, and pages gained by it may hold anything, unless
/// [`gains_zeros`](Self::gains_zeros) says otherwise. A page that nobody wrote does not change.
/// Nothing else is assumed: no order between writes, no atomicity of a page or of a part of it.
///
/// A failed `write` leaves that page old, new or torn. After a failed `sync`, nothing written since
/// the last successful one may be relied upon, and a later `sync` that succeeds does not heal this.
///
/// # Calls
///
/// All methods take `&self`, so that a sync can run while others read and write, and a read while
/// another page, or the same one, is written; an implementation keeps its own lock where it needs one.
/// A page that is read while it is written may be answered in any mixture of old and new bytes, and the
/// read may fail if the page is being cut off. There is one writer at a time. `page` is always below `len` and a
/// buffer is always exactly one page: an implementation may answer anything else with
/// [`PageError::OutOfBounds`].
///
/// ```
/// use revwatch::page::{MemoryPages, PageStore};
///
/// let pages = MemoryPages::new(512);
/// pages.set_len(1).unwrap();
/// pages.write(0, &[7; 512]).unwrap();
/// pages.sync().unwrap();
/// let mut page = [0; 512];
/// pages.read(0, &mut page).unwrap();
/// assert_eq!(page, [7; 512]);
/// ```
pub trait PageStore {
    /// Bytes in a page: a power of two from [`MIN_PAGE_SIZE`] to [`MAX_PAGE_SIZE`], the same for
    /// the life of the store.
    fn page_size(&self) -> usize;

    /// How many pages there are.
    fn len(&self) -> Result<u32, PageError>;

    /// Whether there are no pages.
    fn is_empty(&self) -> Result<bool, PageError> {
        Ok(self.len()? == 0)
    }

    /// Grows with pages of any content, or shrinks, to `len` pages. Refuses with
    /// [`PageError::NoSpace`] when there is no room; the length is then what it was.
    fn set_len(&self, len: u32) -> Result<(), PageError>;

    /// Whether pages that `set_len` gains are zeros until they are written, whatever lay there before
    /// and also after a crash. (A crash may still take the change of length itself, or both a
    /// shrinking and a growth since the last sync: then nothing has changed.) Where this is not
    /// promised, zeros are written into gained pages and synced before they are used.
    fn gains_zeros(&self) -> bool {
        false
    }

    /// How many pages there are in all, if each write wears the page out, as flash does. A store then
    /// takes all of them with its first growth and gives none back; it writes to free pages in the order in
    /// which they became free, so that none is written again before all others that are free; and it
    /// writes no checkpoint, of which one page has its fixed place. Pages 0 to 2 are written when the store is
    /// created, and not again. `None` where pages last: the lowest free page is taken, which keeps a file
    /// short.
    ///
    /// What is never overwritten keeps its pages, and the wear is spread over the others.
    fn wearing_pages(&self) -> Option<u32> {
        None
    }

    /// Copies `page` into `buffer`.
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError>;

    /// Copies the pages from `first` on into `buffer`, which is as long as some of them together. After
    /// an error the buffer may hold anything. To be implemented where that costs less than one call of
    /// [`read`](Self::read) for each page, together with [`pages_per_read`](Self::pages_per_read).
    fn read_many(&self, first: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        let buffers = buffer.chunks_mut(self.page_size());
        (first..)
            .zip(buffers)
            .try_for_each(|(page, buffer)| self.read(page, buffer))
    }

    /// How many pages are best read together, if they are all wanted: as many as it takes until the cost
    /// of a call does not matter, and no more, because there is a buffer for them. Pages are read one by
    /// one where it is 1.
    fn pages_per_read(&self) -> u32 {
        1
    }

    /// Replaces `page`.
    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError>;

    /// Returns when all that was written before the call will survive a loss of power.
    fn sync(&self) -> Result<(), PageError>;

    /// The page as it lies in memory, if this store keeps it there: saves the copy of `read`.
    /// The bytes must stay what they are however often the page is written later.
    fn share(&self, _page: u32) -> Option<Arc<[u8]>> {
        None
    }
}

impl<P: PageStore + ?Sized> PageStore for Box<P> {
    fn page_size(&self) -> usize {
        (**self).page_size()
    }
    fn len(&self) -> Result<u32, PageError> {
        (**self).len()
    }
    fn set_len(&self, len: u32) -> Result<(), PageError> {
        (**self).set_len(len)
    }
    fn gains_zeros(&self) -> bool {
        (**self).gains_zeros()
    }
    fn wearing_pages(&self) -> Option<u32> {
        (**self).wearing_pages()
    }
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        (**self).read(page, buffer)
    }
    fn read_many(&self, first: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        (**self).read_many(first, buffer)
    }
    fn pages_per_read(&self) -> u32 {
        (**self).pages_per_read()
    }
    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        (**self).write(page, bytes)
    }
    fn sync(&self) -> Result<(), PageError> {
        (**self).sync()
    }
    fn share(&self, page: u32) -> Option<Arc<[u8]>> {
        (**self).share(page)
    }
}
