//! Reading and writing at a place in a file, by many threads at once, on every system.

use std::fs::File;
use std::io::{self, ErrorKind};

/// A file that is read and written at given places, not at a cursor that threads would share.
#[derive(Debug)]
pub(super) struct PositionedFile {
    file: File,
    /// Where the system knows but one cursor, who moves it holds this until done.
    #[cfg(not(any(unix, windows)))]
    cursor: std::sync::Mutex<()>,
}

impl PositionedFile {
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            #[cfg(not(any(unix, windows)))]
            cursor: std::sync::Mutex::new(()),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Reads until `buffer` is full or the file ends, and says how many bytes that were.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_some(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Writes all of `bytes`, or fails with some of them written.
    pub(super) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match self.write_some(&bytes[written..], offset + written as u64) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
impl PositionedFile {
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    fn write_some(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(&self.file, bytes, offset)
    }
}

// These move the cursor too, but never read or write at it, so that threads do not disturb
// each other.
#[cfg(windows)]
impl PositionedFile {
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }

    fn write_some(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(&self.file, bytes, offset)
    }
}

#[cfg(not(any(unix, windows)))]
impl PositionedFile {
    fn read_some(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::io::Read;
        self.at(offset, |mut file| file.read(buffer))
    }

    fn write_some(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        use std::io::Write;
        self.at(offset, |mut file| file.write(bytes))
    }

    fn at<T>(&self, offset: u64, act: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
        use std::io::{Seek, SeekFrom};
        // The lock guards no value that a panic could have left half changed.
        let _cursor = self.cursor.lock().unwrap_or_else(|held| held.into_inner());
        (&self.file).seek(SeekFrom::Start(offset))?;
        act(&self.file)
    }
}
