//! Damage to what was durable is reported, and nothing that an image holds can do harm.

use alloc::vec::Vec;

use super::super::format::header::COPIES;
use super::super::format::layout::{HEADER_BYTES, Identity, PageHeader};
use super::*;
use crate::error::Error;
use crate::page::MemoryPages;
use crate::page::fault::FaultPages;

const PAGE_SIZE: usize = 512;
const IDENTITY: Identity = Identity {
    store_id: STORE_ID,
    page_size: PAGE_SIZE,
};

fn closed_store() -> (FaultPages, Vec<u32>, Vec<Transaction>) {
    let pages = FaultPages::new(PAGE_SIZE, 1);
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    let mut author = Author::after(&replayed);
    let mut random = Random::new(3);
    let mut history = Vec::new();
    for _ in 0..60 {
        history.push(author.append(&mut log, &some_lengths(&mut random)).unwrap());
        log.sync().unwrap();
    }
    log.close(None).unwrap();
    let live = log.directory.pages().iter().map(|page| page.slot).collect();
    (pages, live, history)
}

#[test]
fn a_damaged_page_below_the_mark_is_named_at_the_next_opening() {
    let (pages, live, history) = closed_store();
    assert!(live.len() > 10);
    // The last of them was only written to carry the mark; without it its predecessor serves.
    let (last, below_the_mark) = live.split_last().unwrap();
    for (nth, &slot) in below_the_mark.iter().enumerate() {
        for read_only in [false, true] {
            let pages = pages.fork();
            pages.flip_bit(slot, nth * 577);
            match open_with(pages, options(read_only)) {
                Err(Error::Corrupt { page, .. }) => assert_eq!(page, slot),
                other => panic!("{:?}", other.map(|_| ())),
            }
        }
    }
    pages.flip_bit(*last, 9);
    let (_, opened, replayed) = open(pages).unwrap();
    assert!(!opened.clean);
    assert_eq!(replayed.transactions[..history.len()], history);
}

#[test]
fn a_page_that_is_damaged_while_the_store_is_open_is_named_by_check() {
    let (pages, live, _) = closed_store();
    let (log, _, _) = open(pages.clone()).unwrap();
    log.check().unwrap();
    for slot in live.into_iter().chain([0, 1]) {
        let before = pages.to_bytes();
        pages.flip_bit(slot, 4000);
        match log.check() {
            Err(Error::Corrupt { page, .. }) => assert_eq!(page, slot),
            other => panic!("{other:?}"),
        }
        pages.flip_bit(slot, 4000);
        assert!(pages.to_bytes() == before);
    }
    log.check().unwrap();
}

#[test]
fn either_copy_of_the_header_suffices_and_the_other_is_written_again() {
    let (pages, _, history) = closed_store();
    for copy in 0..COPIES {
        let pages = pages.fork();
        pages.flip_bit(copy, 300);
        let (_, _, replayed) = open_with(pages.clone(), options(true)).unwrap();
        assert_eq!(replayed.transactions, history);
        let (log, opened, replayed) = open(pages.clone()).unwrap();
        assert!(opened.clean);
        assert_eq!(replayed.transactions, history);
        log.check().unwrap();
    }
}

