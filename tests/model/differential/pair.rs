//! A model and a store that are asked the same.

use revwatch::page::MemoryPages;
use revwatch::{Durability, ErrorCode, KeyRange, Limits, Options, Retention, Store};
use revwatch_model::{Answer, Command, Model, Outcome};

use crate::action::Action;
use crate::ask::apply;
use crate::live::Live;
use crate::retention::Window;
use crate::tally::Tally;
use crate::walk::Walk;

/// What kind of store it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// The size of its pages, or none for a store that cannot be reopened.
    pub(crate) page_size: Option<usize>,
    pub(crate) retention: Retention,
    pub(crate) limits: fn() -> Limits,
}

/// Bytes that a poll may answer with, and that a step may work through.
pub(crate) const BUDGET_BYTES: usize = 1 << 20;

/// What leases get their ids from.
pub(crate) const SEED: u64 = 1;

pub(crate) struct Pair {
    pub(crate) model: Model,
    pub(crate) store: Store<MemoryPages>,
    pages: Option<MemoryPages>,
    live: Live,
    walk: Option<Walk>,
    setup: Setup,
    window: Window,
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

fn options(setup: Setup) -> Options {
    Options {
        durability: Durability::Commit,
        limits: (setup.limits)(),
        retention: setup.retention,
        seed: SEED,
        ..Options::default()
    }
}

impl Pair {
    pub(crate) fn new(setup: Setup) -> Self {
        let pages = setup.page_size.map(MemoryPages::new);
        let mut store = match &pages {
            Some(pages) => {
                Store::open(pages.clone(), options(setup)).expect("empty pages can be opened")
            }
            None => Store::in_memory(options(setup)),
        };
        let live = Live::open(&mut store, 0);
        let mut model = Model::new((setup.limits)());
        model.durable = pages.is_some();
        Self {
            model,
            store,
            pages,
            live,
            walk: None,
            setup,
            window: Window::default(),
            opened_at: 1,
        }
    }

    /// Does what `action` says; what both answered if it asks.
    pub(crate) fn act(
        &mut self,
        action: &Action,
        tally: Option<&mut Tally>,
    ) -> Result<Option<Outcome<Answer>>, String> {
        let mut answer = None;
        match action {
            Action::Ask(command) => {
                answer = Some(self.ask(command, tally)?);
            }
            Action::Walk {
                range,
                revision,
                max_keys,
            } => self.walk(range, *revision, *max_keys, tally)?,
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
            Action::Check => {
                if let Some(tally) = tally {
                    tally.count("check");
                }
                self.check()?;
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
        self.status()?;
        Ok(answer)
    }

    /// Asks both; what both answered.
    fn ask(
        &mut self,
        command: &Command,
        mut tally: Option<&mut Tally>,
    ) -> Result<Outcome<Answer>, String> {
        let (asked, store) = self.ask_store(command);
        let revision = self.model.revision();
        let comparisons = match (&tally, command) {
            (Some(_), Command::Txn(request)) => self.model.comparisons(request),
            _ => Vec::new(),
        };
        let model = self.model.apply(&asked);
        if let Some(tally) = &mut tally {
            tally.command(command, &model, self.model.revision() > revision);
            if model.is_ok() {
                tally.comparisons(&comparisons);
            }
        }
        if let Command::Step { .. } = command {
            self.retain(tally)?;
        }
        same("the answer", &store, &model)?;
        Ok(model)
    }

    /// A store may compact by itself in a step. When exactly is its choice within bounds, so the
    /// model follows it.
    fn retain(&mut self, tally: Option<&mut Tally>) -> Verdict {
        let compacted = self.store.status().compact_revision;
        let (now_ms, revision) = (self.model.now_ms(), self.model.revision());
        let bounds = self.window.step(self.setup.retention, now_ms, revision);
        if compacted > self.model.compact_revision() {
            if bounds.is_none_or(|(_, greatest)| compacted > greatest) {
                return Err(format!(
                    "compacted {compacted} by itself, within {bounds:?}"
                ));
            }
            self.model.compact(compacted).map_err(ErrorCode::name)?;
            if let Some(tally) = tally {
                tally.count("compacted by itself");
            }
        }
        match bounds {
            Some((least, _)) if compacted < least && least > 1 => Err(format!(
                "kept history from {compacted}, more than retention asks for: {bounds:?}"
            )),
            _ => Ok(()),
        }
    }

    /// Begins a walk, or goes on with the one under way.
    fn walk(
        &mut self,
        range: &KeyRange,
        revision: i64,
        max_keys: usize,
        tally: Option<&mut Tally>,
    ) -> Verdict {
        let Self { store, model, .. } = self;
        match &mut self.walk {
            None => self.walk = Walk::begin(store, model, range, revision)?,
            Some(walk) => {
                if walk.next(store, model, max_keys, tally)? {
                    self.walk = None;
                }
            }
        }
        Ok(())
    }

    /// Asks the store. Where the store chooses an id, the model is asked for the same one.
    fn ask_store(&mut self, command: &Command) -> (Command, Outcome<Answer>) {
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
    pub(crate) fn step(&mut self) -> Verdict {
        let now_ms = self.model.now_ms();
        self.ask(&Command::Step { now_ms }, None).map(drop)
    }

    fn reopen(&mut self, clean: bool) -> Verdict {
        let Some(pages) = &self.pages else {
            return Ok(());
        };
        let epoch = self.store.status().epoch;
        if clean {
            self.store.close().map_err(|error| error.to_string())?;
        }
        self.store = Store::in_memory(options(self.setup));
        self.store = Store::open(pages.clone(), options(self.setup))
            .map_err(|error| format!("the store does not open again: {error}"))?;
        self.live = Live::open(&mut self.store, self.model.changes().len());
        self.model.reopen();
        (self.walk, self.window) = (None, Window::default());
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
        self.step()?;
        self.check()
    }

    /// What answers as the model does is a store in which nothing is wrong.
    fn check(&self) -> Verdict {
        let verdict = self.store.check();
        verdict.map_err(|error| format!("check\n  {error}"))
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
