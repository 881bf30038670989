//! What the fault store does to pages is all that the power-loss contract allows, and no more.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::iter;

use super::{Fate, Fault, FaultPages, Random, Struck};
use crate::page::contract::page_store_contract;
use crate::page::{PageError, PageStore};

const SIZE: usize = 1024;

page_store_contract!(|page_size| FaultPages::new(page_size, 1));

mod gaining_zeros {
    use super::*;

    page_store_contract!(|page_size| FaultPages::new(page_size, 1).gaining_zeros());
}

fn synced(fills: &[u8]) -> FaultPages {
    let image: Vec<u8> = fills.iter().flat_map(|fill| [*fill; SIZE]).collect();
    FaultPages::from_bytes(SIZE, 1, &image).unwrap()
}

fn write(pages: &FaultPages, page: u32, fill: u8) -> Result<(), PageError> {
    pages.write(page, &[fill; SIZE])
}

fn page(pages: &FaultPages, page: usize) -> Vec<u8> {
    pages.to_bytes()[page * SIZE..][..SIZE].to_vec()
}

/// Of each page the byte that fills it; `None` for one that is torn.
fn fills(pages: &FaultPages) -> Vec<Option<u8>> {
    let bytes = pages.to_bytes();
    let fill = |page: &[u8]| page.iter().all(|byte| *byte == page[0]).then_some(page[0]);
    bytes.chunks(SIZE).map(fill).collect()
}

fn drawn(pages: &FaultPages, crashes: usize) -> impl Iterator<Item = FaultPages> {
    let mut random = Random::new(3);
    iter::repeat_with(move || pages.crash(&mut random)).take(crashes)
}

fn every_outcome(pages: &FaultPages) -> BTreeSet<Vec<Option<u8>>> {
    pages
        .every_crash()
        .map(|crash| fills(&pages.crash_as(&crash)))
        .collect()
}

#[test]
fn what_was_synced_survives_every_crash() {
    let pages = synced(&[1, 2]);
    write(&pages, 0, 3).unwrap();
    pages.set_len(3).unwrap();
    write(&pages, 2, 4).unwrap();
    pages.sync().unwrap();
    for survivor in drawn(&pages, 100) {
        assert_eq!(fills(&survivor), [Some(3), Some(2), Some(4)]);
    }
    assert_eq!(pages.every_crash().count(), 1);
}

#[test]
fn a_page_nobody_wrote_does_not_change() {
    let pages = synced(&[1, 2, 3]);
    write(&pages, 1, 9).unwrap();
    for survivor in drawn(&pages, 1000) {
        let fills = fills(&survivor);
        assert_eq!((fills[0], fills[2]), (Some(1), Some(3)));
    }
}

#[test]
fn each_page_is_old_new_any_version_between_or_torn_whatever_the_others_are() {
    let pages = synced(&[1, 11]);
    for fill in [2, 3] {
        write(&pages, 0, fill).unwrap();
    }
    write(&pages, 1, 12).unwrap();
    let allowed: BTreeSet<_> = [Some(1), Some(2), Some(3), None]
        .into_iter()
        .flat_map(|first| [Some(11), Some(12), None].map(|second| Vec::from([first, second])))
        .collect();
    let seen: BTreeSet<_> = drawn(&pages, 2000)
        .map(|survivor| fills(&survivor))
        .collect();
    assert_eq!(seen, allowed);
    assert_eq!(every_outcome(&pages), allowed);
}

#[test]
fn every_kind_of_fate_is_drawn() {
    let pages = synced(&[1]);
    write(&pages, 0, 2).unwrap();
    write(&pages, 0, 3).unwrap();
    let mut random = Random::new(1);
    let mut kinds = BTreeSet::new();
    for _ in 0..500 {
        kinds.insert(match pages.draw_crash(&mut random).fates[0].1 {
            Fate::Whole(version) => (0, version, 0),
            Fate::TornSectors { below, above, .. } => (1, below, above),
            Fate::TornBytes { below, above, .. } => (2, below, above),
        });
    }
    // Three versions, and two manners to tear six pairs of them.
    assert_eq!(kinds.len(), 3 + 2 * 6);
}

