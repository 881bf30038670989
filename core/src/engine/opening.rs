//! Opening in slices, for stores that are long in opening.

use super::options::Options;
use super::store::Store;
use crate::cursor::Cursors;
use crate::error::Result;
use crate::lease::Lessor;
use crate::log::{LogOptions, Progress};
use crate::page::PageStore;
use crate::store;

/// A store that is being opened, by [`Store::begin_open`].
///
/// A store that was closed opens by its checkpoint, in one step that costs by its keys. Any other is
/// read from its first page to its last: so many bytes a step. Dropping this is safe at any time.
///
/// ```
/// use revwatch::page::MemoryPages;
/// use revwatch::{Options, Store};
///
/// let pages = MemoryPages::new(4096);
/// let mut store = Store::open(pages.clone(), Options::default()).unwrap();
/// store.put(b"key", b"value").unwrap();
/// drop(store); // a crash
///
/// let mut opening = Store::begin_open(pages, Options::default()).unwrap();
/// while !opening.step(64 * 1024).unwrap() {
///     let progress = opening.progress();
///     println!("{} %", 100 * progress.done / progress.total);
/// }
/// let store = opening.finish().unwrap();
/// assert_eq!(store.get(b"key").unwrap().unwrap().value, b"value");
/// ```
pub struct Opening<P: PageStore> {
    revisions: store::Opening<P>,
    lessor: Lessor,
    cursors: Cursors,
    options: Options,
}

impl<P: PageStore> Opening<P> {
    pub(super) fn begin(pages: P, options: Options) -> Result<Self> {
        let log_options = LogOptions {
            read_only: options.read_only,
            store_id: options.store_id,
            cache_bytes: options.cache_bytes,
        };
        Ok(Self {
            revisions: store::Opening::begin(pages, &log_options, options.seed)?,
            lessor: Lessor::with_seed(options.seed),
            cursors: Cursors::default(),
            options,
        })
    }

    /// Reads about `budget_bytes` more; a checkpoint in one piece. The last step also puts the keys in
    /// order, in a small part of the time that the others take together. Answers whether the store is open,
    /// so that [`finish`](Self::finish) has nothing left to do. Fails as [`Store::open`] does; the
    /// next step then begins anew.
    pub fn step(&mut self, budget_bytes: usize) -> Result<bool> {
        let (lessor, cursors) = (&mut self.lessor, &mut self.cursors);
        self.revisions.go_on(budget_bytes, &mut |lesson| {
            lessor.take(&lesson);
            cursors.take(&lesson);
        })
    }

    /// How far it has come: bytes of pages, each of which is read twice where there is no checkpoint.
    pub fn progress(&self) -> Progress {
        self.revisions.progress()
    }

    /// Does what is left to do, and gives the store.
    pub fn finish(self) -> Result<Store<P>> {
        let Self {
            revisions,
            mut lessor,
            mut cursors,
            options,
        } = self;
        let revisions = revisions.finish(&mut |lesson| {
            lessor.take(&lesson);
            cursors.take(&lesson);
        })?;
        Ok(Store::around(revisions, lessor, cursors, options))
    }
}
