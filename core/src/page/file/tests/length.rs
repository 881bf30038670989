//! The file is as long as its pages are, takes its room when it grows, and may end in part of one.

use std::fs::{self, File};
use std::string::ToString;
use std::vec;

use super::{Folder, write};
use crate::page::{PageError, PageStore};

#[test]
fn growing_writes_zeros_and_shrinking_cuts_the_file() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let pages = write(&path).unwrap();
    pages.set_len(130).unwrap();
    assert!(fs::read(&path).unwrap() == vec![0; 130 * 4096]);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        pages.sync().unwrap();
        let blocks = fs::metadata(&path).unwrap().blocks();
        assert!(blocks * 512 >= 130 * 4096, "the room is not taken");
    }
    pages.set_len(1).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 4096);
}

#[test]
fn part_of_a_page_at_the_end_counts_for_nothing_and_is_blank_when_grown_over() {
    let folder = Folder::new();
    let path = folder.path("pages");
    fs::write(&path, [7; 4096 + 1000]).unwrap();
    let pages = write(&path).unwrap();
    assert_eq!(pages.len().unwrap(), 1);
    assert!(matches!(
        pages.read(1, &mut [0; 4096]),
        Err(PageError::OutOfBounds { page: 1 })
    ));
    pages.set_len(2).unwrap();
    let mut page = [1; 4096];
    pages.read(1, &mut page).unwrap();
    assert_eq!(page, [0; 4096]);
}

#[test]
fn a_file_that_another_program_cuts_gives_an_error_and_not_old_bytes() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let pages = write(&path).unwrap();
    pages.set_len(3).unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(4096 + 10)
        .unwrap();
    let error = pages.read(1, &mut [0; 4096]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the file ends 10 bytes into page 1"),
        "{error}"
    );
    assert!(pages.read(2, &mut [0; 4096]).is_err());
    pages.read(0, &mut [0; 4096]).unwrap();
}