#[test]
fn tears_fall_at_sectors_and_anywhere_and_may_bring_noise() {
    let pages = synced(&[1]);
    write(&pages, 0, 2).unwrap();
    let (mut at_sector, mut anywhere, mut with_noise) = (0, 0, 0);
    for survivor in drawn(&pages, 2000) {
        let bytes = page(&survivor, 0);
        let noisy = bytes.iter().any(|byte| !(1..=2).contains(byte));
        let cuts = (1..SIZE).filter(|place| bytes[place - 1] != bytes[*place]);
        let cuts: Vec<_> = cuts.collect();
        with_noise += u32::from(noisy);
        at_sector += u32::from(cuts == [SIZE / 2]);
        anywhere += u32::from(!noisy && cuts.iter().any(|cut| cut % 512 != 0));
    }
    assert!(at_sector > 50 && anywhere > 50 && with_noise > 50);
}

#[test]
fn an_unsynced_change_of_length_survives_or_not() {
    let lens = |pages: &FaultPages| -> BTreeSet<u32> {
        let drawn: BTreeSet<_> = drawn(pages, 200)
            .map(|survivor| survivor.len().unwrap())
            .collect();
        let every = pages
            .every_crash()
            .map(|crash| pages.crash_as(&crash).len().unwrap());
        assert_eq!(drawn, every.collect());
        drawn
    };
    let pages = synced(&[1, 2]);
    pages.set_len(4).unwrap();
    pages.set_len(1).unwrap();
    assert_eq!(lens(&pages), [1, 2, 4].into());
    pages.sync().unwrap();
    assert_eq!(lens(&pages), [1].into());
}

#[test]
fn a_shrinking_that_is_lost_loses_no_page() {
    let pages = synced(&[1, 2]);
    pages.set_len(0).unwrap();
    pages.set_len(2).unwrap();
    write(&pages, 0, 9).unwrap();
    let outcomes = every_outcome(&pages);
    assert!(outcomes.contains(&Vec::from([Some(1), Some(2)])));
    assert!(outcomes.contains(&Vec::new()));
}

#[test]
fn pages_gained_hold_noise_and_what_a_shrinking_left() {
    let (mut stale, mut noise) = (0, 0);
    for seed in 0..100 {
        let pages = FaultPages::from_bytes(SIZE, seed, &[7; SIZE]).unwrap();
        pages.set_len(0).unwrap();
        pages.sync().unwrap();
        pages.set_len(2).unwrap();
        let fills = fills(&pages);
        stale += usize::from(fills[0] == Some(7));
        noise += usize::from(fills[0].is_none());
        assert_eq!(fills[1], None);
    }
    assert!(stale > 20 && noise > 20 && stale + noise == 100);
}

#[test]
fn pages_gained_are_zeros_also_after_a_crash_where_that_is_promised() {
    for seed in 0..20 {
        let pages = FaultPages::from_bytes(SIZE, seed, &[7; 3 * SIZE]).unwrap();
        let pages = pages.gaining_zeros();
        pages.set_len(1).unwrap();
        pages.sync().unwrap();
        pages.set_len(4).unwrap();
        assert_eq!(fills(&pages), [Some(7), Some(0), Some(0), Some(0)]);
        write(&pages, 2, 9).unwrap();
        for crash in pages.every_crash() {
            let survivor = pages.crash_as(&crash);
            let shorter = survivor.len().unwrap();
            survivor.set_len(4).unwrap();
            let fills = fills(&survivor);
            assert_eq!((fills[1], fills[3]), (Some(0), Some(0)));
            assert!(shorter == 4 || fills[2] == Some(0));
        }
    }
}

#[test]
fn what_is_written_while_a_sync_runs_is_not_made_durable_by_it() {
    let pages = synced(&[1, 1]);
    write(&pages, 0, 2).unwrap();
    let sync = pages.begin_sync().unwrap();
    write(&pages, 0, 3).unwrap();
    write(&pages, 1, 3).unwrap();
    assert!(every_outcome(&pages).contains(&Vec::from([Some(1), Some(1)])));
    sync.end().unwrap();
    let whole = |outcome: &&Vec<Option<u8>>| outcome.iter().all(Option::is_some);
    let outcomes = every_outcome(&pages);
    let expected = [[2, 1], [2, 3], [3, 1], [3, 3]].map(|fills| fills.map(Some).to_vec());
    assert!(outcomes.iter().filter(whole).eq(&expected));
}

