//! Pages that hold pieces of their interval, as reclaiming will leave them.

use alloc::vec;
use alloc::vec::Vec;

use super::super::format::layout::{HEADER_BYTES, NO_FRAME, PageHeader};
use super::super::format::pieces::ROW_BYTES;
use super::*;
use crate::page::fault::FaultPages;

/// Replaces the page that holds `from` by a sparse one that keeps the frames with these positions.
fn make_sparse(log: &Log<FaultPages>, from: u64, kept: &[(u64, Frame)]) {
    let live = log.directory.at(from).unwrap();
    let mut page = vec![0; 512];
    // Frames that lie together are one piece.
    let ends: Vec<u64> = kept
        .iter()
        .map(|(position, frame)| position + frame.len() as u64)
        .collect();
    let begins_a_piece = |nth: usize| nth == 0 || ends[nth - 1] != kept[nth].0;
    let rows = (0..kept.len()).filter(|&nth| begins_a_piece(nth)).count();
    let mut offset = rows * ROW_BYTES;
    let mut at = HEADER_BYTES;
    for (nth, (position, frame)) in kept.iter().enumerate() {
        if begins_a_piece(nth) {
            page[at..at + 4].copy_from_slice(&((position - live.from) as u32).to_le_bytes());
            page[at + 4..at + 6].copy_from_slice(&(offset as u16).to_le_bytes());
            at += ROW_BYTES;
        }
        // The last one continues on the next page.
        let length = frame.len().min((live.to - position) as usize);
        page[HEADER_BYTES + offset..][..length].copy_from_slice(&frame[..length]);
        offset += length;
    }
    let newest = log.read_slot(log.last_write.slot).unwrap();
    let newest = PageHeader::fields(&newest);
    let first_frame = if kept.is_empty() {
        NO_FRAME
    } else {
        (rows * ROW_BYTES) as u32
    };
    let mut header = PageHeader {
        number: newest.number + 1,
        from: live.from,
        to: live.to,
        clean: false,
        sparse: true,
        used: offset as u32,
        first_frame,
        pieces: rows as u32,
        ..newest
    };
    header.seal(&mut page, log.identity, newest.next_slot);
    log.pages.write(newest.next_slot, &page).unwrap();
}

/// Positions and frames of a store of two full pages and a little more.
fn filled_store() -> (FaultPages, Log<FaultPages>, Vec<(u64, Frame)>) {
    let pages = FaultPages::new(512, 1);
    let (mut log, _, replayed) = open(pages.clone()).unwrap();
    let mut author = Author::after(&replayed);
    while log.directory.pages().len() < 3 {
        author.append(&mut log, &[20]).unwrap();
        log.sync().unwrap();
    }
    log.close(None).unwrap();
    let frames = scanned(&log, Revision::first_of(0)).into_iter();
    let frames = frames
        .map(|(position, frame)| (position.0, frame))
        .collect();
    (pages, log, frames)
}

#[test]
fn a_sparse_page_is_read_as_the_frames_that_it_holds() {
    let (pages, log, frames) = filled_store();
    let first_page = log.directory.pages()[0].to;
    let in_first_page = frames
        .iter()
        .filter(|(position, _)| *position < first_page)
        .count();
    assert!(in_first_page > 8);
    for keep in 0..(1_u32 << 7) - 1 {
        let is_kept = |nth: usize| nth >= 7 || keep >> nth & 1 == 1;
        let kept = (0..in_first_page).filter(|&nth| is_kept(nth) || nth + 1 == in_first_page);
        let kept: Vec<_> = kept.map(|nth| frames[nth].clone()).collect();
        let pages = pages.fork();
        let (log, _, _) = open(pages.clone()).unwrap();
        make_sparse(&log, 0, &kept);

        let mut expected: Vec<Frame> = kept.into_iter().map(|(_, frame)| frame).collect();
        expected.extend(
            frames[in_first_page..]
                .iter()
                .map(|(_, frame)| frame.clone()),
        );
        for read_only in [true, false] {
            let (log, opened, replayed) = open_with(pages.clone(), options(read_only)).unwrap();
            assert!(!opened.clean);
            let found = replayed.transactions.concat();
            assert_eq!(found[..expected.len()], expected);
            let scanned = scanned(&log, Revision::first_of(0));
            assert!(scanned.iter().map(|(_, frame)| frame).eq(&found));
            for (position, frame) in &scanned {
                assert_eq!(&frame_of(&log.read(*position).unwrap().entry()), frame);
            }
            log.check().unwrap();
        }
    }
}

#[test]
fn a_page_of_which_nothing_is_left_is_passed_over() {
    let (pages, log, frames) = filled_store();
    let second = log.directory.pages()[1].from;
    // The frame that continues on the second page begins on the first and goes with it.
    let straddles = frames
        .iter()
        .any(|(position, frame)| *position < second && position + frame.len() as u64 > second);
    assert!(straddles, "or it proves nothing");
    make_sparse(&log, 0, &[]);
    let error = open(pages).err().expect("the rest of a frame is no frame");
    assert_eq!(error.code(), crate::ErrorCode::Corrupt);
}

#[test]
fn a_scan_from_any_revision_begins_at_the_right_place_beside_sparse_pages() {
    let (pages, log, frames) = filled_store();
    let first_page = log.directory.pages()[0].to;
    let last_of_first = frames
        .iter()
        .filter(|(position, _)| *position < first_page)
        .count()
        - 1;
    make_sparse(&log, 0, &[frames[2].clone(), frames[last_of_first].clone()]);
    let (log, _, _) = open(pages).unwrap();
    let all = scanned(&log, Revision::first_of(0));
    assert_eq!(all.len(), frames.len() - last_of_first + 1 + 1);
    for main in 0..frames.len() as i64 + 4 {
        let from = Revision::first_of(main);
        let expected = all
            .iter()
            .filter(|(position, _)| log.read(*position).unwrap().entry().revision >= from);
        assert!(scanned(&log, from).iter().eq(expected), "from {main}");
    }
}
