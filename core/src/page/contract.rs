//! What every page store must do while the power stays on: one test for each promise of
//! [`PageStore`], which [`page_store_contract!`] runs over a store.

extern crate std;

use alloc::vec;
use alloc::vec::Vec;
use std::thread;

use super::fault::Random;
use super::{MAX_PAGE_SIZE, MIN_PAGE_SIZE, PageError, PageStore};

/// Makes the tests of the contract for the stores that an expression `|page_size| store` makes, each
/// of them new and empty.
macro_rules! page_store_contract {
    ($fresh:expr) => {
        page_store_contract! { $fresh =>
            pages_are_as_large_as_asked_for
            a_new_store_is_empty
            the_length_is_what_was_set_last
            a_page_reads_as_last_written
            many_pages_read_as_one_by_one
            a_change_of_length_leaves_the_pages_below_alone
            pages_gained_are_zeros_where_that_is_promised
            what_is_out_of_bounds_is_refused_and_changes_nothing
            shared_bytes_stay_when_the_page_is_written_again
            many_threads_read_while_one_writes_elsewhere
        }
    };
    ($fresh:expr => $($property:ident)*) => {
        $(#[test]
        fn $property() {
            $crate::page::contract::$property($fresh);
        })*
    };
}
pub(crate) use page_store_contract;

const SIZE: usize = MIN_PAGE_SIZE;

fn read(pages: &impl PageStore, page: u32) -> Vec<u8> {
    let mut buffer = vec![0; pages.page_size()];
    pages.read(page, &mut buffer).unwrap();
    buffer
}

pub(crate) fn pages_are_as_large_as_asked_for<P: PageStore>(fresh: impl Fn(usize) -> P) {
    let mut size = MIN_PAGE_SIZE;
    while size <= MAX_PAGE_SIZE {
        let pages = fresh(size);
        assert_eq!(pages.page_size(), size);
        pages.set_len(2).unwrap();
        pages.write(1, &vec![9; size]).unwrap();
        assert_eq!(read(&pages, 1), vec![9; size]);
        size *= 2;
    }
}

pub(crate) fn a_new_store_is_empty<P: PageStore>(fresh: impl Fn(usize) -> P) {
    let pages = fresh(SIZE);
    assert_eq!(pages.len().unwrap(), 0);
    assert!(pages.is_empty().unwrap());
    pages.sync().unwrap();
}

pub(crate) fn the_length_is_what_was_set_last<P: PageStore>(fresh: impl Fn(usize) -> P) {
    let pages = fresh(SIZE);
    for len in [1, 1, 1000, 3, 0, 2] {
        pages.set_len(len).unwrap();
        assert_eq!(pages.len().unwrap(), len);
        assert_eq!(pages.is_empty().unwrap(), len == 0);
        pages.sync().unwrap();
        assert_eq!(pages.len().unwrap(), len);
    }
}

/// A thousand random operations, and after each every page is what the last write to it made it.
pub(crate) fn a_page_reads_as_last_written<P: PageStore>(fresh: impl Fn(usize) -> P) {
    let pages = fresh(SIZE);
    let mut random = Random::new(1);
    let mut expected: Vec<Option<Vec<u8>>> = Vec::new();
    for _ in 0..1000 {
        match random.below(10) {
            0 => {
                let len = random.below(10);
                pages.set_len(len as u32).unwrap();
                expected.resize(len, None);
            }
            1 => pages.sync().unwrap(),
            _ if expected.is_empty() => {}
            _ => {
                let page = random.below(expected.len());
                let mut bytes = vec![0; SIZE];
                random.fill(&mut bytes);
                pages.write(page as u32, &bytes).unwrap();
                expected[page] = Some(bytes);
            }
        }
        for (page, bytes) in expected.iter().enumerate() {
            let found = read(&pages, page as u32);
            assert!(
                bytes.as_ref().is_none_or(|bytes| *bytes == found),
                "page {page}"
            );
        }
    }
}

