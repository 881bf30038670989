//! What a file that exists already says of itself, before any page of it can be read.

use std::format;
use std::path::Path;
use std::vec;

use super::positioned::PositionedFile;
use super::system_error::of_open_file;
use crate::log::page_size_of as page_size_of_header;
use crate::page::{MAX_PAGE_SIZE, MIN_PAGE_SIZE, PageError, is_page_size};

/// The page size of the store in `file`, or `wanted` where none is recognised: in an empty file,
/// and in a foreign one, which whoever reads the pages will refuse.
pub(super) fn page_size_of(file: &PositionedFile, wanted: usize) -> Result<usize, PageError> {
    // Enough for the beginning of the second page, however large pages are.
    let mut start = vec![0; MAX_PAGE_SIZE + MIN_PAGE_SIZE];
    let filled = file.read_at(&mut start, 0).map_err(of_open_file)?;
    Ok(page_size_of_image(&start[..filled]).unwrap_or(wanted))
}

/// What the header in the first page says, or, should that be damaged, its copy in the second,
/// which is where it says that the second page begins.
fn page_size_of_image(start: &[u8]) -> Option<usize> {
    let first = page_size_of_header(start).filter(|size| is_page_size(*size));
    first.or_else(|| {
        let mut sizes = (0..usize::BITS)
            .map(|bit| 1 << bit)
            .filter(|size| is_page_size(*size));
        sizes.find(|size| start.get(*size..).and_then(page_size_of_header) == Some(*size))
    })
}

/// Refuses a file too short to hold one page but not blank. A growth that was cut short leaves
/// zeros, so this is somebody's file, and an empty store must not be made of it.
pub(super) fn require_page_or_blank(
    path: &Path,
    file: &PositionedFile,
    page_size: usize,
) -> Result<(), PageError> {
    let mut start = vec![0; page_size];
    let filled = file.read_at(&mut start, 0).map_err(of_open_file)?;
    if filled < page_size && start[..filled].iter().any(|byte| *byte != 0) {
        return Err(PageError::BadSize(format!(
            "{} holds {filled} bytes that are no store: give the path of a store, or of a file that does not exist yet",
            path.display()
        )));
    }
    Ok(())
}
