//! Pages that are lent to readers.

use super::*;
use crate::page::fault::FaultPages;

const ENTRIES: i64 = 400;

/// A log of more pages than its cache may hold, and where its entries lie.
fn log_of_many_pages() -> (Log<FaultPages>, Vec<Position>) {
    let (mut log, _, _) = open(FaultPages::new(512, 1)).unwrap();
    let positions = (2..ENTRIES + 2).map(|main| append_put(&mut log, main));
    let positions = positions.collect();
    log.sync().unwrap();
    (log, positions)
}

fn append_put(log: &mut Log<FaultPages>, main: i64) -> Position {
    log.reserve(256).unwrap();
    let entry = Entry {
        revision: Revision { main, sub: 0 },
        last: true,
        record: Record::Put {
            key: b"key",
            value: &[7; 70],
            age: 0,
            version: 1,
            lease: 0,
        },
    };
    log.append(&entry).unwrap()
}

fn read(log: &Log<FaultPages>, position: Position) {
    let put = log.hold(position).unwrap();
    assert_eq!(put.expect("a put").put().value, [7; 70]);
}

fn read_all(log: &Log<FaultPages>, positions: &[Position]) {
    for position in positions {
        read(log, *position);
    }
}

/// How many of the entries are found without looking for their page.
fn found_here(log: &Log<FaultPages>, positions: &[Position]) -> usize {
    let is_here = |position: &&Position| log.bytes_here(**position).is_some();
    positions.iter().filter(is_here).count()
}

#[test]
fn what_was_read_once_is_found_where_it_lies_within_the_budget() {
    let (log, positions) = log_of_many_pages();
    let first = &positions[..8];
    assert_eq!(found_here(&log, first), 0);
    read_all(&log, first);
    assert_eq!(found_here(&log, first), 8);
    // Six pages of 512 bytes may be lent, and the tail is there anyway.
    for _ in 0..3 {
        read_all(&log, &positions);
    }
    let most_in_a_page = 512 / 80 + 1;
    assert!(found_here(&log, &positions) <= 7 * most_in_a_page);
}

#[test]
fn pages_that_are_read_now_are_lent_instead_of_those_that_were_read_before() {
    let (mut log, positions) = log_of_many_pages();
    read_all(&log, &positions[..80]);
    let now = &positions[ENTRIES as usize / 2..][..8];
    assert!(found_here(&log, now) == 0 && found_here(&log, &positions[..80]) > 0);
    for main in ENTRIES + 2..2 * ENTRIES + 2 {
        read_all(&log, now);
        append_put(&mut log, main);
    }
    assert_eq!(found_here(&log, now), now.len());
    assert_eq!(found_here(&log, &positions[..80]), 0);
}
