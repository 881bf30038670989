//! What a file adds to the contract: the lock, the length of the file itself, the refusals.

mod length;
mod lock;
#[cfg(unix)]
mod other_process;
mod refusal;

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::{env, format, fs, process};

use super::{FileOptions, FilePages};
use crate::page::PageError;
use crate::page::contract::page_store_contract;

page_store_contract!(fresh_file);

/// Pages in a file that has lost its name, and so is gone when they are.
fn fresh_file(page_size: usize) -> FilePages {
    let folder = Folder::new();
    FilePages::open(
        folder.path("pages"),
        &FileOptions {
            page_size,
            ..impatient()
        },
    )
    .unwrap()
}

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("revwatch-pages-{}-{number}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn impatient() -> FileOptions {
    FileOptions {
        lock_timeout: Duration::ZERO,
        ..FileOptions::default()
    }
}

fn reading() -> FileOptions {
    FileOptions {
        read_only: true,
        ..impatient()
    }
}

/// Opens for writing, for which a test has to wait a moment now and then: a process that another
/// test is starting has all open files for as long as it is not yet itself.
fn write(path: &Path) -> Result<FilePages, PageError> {
    FilePages::open(path, &FileOptions::default())
}
