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
    /// Slots that were gained are used before it is durable that they are blank.
    SkipGrowthSync,
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
    /// A later checkpoint goes on with a body whose pages were moved since, and is believed.
    KeepBodyOfMovedPages,
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
