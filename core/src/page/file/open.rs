//! Getting hold of the file: as any reader, or as its only writer.

use core::time::Duration;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;
use std::time::Instant;

use super::holder::holder_of;
use super::system_error::{folder_of, no_file, of_open_file, of_path};
use crate::page::PageError;

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What came of one attempt to become the only writer.
enum Attempt {
    Won(File),
    /// Somebody else is writing.
    Busy,
    /// Between opening and locking, the path was given to another file, or to none.
    #[cfg(not(windows))]
    Replaced,
}

/// Opens the file at `path` for reading, whoever has it open too.
pub(super) fn open_for_reading(path: &Path) -> Result<File, PageError> {
    require_regular(path)?;
    File::open(path).map_err(|error| of_path(path, error))
}

/// Opens the file at `path` for writing, when nobody else, in this process or another, has it open
/// so. The lock goes with the file: closing it, also by the end of the process, gives it up.
pub(super) fn open_as_only_writer(
    path: &Path,
    create: bool,
    timeout: Duration,
) -> Result<File, PageError> {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        require_regular(path)?;
        let attempt = attempt(path, create).map_err(|error| of_path(path, error))?;
        if let Attempt::Won(file) = attempt {
            make_name_durable(path, &file).map_err(of_open_file)?;
            return Ok(file);
        }
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            let holder = holder_of(path);
            return Err(PageError::Locked { holder });
        }
        if matches!(attempt, Attempt::Busy) {
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Refuses what is there and not a regular file, before it is opened: to open a pipe would wait
/// for the other end.
fn require_regular(path: &Path) -> Result<(), PageError> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(no_file(path)),
        _ => Ok(()),
    }
}

#[cfg(not(windows))]
fn attempt(path: &Path, create: bool) -> io::Result<Attempt> {
    use std::fs::TryLockError;

    let file = writable(create).open(path)?;
    match file.try_lock() {
        Ok(()) if is_still_at(path, &file)? => Ok(Attempt::Won(file)),
        Ok(()) => Ok(Attempt::Replaced),
        Err(TryLockError::WouldBlock) => Ok(Attempt::Busy),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Here a lock would also keep readers from reading, so that the writer refuses instead to share
/// the file with other writers for as long as it has it open.
#[cfg(windows)]
fn attempt(path: &Path, create: bool) -> io::Result<Attempt> {
    use std::os::windows::fs::OpenOptionsExt;

    const FILE_SHARE_READ: u32 = 1;
    const ERROR_SHARING_VIOLATION: i32 = 32;
    let opened = writable(create).share_mode(FILE_SHARE_READ).open(path);
    match opened {
        Ok(file) => Ok(Attempt::Won(file)),
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(Attempt::Busy),
        Err(error) => Err(error),
    }
}

fn writable(create: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(create)
        .truncate(false);
    options
}

/// Whether `path` still names `file`. Whoever waited for a writer that then replaced the file
/// would otherwise write to one that nobody will find again.
#[cfg(unix)]
pub(super) fn is_still_at(path: &Path, file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok(named.dev() == opened.dev() && named.ino() == opened.ino()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(any(unix, windows)))]
fn is_still_at(_path: &Path, _file: &File) -> io::Result<bool> {
    Ok(true)
}

/// Makes the name of a file survive a loss of power before the first byte of it does. A file with
/// bytes in it has been through here; of an empty one, who created it may have died on the way.
fn make_name_durable(path: &Path, file: &File) -> io::Result<()> {
    if cfg!(not(unix)) || file.metadata()?.len() > 0 {
        return Ok(());
    }
    let synced =
        File::open(folder_of(&fs::canonicalize(path)?)).and_then(|folder| folder.sync_all());
    match synced {
        // What some file systems answer that have no such operation.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        other => other,
    }
}
