//! What the operating system's errors mean to a page store.

use std::format;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::string::{String, ToString};

use crate::page::PageError;

/// What an error means that arose from bytes of an open file.
pub(super) fn of_open_file(error: io::Error) -> PageError {
    match error.kind() {
        // A limit on the size of files is as much an end of the room as a full disk is.
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            PageError::NoSpace
        }
        _ => PageError::other(error),
    }
}

/// What an error means that arose from looking for, opening or creating the file at `path`.
pub(super) fn of_path(path: &Path, error: io::Error) -> PageError {
    let place = path.display();
    match error.kind() {
        ErrorKind::NotFound => PageError::NotFound(missing(path)),
        ErrorKind::NotADirectory => PageError::NotFound(format!(
            "{place} (a part of this path is a file, not a folder)"
        )),
        ErrorKind::PermissionDenied => PageError::PermissionDenied(place.to_string()),
        ErrorKind::ReadOnlyFilesystem => {
            PageError::PermissionDenied(format!("{place} (its file system can only be read)"))
        }
        ErrorKind::IsADirectory => no_file(path),
        _ => of_open_file(error),
    }
}

/// What to say of a folder, a device, a pipe: nothing that can be grown and locked.
pub(super) fn no_file(path: &Path) -> PageError {
    let what = if path.is_dir() {
        "a folder"
    } else {
        "not a regular file"
    };
    PageError::BadSize(format!(
        "{} is {what}, so no store can be in it: give the path of a file",
        path.display()
    ))
}

fn missing(path: &Path) -> String {
    match folder_of(path) {
        folder if folder.exists() => path.display().to_string(),
        folder => format!(
            "{} (there is no folder {})",
            path.display(),
            folder.display()
        ),
    }
}

/// The folder that names the file at `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
