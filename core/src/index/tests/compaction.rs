//! What compaction keeps, and that it is done in bounded pieces.

use alloc::vec::Vec;

use super::{delete, put};
use crate::index::key_index::KeyIndex;

fn changes(index: &KeyIndex, key: &[u8]) -> Vec<i64> {
    let mut mains = Vec::new();
    let mut before = i64::MAX;
    while let Some(change) = index.newest_change(key, before) {
        mains.insert(0, change.main);
        before = change.main - 1;
    }
    mains
}

#[test]
fn the_worked_example_at_every_revision() {
    for (revision, kept) in [
        (1, &[2, 3, 4, 6][..]),
        (2, &[2, 3, 4, 6]),
        (3, &[3, 4, 6]),
        (4, &[4, 6]),
        (5, &[6]),
        (6, &[6]),
        (9, &[6]),
    ] {
        let mut index = KeyIndex::default();
        put(&mut index, b"a", 2);
        put(&mut index, b"a", 3);
        delete(&mut index, b"a", 4);
        put(&mut index, b"a", 6);
        assert_eq!(index.compact(revision, &[], 10), None);
        assert_eq!(changes(&index, b"a"), kept, "{revision}");
    }
}

#[test]
fn a_key_is_forgotten_after_the_revision_of_its_delete() {
    let mut index = KeyIndex::default();
    put(&mut index, b"a", 2);
    delete(&mut index, b"a", 3);
    index.compact(3, &[], 10);
    assert_eq!(changes(&index, b"a"), [3]);
    index.compact(4, &[], 10);
    assert_eq!(changes(&index, b"a"), [0; 0]);
    assert_eq!(index.keys().count(), 0);
    put(&mut index, b"a", 5);
    assert_eq!(index.live_keys(), 1);
}

#[test]
fn long_histories_are_cut_at_any_revision_in_any_slices() {
    let last = 2000;
    for revision in (1..=last + 1).step_by(13) {
        for steps in [1, 5, 1000] {
            let mut index = KeyIndex::default();
            (2..=last)
                .filter(|main| main % 10 != 0)
                .for_each(|main| put(&mut index, b"a", main));
            delete(&mut index, b"a", last + 1);
            let mut from = Some(Vec::new());
            while let Some(key) = from {
                let before = index.at(b"a", revision);
                from = index.compact(revision, &key, steps);
                assert_eq!(index.at(b"a", revision), before);
            }
            let state = if revision % 10 == 0 {
                revision - 1
            } else {
                revision
            };
            let kept: Vec<_> = (state.max(2)..=last + 1)
                .filter(|main| main % 10 != 0 || *main > last)
                .collect();
            assert_eq!(changes(&index, b"a"), kept, "{revision}");
        }
    }
}

#[test]
fn an_old_delete_never_uncovers_the_put_before_it() {
    // Deletes at the end of runs and at their beginning, whatever their lengths.
    for period in 2..90 {
        let mut index = KeyIndex::default();
        for main in 2..600 {
            if main % period == 0 {
                delete(&mut index, b"a", main);
            } else if main % period != 1 {
                put(&mut index, b"a", main);
            }
        }
        for revision in 2..600 {
            let mut from = Some(Vec::new());
            while let Some(key) = from {
                from = index.compact(revision, &key, 1);
                let exists = revision % period > 1;
                assert_eq!(
                    index.at(b"a", revision).is_some(),
                    exists,
                    "{period} {revision}"
                );
            }
        }
    }
}

#[test]
fn a_slice_does_no_more_than_its_steps() {
    let mut index = KeyIndex::default();
    (2..10_002).for_each(|main| put(&mut index, &i64::to_be_bytes(main), main));
    let mut slices = 0;
    let mut from = Some(Vec::new());
    while let Some(key) = from {
        from = index.compact(20_000, &key, 100);
        slices += 1;
    }
    assert_eq!(slices, 100);

    let mut index = KeyIndex::default();
    (2..100_002).for_each(|main| put(&mut index, b"hot", main));
    assert!(index.compact(100_001, &[], 100).is_some());
    assert!(changes(&index, b"hot").len() > 50_000);
}

#[test]
fn a_compacted_history_takes_new_changes_and_gives_its_blocks_back() {
    let mut index = KeyIndex::default();
    let mut main = 2;
    let mut sizes = Vec::new();
    for _ in 0..30 {
        for _ in 0..50 {
            for key in 0..50_u8 {
                put(&mut index, &[key], main);
                main += 1;
            }
        }
        let mut from = Some(Vec::new());
        while let Some(key) = from {
            // Ten changes of each key are kept.
            from = index.compact(main - 500, &key, 10);
        }
        index.check();
        sizes.push(index.records.heap_bytes());
    }
    assert_eq!(sizes[2..], [sizes[2]; 28]);
}

#[test]
fn further_revisions_take_twelve_bytes_each_at_most() {
    // As if 100,000 other keys were put in turn with these.
    const STRIDE: i64 = 100_000;
    let mut index = KeyIndex::default();
    let keys: Vec<_> = (0..2_000_u16).map(u16::to_be_bytes).collect();
    let mut first = 0;
    for further in 0..=40 {
        for (nth, key) in keys.iter().enumerate() {
            put(&mut index, key, 2 + further * STRIDE + nth as i64);
        }
        let bytes = index.records.heap_bytes();
        if further == 0 {
            first = bytes;
            continue;
        }
        let added = bytes - first;
        let most = 12 * further as usize * keys.len();
        assert!(
            added <= most,
            "{added} for {further} of each key, {most} at most"
        );
    }
}
