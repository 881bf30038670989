//! What can be wrong with a history.

use std::fmt;

use crate::record::WatcherNo;

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// Events come in order of revision.
    Ordered,
    /// No event comes twice.
    Unique,
    /// Between two events that were told there is none that was not.
    Reliable,
    /// A revision comes in one response, unless fragments were asked for and are marked.
    Atomic,
    /// A watcher that says where it goes on is told everything from there, and nothing before.
    Resumable,
    /// After progress at a revision nothing up to it comes.
    Bookmarked,
    /// Progress is not told before everything up to it.
    ProgressIsTrue,
    /// Who is promised to be told how far a stream is, is told.
    ProgressTold,
    /// What comes is what was asked for: ranges, filters, values or none.
    Filtered,
    /// An event is what was written.
    True,
    /// What a key was before the transaction, for who asked for it.
    PrevKvRight,
    /// Who lost history to compaction is told so.
    CompactionTold,
    /// Who lost nothing to compaction is not told that it did.
    CompactionMeant,
    /// Who has seen what a crash has taken is told so.
    RewindTold,
    /// Who has seen nothing of what a crash has taken is not told that it did.
    RewindMeant,
    /// Nothing comes after the last word about a watcher.
    LastWordOnce,
    /// A canceled watcher is told that it is, and nothing that was written later.
    Canceled,
    /// A watcher is told first that it was created, once, at the right revision.
    Created,
    /// What was shown as durable outlives a crash.
    Durable,
    /// No response holds more than was asked for, if that can be helped.
    Bounded,
    /// A response says a revision of the store that is not older than its events.
    HeaderRight,
    /// Who polls gets to the end of what there is.
    NotStarved,
    /// State and changes together are the range, at every moment.
    Followed,
}

/// Which promise was broken, by what, and where in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub promise: Promise,
    pub entry: usize,
    /// `None` if it was broken to a follower, or to nobody in particular.
    pub watcher: Option<WatcherNo>,
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            promise,
            entry,
            watcher,
            how,
        } = self;
        write!(f, "{promise:?} is broken at entry {entry}")?;
        if let Some(watcher) = watcher {
            write!(f, " to watcher {watcher}")?;
        }
        write!(f, ": {how}")
    }
}

/// A promise and how it was broken, before it is known where.
pub type Verdict = Result<(), (Promise, String)>;

/// Finds a promise broken, unless it was kept.
pub fn demand(kept: bool, promise: Promise, how: impl FnOnce() -> String) -> Verdict {
    if kept { Ok(()) } else { Err((promise, how())) }
}
