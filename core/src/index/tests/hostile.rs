//! Keys and histories that are chosen to do harm.

use alloc::vec::Vec;

use super::{Random, delete, put};
use crate::index::key_index::KeyIndex;
use crate::log::Position;
use crate::range::KeyRange;
use crate::revision::Revision;

#[test]
fn a_million_revisions_of_one_key_are_all_found() {
    let mut index = KeyIndex::default();
    let last = 1_000_001;
    (2..=last).for_each(|main| put(&mut index, b"hot", main));
    let mut random = Random::new(7);
    for _ in 0..200_000 {
        let main = 2 + random.below(1_000_000) as i64;
        let found = index.at(b"hot", main).unwrap();
        assert_eq!(found.mod_revision, Revision::first_of(main));
        assert_eq!(found.position, Position(main as u64 * 100));
        assert_eq!((found.create_revision, found.version), (2, main - 1));
    }
    assert_eq!(index.at(b"hot", 1), None);
}

#[test]
fn a_million_lives_of_one_key_are_all_found() {
    let mut index = KeyIndex::default();
    for main in 1..=500_000 {
        put(&mut index, b"hot", 2 * main);
        delete(&mut index, b"hot", 2 * main + 1);
    }
    for main in (2..1_000_000).step_by(5) {
        let found = index.at(b"hot", main);
        assert_eq!(found.is_some(), main % 2 == 0);
        assert!(found.is_none_or(|found| (found.create_revision, found.version) == (main, 1)));
    }
    assert_eq!(index.live_keys(), 0);
}

#[test]
fn keys_of_a_mebibyte_are_keys_like_others() {
    let mut index = KeyIndex::default();
    let long = |last: u8| {
        let mut key = alloc::vec![b'k'; 1 << 20];
        key.push(last);
        key
    };
    for (main, last) in (2..).zip([5_u8, 1, 4, 2, 3]) {
        put(&mut index, &long(last), main);
    }
    put(&mut index, &alloc::vec![b'k'; 1 << 20], 7);
    put(&mut index, b"l", 8);
    let keys: Vec<_> = index
        .range(&KeyRange::All, 8)
        .map(|(key, _)| key.len())
        .collect();
    assert_eq!(
        keys,
        [
            1 << 20,
            (1 << 20) + 1,
            (1 << 20) + 1,
            (1 << 20) + 1,
            (1 << 20) + 1,
            (1 << 20) + 1,
            1
        ]
    );
    assert_eq!(index.at(&long(4), 8).unwrap().mod_revision.main, 4);
    for (main, last) in (9..).zip(1..=5) {
        delete(&mut index, &long(last), main);
    }
    assert_eq!(index.compact(20, &[], 100), None);
    assert_eq!(index.keys().count(), 2);
    index.check();
}

#[test]
fn numbers_too_large_for_a_record_are_kept() {
    let mut index = KeyIndex::default();
    let main = 1 << 62;
    let position = Position(1 << 50);
    index.put(b"a", Revision::first_of(main), position, 2, 1 << 61);
    index.put(b"b", Revision::first_of(main), Position(3), 2, 1);
    let found = |index: &KeyIndex, key: &[u8], main| {
        let found = index.at(key, main).unwrap();
        (found.position.0, found.create_revision, found.version)
    };
    assert_eq!(found(&index, b"a", main), (1 << 50, 2, 1 << 61));
    assert_eq!(found(&index, b"b", main), (3, 2, 1));
    index.put(
        b"a",
        Revision::first_of(main + 1),
        Position(5),
        2,
        (1 << 61) + 1,
    );
    index.delete(b"a", Revision::first_of(main + 2), Position(6));
    assert_eq!(found(&index, b"a", main), (1 << 50, 2, 1 << 61));
    assert_eq!(found(&index, b"a", main + 1), (5, 2, (1 << 61) + 1));
    assert_eq!(index.at(b"a", main + 2), None);
    index.delete(b"b", Revision::first_of(main + 3), Position(1 << 51));
    assert_eq!(index.compact(main + 4, &[], 100), None);
    assert_eq!(index.keys().count(), 0);
    index.check();
}

#[test]
fn the_seed_changes_no_answer() {
    let order = |seed| {
        let mut index = KeyIndex::with_seed(seed);
        for main in 2..500 {
            put(&mut index, &i64::to_be_bytes(main * 7919 % 501), main);
        }
        let range = index.range(&KeyRange::All, 300);
        range
            .map(|(key, found)| (key.to_vec(), found))
            .collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(2));
}
