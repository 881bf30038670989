//! The page store over a file.

use core::sync::atomic::{AtomicU32, Ordering};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::{format, vec};

use super::FileOptions;
use super::existing::{page_size_of, require_page_or_blank};
use super::open::{open_as_only_writer, open_for_reading};
use super::positioned::PositionedFile;
use super::system_error::of_open_file;
use crate::page::{PageError, PageStore, is_page_size};

/// How many bytes of zeros a growth hands to the system at once: few enough to stay in the processor's
/// caches, and for memory that an allocator has at hand.
const GROWTH_CHUNK_BYTES: u64 = 1 << 16;

/// How many bytes are read together: what the call costs does not matter then, and they stay in a
/// processor's cache.
const READ_BYTES: usize = 1 << 17;

/// A page store in one file, its pages one after the other with nothing between them.
///
/// # One writer, many readers
///
/// Who opens it for writing holds a lock on the file and is the only one, in this process and in
/// all others of the machine, until this is dropped or its process ends. Another waits for
/// [`FileOptions::lock_timeout`] and is then told [`PageError::Locked`], with the writer's process
/// id where the system gives it. Readers take no lock, and read while another process writes: a
/// page that is being written may then come back as a mixture of old and new.
///
/// # Durability
///
/// `sync` returns when the disk says that it has the bytes. The name of a file created here is
/// durable when `open` returns. Growing writes zeros, so that a full disk is found out by
/// [`set_len`](PageStore::set_len) and not by a later write (a file system that copies on writing,
/// or shares its room with others, may still run full). A growth cut short can leave part of a
/// page at the end of the file; it counts as no page. That gained pages are [zeros after a crash as
/// well](PageStore::gains_zeros) rests on the file system, which must not show in a file what others
/// have left on the disk: those with a journal or copies do not, as they are usually set up (ext4 may
/// with `data=writeback`).
///
/// ```
/// use revwatch::page::{FileOptions, FilePages, PageStore};
///
/// # let folder = std::env::temp_dir().join(format!("revwatch-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let path = folder.join("pages");
/// let pages = FilePages::open(&path, &FileOptions::default()).unwrap();
/// pages.set_len(1).unwrap();
/// pages.write(0, &[7; 4096]).unwrap();
/// pages.sync().unwrap();
///
/// let reader = FileOptions { read_only: true, ..FileOptions::default() };
/// assert_eq!(FilePages::open(&path, &reader).unwrap().len().unwrap(), 1);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// ```
#[derive(Debug)]
pub struct FilePages {
    file: PositionedFile,
    page_size: usize,
    read_only: bool,
    /// The length when last asked for or set. A writer's file has no other length, because nobody
    /// else may change it; another process may have grown a reader's.
    known_len: AtomicU32,
}

impl FilePages {
    /// Opens or creates the file at `path`.
    ///
    /// Fails with [`PageError::Locked`] if there is another writer, [`PageError::NotFound`] if
    /// there is no file and none is to be created, or no folder for it,
    /// [`PageError::PermissionDenied`], and [`PageError::BadSize`] for what is no file, is a file
    /// of something else too short for a page, or for a page size that there cannot be.
    pub fn open(path: impl AsRef<Path>, options: &FileOptions) -> Result<Self, PageError> {
        let path = path.as_ref();
        if !is_page_size(options.page_size) {
            return Err(PageError::no_page_size(options.page_size));
        }
        let file = if options.read_only {
            open_for_reading(path)?
        } else {
            open_as_only_writer(path, options.create, options.lock_timeout)?
        };
        let file = PositionedFile::new(file);
        let page_size = page_size_of(&file, options.page_size)?;
        require_page_or_blank(path, &file, page_size)?;
        let pages = Self {
            file,
            page_size,
            read_only: options.read_only,
            known_len: AtomicU32::new(0),
        };
        pages
            .known_len
            .store(pages.whole_pages()?, Ordering::Relaxed);
        Ok(pages)
    }

