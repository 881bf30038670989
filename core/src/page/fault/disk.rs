//! A disk that several stores have open, and that can crash under all of them.

use alloc::sync::Arc;

use spin::Mutex;

use super::{Fault, FaultPages, Random};
use crate::page::{PageError, PageStore};

/// A handle of the pages that there are now; after a crash all who hold one have those that survived.
/// So does a reader in another process, or on another machine, that goes on when the power of the disk
/// went and came back.
///
/// ```
/// use revwatch::page::PageStore;
/// use revwatch::page::fault::{FaultDisk, FaultPages, Random};
///
/// let disk = FaultDisk::new(FaultPages::new(512, 1));
/// let reader = disk.clone();
/// disk.set_len(1).unwrap();
/// disk.sync().unwrap();
/// disk.crash(&mut Random::new(7));
/// assert_eq!(reader.len().unwrap(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct FaultDisk(Arc<Mutex<FaultPages>>);

impl FaultDisk {
    /// A disk with these pages.
    pub fn new(pages: FaultPages) -> Self {
        Self(Arc::new(Mutex::new(pages)))
    }

    /// The pages that there are now.
    pub fn now(&self) -> FaultPages {
        self.0.lock().clone()
    }

    /// Puts other pages in their place.
    pub fn replace(&self, pages: FaultPages) {
        *self.0.lock() = pages;
    }

    /// The power goes, and comes back: see [`FaultPages::crash`].
    pub fn crash(&self, random: &mut Random) {
        let survivor = self.now().crash(random);
        self.replace(survivor);
    }

    /// See [`FaultPages::fail_after`].
    pub fn fail_after(&self, operations: u64, fault: Fault) {
        self.now().fail_after(operations, fault);
    }

    /// See [`FaultPages::forget_faults`].
    pub fn forget_faults(&self) {
        self.now().forget_faults();
    }
}

impl PageStore for FaultDisk {
    fn page_size(&self) -> usize {
        self.now().page_size()
    }
    fn len(&self) -> Result<u32, PageError> {
        self.now().len()
    }
    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.now().set_len(len)
    }
    fn gains_zeros(&self) -> bool {
        self.now().gains_zeros()
    }
    fn wearing_pages(&self) -> Option<u32> {
        self.now().wearing_pages()
    }
    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        self.now().read(page, buffer)
    }
    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.now().write(page, bytes)
    }
    fn sync(&self) -> Result<(), PageError> {
        self.now().sync()
    }
}
