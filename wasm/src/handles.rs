//! Numbers for what JavaScript refers to in the store.

use std::collections::BTreeMap;

/// Things of one kind, each under a number that is never used again, so that a number that
/// outlived its thing cannot mean another one.
pub struct Handles<T> {
    things: BTreeMap<u32, T>,
    last: u32,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            things: BTreeMap::new(),
            last: 0,
        }
    }
}

impl<T> Handles<T> {
    /// The number of `thing` from now on.
    pub fn insert(&mut self, thing: T) -> u32 {
        self.last += 1;
        self.things.insert(self.last, thing);
        self.last
    }

    /// The thing with this number, while there is one.
    pub fn get(&self, handle: u32) -> Option<T>
    where
        T: Copy,
    {
        self.things.get(&handle).copied()
    }

    /// All of them with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.things.iter().map(|(handle, thing)| (*handle, thing))
    }

    /// The thing with this number, to be changed where it is.
    pub fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        self.things.get_mut(&handle)
    }

    /// Forgets the thing with this number, and gives it away.
    pub fn remove(&mut self, handle: u32) -> Option<T> {
        self.things.remove(&handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_never_used_again() {
        let mut handles = Handles::default();
        let first = handles.insert('a');
        assert_eq!(handles.remove(first), Some('a'));
        let second = handles.insert('b');
        assert_ne!(first, second);
        assert_eq!((handles.get(first), handles.get(second)), (None, Some('b')));
    }
}
