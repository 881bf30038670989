//! The key index: which revisions every key has had, and where the log keeps them.
//!
//! An ordered map from key to its history. A history is a list of *generations*: a generation
//! begins with the put that creates the key and ends with the delete that removes it. For
//!
//! ```text
//! put a (2)   put a (3)   delete a (4)   put a (6)
//! ```
//!
//! the key `a` has two generations: created at 2, revisions 2, 3 and the tombstone 4; and created
//! at 6, revision 6, still open. Asked for `a` as of revision 5 the index finds the tombstone 4,
//! so `a` did not exist; as of 3 it finds the put at 3, version 2.
//!
//! Looking up a key costs O(log keys + log revisions of the key). Nothing here touches a page:
//! counting a range, or finding its keys, reads no values.

mod history;
mod key_index;

pub(crate) use history::Found;
pub(crate) use key_index::KeyIndex;