#[test]
fn a_sync_that_succeeds_after_one_that_failed_heals_only_what_was_written_again() {
    let pages = synced(&[1, 1]);
    write(&pages, 0, 2).unwrap();
    write(&pages, 1, 2).unwrap();
    pages.fail_after(0, Fault::SyncFails);
    let error = pages.sync().unwrap_err();
    assert_eq!(Struck::fault_of(&error), Some(Fault::SyncFails));
    write(&pages, 1, 2).unwrap();
    pages.sync().unwrap();
    assert_eq!(fills(&pages), [Some(2), Some(2)]);
    let outcomes = every_outcome(&pages);
    assert!(outcomes.contains(&Vec::from([Some(1), Some(2)])));
    assert!(outcomes.iter().all(|outcome| outcome[1] == Some(2)));
}

#[test]
fn after_a_power_cut_every_call_fails_and_the_operation_in_flight_is_done_or_not() {
    for operation in 0..3 {
        let pages = synced(&[1]);
        pages.fail_after(1, Fault::PowerCut);
        write(&pages, 0, 2).unwrap();
        let struck = match operation {
            0 => write(&pages, 0, 3),
            1 => pages.sync(),
            _ => pages.set_len(0),
        };
        let after = [
            pages.len().map(drop),
            pages.read(0, &mut [0; SIZE]),
            pages.sync(),
        ];
        let after = after
            .into_iter()
            .chain([struck, write(&pages, 0, 4), pages.set_len(1)]);
        for answer in after {
            assert_eq!(
                Struck::fault_of(&answer.unwrap_err()),
                Some(Fault::PowerCut)
            );
        }
        let outcomes = every_outcome(&pages);
        assert!(outcomes.contains(&Vec::from([Some(1)])));
        assert!(outcomes.contains(&Vec::from([Some(2)])));
        assert_eq!(outcomes.contains(&Vec::from([Some(3)])), operation == 0);
        assert_eq!(outcomes.contains(&Vec::new()), operation == 2);
        assert!(drawn(&pages, 10).all(|survivor| write(&survivor, 0, 5).is_ok() || operation == 2));
    }
}

#[test]
fn a_failed_write_leaves_the_page_old_and_a_short_one_torn_or_new() {
    let pages = synced(&[1]);
    pages.fail_after(0, Fault::WriteFails);
    assert!(write(&pages, 0, 2).is_err());
    assert_eq!(fills(&pages), [Some(1)]);

    let mut seen = BTreeSet::new();
    for seed in 0..20 {
        let pages = FaultPages::from_bytes(SIZE, seed, &[1; SIZE]).unwrap();
        pages.fail_after(0, Fault::ShortWrite);
        assert!(write(&pages, 0, 2).is_err());
        let bytes = page(&pages, 0);
        let written = bytes.partition_point(|byte| *byte == 2);
        assert!(written > 0 && bytes[written..].iter().all(|byte| *byte == 1));
        seen.insert(written);
    }
    assert!(seen.len() > 10);
}

#[test]
fn a_misdirected_write_reports_success_and_changes_another_page() {
    for seed in 0..20 {
        let pages = FaultPages::from_bytes(SIZE, seed, &[1; 3 * SIZE]).unwrap();
        pages.fail_after(0, Fault::MisdirectedWrite);
        write(&pages, 1, 2).unwrap();
        let fills = fills(&pages);
        assert_eq!(fills[1], Some(1));
        assert_eq!(fills.iter().filter(|fill| **fill == Some(2)).count(), 1);
    }
    let alone = synced(&[1]);
    alone.fail_after(0, Fault::MisdirectedWrite);
    write(&alone, 0, 2).unwrap();
    assert_eq!(fills(&alone), [Some(1)]);
}

