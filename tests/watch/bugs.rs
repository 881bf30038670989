//! The judge judged: bugs are planted one by one, and each is found by a promise that it breaks.

use revwatch::SeededBug;

use crate::judge::{Broken, Promise, judge};
use crate::simulation;

/// Histories that are played at most until a bug is found. None is found in as many without a bug.
const HISTORIES: u64 = 1_000;

/// How it is seen that an event never comes: by the next one, at the end, at a revision's other half,
/// at progress, or when it was compacted meanwhile; by a watcher or by a follower.
const NEVER_TOLD: &[Promise] = &[
    Promise::Reliable,
    Promise::Resumable,
    Promise::Atomic,
    Promise::ProgressIsTrue,
    Promise::CompactionTold,
    Promise::Followed,
];

/// What each bug breaks; which of several is seen first depends on the history.
#[rustfmt::skip]
const BROKEN: &[(SeededBug, &[Promise])] = &[
    (SeededBug::FullQueueDropsBatch, NEVER_TOLD),
    (SeededBug::VictimReadsAgain, &[Promise::Unique]),
    (SeededBug::VictimOvertakesQueue, NEVER_TOLD),
    (SeededBug::RevisionIsSplit, &[Promise::Atomic]),
    (SeededBug::FragmentIsNotMarked, &[Promise::Atomic]),
    (SeededBug::PollIsUnbounded, &[Promise::Bounded]),
    (SeededBug::ProgressIsEarly, &[Promise::ProgressIsTrue]),
    (SeededBug::ProgressOvertakesQueue, &[Promise::ProgressIsTrue]),
    (SeededBug::ProgressIsForgotten, &[Promise::ProgressTold]),
    (SeededBug::CompactionIsSilent, &[Promise::CompactionTold]),
    (SeededBug::CompactionNoticeIsDropped, NEVER_TOLD),
    (SeededBug::CompactionIsToldTwice, &[Promise::LastWordOnce]),
    (SeededBug::CompactedWatcherStays, &[Promise::LastWordOnce]),
    (SeededBug::CompactionReachesTooFar, &[Promise::CompactionMeant, Promise::Followed]),
    (SeededBug::TombstoneIsDropped, NEVER_TOLD),
    (SeededBug::PrevKvIsOfAfter, &[Promise::PrevKvRight]),
    (SeededBug::FilterIsIgnored, &[Promise::Filtered]),
    (SeededBug::FutureStartIsIgnored, &[Promise::Filtered]),
    (SeededBug::OneRangeIsWatched, NEVER_TOLD),
    (SeededBug::ValuesAreShown, &[Promise::True, Promise::PrevKvRight]),
    (SeededBug::ConflationDropsDeletes, NEVER_TOLD),
    (SeededBug::CanceledWatcherStays, &[Promise::LastWordOnce, Promise::Canceled, Promise::Created]),
    (SeededBug::ResumesLate, NEVER_TOLD),
    (SeededBug::ResumesEarly, &[Promise::Resumable, Promise::Followed]),
    (SeededBug::CatchUpSkips, NEVER_TOLD),
    (SeededBug::SyncedTooEarly, NEVER_TOLD),
    (SeededBug::SweepNeverReturns, &[Promise::NotStarved]),
    (SeededBug::RewindIsSilent, &[Promise::RewindTold]),
    (SeededBug::ReaderRewindIsSilent, &[Promise::RewindTold, Promise::True]),
    (SeededBug::PublishBeforeSync, &[Promise::Durable]),
    (SeededBug::EarlyRewindIsSilent, &[Promise::RewindTold, Promise::Followed]),
    (SeededBug::EarlyIsLate, NEVER_TOLD),
    (SeededBug::FollowSkips, &[Promise::Followed]),
];

/// The first history in which a promise is broken, one of `wanted`, while a bug is planted, or none.
fn find(bug: Option<SeededBug>, wanted: impl Fn(Promise) -> bool) -> Option<(u64, Broken)> {
    SeededBug::choose(bug);
    let found = (1..=HISTORIES).find_map(|seed| {
        let (record, _) = simulation::play(seed);
        let broken = judge(&record).err()?;
        wanted(broken.promise).then_some((seed, broken))
    });
    SeededBug::choose(None);
    found
}

#[test]
fn every_planted_bug_is_found_by_the_promise_that_it_breaks() {
    let mut missed = Vec::new();
    for &(bug, promises) in BROKEN {
        match find(Some(bug), |promise| promises.contains(&promise)) {
            Some((seed, broken)) => println!("{bug:?}: seed {seed}, {broken}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn nothing_is_found_where_no_bug_is_planted() {
    assert_eq!(find(None, |_| true), None);
}
