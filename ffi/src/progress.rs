//! How far something has come that takes long.

use revwatch_core::Progress;

/// How far something has come that takes long.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_progress {
    /// Bytes that are done.
    pub done: u64,
    /// About how many there are; exactly as many as are done at the end.
    pub total: u64,
}

impl From<Progress> for revwatch_progress {
    fn from(Progress { done, total }: Progress) -> Self {
        Self { done, total }
    }
}

/// Bytes that one step of an opening or a check reads if the program leaves that to the library.
pub(crate) const BUDGET_BYTES: usize = 1 << 20;