#[test]
fn what_cannot_be_opened_is_refused_with_the_reason() {
    let (pages, ..) = closed_store();
    let mut image = pages.to_bytes();
    image.resize(image.len().next_multiple_of(1024), 0);
    let wrong_size = FaultPages::from_bytes(1024, 1, &image).unwrap();
    let error = open(wrong_size).err().unwrap();
    assert_eq!(error.code(), crate::ErrorCode::NotAStore);
    assert!(alloc::format!("{error}").contains("512"));

    let blank = FaultPages::new(512, 1);
    let error = open_with(blank.clone(), options(true)).err().unwrap();
    assert_eq!(error.code(), crate::ErrorCode::StoreNotFound);
    assert_eq!(blank.counts().writes, 0);

    let mut newer = pages.to_bytes();
    for copy in [0, PAGE_SIZE] {
        newer[copy + 12] = 9;
    }
    let newer = FaultPages::from_bytes(512, 1, &newer).unwrap();
    match open(newer).err() {
        Some(Error::UnsupportedFormat { version: 9 }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn no_image_makes_the_log_panic_or_loop() {
    let mut random = Random::new(11);
    let images = images(&mut random);
    for round in 0..2000 {
        let mut image = images[round % images.len()].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut image, &mut random);
        }
        use_it(&image, &mut random);
    }
}

/// A closed store, one that was cut off, and one with a transaction that was.
fn images(random: &mut Random) -> Vec<Vec<u8>> {
    let pages = FaultPages::new(PAGE_SIZE, 1);
    let mut images = Vec::new();
    for session in 0..6 {
        let (mut log, _, replayed) = open(pages.clone()).unwrap();
        let mut author = Author::after(&replayed);
        for _ in 0..8 {
            author.append(&mut log, &some_lengths(random)).unwrap();
            log.sync().unwrap();
        }
        if session % 2 == 1 {
            author.main += 1;
            author.append_entries(&mut log, &[300, 900], false).unwrap();
            log.write_tail().unwrap();
            images.push(pages.to_bytes());
        } else {
            images.push(pages.to_bytes());
            log.close(None).unwrap();
            images.push(pages.to_bytes());
        }
    }
    images
}

fn mutate(image: &mut Vec<u8>, random: &mut Random) {
    let pages = image.len() / PAGE_SIZE;
    if pages <= COPIES as usize {
        return;
    }
    let slot = COPIES as usize + random.below(pages - COPIES as usize);
    let (start, end) = (slot * PAGE_SIZE, (slot + 1) * PAGE_SIZE);
    match random.below(10) {
        0 => image.truncate(random.below(pages + 1) * PAGE_SIZE),
        1 => image[start..end].fill(0),
        2 => {
            let at = random.below(image.len());
            image[at] ^= 1 << random.below(8);
        }
        3 => {
            let other = random.below(pages) * PAGE_SIZE;
            let copy = image[start..end].to_vec();
            image[other..other + PAGE_SIZE].copy_from_slice(&copy);
        }
        4 => image.extend((0..PAGE_SIZE).map(|_| random.next_u64() as u8)),
        // Damage that no checksum tells: what a hostile writer would do.
        _ => forge(&mut image[start..end], slot as u32, random),
    }
}

fn forge(page: &mut [u8], slot: u32, random: &mut Random) {
    let mut header = PageHeader::fields(page);
    let odd = [
        0,
        1,
        2,
        7,
        400,
        512,
        u64::from(u32::MAX),
        u64::MAX,
        1 << 61,
        (1 << 62) - 1,
    ];
    let near = |value: u64, random: &mut Random| match random.below(3) {
        0 => odd[random.below(odd.len())],
        1 => value.wrapping_add(random.below(9) as u64),
        _ => value.wrapping_sub(random.below(600) as u64),
    };
    match random.below(14) {
        0 => header.number = near(header.number, random),
        1 => header.from = near(header.from, random),
        2 => header.to = near(header.to, random),
        3 => header.end = near(header.end, random),
        4 => header.epoch = near(header.epoch, random),
        5 => header.mark.number = near(header.mark.number, random),
        6 => header.mark.end = near(header.mark.end, random),
        7 => header.mark.census = near(header.mark.census, random),
        8 => header.next_slot = near(header.next_slot.into(), random) as u32,
        9 => header.predecessor_slot = near(header.predecessor_slot.into(), random) as u32,
        10 => header.clean = !header.clean,
        11 => {
            header.sparse = true;
            header.pieces = random.below(4) as u32;
            header.to = header.from.wrapping_add(near(400, random));
            header.end = header.to.max(header.end);
            for row in 0..header.pieces as usize {
                let at = HEADER_BYTES + row * 6;
                page[at..at + 4].copy_from_slice(&(near(100, random) as u32).to_le_bytes());
                let offset = 6 * header.pieces as usize + random.below(40) * row;
                page[at + 4..at + 6].copy_from_slice(&(offset as u16).to_le_bytes());
            }
        }
        12 => {
            // Contents: lengths, revisions, records.
            for _ in 0..=random.below(3) {
                let at = HEADER_BYTES + random.below(PAGE_SIZE - HEADER_BYTES);
                page[at] = random.next_u64() as u8;
            }
        }
        _ => header.used = near(header.used.into(), random) as u32,
    }
    header.seal(page, IDENTITY, slot);
}

/// Opens it in all ways, and does all that can be done.
fn use_it(image: &[u8], random: &mut Random) {
    let pages = MemoryPages::from_bytes(PAGE_SIZE, image).unwrap();
    let mut ignore = Each(|_: &Entry<'_>| ());
    if let Ok((mut log, _)) = Log::open(pages.clone(), options(true), &mut ignore) {
        let _ = log.check();
        read_everything(&log);
        let _ = log.refresh(&mut ignore);
    }
    let mut newest = Revision::first_of(1);
    let mut note = Each(|entry: &Entry<'_>| newest = entry.revision);
    let Ok((mut log, _)) = Log::open(pages.clone(), options(false), &mut note) else {
        return;
    };
    let _ = log.check();
    read_everything(&log);
    let revision = Revision::first_of(newest.main.saturating_add(1));
    let entry = Entry {
        revision,
        last: true,
        record: Record::Compact { revision: 1 },
    };
    if revision > newest && log.reserve(entry.encoded_bound()).is_ok() && log.append(&entry).is_ok()
    {
        read_everything(&log);
        if random.percent(50) {
            let _ = log.sync();
        }
        if log.close(None).is_ok() {
            let _ = open(pages);
        }
    }
}

fn read_everything(log: &Log<MemoryPages>) {
    for from in [0, 5, i64::MAX] {
        let mut scan = log.scan(Revision::first_of(from));
        while let Ok(Some((position, _))) = scan.next(log) {
            log.read(position).unwrap();
        }
    }
    for position in [0, 1, 399, u64::MAX] {
        let _ = log.read(Position(position));
    }
    let _ = (log.size_in_use(), log.size_allocated());
}
