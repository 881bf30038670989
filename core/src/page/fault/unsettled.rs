//! What something was and became while nothing but a sync could make it durable.

use alloc::vec::Vec;

/// When a change was made: all changes of one store are numbered from 1.
pub(super) type ChangeNumber = u64;

/// The values that one page, or the length, was given and that no sync has made durable, oldest
/// first.
#[derive(Clone, Debug)]
pub(super) struct Unsettled<T> {
    values: Vec<(ChangeNumber, T)>,
}

impl<T> Unsettled<T> {
    pub(super) fn new() -> Self {
        Self { values: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub(super) fn push(&mut self, number: ChangeNumber, value: T) {
        self.values.push((number, value));
    }

    /// The newest value: what a read gives.
    pub(super) fn newest(&self) -> Option<&T> {
        self.values.last().map(|(_, value)| value)
    }

    pub(super) fn values(&self) -> impl ExactSizeIterator<Item = &T> {
        self.values.iter().map(|(_, value)| value)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut().map(|(_, value)| value)
    }

    /// What a sync that began after the change `begun` makes durable, which forgets all before it.
    ///
    /// Nothing, if the newest value of that time is no newer than `doubted`, the last change that a
    /// sync has failed to make durable: the system has given up on it then, and a later sync writes
    /// only what was changed again.
    pub(super) fn settle(&mut self, begun: ChangeNumber, doubted: ChangeNumber) -> Option<T> {
        let covered = self.values.partition_point(|(number, _)| *number <= begun);
        let newest = covered.checked_sub(1)?;
        if self.values[newest].0 <= doubted {
            return None;
        }
        self.values
            .drain(..covered)
            .next_back()
            .map(|(_, value)| value)
    }
}
