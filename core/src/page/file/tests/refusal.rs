//! What is not to be opened or written is refused, left as it is, and said to be so.

use std::fs;
use std::path::Path;
use std::string::ToString;
use std::vec::Vec;

use xxhash_rust::xxh3::xxh3_64;

use super::{Folder, impatient, reading, write};
use crate::page::{FileOptions, FilePages, MAX_PAGE_SIZE, MIN_PAGE_SIZE, PageError, PageStore};

#[test]
fn a_short_foreign_file_is_refused_and_left_as_it_is_and_a_growth_cut_short_is_not() {
    let folder = Folder::new();
    let path = folder.path("notes.txt");
    fs::write(&path, "remember the milk").unwrap();
    let refused = write(&path).unwrap_err();
    assert!(matches!(refused, PageError::BadSize(_)), "{refused}");
    assert!(refused.to_string().contains("notes.txt"));
    assert_eq!(fs::read(&path).unwrap(), b"remember the milk");
    fs::write(&path, [0; 1000]).unwrap();
    assert_eq!(write(&path).unwrap().len().unwrap(), 0);
}

#[test]
fn a_reader_refuses_to_write_and_sees_the_file_grow() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let writer = write(&path).unwrap();
    let reader = FilePages::open(&path, &reading()).unwrap();
    writer.set_len(2).unwrap();
    assert_eq!(reader.len().unwrap(), 2);
    writer.write(1, &[1; 4096]).unwrap();
    let mut page = [0; 4096];
    reader.read(1, &mut page).unwrap();
    assert_eq!(page, [1; 4096]);
    assert!(matches!(reader.write(1, &page), Err(PageError::ReadOnly)));
    assert!(matches!(reader.set_len(3), Err(PageError::ReadOnly)));
    reader.sync().unwrap();
}

#[test]
fn what_cannot_be_opened_is_refused_with_the_reason() {
    let folder = Folder::new();
    let told = |path: &Path, options: &FileOptions| {
        FilePages::open(path, options).unwrap_err().to_string()
    };
    let uncreated = FileOptions {
        create: false,
        ..impatient()
    };
    let missing = folder.path("missing");
    for options in [uncreated, reading()] {
        assert!(matches!(
            FilePages::open(&missing, &options),
            Err(PageError::NotFound(_))
        ));
        assert!(told(&missing, &options).contains("missing"));
        assert!(!missing.exists());
    }
    let unreachable = folder.path("no-folder/pages");
    assert!(told(&unreachable, &impatient()).contains("there is no folder"));
    for options in [impatient(), reading()] {
        assert!(told(&folder.0, &options).contains("is a folder"));
    }
    fs::write(folder.path("file"), "").unwrap();
    let through_a_file = folder.path("file/pages");
    assert!(matches!(
        write(&through_a_file),
        Err(PageError::NotFound(_))
    ));
    for page_size in [0, 256, 5000, 1 << 17] {
        let options = FileOptions {
            page_size,
            ..impatient()
        };
        assert!(told(&missing, &options).contains("is not a page size"));
        assert!(!missing.exists());
    }
}

/// The superuser is denied nothing, so that this says something only when others run it.
#[test]
#[cfg(unix)]
fn a_folder_or_file_that_may_not_be_written_is_refused_and_can_be_read() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let path = folder.path("pages");
    fs::write(&path, [0; 4096]).unwrap();
    let permit = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    permit(&path, 0o400);
    permit(&folder.0, 0o500);
    if fs::File::options().write(true).open(&path).is_err() {
        for path in [&path, &folder.path("new")] {
            let refused = write(path).unwrap_err();
            assert!(
                matches!(refused, PageError::PermissionDenied(_)),
                "{refused}"
            );
            assert!(refused.to_string().contains(&path.display().to_string()));
        }
    }
    assert_eq!(
        FilePages::open(&path, &reading()).unwrap().len().unwrap(),
        1
    );
    permit(&folder.0, 0o700);
}

#[test]
#[cfg(unix)]
fn a_pipe_is_refused_and_not_waited_for() {
    let folder = Folder::new();
    let path = folder.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    for options in [impatient(), reading()] {
        assert!(matches!(
            FilePages::open(&path, &options),
            Err(PageError::BadSize(_))
        ));
    }
}

/// A page that begins with the header of a store whose pages are of `page_size` bytes.
fn header_page(page_size: usize) -> Vec<u8> {
    let mut page = b"revwatch\r\n\x1a\n".to_vec();
    page.extend(1_u32.to_le_bytes());
    page.extend((page_size as u32).to_le_bytes());
    page.extend([7; 16]);
    page.extend(xxh3_64(&page).to_le_bytes());
    page.resize(page_size.max(page.len()), 0);
    page
}

#[test]
fn a_store_says_itself_how_large_its_pages_are_though_its_first_page_be_damaged() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let opened_with = |image: &[u8]| {
        fs::write(&path, image).unwrap();
        write(&path).unwrap().page_size()
    };
    let mut size = MIN_PAGE_SIZE;
    while size <= MAX_PAGE_SIZE {
        let mut image = header_page(size).repeat(2);
        image.resize(image.len().max(4096), 0);
        assert_eq!(opened_with(&image), size);
        image[20] ^= 1;
        assert_eq!(opened_with(&image), size);
        image[size + 20] ^= 1;
        assert_eq!(opened_with(&image), 4096);
        size *= 2;
    }
}

#[test]
fn a_header_with_a_page_size_that_there_cannot_be_is_not_believed() {
    let folder = Folder::new();
    let path = folder.path("pages");
    for size in [0, 1, 256, 5000, 1 << 17] {
        let mut image = header_page(size);
        image.resize(1 << 18, 0);
        fs::write(&path, image).unwrap();
        assert_eq!(write(&path).unwrap().page_size(), 4096);
    }
}

#[test]
fn a_header_that_is_not_where_its_copy_would_be_is_somebody_elses_bytes() {
    let folder = Folder::new();
    let path = folder.path("pages");
    let mut image = header_page(8192);
    image.splice(0..0, [0; 512]);
    fs::write(&path, image).unwrap();
    assert_eq!(write(&path).unwrap().page_size(), 4096);
}
