//! Deliberate breakages, to show that the tests would see them.
//!
//! Only with the feature `seeded-bugs`, which is for tests alone; without it there is no trace of
//! any of this. A test chooses one bug for its own thread, and asserts that what is to catch it does.

/// One breakage.
#[cfg(feature = "seeded-bugs")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeededBug {
    // The revision log.
    /// A commit does not wait for its sync: the log takes it for granted.
    SkipSync,
    /// A page says that the write before it is durable, which was only written.
    MarkTooEarly,
    /// A slot is used again at once when its page was superseded.
    ReuseAtOnce,
    /// A slot is used again once the page that superseded its own is durable, and not only once a
    /// mark says so: the tail goes through too few slots.
    ReuseAfterSync,
    /// Recovery accepts page writes after a missing one.
    AcceptAfterGap,
    /// Recovery believes pages whose checksum is wrong.
    IgnoreChecksum,
    /// Recovery does not compare the live pages with the census of the mark.
    IgnoreCensus,
    /// Recovery leaves the pages that it rejected where they are.
    SkipErasure,
    /// Recovery goes on before it is durable that they are erased.
    SkipErasureSync,
    /// Recovery writes what it found beyond the mark again where it lies.
    RewriteInPlace,
    /// Recovery serves what it found beyond the mark without writing it again.
    TrustBeyondMark,
    /// An opening after a clean close takes the page that the close has left for durable.
    TrustClose,
    /// Recovery begins no epoch.
    KeepEpoch,
    /// Others are shown changes before it is durable that the store is in use.
    StayClean,
    /// Each entry says that it ends its transaction.
    EndEachEntry,
    /// Changes of a batch are shown before it is synced.
    PublishBeforeSync,
    /// A sweep begins in the middle of the log.
    SweepOutOfOrder,
    /// A sweep drops entries before that which makes them dead is written.
    SweepBeforeWrite,
    /// A sweep drops the end of a transaction, and no other entry takes its place.
    DropTransactionEnd,
    /// A delete at exactly the compact revision is dropped.
    PurgeTombstoneTooEarly,
    /// The store is cut before it is durable that no page is needed there.
    ShrinkTooEarly,
    /// The root of a checkpoint stays when the log is written.
    KeepRoot,
    /// Slots that were gained are used before it is durable that they are blank.
    SkipGrowthSync,
    /// The page store says that pages are gained as zeros, and they are what lay there.
    GainNoZeros,
    /// A commit is acknowledged though a full disk has no room to recover it in.
    ForgetRoomToRecover,
    /// A recovery that was cut off leaves its pages for good to those that come after it.
    KeepUnbegunEpoch,
    /// A later checkpoint goes on with a body whose pages were moved since, and is believed.
    KeepBodyOfMovedPages,
    /// An import is a store before it is durable.
    FinishImportTooEarly,
    /// The pages do not say that an import into them is under way.
    BeginImportInSilence,

    // Watching: queues and victims.
    /// A batch that finds the queue full is dropped.
    FullQueueDropsBatch,
    /// A victim that goes on reads the last revision that it held once more.
    VictimReadsAgain,
    /// What a victim held is put before what is queued.
    VictimOvertakesQueue,
    /// A revision too large for a poll comes in parts, though nobody asked for that.
    RevisionIsSplit,
    /// Fragments are not marked.
    FragmentIsNotMarked,
    /// The answer holds everything that is queued, whatever the poll's limits.
    PollIsUnbounded,
    // Watching: progress.
    /// Progress is told while watchers are behind (etcd#15220).
    ProgressIsEarly,
    /// Progress is put before what is queued.
    ProgressOvertakesQueue,
    /// Progress that was promised is not told.
    ProgressIsForgotten,
    // Watching: compaction.
    /// A watcher that lost history goes on where it begins now, in silence (etcd#17529).
    CompactionIsSilent,
    /// The notice of a compaction is lost if the queue is full.
    CompactionNoticeIsDropped,
    /// The notice of a compaction comes twice.
    CompactionIsToldTwice,
    /// A watcher that lost history is told so and stays in its group (etcd#22294).
    CompactedWatcherStays,
    /// A watcher that has yet to read the compact revision itself is taken for one that lost history.
    CompactionReachesTooFar,
    /// The delete at exactly the compact revision is left out (etcd#18089).
    TombstoneIsDropped,
    // Watching: what was asked for.
    /// What a key was before is taken from after the change.
    PrevKvIsOfAfter,
    /// Filters are ignored.
    FilterIsIgnored,
    /// A start in the future is ignored.
    FutureStartIsIgnored,
    /// Of several ranges only the first is watched.
    OneRangeIsWatched,
    /// Values come, though only keys were asked for.
    ValuesAreShown,
    /// Who conflates is not told of deletes.
    ConflationDropsDeletes,
    /// A canceled watcher goes on being told.
    CanceledWatcherStays,
    // Watching: resuming and catching up.
    /// Who goes on in the past begins one revision late.
    ResumesLate,
    /// Who goes on in the past begins one revision early.
    ResumesEarly,
    /// Between two parts of history a revision is left out.
    CatchUpSkips,
    /// Who has read one part of history counts as synced.
    SyncedTooEarly,
    /// A part of history that a compaction has overtaken while it was read is handed out all the same.
    OvertakenPartIsTaken,
    /// What a watcher wants of a part of history is given to another one that has its number by the
    /// time when the part was read.
    FormerHolderIsServed,
    /// Who comes with an old start is never reached again by the sweep through history (etcd#16839).
    SweepNeverReturns,
    // Watching: crashes.
    /// Who goes on from what a crash took is not told.
    RewindIsSilent,
    /// A reader's watchers are not told that a crash took what they saw.
    ReaderRewindIsSilent,
    // Watching: early delivery.
    /// Those who were told early of what went out of sight with a failed sync are not told so.
    EarlyRewindIsSilent,
    /// Who asked for early delivery is told when the others are.
    EarlyIsLate,
    // Following.
    /// Between the state and the changes after it one revision is missing.
    FollowSkips,
}

#[cfg(feature = "seeded-bugs")]
mod chosen {
    use core::cell::Cell;

    use super::SeededBug;

    std::thread_local! {
        static CHOSEN: Cell<Option<SeededBug>> = const { Cell::new(None) };
    }

    impl SeededBug {
        /// Breaks what this thread does from now on in this way and no other, or mends it.
        pub fn choose(bug: Option<Self>) {
            CHOSEN.set(bug);
        }

        pub(crate) fn is_chosen(self) -> bool {
            CHOSEN.get() == Some(self)
        }
    }
}

/// Whether a bug was chosen: nothing but `false` without the feature.
macro_rules! is_seeded {
    ($bug:ident) => {{
        #[cfg(feature = "seeded-bugs")]
        let is_seeded = crate::seeded_bug::SeededBug::$bug.is_chosen();
        #[cfg(not(feature = "seeded-bugs"))]
        let is_seeded = false;
        is_seeded
    }};
}

pub(crate) use is_seeded;
