//! What a history is made of.

use revwatch::KeyRange;
use revwatch_model::{Command, Generator, Model, Watch};

use crate::pair::Setup;

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
    /// Close, unless it is to be like a crash, and open again.
    Reopen { clean: bool },
}

impl Action {
    pub(crate) fn next(generator: &mut Generator, model: &Model, setup: Setup) -> Self {
        let random = generator.random();
        match random.below(204) {
            0..2 => Self::History {
                max_events: 1 + random.below(20),
                start_revision: generator.start_revision(model, model.compact_revision() - 1),
                range: generator.key_range(),
            },
            2..4 => Self::Watch(generator.watch(model)),
            200..204 => Self::Walk {
                range: generator.key_range(),
                revision: generator.revision(model),
                max_keys: generator.random().below(5),
            },
            4..12 => Self::PollLive {
                polls: random.below(12),
                max_events: 1 + random.below(8),
            },
            12 if setup.page_size.is_some() => Self::Reopen {
                clean: random.chance(50),
            },
            _ => Self::Ask(generator.command(model)),
        }
    }
}
