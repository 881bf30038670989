//! What is measured.

pub(crate) mod bare;
#[cfg(feature = "fjall")]
pub(crate) mod fjall;
#[cfg(feature = "lmdb")]
pub(crate) mod lmdb;
pub(crate) mod map;
#[cfg(feature = "redb")]
pub(crate) mod redb;
pub(crate) mod revwatch;
#[cfg(feature = "sled")]
pub(crate) mod sled;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::path::Path;

/// Everybody's cache, where it can be chosen: enough for all that is read here.
pub(crate) const CACHE_BYTES: usize = 512 << 20;

/// A key and its value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// A put that is durable when it returns, by one of several threads.
pub(crate) type Writer = Box<dyn FnMut(Pair<'_>) + Send>;

/// An embedded store of keys and values in files. A failure ends the program.
pub(crate) trait Peer: Sized {
    /// Opens or creates the store in a folder, as its documentation advises for durable commits.
    fn open(folder: &Path) -> Self;

    /// Puts one key in a transaction of its own, durable when it returns.
    fn put(&mut self, pair: Pair<'_>);

    /// Puts several in one transaction, durable when it returns.
    fn put_together(&mut self, pairs: &[Pair<'_>]);

    /// Puts many in the way that suits this store best; all are durable when it returns.
    fn load<'a>(&mut self, pairs: impl Iterator<Item = Pair<'a>>);

    /// Background work, now that a transaction is done, if the host is to see to it.
    fn tend(&mut self) {}

    /// One for each of so many threads.
    fn writers(self, count: usize) -> Vec<Writer>;

    /// Reads keys that exist, at one state of the store if it has such, and lends their values.
    fn get_each<'a>(&self, keys: impl Iterator<Item = &'a [u8]>, read: impl FnMut(&'a [u8], &[u8]));

    /// Lends all keys and values in the order of keys.
    fn scan(&self, read: impl FnMut(&[u8], &[u8]));

    /// Gives back what overwritten values occupied, as far as the store has a call for that.
    fn compact(&mut self);

    /// Closes it as a program that ends in an orderly way does.
    fn close(self);
}
