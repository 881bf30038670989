//! What is read of a damaged log is what was written, whatever stands side by side by then.

use alloc::vec;
use alloc::vec::Vec;

use super::super::format::header;
use super::super::format::layout::{HEADER_BYTES, Identity, Mark, NO_FRAME, NO_SLOT, PageHeader};
use super::super::open::salvage::{Found, Salvage};
use super::{STORE_ID, frame_of};
use crate::log::{Entry, Record};
use crate::page::{MemoryPages, PageStore};
use crate::revision::Revision;

const PAGE_SIZE: usize = 512;
const CAPACITY: usize = PAGE_SIZE - HEADER_BYTES;

fn put(main: i64, byte: u8) -> Vec<u8> {
    frame_of(&Entry {
        revision: Revision::first_of(main),
        last: true,
        record: Record::Put {
            key: b"k",
            value: &[byte; 600],
            age: 0,
            version: 1,
            lease: 0,
        },
    })
}

struct Page<'a> {
    slot: u32,
    number: u64,
    epoch: u64,
    from: u64,
    predecessor_slot: u32,
    first_frame: Option<usize>,
    contents: &'a [u8],
}

/// Two pages behind each other of a log that goes on behind them, which recovery does not take: the
/// mark that the second carries is of pages that are lost.
fn image(pages: [Page<'_>; 2]) -> MemoryPages {
    let image = MemoryPages::new(PAGE_SIZE);
    let identity = header::create(&image, STORE_ID).unwrap();
    assert_eq!(
        identity,
        Identity {
            store_id: STORE_ID,
            page_size: PAGE_SIZE
        }
    );
    image.set_len(9).unwrap();
    for page in pages {
        let mut bytes = vec![0; PAGE_SIZE];
        bytes[HEADER_BYTES..][..page.contents.len()].copy_from_slice(page.contents);
        let to = page.from + page.contents.len() as u64;
        let mut header = PageHeader {
            checksum: 0,
            number: page.number,
            from: page.from,
            to,
            end: 10_000,
            epoch: page.epoch,
            mark: Mark {
                number: page.number - 1,
                end: to,
                census: 1,
            },
            next_slot: NO_SLOT,
            predecessor_slot: page.predecessor_slot,
            clean: false,
            sparse: false,
            used: page.contents.len() as u32,
            first_frame: page.first_frame.map_or(NO_FRAME, |at| at as u32),
            pieces: 0,
        };
        header.seal(&mut bytes, identity, page.slot);
        image.write(page.slot, &bytes).unwrap();
    }
    image
}

/// The main revisions that are shown, and the first byte and the last of each value.
fn shown(image: &MemoryPages) -> Vec<(i64, u8, u8)> {
    let salvage = Salvage::take(image).unwrap();
    let mut shown = Vec::new();
    salvage
        .walk(&mut |found| {
            if let Found::Entry(entry, _) = found {
                let Record::Put { value, .. } = entry.record else {
                    panic!("only puts are there");
                };
                shown.push((entry.revision.main, value[0], value[599]));
            }
            Ok(())
        })
        .unwrap();
    shown
}

/// A put that begins in the first page and ends in the second, and another behind it.
fn two_pages(one: &[u8], other: &[u8], epochs: [u64; 2], predecessor_slot: u32) -> MemoryPages {
    let behind = [
        &other[CAPACITY..],
        &put(3, b'z')[..CAPACITY - (other.len() - CAPACITY)],
    ]
    .concat();
    image([
        Page {
            slot: 3,
            number: 11,
            epoch: epochs[0],
            from: 0,
            predecessor_slot: NO_SLOT,
            first_frame: Some(0),
            contents: &one[..CAPACITY],
        },
        Page {
            slot: 4,
            number: 12,
            epoch: epochs[1],
            from: CAPACITY as u64,
            predecessor_slot,
            first_frame: Some(other.len() - CAPACITY),
            contents: &behind,
        },
    ])
}

#[test]
fn an_entry_over_two_pages_that_belong_together_is_shown() {
    let frame = put(2, b'a');
    assert_eq!(
        shown(&two_pages(&frame, &frame, [1, 1], 7)),
        [(2, b'a', b'a')]
    );
    // Recovery has written the second again, when the first was where it is.
    assert_eq!(
        shown(&two_pages(&frame, &frame, [1, 2], 3)),
        [(2, b'a', b'a')]
    );
}

#[test]
fn halves_of_two_entries_of_different_times_are_not_one() {
    let (cut_off, instead) = (put(2, b'a'), put(2, b'b'));
    assert_eq!(shown(&two_pages(&cut_off, &instead, [1, 2], 7)), []);
    assert_eq!(shown(&two_pages(&instead, &cut_off, [2, 1], 7)), []);
}

#[test]
fn an_entry_ends_where_the_next_page_says_that_another_begins() {
    let mut page = two_pages(&put(2, b'a'), &put(2, b'a'), [1, 1], 7).to_bytes();
    // The same with a first entry that would begin within the one before it.
    let mut bytes = page[4 * PAGE_SIZE..5 * PAGE_SIZE].to_vec();
    let mut header = PageHeader::fields(&bytes);
    header.first_frame -= 1;
    let identity = Identity {
        store_id: STORE_ID,
        page_size: PAGE_SIZE,
    };
    header.seal(&mut bytes, identity, 4);
    page[4 * PAGE_SIZE..5 * PAGE_SIZE].copy_from_slice(&bytes);
    let page = MemoryPages::from_bytes(PAGE_SIZE, &page).unwrap();
    assert_eq!(shown(&page), []);
}
