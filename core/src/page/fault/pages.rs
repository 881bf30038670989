//! The page store over a disk that fails.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use spin::{Mutex, MutexGuard};

use super::crash::{Crash, Fate, PageBytes};
use super::every_crash::EveryCrash;
use super::medium::{Medium, with_bit_flipped};
use super::random::Random;
use super::script::{Fault, Operation, Script, Struck};
use super::unsettled::ChangeNumber;
use crate::page::{MemoryPages, PageError, PageStore, is_page_size};

/// A page store in memory whose power can go, and which fails when told to.
///
/// This is a handle: a clone is the same pages, so that a test can keep one and give the other to
/// a store. [`fork`](Self::fork) makes another store that goes its own way from here, and
/// [`crash_as`](Self::crash_as) one that comes up after a loss of power; both are cheap, since
/// pages are shared until written.
///
/// [`share`](PageStore::share) gives nothing, so that reads go the way that they go for a file.
#[derive(Clone)]
pub struct FaultPages {
    page_size: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Clone)]
struct State {
    medium: Medium,
    script: Script,
    counts: OperationCounts,
    capacity_limit: u32,
    wearing_pages: Option<u32>,
    powered: bool,
}

/// How many operations a [`FaultPages`] has been asked for since it was made, those included that
/// a fault struck, those after a power cut not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationCounts {
    /// Pages read.
    pub reads: u64,
    /// Pages written.
    pub writes: u64,
    /// Syncs, counted when they begin.
    pub syncs: u64,
    /// Changes of length.
    pub set_lens: u64,
}

/// A sync that has begun and not returned: see [`FaultPages::begin_sync`].
#[derive(Debug)]
#[must_use = "nothing becomes durable before `end`"]
pub struct SyncBegun {
    pages: FaultPages,
    after: ChangeNumber,
}

impl SyncBegun {
    /// Ends the sync: all that was written before it began is durable.
    pub fn end(self) -> Result<(), PageError> {
        self.pages.powered()?.medium.settle(self.after);
        Ok(())
    }
}

impl FaultPages {
    /// No pages yet, which will be of `page_size` bytes. What lies in pages when they are gained,
    /// and how a fault does its work, depends on `seed`.
    ///
    /// # Panics
    ///
    /// If `page_size` is not one that [`is_page_size`] accepts.
    pub fn new(page_size: usize, seed: u64) -> Self {
        assert!(
            is_page_size(page_size),
            "{}",
            PageError::no_page_size(page_size)
        );
        Self::over(Medium::new(page_size, Vec::new(), seed), u32::MAX)
    }

    /// A disk on which `image` is, all of it durable. Answers [`PageError::BadSize`] as
    /// [`MemoryPages::from_bytes`] does.
    pub fn from_bytes(page_size: usize, seed: u64, image: &[u8]) -> Result<Self, PageError> {
        MemoryPages::from_bytes(page_size, image)?;
        let pages = image.chunks_exact(page_size).map(Arc::from).collect();
        Ok(Self::over(Medium::new(page_size, pages, seed), u32::MAX))
    }

    fn over(medium: Medium, capacity_limit: u32) -> Self {
        Self {
            page_size: medium.page_size(),
            state: Arc::new(Mutex::new(State {
                medium,
                script: Script::default(),
                counts: OperationCounts::default(),
                capacity_limit,
                wearing_pages: None,
                powered: true,
            })),
        }
    }

    /// The same store on a disk that keeps the promise of
    /// [`gains_zeros`](PageStore::gains_zeros).
    #[must_use]
    pub fn gaining_zeros(self) -> Self {
        self.state.lock().medium.gain_zeros();
        self
    }

    /// The same store on a disk of `pages` pages that wear: see
    /// [`wearing_pages`](PageStore::wearing_pages).
    #[must_use]
    pub fn wearing(self, pages: u32) -> Self {
        let mut state = self.state.lock();
        state.wearing_pages = Some(pages);
        state.capacity_limit = pages;
        drop(state);
        self
    }

