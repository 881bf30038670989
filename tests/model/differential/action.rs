//! What a history is made of.

use revwatch::KeyRange;
use revwatch_model::{Command, Watch};

/// One step of a history.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Ask both, compare the answers.
    Ask(Command),
    /// Read the past page by page, compare it with the model's.
    History {
        range: KeyRange,
        start_revision: i64,
        max_events: usize,
    },
    /// Watch from there to the end, compare the events with the model's.
    Watch(Watch),
    /// Read the next keys of a walk over a range, or begin one if none is under way.
    Walk {
        range: KeyRange,
        revision: i64,
        max_keys: usize,
    },
    /// Read some of what the watcher of all keys has waiting.
    PollLive { polls: usize, max_events: usize },
    /// Verify everything that the store has.
    Check,
    /// Close, unless it is to be like a crash, and open again.
    Reopen { clean: bool },
}
