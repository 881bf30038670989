//! The faults, and when they strike.

use alloc::vec::Vec;
use core::fmt;

use crate::page::PageError;

/// What can go wrong in an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The power goes in a write, a sync or a change of length. The operation may or may not be
    /// done; it and every later call fails, reads too.
    PowerCut,
    /// A write fails, and the page reads as before.
    WriteFails,
    /// A write fails when some of the page is written, or all of it.
    ShortWrite,
    /// A write lands on another page, or nowhere if there is no other, and reports success.
    MisdirectedWrite,
    /// A sync fails. What was written since the last one can be read and is never made durable,
    /// except a page that is written again.
    SyncFails,
    /// A growth is refused for want of space.
    GrowthRefused,
    /// A read returns the page with one bit turned. The page itself is whole.
    BitFlipOnRead,
}

/// An operation, as far as faults tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
    Sync,
    Growth,
    Shrinking,
}

impl Fault {
    fn can_strike(self, operation: Operation) -> bool {
        match self {
            Self::PowerCut => operation != Operation::Read,
            Self::WriteFails | Self::ShortWrite | Self::MisdirectedWrite => {
                operation == Operation::Write
            }
            Self::SyncFails => operation == Operation::Sync,
            Self::GrowthRefused => operation == Operation::Growth,
            Self::BitFlipOnRead => operation == Operation::Read,
        }
    }
}

/// The faults to come, each with the number of operations that it lets pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    coming: Vec<(Fault, u64)>,
}

impl Script {
    pub(super) fn add(&mut self, operations: u64, fault: Fault) {
        self.coming.push((fault, operations));
    }

    pub(super) fn clear(&mut self) {
        self.coming.clear();
    }

    /// The fault that strikes `operation`. If several are due, the others wait for the next
    /// operation that they can strike.
    pub(super) fn strike(&mut self, operation: Operation) -> Option<Fault> {
        let mut due = None;
        for (place, (fault, passes)) in self.coming.iter_mut().enumerate() {
            if !fault.can_strike(operation) {
                continue;
            }
            match passes.checked_sub(1) {
                Some(fewer) => *passes = fewer,
                None => due = due.or(Some(place)),
            }
        }
        due.map(|place| self.coming.remove(place).0)
    }
}

/// The error of an operation that a [`Fault`] struck.
///
/// ```
/// use revwatch::page::PageStore;
/// use revwatch::page::fault::{Fault, FaultPages, Struck};
///
/// let pages = FaultPages::new(512, 1);
/// pages.fail_after(0, Fault::SyncFails);
/// let error = pages.sync().unwrap_err();
/// assert_eq!(Struck::fault_of(&error), Some(Fault::SyncFails));
/// assert!(pages.sync().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Struck(Fault);

impl Struck {
    pub(super) fn by(fault: Fault) -> PageError {
        PageError::other(Self(fault))
    }

    /// The fault that `error` comes from; `None` if it comes from none, or is the
    /// [`PageError::NoSpace`] of a refused growth, which tells no more than a full disk would.
    pub fn fault_of(error: &PageError) -> Option<Fault> {
        match error {
            PageError::Other(error) => error.downcast_ref::<Self>().map(|struck| struck.0),
            _ => None,
        }
    }
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a fault made on purpose: {:?}", self.0)
    }
}

impl core::error::Error for Struck {}