    /// Another store that is as this one is now, faults to come included, and shares nothing with
    /// it that either could change.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            page_size: self.page_size,
            state: Arc::new(Mutex::new(self.state.lock().clone())),
        }
    }

    /// A copy of all pages as they read now.
    pub fn to_bytes(&self) -> Vec<u8> {
        let state = self.state.lock();
        let pages = (0..state.medium.len()).map(|page| &state.medium.page(page)[..]);
        pages.flatten().copied().collect()
    }

    /// How many operations there have been: what a test goes through to fail at each in turn.
    pub fn counts(&self) -> OperationCounts {
        self.state.lock().counts
    }

    /// Lets `fault` strike once, after the next `operations` operations that it could strike.
    /// Faults add up. [`Fault::PowerCut`] can strike writes, syncs and changes of length alike.
    ///
    /// ```
    /// use revwatch::page::PageStore;
    /// use revwatch::page::fault::{Fault, FaultPages};
    ///
    /// let pages = FaultPages::new(512, 1);
    /// pages.set_len(1).unwrap();
    /// pages.fail_after(1, Fault::WriteFails);
    /// assert!(pages.write(0, &[1; 512]).is_ok());
    /// assert!(pages.write(0, &[2; 512]).is_err());
    /// assert!(pages.write(0, &[3; 512]).is_ok());
    /// ```
    pub fn fail_after(&self, operations: u64, fault: Fault) {
        self.state.lock().script.add(operations, fault);
    }

    /// Forgets the faults that have not struck yet. What they did stays.
    pub fn forget_faults(&self) {
        self.state.lock().script.clear();
    }

    /// Refuses from now on to grow beyond `pages` pages.
    pub fn set_capacity_limit(&self, pages: u32) {
        self.state.lock().capacity_limit = pages;
    }

    /// Turns one bit of `page` as it lies on the disk, written since the last sync or before; does
    /// nothing to a page that there is not. Bits are counted modulo those of a page.
    pub fn flip_bit(&self, page: u32, bit: usize) {
        let mut state = self.state.lock();
        if page < state.medium.len() {
            state.medium.flip_bit(page, bit);
        }
    }

    /// Begins a sync, which [`SyncBegun::end`] ends: [`sync`](PageStore::sync) in two halves, so
    /// that writes can come between, which it then does not make durable.
    pub fn begin_sync(&self) -> Result<SyncBegun, PageError> {
        let mut state = self.powered()?;
        state.counts.syncs += 1;
        let after = state.medium.last_change();
        if let Some(fault) = state.strike(Operation::Sync) {
            state.medium.doubt(after);
            return Err(Struck::by(fault));
        }
        let pages = self.clone();
        Ok(SyncBegun { pages, after })
    }

    /// One outcome of a loss of power at this moment, or at that of the power cut before. Outcomes
    /// in which all or nothing survives are more frequent than chance would have them.
    pub fn draw_crash(&self, random: &mut Random) -> Crash {
        let medium = &self.state.lock().medium;
        let lens = medium.possible_lens();
        let manner = random.below(8);
        let fate_of = |(page, versions)| {
            let fate = match manner {
                0 => Fate::Whole(0),
                1 => Fate::Whole(versions - 1),
                _ => Fate::draw(versions, self.page_size, random),
            };
            (page, fate)
        };
        let fates = medium.unsettled_pages().map(fate_of).collect();
        let len = match manner {
            0 => lens[0],
            1 => medium.len(),
            _ if random.percent(50) => medium.len(),
            _ => lens[random.below(lens.len())],
        };
        Crash { len, fates }
    }

    /// Every outcome of a loss of power at this moment, or at that of the power cut before.
    ///
    /// ```
    /// use revwatch::page::PageStore;
    /// use revwatch::page::fault::FaultPages;
    ///
    /// let pages = FaultPages::from_bytes(512, 1, &[0; 512]).unwrap();
    /// pages.write(0, &[1; 512]).unwrap();
    /// for crash in pages.every_crash() {
    ///     let survivor = pages.crash_as(&crash);
    ///     assert_eq!(survivor.len().unwrap(), 1, "{crash:?}");
    /// }
    /// ```
    pub fn every_crash(&self) -> EveryCrash {
        EveryCrash::of(&self.state.lock().medium)
    }

    /// The store that comes up after `crash`, with the same limit and no faults to come. This one
    /// stays as it is, so that another outcome can be tried.
    #[must_use]
    pub fn crash_as(&self, crash: &Crash) -> Self {
        let state = self.state.lock();
        let survivor = Self::over(state.medium.after(crash), state.capacity_limit);
        survivor.state.lock().wearing_pages = state.wearing_pages;
        survivor
    }

    /// [`crash_as`](Self::crash_as) with the outcome that [`draw_crash`](Self::draw_crash) draws.
    #[must_use]
    pub fn crash(&self, random: &mut Random) -> Self {
        self.crash_as(&self.draw_crash(random))
    }

    fn powered(&self) -> Result<MutexGuard<'_, State>, PageError> {
        let state = self.state.lock();
        if state.powered {
            Ok(state)
        } else {
            Err(Struck::by(Fault::PowerCut))
        }
    }
}