    /// How many whole pages the file holds at this moment.
    fn whole_pages(&self) -> Result<u32, PageError> {
        let bytes = self.file.file().metadata().map_err(of_open_file)?.len();
        u32::try_from(bytes / self.page_size as u64).map_err(|_| {
            PageError::BadSize(format!(
                "the file holds {bytes} bytes, more than there can be pages of {} bytes",
                self.page_size
            ))
        })
    }

    fn known_len(&self) -> u32 {
        self.known_len.load(Ordering::Relaxed)
    }

    fn offset_of(&self, page: u32) -> u64 {
        u64::from(page) * self.page_size as u64
    }

    fn require_writer(&self) -> Result<(), PageError> {
        if self.read_only {
            return Err(PageError::ReadOnly);
        }
        Ok(())
    }

    /// Writes zeros from the end of the pages that there are to the end of `len`.
    fn append_zeros(&self, len: u32) -> io::Result<()> {
        let (mut at, end) = (self.offset_of(self.known_len()), self.offset_of(len));
        let zeros = vec![0; GROWTH_CHUNK_BYTES.min(end - at) as usize];
        while at < end {
            let chunk = &zeros[..GROWTH_CHUNK_BYTES.min(end - at) as usize];
            self.file.write_all_at(chunk, at)?;
            at += chunk.len() as u64;
        }
        Ok(())
    }

    fn grow(&self, len: u32) -> Result<(), PageError> {
        self.append_zeros(len).map_err(|error| {
            // If this fails too, the excess stays: pages that nobody asked for, or part of one,
            // which count for nothing now and are written over by the next growth.
            let _ = self.file.file().set_len(self.offset_of(self.known_len()));
            of_open_file(error)
        })
    }
}

impl PageStore for FilePages {
    fn page_size(&self) -> usize {
        self.page_size
    }

    fn len(&self) -> Result<u32, PageError> {
        if self.read_only {
            self.known_len.store(self.whole_pages()?, Ordering::Relaxed);
        }
        Ok(self.known_len())
    }

    fn set_len(&self, len: u32) -> Result<(), PageError> {
        self.require_writer()?;
        if len > self.known_len() {
            self.grow(len)?;
        } else {
            let shorter = self.file.file().set_len(self.offset_of(len));
            shorter.map_err(of_open_file)?;
        }
        self.known_len.store(len, Ordering::Relaxed);
        Ok(())
    }

    fn gains_zeros(&self) -> bool {
        true
    }

    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        if buffer.len() != self.page_size {
            return Err(PageError::OutOfBounds { page });
        }
        self.read_many(page, buffer)
    }

    fn read_many(&self, first: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        if !buffer.len().is_multiple_of(self.page_size) {
            return Err(PageError::OutOfBounds { page: first });
        }
        let filled = self.file.read_at(buffer, self.offset_of(first));
        let filled = filled.map_err(of_open_file)?;
        if filled == buffer.len() {
            return Ok(());
        }
        let page = first.saturating_add((filled / self.page_size) as u32);
        if page >= self.known_len() {
            return Err(PageError::OutOfBounds { page });
        }
        let filled = filled % self.page_size;
        Err(PageError::other(io::Error::new(
            ErrorKind::UnexpectedEof,
            format!(
                "the file ends {filled} bytes into page {page}: another program made it shorter"
            ),
        )))
    }

    fn pages_per_read(&self) -> u32 {
        (READ_BYTES / self.page_size).max(1) as u32
    }

    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.require_writer()?;
        if page >= self.known_len() || bytes.len() != self.page_size {
            return Err(PageError::OutOfBounds { page });
        }
        let written = self.file.write_all_at(bytes, self.offset_of(page));
        written.map_err(of_open_file)
    }

    fn sync(&self) -> Result<(), PageError> {
        if self.read_only {
            return Ok(());
        }
        // This leaves out times and permissions, but not a change of length.
        self.file.file().sync_data().map_err(of_open_file)
    }
}
