//! Importing a whole store from a snapshot.

use super::options::Options;
use super::store::Store;
use crate::error::{Error, Result};
use crate::log::{LogOptions, Progress};
use crate::page::PageStore;
use crate::snapshot::{ChunkReader, Refused, SnapshotHead};
use crate::store::Builder;

/// A store that is being imported from a snapshot of a whole store.
///
/// All or nothing: until [`finish`](Self::finish) the pages say that an import into them is not
/// complete, whatever happens meanwhile. Opening them fails with `ImportIncomplete` then, and another
/// import may begin there. A store that is there already is not touched.
///
/// What is imported is the store of the snapshot's revision: the same keys with the same revisions,
/// versions and history, the same leases with the time that they had left, cursors and compact
/// revision, and the same `hash_kv`. It is another store all the same. It has its own id, from
/// [`Options::store_id`], and begins a new epoch at its revision: a resume token of the old store is
/// good for what the snapshot holds, and beyond it is told `Rewound`.
///
/// ```
/// use revwatch::page::MemoryPages;
/// use revwatch::{ErrorCode, Import, Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"value")?;
/// let mut snapshot = store.snapshot(0)?;
/// let chunk = store.next_snapshot_chunk(&mut snapshot, 1 << 20)?;
///
/// let pages = MemoryPages::new(4096);
/// let mut import = Import::begin(pages.clone(), Options::default())?;
/// import.feed(&chunk[..100])?;
/// drop(import);
/// let error = Store::open(pages.clone(), Options::default()).err().unwrap();
/// assert_eq!(error.code(), ErrorCode::ImportIncomplete);
///
/// let mut import = Import::begin(pages, Options::default())?;
/// import.feed(&chunk)?;
/// let copy = import.finish()?;
/// assert_eq!(copy.hash_kv(0)?, store.hash_kv(0)?);
/// # Ok::<(), revwatch::Error>(())
/// ```
pub struct Import<P: PageStore> {
    builder: Builder<P>,
    reader: ChunkReader,
    options: Options,
}

impl<P: PageStore> Import<P> {
    /// Begins an import into pages that are blank, or hold an import that was cut off. The options
    /// are those that the store is then opened with. Fails with `StoreExists` if there is a store,
    /// with `NotAStore` if there is something else, and changes nothing then.
    pub fn begin(pages: P, options: Options) -> Result<Self> {
        let log_options = LogOptions {
            read_only: options.read_only,
            store_id: options.store_id,
            cache_bytes: 0,
        };
        Ok(Self {
            builder: Builder::begin(pages, log_options, options.seed)?,
            reader: ChunkReader::default(),
            options,
        })
    }

    /// Takes in the next bytes of the snapshot: chunks, or parts of them, in order. Costs by the
    /// bytes. Fails with `InvalidSnapshot` if they are not a snapshot's or do not follow, and with
    /// `SnapshotOutOfPlace` if it is not of a whole store; no more is taken after a failure.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<()> {
        let Self {
            builder, reader, ..
        } = self;
        reader.feed(bytes, &mut |head, entry| {
            check_is_whole_store(head)?;
            builder
                .add(entry, head.compact_revision)
                .map_err(|error| match error {
                    Error::Corrupt { what, .. } => Refused::Impossible(what),
                    error => Refused::Failed(error),
                })
        })
    }

    /// What the snapshot is of, once that has arrived.
    pub fn head(&self) -> Option<&SnapshotHead> {
        self.reader.head()
    }

    /// Whether the last chunk has arrived.
    pub fn is_complete(&self) -> bool {
        self.reader.is_complete()
    }

    /// How far it has come: bytes taken in, and about how many there are.
    pub fn progress(&self) -> Progress {
        self.reader.progress()
    }

    /// Makes what was imported durable, then the pages a store, and opens it. Fails with
    /// `InvalidSnapshot` if something is missing.
    pub fn finish(self) -> Result<Store<P>> {
        let Self {
            builder,
            reader,
            options,
        } = self;
        reader.check_complete()?;
        let head = reader.head().copied();
        let head = head.ok_or_else(|| reader.invalid("it is empty".into()))?;
        check_is_whole_store(&head)?;
        if builder.is_within_transaction() {
            return Err(reader.invalid("it ends within a transaction".into()));
        }
        let has = (builder.revision(), builder.compact_revision());
        if has != (head.revision, head.compact_revision) {
            return Err(reader.invalid("it ends at another revision than it says".into()));
        }
        let pages = builder.finish(head.epoch)?;
        Store::open(pages, options)
    }
}

fn check_is_whole_store(head: &SnapshotHead) -> Result<()> {
    if head.since == 0 {
        return Ok(());
    }
    Err(Error::SnapshotOutOfPlace {
        since: head.since,
        current: 1,
    })
}

impl<P: PageStore> Store<P> {
    /// Imports a snapshot that is there as a whole or in parts, in order. See [`Import`].
    ///
    /// ```
    /// use revwatch::page::MemoryPages;
    /// use revwatch::{Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"key", b"value")?;
    /// let mut snapshot = store.snapshot(0)?;
    /// let chunk = store.next_snapshot_chunk(&mut snapshot, 1 << 20)?;
    /// let copy = Store::restore(MemoryPages::new(512), Options::default(), [chunk])?;
    /// assert_eq!(copy.get(b"key")?.unwrap().value, b"value");
    /// # Ok::<(), revwatch::Error>(())
    /// ```
    pub fn restore(
        pages: P,
        options: Options,
        parts: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Self> {
        let mut import = Import::begin(pages, options)?;
        for part in parts {
            import.feed(part.as_ref())?;
        }
        import.finish()
    }
}