impl State {
    fn strike(&mut self, operation: Operation) -> Option<Fault> {
        let fault = self.script.strike(operation);
        self.powered &= fault != Some(Fault::PowerCut);
        fault
    }

    fn write(&mut self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.counts.writes += 1;
        let Some(fault) = self.strike(Operation::Write) else {
            self.medium.write(page, bytes.into());
            return Ok(());
        };
        if fault == Fault::MisdirectedWrite {
            if let Some(other) = self.page_other_than(page) {
                self.medium.write(other, bytes.into());
            }
            return Ok(());
        }
        // Whatever a read finds from now on, a crash may leave all of the new bytes.
        let before = Arc::clone(self.medium.page(page));
        self.medium.write(page, bytes.into());
        match fault {
            Fault::WriteFails => self.medium.write(page, before),
            Fault::ShortWrite => {
                let written = 1 + self.medium.random().below(bytes.len());
                let torn = [&bytes[..written], &before[written..]].concat();
                self.medium.write(page, torn.into());
            }
            _ => {}
        }
        Err(Struck::by(fault))
    }

    fn page_other_than(&mut self, page: u32) -> Option<u32> {
        let others = self
            .medium
            .len()
            .checked_sub(1)
            .filter(|others| *others > 0)?;
        let steps = 1 + self.medium.random().below(others as usize) as u32;
        Some((page + steps) % (others + 1))
    }

    fn set_len(&mut self, len: u32) -> Result<(), PageError> {
        self.counts.set_lens += 1;
        let grows = len > self.medium.len();
        let operation = if grows {
            Operation::Growth
        } else {
            Operation::Shrinking
        };
        let fault = self.strike(operation);
        if fault == Some(Fault::GrowthRefused) || (grows && len > self.capacity_limit) {
            return Err(PageError::NoSpace);
        }
        self.medium.set_len(len);
        fault.map_or(Ok(()), |fault| Err(Struck::by(fault)))
    }

    fn read(&mut self, page: u32) -> PageBytes {
        self.counts.reads += 1;
        let fault = self.strike(Operation::Read);
        let bytes = Arc::clone(self.medium.page(page));
        if fault.is_none() {
            return bytes;
        }
        let bit = self.medium.random().below(8 * bytes.len());
        with_bit_flipped(&bytes, bit)
    }
}

impl PageStore for FaultPages {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn len(&self) -> Result<u32, PageError> {
        Ok(self.powered()?.medium.len())
    }

    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.powered()?.set_len(len)
    }

    fn gains_zeros(&self) -> bool {
        self.state.lock().medium.gains_zeros()
    }

    fn wearing_pages(&self) -> Option<u32> {
        self.state.lock().wearing_pages
    }

    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        let mut state = self.powered()?;
        if page >= state.medium.len() || buffer.len() != self.page_size {
            return Err(PageError::OutOfBounds { page });
        }
        buffer.copy_from_slice(&state.read(page));
        Ok(())
    }

    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        let mut state = self.powered()?;
        if page >= state.medium.len() || bytes.len() != self.page_size {
            return Err(PageError::OutOfBounds { page });
        }
        state.write(page, bytes)
    }

    fn sync(&self) -> Result<(), PageError> {
        self.begin_sync()?.end()
    }
}

impl fmt::Debug for FaultPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("FaultPages")
            .field("page_size", &self.page_size)
            .field("len", &state.medium.len())
            .field("counts", &state.counts)
            .field("script", &state.script)
            .field("powered", &state.powered)
            .finish_non_exhaustive()
    }
}
