//! Forgetting what no read can see any more.

use alloc::vec::Vec;

use super::key_index::KeyIndex;
use super::records::Trimmed;

impl KeyIndex {
    /// One slice of a compaction: goes through the keys from `from` on and drops the changes that
    /// no read at `revision` or later can see. What stays of a key is all that came after
    /// `revision`, and before it the newest change, unless that is a delete of an earlier
    /// revision. Keys of which nothing stays are forgotten.
    ///
    /// The slice is over after `max_steps`; a step is a key, or about thirty older changes of one.
    /// The next slice goes on from the key that is answered; `None` says that all is done. A
    /// compaction begins with the empty key. Between the slices the index may change in any way:
    /// what is put then is later than `revision`.
    pub(crate) fn compact(
        &mut self,
        revision: i64,
        from: &[u8],
        max_steps: usize,
    ) -> Option<Vec<u8>> {
        let mut steps = max_steps.max(2);
        let mut forgettable = Vec::new();
        let mut next = None;
        for address in self.order.from(from, &self.records) {
            let trimmed = match steps.checked_sub(1) {
                None => Trimmed::Unfinished,
                Some(left) => {
                    steps = left;
                    self.records.trim(address, revision, &mut steps)
                }
            };
            match trimmed {
                Trimmed::Kept => {}
                Trimmed::Forgettable => forgettable.push(address),
                Trimmed::Unfinished => {
                    next = Some(self.records.key(address).to_vec());
                    break;
                }
            }
        }
        for address in forgettable {
            self.forget(address);
        }
        next
    }
}
