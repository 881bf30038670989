//! The lengths that prefixes have.
//!
//! The prefixes of a key are found by looking up the key's own beginnings; this says which of them
//! are worth a look. A *class* is a length together with how many prefixes of that length end with
//! each byte. For the prefixes `/jobs/`, `/jobs/7/` and `/users/` the key `/jobs/7/state` is cut to
//! `/jobs/` and `/jobs/7/`, but not to seven bytes: a prefix of seven bytes ends with a slash, and
//! the key has a `7` there.
//!
//! There are few classes, so that prefixes of many lengths, chosen to slow writers down, cannot make
//! more looks necessary than the tree would take; prefixes of other lengths go to the tree.

use alloc::vec::Vec;

/// Lengths at most: the looks that a key may cost when its every byte ends some prefix.
pub(super) const MAX_LENGTHS: usize = 32;
/// Longer prefixes, which are hashed anew for each class, go to the tree.
pub(super) const MAX_PREFIX_BYTES: usize = 255;

/// The classes, the shortest first.
#[derive(Debug, Default)]
pub(super) struct Lengths {
    classes: Vec<Class>,
}

#[derive(Debug)]
struct Class {
    length: usize,
    prefixes: u32,
    by_last_byte: [u32; 256],
}

impl Class {
    fn new(length: usize) -> Self {
        Self {
            length,
            prefixes: 0,
            by_last_byte: [0; 256],
        }
    }
}

impl Lengths {
    /// Whether a prefix may be found by its length: if not, it must go to the tree.
    pub(super) fn admits(&self, prefix: &[u8]) -> bool {
        prefix.len() <= MAX_PREFIX_BYTES
            && (self.classes.len() < MAX_LENGTHS || self.class(prefix.len()).is_ok())
    }

    /// Takes in a prefix that is admitted.
    pub(super) fn add(&mut self, prefix: &[u8]) {
        let at = self.class(prefix.len()).unwrap_or_else(|at| {
            self.classes.insert(at, Class::new(prefix.len()));
            at
        });
        let class = &mut self.classes[at];
        class.prefixes += 1;
        class.by_last_byte[last_byte(prefix)] += 1;
    }

    /// Takes out a prefix that was taken in.
    pub(super) fn remove(&mut self, prefix: &[u8]) {
        let Ok(at) = self.class(prefix.len()) else {
            return;
        };
        let class = &mut self.classes[at];
        class.prefixes -= 1;
        class.by_last_byte[last_byte(prefix)] -= 1;
        if class.prefixes == 0 {
            self.classes.remove(at);
        }
    }

    /// The beginnings of `key` that may be prefixes, the shortest first.
    #[inline]
    pub(super) fn beginnings<'a>(&self, key: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let fits = |class: &&Class| class.length <= key.len();
        self.classes
            .iter()
            .take_while(fits)
            .filter_map(move |class| {
                let beginning = &key[..class.length];
                (class.by_last_byte[last_byte(beginning)] > 0).then_some(beginning)
            })
    }

    fn class(&self, length: usize) -> Result<usize, usize> {
        self.classes
            .binary_search_by_key(&length, |class| class.length)
    }
}

/// The empty prefix ends with no byte; any will do, as it is alone in its class.
#[inline]
fn last_byte(prefix: &[u8]) -> usize {
    usize::from(prefix.last().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginnings(lengths: &Lengths, key: &str) -> Vec<alloc::string::String> {
        let text = |bytes| alloc::string::String::from_utf8_lossy(bytes).into();
        lengths.beginnings(key.as_bytes()).map(text).collect()
    }

    #[test]
    fn a_key_is_cut_only_where_a_prefix_may_end() {
        let mut lengths = Lengths::default();
        for prefix in ["/jobs/", "/jobs/7/", "/users/", ""] {
            lengths.add(prefix.as_bytes());
        }
        let found = beginnings(&lengths, "/jobs/7/state");
        assert_eq!(found, ["", "/jobs/", "/jobs/7/"]);
        assert_eq!(beginnings(&lengths, "/jobs"), [""]);
        lengths.remove(b"/jobs/");
        lengths.remove(b"");
        assert_eq!(beginnings(&lengths, "/jobs/7/state"), ["/jobs/7/"]);
    }

    #[test]
    fn there_are_few_lengths_and_one_that_is_gone_makes_room() {
        let text = [b'a'; MAX_PREFIX_BYTES + 1];
        let mut lengths = Lengths::default();
        for length in 1..=MAX_LENGTHS {
            assert!(lengths.admits(&text[..length]));
            lengths.add(&text[..length]);
        }
        assert!(lengths.admits(b"b"));
        assert!(!lengths.admits(&text[..=MAX_LENGTHS]));
        assert_eq!(lengths.beginnings(&text).count(), MAX_LENGTHS);
        lengths.remove(b"a");
        assert!(lengths.admits(&text[..=MAX_LENGTHS]));
        assert!(!lengths.admits(&text));
    }
}