#[test]
fn a_growth_is_refused_once_or_always_beyond_the_limit_and_the_length_stays() {
    let pages = synced(&[1]);
    pages.fail_after(0, Fault::GrowthRefused);
    assert!(matches!(pages.set_len(2), Err(PageError::NoSpace)));
    assert_eq!(pages.len().unwrap(), 1);
    pages.set_len(2).unwrap();
    pages.set_capacity_limit(2);
    assert!(matches!(pages.set_len(3), Err(PageError::NoSpace)));
    pages.set_len(2).unwrap();
    let survivor = pages.crash(&mut Random::new(1));
    assert!(matches!(survivor.set_len(3), Err(PageError::NoSpace)));
}

#[test]
fn a_bit_flips_in_one_read_or_for_good() {
    let differing = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| (byte ^ 1).count_ones())
            .sum::<u32>()
    };
    let pages = synced(&[1]);
    pages.fail_after(0, Fault::BitFlipOnRead);
    let mut buffer = [0; SIZE];
    pages.read(0, &mut buffer).unwrap();
    assert_eq!(differing(&buffer), 1);
    pages.read(0, &mut buffer).unwrap();
    assert_eq!(differing(&buffer), 0);

    write(&pages, 0, 1).unwrap();
    pages.flip_bit(0, 8 * 700 + 3);
    pages.flip_bit(5, 0);
    let whole = pages
        .every_crash()
        .filter(|crash| matches!(crash.fates[0].1, Fate::Whole(_)));
    for survivor in whole.map(|crash| pages.crash_as(&crash)) {
        let bytes = page(&survivor, 0);
        assert_eq!((differing(&bytes), bytes[700]), (1, 1 ^ 8));
    }
}

#[test]
fn faults_let_their_number_of_operations_pass_and_can_be_forgotten() {
    let pages = synced(&[1]);
    pages.fail_after(2, Fault::WriteFails);
    pages.fail_after(0, Fault::SyncFails);
    pages.fail_after(3, Fault::WriteFails);
    assert!(pages.sync().is_err());
    let answers = [(); 5].map(|()| write(&pages, 0, 2).is_ok());
    assert_eq!(answers, [true, true, false, false, true]);
    pages.fail_after(0, Fault::PowerCut);
    pages.forget_faults();
    write(&pages, 0, 3).unwrap();
    let counts = pages.counts();
    assert_eq!(
        (counts.writes, counts.syncs, counts.reads, counts.set_lens),
        (6, 1, 0, 0)
    );
}

#[test]
fn a_fork_goes_its_own_way_and_a_clone_does_not() {
    let pages = synced(&[1, 1]);
    write(&pages, 0, 2).unwrap();
    let fork = pages.fork();
    let clone = pages.clone();
    write(&fork, 1, 3).unwrap();
    fork.sync().unwrap();
    write(&clone, 1, 4).unwrap();
    assert_eq!(fills(&pages), [Some(2), Some(4)]);
    assert_eq!(fills(&fork), [Some(2), Some(3)]);
    assert!(every_outcome(&pages).contains(&Vec::from([Some(1), Some(1)])));
}

#[test]
fn the_same_seeds_give_the_same_bytes() {
    let run = || {
        let pages = FaultPages::new(SIZE, 5);
        pages.set_len(3).unwrap();
        pages.sync().unwrap();
        pages.fail_after(0, Fault::ShortWrite);
        let _ = write(&pages, 1, 7);
        pages.set_len(5).unwrap();
        let survivors = drawn(&pages, 50);
        survivors
            .map(|survivor| survivor.to_bytes())
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn the_outcomes_gone_through_are_as_many_as_foretold_and_all_different() {
    let pages = synced(&[1, 1]);
    write(&pages, 0, 2).unwrap();
    write(&pages, 0, 3).unwrap();
    write(&pages, 1, 4).unwrap();
    pages.set_len(1).unwrap();
    let every: Vec<_> = pages.every_crash().collect();
    assert_eq!(every.len() as u64, pages.every_crash().total());
    for (place, crash) in every.iter().enumerate() {
        assert!(!every[..place].contains(crash), "{crash:?}");
    }
}
