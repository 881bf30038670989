//! A model and a store that are asked the same.

use revwatch::page::MemoryPages;
use revwatch::{Durability, Limits, Options, Store};
use revwatch_model::{Answer, Command, Model, Outcome};

use crate::action::Action;
use crate::ask::apply;
use crate::live::Live;
use crate::tally::Tally;

/// What kind of store it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// The size of its pages, or none for a store that cannot be reopened.
    pub(crate) page_size: Option<usize>,
}

/// Bytes that a poll may answer with, and that a step may work through.
pub(crate) const BUDGET_BYTES: usize = 1 << 20;

pub(crate) struct Pair {
    pub(crate) model: Model,
    pub(crate) store: Store<MemoryPages>,
    pages: Option<MemoryPages>,
    live: Live,
    /// The revision when the store was opened.
    opened_at: i64,
}

/// A difference, in words.
pub(crate) type Verdict = Result<(), String>;

pub(crate) fn same<T: PartialEq + std::fmt::Debug>(what: &str, store: &T, model: &T) -> Verdict {
    if store == model {
        return Ok(());
    }
    Err(format!(
        "{what} differs\n  store: {store:?}\n  model: {model:?}"
    ))
}

/// Small enough that random histories run into all of them.
fn limits() -> Limits {
    Limits {
        request_bytes: 64 * 1024,
        txn_ops: 8,
        lease_expiries_per_step: 2,
        stream_queue_responses: 4,
        catch_up_revisions: 10,
        ..Limits::default()
    }
}

fn options() -> Options {
    Options {
        durability: Durability::Commit,
        limits: limits(),
        ..Options::default()
    }
}

impl Pair {
    pub(crate) fn new(setup: Setup) -> Self {
        let pages = setup.page_size.map(MemoryPages::new);
        let mut store = match &pages {
            Some(pages) => {
                Store::open(pages.clone(), options()).expect("empty pages can be opened")
            }
            None => Store::in_memory(options()),
        };
        let live = Live::open(&mut store, 0);
        let mut model = Model::new(limits());
        model.durable = pages.is_some();
        Self {
            model,
            store,
            pages,
            live,
            opened_at: 1,
        }
    }

    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    pub(crate) fn act(&mut self, action: &Action, tally: Option<&mut Tally>) -> Verdict {
        match action {
            Action::Ask(command) => {
                let (asked, store) = self.ask(command);
                let revision = self.model.revision();
                let model = self.model.apply(&asked);
                if let Some(tally) = tally {
                    tally.command(command, &model, self.model.revision() > revision);
                }
                same("the answer", &store, &model)?;
            }
            Action::History {
                range,
                start_revision,
                max_events,
            } => {
                self.history(range, *start_revision, *max_events, tally)?;
            }
            Action::Watch(watch) => self.watch(watch, tally)?,
            Action::PollLive { polls, max_events } => {
                let Self {
                    store, model, live, ..
                } = self;
                live.poll(store, model, *polls, *max_events, tally)?;
            }
            Action::Reopen { clean } => {
                if let Some(tally) = tally {
                    tally.count(if *clean {
                        "reopen after close"
                    } else {
                        "reopen after a crash"
                    });
                }
                self.reopen(*clean)?;
            }
        }
        self.status()
    }

    /// Asks the store. Where the store chooses an id, the model is asked for the same one.
    fn ask(&mut self, command: &Command) -> (Command, Outcome<Answer>) {
        let mut asked = command.clone();
        let answer = apply(&mut self.store, command);
        if let (Command::LeaseGrant { id, .. }, Ok(Answer::LeaseGrant(granted))) =
            (&mut asked, &answer)
            && *id == 0
        {
            assert!(
                granted.id > 0,
                "a chosen id is positive, not {}",
                granted.id
            );
            *id = granted.id;
        } else if let Command::LeaseGrant { id: id @ 0, .. } = &mut asked {
            // Refused for its time, which the model sees first as well.
            *id = 1;
        }
        (asked, answer)
    }

    fn status(&self) -> Verdict {
        let status = self.store.status();
        same(
            "status().revision",
            &status.revision,
            &self.model.revision(),
        )?;
        same(
            "status().compact_revision",
            &status.compact_revision,
            &self.model.compact_revision(),
        )?;
        same("status().keys", &status.keys, &(self.model.keys() as u64))?;
        same(
            "status().leases",
            &status.leases,
            &(self.model.leases().len() as u64),
        )?;
        same("revision()", &self.store.revision(), &self.model.revision())
    }

    /// Lets both do what is due, with the clock where it is.
    pub(crate) fn step(&mut self) {
        let command = Command::Step {
            now_ms: self.model.now_ms(),
        };
        apply(&mut self.store, &command).expect("a step with nothing wrong");
        self.model
            .apply(&command)
            .expect("the model's steps do not fail");
    }

    fn reopen(&mut self, clean: bool) -> Verdict {
        let Some(pages) = &self.pages else {
            return Ok(());
        };
        let epoch = self.store.status().epoch;
        if clean {
            self.store.close().map_err(|error| error.to_string())?;
        }
        self.store = Store::in_memory(options());
        self.store = Store::open(pages.clone(), options())
            .map_err(|error| format!("the store does not open again: {error}"))?;
        self.live = Live::open(&mut self.store, self.model.changes().len());
        self.model.reopen();
        // Where nothing was written, nothing can have been lost, and no new epoch is needed.
        let written = self.model.revision() > self.opened_at;
        let grown = self.store.status().epoch - epoch;
        let is_right = if clean {
            grown == 0
        } else {
            grown == 1 || (grown == 0 && !written)
        };
        same("the epoch after reopening is right", &is_right, &true)?;
        self.opened_at = self.model.revision();
        same("the leases", &self.store.leases(), &self.model.leases())?;
        for id in self.model.leases() {
            self.remaining_after_reopen(id, clean)?;
        }
        self.step();
        self.store
            .check()
            .map_err(|error| format!("check: {error}"))
    }

    /// What is left of a lease is known exactly after a close. After a crash it may be more, since
    /// the passing of time is not written.
    fn remaining_after_reopen(&mut self, id: i64, clean: bool) -> Verdict {
        let store = self.store.lease_time_to_live(id, true);
        let mut model = self.model.lease_time_to_live(id, true);
        if !clean && store.ttl_ms >= model.ttl_ms && store.ttl_ms <= model.granted_ttl_ms {
            self.model.set_remaining(id, store.ttl_ms);
            model.ttl_ms = store.ttl_ms;
        }
        same("the lease after reopening", &store, &model)
    }
}
