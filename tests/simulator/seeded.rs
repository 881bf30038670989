//! Breakages of the log, each of which must not get past the simulator: what does not notice them
//! would not notice others either.
//!
//! `cargo test --release -p revwatch-tests --features seeded-bugs --test simulator seeded`

use std::panic::{AssertUnwindSafe, catch_unwind};

use revwatch::page::fault::{Fault, Random};
use revwatch::{Durability, SeededBug};

use crate::checkpoint;
use crate::command::{Command, Commands};
use crate::explore::{Explorer, run_or_be_full};
use crate::import::{interrupt_import, interrupt_update};
use crate::io::fail_everywhere;
use crate::power::{BATCH, every_stop, long_life, with_little_room, work};
use crate::reclaim::{damage_swept, shrink_and_stop, sweep_and_stop};
use crate::space::{fill_and_stop, lose_growths, refuse_growth};
use crate::tally::Tally;

/// Tries a seed; a panic is a catch.
type Hunt = fn(&mut Tally, u64);

const EACH_COMMIT: Hunt = |tally, seed| every_stop(tally, seed, Durability::Commit);
const BATCHES: Hunt = |tally, seed| every_stop(tally, seed, BATCH);
const NEVER: Hunt = |tally, seed| every_stop(tally, seed, Durability::Never);
const FAILED_SYNCS: Hunt = |tally, seed| fail_everywhere(tally, seed, Fault::SyncFails);

/// How many seeds of each hunt are tried before a bug counts as missed.
const SEEDS: u64 = 80;

/// The seed at which one of the hunts catches the bug.
fn catch(bug: Option<SeededBug>, hunts: &[Hunt], seeds: u64) -> Option<u64> {
    SeededBug::choose(bug);
    let caught = (1..=seeds).find(|&seed| {
        hunts.iter().any(|hunt| {
            let tally = &mut Tally::beside();
            catch_unwind(AssertUnwindSafe(|| hunt(tally, seed))).is_err()
        })
    });
    SeededBug::choose(None);
    caught
}

fn expect_catch(bug: SeededBug, hunts: &[Hunt]) {
    let caught = catch(Some(bug), hunts, SEEDS);
    assert!(caught.is_some(), "{bug:?} was not noticed");
    println!("{bug:?} is noticed at seed {caught:?}");
}

/// Every stop of the same workloads, but one crash only: the recovered store is used, and not opened again.
fn one_crash(seed: u64, durability: Durability) {
    let mut random = Random::new(seed);
    let setup = with_little_room(seed, durability);
    let points = work(&setup, 4 + random.below(5));
    let mut explorer = Explorer {
        setup: &setup,
        random,
        tally: &mut Tally::beside(),
    };
    for point in &points {
        for crash in explorer.outcomes(point, 20) {
            let mut session = explorer.recover(point.disk.crash_as(&crash), &point.standing);
            let mut commands = Commands::new(seed, setup.page_size);
            for _ in 0..4 {
                let command = commands.next(session.history());
                if !matches!(command, Command::Close) {
                    run_or_be_full(&mut session, &command);
                }
            }
        }
    }
}

/// One crash does not show the bug: it takes another one in or after the recovery.
fn expect_catch_at_the_second_crash(bug: SeededBug, hunts: &[Hunt]) {
    let one: Hunt = |_, seed| {
        one_crash(
            seed,
            [Durability::Commit, BATCH, Durability::Never][seed as usize % 3],
        );
    };
    assert_eq!(catch(Some(bug), &[one], 40), None, "one crash is enough");
    expect_catch(bug, hunts);
}

macro_rules! caught {
    ($($test:ident: $bug:ident by $($hunt:expr),+;)+) => {
        $(#[test]
        fn $test() {
            expect_catch(SeededBug::$bug, &[$($hunt),+]);
        })+
    };
}

