//! There is one writer, whoever waits is told who it is, and readers do not mind.

use std::{format, process};

use super::{Folder, impatient, write};
use crate::page::file::holder::{device_numbers, holder_in};
use crate::page::{FilePages, PageError};

pub(super) fn refused_because_of(answer: Result<FilePages, PageError>, pid: u32) {
    match answer {
        Err(PageError::Locked { holder }) if cfg!(target_os = "linux") => {
            assert_eq!(holder, Some(pid));
        }
        Err(PageError::Locked { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_writer_in_this_process_is_refused_until_the_first_is_dropped() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let first = write(&path).unwrap();
    refused_because_of(FilePages::open(&path, &impatient()), process::id());
    drop(first);
    write(&path).unwrap();
}

#[test]
#[cfg(unix)]
fn a_writer_that_waited_writes_to_the_file_that_has_the_name_now() {
    use crate::page::PageStore;
    use core::time::Duration;
    use std::{fs, thread};

    let folder = Folder::new();
    let path = folder.path("pages");
    let first = write(&path).unwrap();
    let waiting = {
        let path = path.clone();
        thread::spawn(move || write(&path).unwrap())
    };
    thread::sleep(Duration::from_millis(50));
    fs::write(folder.path("other"), [0; 3 * 4096]).unwrap();
    fs::rename(folder.path("other"), &path).unwrap();
    drop(first);
    assert_eq!(waiting.join().unwrap().len().unwrap(), 3);
}

#[test]
#[cfg(unix)]
fn a_file_that_lost_its_name_while_it_was_locked_is_noticed() {
    use crate::page::file::open::is_still_at;
    use std::fs::{self, File};

    let folder = Folder::new();
    let path = folder.path("pages");
    let file = File::create(&path).unwrap();
    assert!(is_still_at(&path, &file).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(!is_still_at(&path, &file).unwrap());
    File::create(&path).unwrap();
    assert!(!is_still_at(&path, &file).unwrap());
}

#[test]
fn the_holder_is_found_by_device_and_inode_among_other_locks() {
    let name = "fe:00:567";
    let line = |lock: &str| holder_in(&format!("12: {lock} 0 EOF"), name);
    assert_eq!(line("FLOCK  ADVISORY  WRITE 1234 fe:00:567"), Some(1234));
    assert_eq!(line("FLOCK  ADVISORY  WRITE 1234 fe:00:568"), None);
    assert_eq!(line("FLOCK  ADVISORY  READ 1234 fe:00:567"), None);
    assert_eq!(line("POSIX  ADVISORY  WRITE 1234 fe:00:567"), None);
    assert_eq!(line("-> FLOCK  ADVISORY  WRITE 1234 fe:00:567"), None);
    assert_eq!(line("FLOCK  ADVISORY  WRITE -1 fe:00:567"), None);
    assert_eq!(line("FLOCK  ADVISORY  WRITE 0 fe:00:567"), None);
    assert_eq!(line("FLOCK"), None);
}

#[test]
fn the_numbers_of_a_device_are_gathered_from_both_places() {
    assert_eq!(device_numbers(0xfe00), (0xfe, 0));
    assert_eq!(device_numbers(0x0001_2000_89a3_45bc), (0x1_2345, 0x8_9abc));
}