pub(crate) fn many_pages_read_as_one_by_one<P: PageStore>(fresh: impl Fn(usize) -> P) {
    let pages = fresh(SIZE);
    pages.set_len(9).unwrap();
    for page in 0..9 {
        pages.write(page, &[page as u8; SIZE]).unwrap();
    }
    assert!(pages.pages_per_read() > 0);
    for first in 0..9 {
        for count in 0..=9 - first {
            let mut together = vec![0xee; count as usize * SIZE];
            pages.read_many(first, &mut together).unwrap();
            let one_by_one = (first..first + count).flat_map(|page| read(&pages, page));
            assert!(together.into_iter().eq(one_by_one), "{count} from {first}");
        }
        let mut beyond = vec![0; (10 - first as usize) * SIZE];
        let refused = pages.read_many(first, &mut beyond);
        assert!(matches!(refused, Err(PageError::OutOfBounds { page: 9 })));
        let mut uneven = [0; SIZE + 1];
        assert!(pages.read_many(first, &mut uneven).is_err());
    }
}

pub(crate) fn a_change_of_length_leaves_the_pages_below_alone<P: PageStore>(
    fresh: impl Fn(usize) -> P,
) {
    let pages = fresh(SIZE);
    pages.set_len(4).unwrap();
    for page in 0..4 {
        pages.write(page, &[page as u8; SIZE]).unwrap();
    }
    for len in [2000, 4, 3, 3, 700, 3] {
        pages.set_len(len).unwrap();
        for page in 0..3 {
            assert_eq!(read(&pages, page), [page as u8; SIZE]);
        }
    }
}

pub(crate) fn pages_gained_are_zeros_where_that_is_promised<P: PageStore>(
    fresh: impl Fn(usize) -> P,
) {
    let pages = fresh(SIZE);
    pages.set_len(3).unwrap();
    for page in 0..3 {
        pages.write(page, &[7; SIZE]).unwrap();
    }
    pages.set_len(1).unwrap();
    pages.set_len(5).unwrap();
    if pages.gains_zeros() {
        assert_eq!(read(&pages, 0), [7; SIZE]);
        for page in 1..5 {
            assert_eq!(read(&pages, page), [0; SIZE]);
        }
    }
}

pub(crate) fn what_is_out_of_bounds_is_refused_and_changes_nothing<P: PageStore>(
    fresh: impl Fn(usize) -> P,
) {
    let pages = fresh(SIZE);
    pages.set_len(2).unwrap();
    pages.write(0, &[1; SIZE]).unwrap();
    pages.write(1, &[2; SIZE]).unwrap();
    let refused = |answer, page| match answer {
        Err(PageError::OutOfBounds { page: named }) => assert_eq!(named, page),
        other => panic!("{other:?}"),
    };
    for page in [2, 3, u32::MAX] {
        refused(pages.write(page, &[3; SIZE]), page);
        refused(pages.read(page, &mut [0; SIZE]), page);
        assert!(pages.share(page).is_none());
    }
    for size in [0, SIZE - 1, SIZE + 1, 2 * SIZE] {
        refused(pages.write(0, &vec![3; size]), 0);
        refused(pages.read(0, &mut vec![0; size]), 0);
    }
    assert_eq!(pages.len().unwrap(), 2);
    assert_eq!(read(&pages, 0), [1; SIZE]);
    assert_eq!(read(&pages, 1), [2; SIZE]);
}

pub(crate) fn shared_bytes_stay_when_the_page_is_written_again<P: PageStore>(
    fresh: impl Fn(usize) -> P,
) {
    let pages = fresh(SIZE);
    pages.set_len(2).unwrap();
    pages.write(0, &[1; SIZE]).unwrap();
    let shared = pages.share(0);
    pages.write(0, &[2; SIZE]).unwrap();
    assert!(shared.as_ref().is_none_or(|bytes| bytes[..] == [1; SIZE]));
    assert!(pages.share(0).is_none_or(|bytes| bytes[..] == [2; SIZE]));
    pages.set_len(0).unwrap();
    assert!(shared.is_none_or(|bytes| bytes[..] == [1; SIZE]));
}

pub(crate) fn many_threads_read_while_one_writes_elsewhere<P: PageStore + Sync>(
    fresh: impl Fn(usize) -> P,
) {
    let pages = &fresh(SIZE);
    pages.set_len(4).unwrap();
    for page in 0..4 {
        pages.write(page, &[page as u8; SIZE]).unwrap();
    }
    thread::scope(|scope| {
        for page in 1..4 {
            scope.spawn(move || {
                for _ in 0..300 {
                    assert_eq!(read(pages, page), [page as u8; SIZE]);
                }
            });
        }
        for turn in 0..300 {
            pages.write(0, &[turn as u8; SIZE]).unwrap();
            assert_eq!(read(pages, 0), [turn as u8; SIZE]);
        }
    });
}