caught! {
    a_skipped_sync_is_noticed: SkipSync by EACH_COMMIT;
    a_mark_that_is_too_early_is_noticed: MarkTooEarly by EACH_COMMIT, BATCHES;
    a_slot_that_is_used_again_at_once_is_noticed: ReuseAtOnce by EACH_COMMIT;
    a_slot_that_is_used_again_before_a_mark_says_so_is_noticed: ReuseAfterSync by EACH_COMMIT;
    a_page_that_is_accepted_after_a_missing_one_is_noticed: AcceptAfterGap by BATCHES, NEVER;
    a_checksum_that_is_ignored_is_noticed: IgnoreChecksum by EACH_COMMIT;
    a_census_that_is_ignored_is_noticed: IgnoreCensus by damage_swept;
    an_epoch_that_does_not_begin_is_noticed: KeepEpoch by EACH_COMMIT;
    a_store_in_use_that_looks_closed_is_noticed: StayClean by NEVER, long_life;
    a_transaction_that_ends_too_early_is_noticed: EndEachEntry by EACH_COMMIT;
    a_change_that_is_shown_too_early_is_noticed: PublishBeforeSync by BATCHES;
    a_sweep_out_of_order_is_noticed: SweepOutOfOrder by sweep_and_stop;
    a_sweep_that_runs_ahead_is_noticed: SweepBeforeWrite by sweep_and_stop;
    a_transaction_without_its_end_is_noticed: DropTransactionEnd by sweep_and_stop;
    a_tombstone_that_goes_too_early_is_noticed: PurgeTombstoneTooEarly by sweep_and_stop;
    a_growth_that_is_not_synced_is_noticed: SkipGrowthSync by lose_growths;
    a_promise_of_zeros_that_is_not_kept_is_noticed: GainNoZeros by lose_growths;
    a_full_store_that_forgets_recovery_is_noticed: ForgetRoomToRecover by fill_and_stop;
    recoveries_that_leave_their_pages_are_noticed: KeepUnbegunEpoch by fill_and_stop;
    a_store_that_is_cut_too_early_is_noticed: ShrinkTooEarly by shrink_and_stop;
    a_root_that_stays_is_noticed: KeepRoot by checkpoint::every_stop;
    a_body_of_pages_that_have_moved_is_noticed: KeepBodyOfMovedPages by checkpoint::every_stop;
    an_import_that_counts_too_early_is_noticed: FinishImportTooEarly by interrupt_import;
    an_import_that_does_not_say_so_is_noticed: BeginImportInSilence by interrupt_import;
}

#[test]
fn a_skipped_erasure_is_noticed_at_the_second_crash() {
    expect_catch_at_the_second_crash(SeededBug::SkipErasure, &[EACH_COMMIT, BATCHES, NEVER]);
}

#[test]
fn trust_in_pages_beyond_the_mark_is_noticed_at_the_second_crash() {
    expect_catch_at_the_second_crash(
        SeededBug::TrustBeyondMark,
        &[EACH_COMMIT, BATCHES, FAILED_SYNCS],
    );
}

#[test]
fn trust_in_what_a_close_has_left_is_noticed_at_the_second_crash() {
    expect_catch_at_the_second_crash(SeededBug::TrustClose, &[EACH_COMMIT, BATCHES, FAILED_SYNCS]);
}

#[test]
fn an_erasure_that_is_not_synced_is_noticed_at_the_second_crash() {
    let hunts = [EACH_COMMIT, BATCHES, NEVER];
    expect_catch_at_the_second_crash(SeededBug::SkipErasureSync, &hunts);
}

#[test]
fn pages_written_again_in_their_places_are_noticed_at_the_second_crash() {
    expect_catch_at_the_second_crash(SeededBug::RewriteInPlace, &[EACH_COMMIT, BATCHES]);
}

#[test]
fn without_a_bug_nothing_is_noticed() {
    let hunts = [
        EACH_COMMIT,
        BATCHES,
        NEVER,
        long_life,
        checkpoint::every_stop,
        sweep_and_stop,
        refuse_growth,
        interrupt_import,
        interrupt_update,
        fill_and_stop,
        lose_growths,
    ];
    assert_eq!(catch(None, &hunts, 2), None);
}
