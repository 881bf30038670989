//! How a page store fails.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt;

use super::{MAX_PAGE_SIZE, MIN_PAGE_SIZE};
use crate::error::ErrorCode;

/// Why a page store refused or failed.
///
/// ```
/// use revwatch::page::PageError;
///
/// let full = PageError::other("the flash chip does not answer");
/// assert!(full.to_string().contains("flash chip"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum PageError {
    /// There is no room to grow.
    NoSpace,
    /// The store was opened for reading only.
    ReadOnly,
    /// Another process is writing, with this process id where the system tells it.
    Locked {
        /// The process that holds the lock.
        holder: Option<u32>,
    },
    /// There is nothing at this place.
    NotFound(String),
    /// The system does not permit access to this place.
    PermissionDenied(String),
    /// What is there is no store with pages of this size, in the words given.
    BadSize(String),
    /// A page beyond the end, or a buffer that is not one page long.
    OutOfBounds {
        /// The page that was asked for.
        page: u32,
    },
    /// Anything else, as the store itself put it.
    Other(Box<dyn core::error::Error + Send + Sync>),
}

impl PageError {
    /// Wraps a page store's own error; [`source`](core::error::Error::source) gives it back.
    pub fn other(error: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    pub(super) fn no_page_size(bytes: usize) -> Self {
        Self::BadSize(format!(
            "{bytes} bytes is not a page size: give a power of two from {MIN_PAGE_SIZE} to {MAX_PAGE_SIZE}"
        ))
    }

    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::NoSpace => ErrorCode::NoSpace,
            Self::ReadOnly => ErrorCode::ReadOnly,
            Self::Locked { .. } => ErrorCode::Locked,
            Self::NotFound(_) => ErrorCode::StoreNotFound,
            Self::PermissionDenied(_) => ErrorCode::PermissionDenied,
            Self::BadSize(_) => ErrorCode::NotAStore,
            Self::OutOfBounds { .. } | Self::Other(_) => ErrorCode::Io,
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpace => {
                f.write_str("there is no space to grow the store: free some, or delete and compact")
            }
            Self::ReadOnly => {
                f.write_str("the store is open for reading only: open it for writing")
            }
            Self::Locked { holder: Some(pid) } => write!(
                f,
                "process {pid} has the store open for writing: wait for it or open read-only"
            ),
            Self::Locked { holder: None } => f.write_str(
                "another process has the store open for writing: wait for it or open read-only",
            ),
            Self::NotFound(place) => write!(
                f,
                "there is no store at {place}: check the path, or open it for writing to create it"
            ),
            Self::PermissionDenied(place) => write!(
                f,
                "the system denies access to {place}: check the permissions of the file and its folder"
            ),
            Self::BadSize(what) => f.write_str(what),
            Self::OutOfBounds { page } => write!(
                f,
                "page {page} is beyond the end of the store, or a buffer was not one page long"
            ),
            Self::Other(error) => write!(f, "the page store failed: {error}"),
        }
    }
}

impl core::error::Error for PageError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Other(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}
