//! How a file of pages is opened.

use core::time::Duration;

/// How [`FilePages::open`](super::FilePages::open) opens a file.
///
/// ```
/// use revwatch::page::FileOptions;
///
/// let reader = FileOptions { read_only: true, ..FileOptions::default() };
/// assert_eq!(reader.page_size, 4096);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Bytes in a page of a file that is yet to be created, 4096 by default. A file that holds a
    /// store already says itself how large its pages are, and then this counts for nothing.
    pub page_size: usize,
    /// Open for reading only, which waits for nobody and excludes nobody. Off by default.
    pub read_only: bool,
    /// How long to wait for another writer to finish, 5 seconds by default.
    pub lock_timeout: Duration,
    /// Create the file if there is none, as by default. A reader never creates one.
    pub create: bool,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            page_size: 4096,
            read_only: false,
            lock_timeout: Duration::from_secs(5),
            create: true,
        }
    }
}
