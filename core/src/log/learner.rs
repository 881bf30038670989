//! Who learns what a log says when it is opened.

use super::format::record::Entry;
use super::handle::Position;
use crate::error::Result;
use crate::revision::Revision;

/// Learns the entries of a log, in their order, or all that a number of them add up to at once.
pub(crate) trait Learner {
    /// Learns of the next entry.
    fn learn(&mut self, position: Position, entry: &Entry<'_>) -> Result<()>;

    /// Learns all that the entries before `end` add up to, of which the last has the revision `newest`,
    /// from the part of a checkpoint that is not the log's own. `false` if it does not say that, or nobody here can read it; what was learned
    /// is then forgotten.
    fn restore(&mut self, _checkpoint: &[u8], _end: Position, _newest: Revision) -> bool {
        false
    }

    /// Forgets all that was learned: the log is read again from its beginning.
    fn forget(&mut self) {}
}
