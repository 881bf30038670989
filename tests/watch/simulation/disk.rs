//! The disk, as everybody sees it who has the store open: also readers on machines whose power does
//! not go when that of the disk does.

use std::sync::{Arc, Mutex, PoisonError};

use revwatch::page::fault::{Fault, FaultPages, Random};
use revwatch::page::{PageError, PageStore};

/// A handle of the pages that there are now; a crash changes them for all who hold one.
#[derive(Clone)]
pub(super) struct Disk {
    page_size: usize,
    pages: Arc<Mutex<FaultPages>>,
}

impl Disk {
    pub(super) fn new(page_size: usize, seed: u64) -> Self {
        let pages = FaultPages::new(page_size, seed);
        Self {
            page_size,
            pages: Arc::new(Mutex::new(pages)),
        }
    }

    fn now(&self) -> FaultPages {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.clone()
    }

    /// The power goes, and comes back.
    pub(super) fn crash(&self, fate: &mut Random) {
        let survivor = self.now().crash(fate);
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = survivor;
    }

    pub(super) fn fail_after(&self, operations: u64, fault: Fault) {
        self.now().fail_after(operations, fault);
    }

    pub(super) fn forget_faults(&self) {
        self.now().forget_faults();
    }
}

impl PageStore for Disk {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn len(&self) -> Result<u32, PageError> {
        self.now().len()
    }

    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.now().set_len(len)
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
