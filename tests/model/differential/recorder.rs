//! Drawing a history and writing down what has to be answered.

use std::collections::VecDeque;

use revwatch::{ErrorCode, Event, EventKind, KeyRange, KeyValue, Limits, Retention};
use revwatch_model::{Command, Generator, Watch, watched};
use serde_json::{Value, json};

use crate::action::Action;
use crate::notation::object;
use crate::pair::{Pair, SEED, Setup};
use crate::responses::{event, kv};
use crate::scribe::{as_written, asked, range_as_written, step, watch, with_range};
use crate::tally::Tally;

/// What is counted besides the operations themselves.
pub(crate) const RECORDED: &[&str] = &[
    "check",
    "compacted by itself",
    "follow",
    "follow resumed",
    "follow: reset",
    "reopen after close",
    "status",
    "watch of what was compacted",
];

/// How a history's store is opened: here, and as an object in the vector.
pub(crate) fn setup(seed: u64) -> (Setup, Value) {
    let revisions = if seed.is_multiple_of(2) { 0 } else { 60 };
    let setup = Setup {
        page_size: Some(4096),
        retention: Retention { revisions, ms: 0 },
        limits,
    };
    let Limits {
        request_bytes,
        txn_ops,
        catch_up_revisions,
        ..
    } = limits();
    let options = object([
        ("seed", json!(SEED)),
        ("request_bytes", json!(request_bytes)),
        ("txn_ops", json!(txn_ops)),
        ("catch_up_revisions", json!(catch_up_revisions)),
        ("retain_revisions", json!(revisions)),
    ]);
    (setup, options)
}

/// Small enough to be met. Leases expire all in one step, and streams have room for all that happens
/// between two drains: then a step more does nothing more, and who drains is never overtaken, so that
/// it does not matter how often a binding steps while it drains.
fn limits() -> Limits {
    Limits {
        request_bytes: 16 * 1024,
        txn_ops: 8,
        catch_up_revisions: 10,
        ..Limits::default()
    }
}

/// Changes after which those who watch all the time are drained.
const DRAIN_AFTER: usize = 60;

pub(crate) struct Recorder {
    generator: Generator,
    pair: Pair,
    steps: Vec<Value>,
    /// How many of the model's changes were taken for the live watcher and the live follower, and what
    /// they were not told yet of these. Taken at once, since a compaction takes `prev_kv` away.
    taken: usize,
    waiting: Vec<Event>,
    /// What comes before the next events.
    begin: [Vec<Value>; 2],
    watches: i64,
    /// A walk: its revision, and what is still to come.
    walk: Option<(i64, VecDeque<KeyValue>)>,
}

impl Recorder {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            generator: Generator::new(seed),
            pair: Pair::new(setup(seed).0),
            steps: Vec::new(),
            taken: 0,
            waiting: Vec::new(),
            begin: [Vec::new(), Vec::new()],
            watches: 0,
            walk: None,
        }
    }

    /// The steps of a history.
    pub(crate) fn record(
        mut self,
        operations: u64,
        tally: &mut Tally,
    ) -> Result<Vec<Value>, String> {
        self.pair.step()?;
        self.go_live();
        for _ in 0..operations {
            self.operation(tally)?;
            if self.waiting.len() > DRAIN_AFTER {
                self.drain_live(tally)?;
            }
        }
        self.drain_live(tally)?;
        self.status(tally);
        self.ask(&Command::HashKv { revision: 0 }, tally)?;
        Ok(self.steps)
    }

    fn operation(&mut self, tally: &mut Tally) -> Result<(), String> {
        match self.generator.random().below(200) {
            0..3 => self.history(tally)?,
            3..7 => self.watch(tally)?,
            7..10 => self.drain_live(tally)?,
            10..12 => self.resume(tally)?,
            12..18 => self.walk(tally)?,
            18..20 => self.status(tally),
            20 => self.reopen(tally)?,
            21..23 => drop(self.pair.act(&Action::Check, Some(tally))?),
            _ => {
                let command = as_written(self.generator.command(&self.pair.model));
                self.ask(&command, tally)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, op: &str, args: Value, answer: Result<Value, ErrorCode>) {
        self.steps.push(step(op, args, answer));
    }

    fn ask(&mut self, command: &Command, tally: &mut Tally) -> Result<(), String> {
        let answer = self.pair.act(&Action::Ask(command.clone()), Some(tally))?;
        self.steps
            .extend(answer.map(|answer| asked(command, &answer)));
        self.take();
        Ok(())
    }

    /// Lets all that is due happen now, so that more steps at this time do nothing.
    fn settle(&mut self, tally: &mut Tally) -> Result<(), String> {
        let now_ms = self.pair.model.now_ms();
        self.ask(&Command::Step { now_ms }, tally)
    }

    fn status(&mut self, tally: &mut Tally) {
        tally.count("status");
        let model = &self.pair.model;
        let status = json!({
            "revision": model.revision(),
            "compact_revision": model.compact_revision(),
            "keys": model.keys(),
            "leases": model.leases().len(),
        });
        self.say("status", json!({}), Ok(status));
    }

    /// Opens a watcher and a follower of everything, which stay.
    fn go_live(&mut self) {
        let model = &self.pair.model;
        let everything = |name: &str| with_range(&KeyRange::All, json!({ name: "live" }));
        let mut watch = everything("stream");
        watch["prev_kv"] = true.into();
        let state = model.state_at(&KeyRange::All, model.revision());
        let state: Vec<Value> = state.into_iter().map(kv).collect();
        let synced = json!({ "synced": { "revision": model.revision() } });
        let created = json!({ "created": { "revision": model.revision() } });
        let told = if state.is_empty() {
            vec![synced]
        } else {
            vec![json!({ "state": { "kvs": state } }), synced]
        };
        self.taken = model.changes().len();
        self.say("watch", watch, Ok(json!({})));
        self.say("follow", everything("name"), Ok(Value::Null));
        self.begin = [vec![created], told];
        self.drain();
    }

    fn drain_live(&mut self, tally: &mut Tally) -> Result<(), String> {
        self.settle(tally)?;
        if !self.waiting.is_empty() {
            tally.count("live: events");
        }
        self.pair.act(
            &Action::PollLive {
                polls: 9,
                max_events: 20,
            },
            None,
        )?;
        self.drain();
        Ok(())
    }

    /// Takes what has happened for the live ones.
    fn take(&mut self) {
        let model = &self.pair.model;
        let news = model.changes()[self.taken..].iter();
        self.waiting.extend(news.map(|change| model.event(change)));
        self.taken = model.changes().len();
    }

    /// What the live ones were not told yet.
    fn drain(&mut self) {
        let events = std::mem::take(&mut self.waiting);
        let max_events = 1 + self.generator.random().below(50);
        let [watcher, follower] = std::mem::take(&mut self.begin);
        let watcher = drained(watcher, &events, 0, true);
        let follower = drained(follower, &events, 0, false);
        let args = json!({ "stream": "live", "max_events": max_events });
        self.say("drain", args, Ok(watcher));
        let args = json!({ "name": "live", "max_events": max_events });
        self.say("drain_follow", args, Ok(follower));
    }

    fn history(&mut self, tally: &mut Tally) -> Result<(), String> {
        let range = range_as_written(&self.generator.key_range());
        let model = &self.pair.model;
        let start = self
            .generator
            .start_revision(model, model.compact_revision() - 1);
        let max_events = self.generator.random().below(20);
        let at_most = if max_events == 0 {
            usize::MAX
        } else {
            max_events
        };
        let action = Action::History {
            range: range.clone(),
            start_revision: start,
            max_events: at_most,
        };
        self.pair.act(&action, Some(tally))?;
        // Where a page ends is the store's choice, checked just now.
        let page = self.pair.store.history(&range, start, at_most);
        let page = page.map(|page| {
            object([
                ("events", page.events.iter().map(event).collect()),
                ("next_revision", json!(page.next_revision)),
            ])
        });
        let options = object([
            ("start_revision", json!(start)),
            ("max_events", json!(max_events)),
        ]);
        let args = with_range(&range, options);
        self.say("history", args, page.map_err(|error| error.code()));
        Ok(())
    }

    /// Watches for a moment: what there is from its start on, or that this is gone.
    fn watch(&mut self, tally: &mut Tally) -> Result<(), String> {
        self.settle(tally)?;
        let model = &self.pair.model;
        let mut request = self.generator.watch(model);
        request.range = range_as_written(&request.range);
        let gone = model.compact_revision() > 2 && self.generator.random().chance(15);
        if gone {
            let random = self.generator.random();
            request.start_revision = random.between(1, model.compact_revision() - 1);
        }
        let empty =
            matches!(watched(&request.range), KeyRange::Span { start, end } if end <= start);
        self.pair
            .act(&Action::Watch(request.clone()), Some(tally))?;
        self.watches += 1;
        let watch_id = self.watches;
        let args = watch(&request, watch_id);
        if empty {
            self.say("watch", args, Err(ErrorCode::EmptyWatchRange));
            return Ok(());
        }
        self.say("watch", args, Ok(json!({ "watch_id": watch_id })));
        let created =
            json!({ "created": { "watch_id": watch_id, "revision": self.pair.model.revision() } });
        let max_events = 1 + self.generator.random().below(30);
        let args = json!({ "stream": "one", "max_events": max_events });
        if gone {
            tally.count("watch of what was compacted");
            let compact_revision = self.pair.model.compact_revision();
            let compacted = json!({ "compacted": { "watch_id": watch_id, "compact_revision": compact_revision } });
            self.say(
                "drain",
                args,
                Ok(json!({ "responses": [created, compacted] })),
            );
            return Ok(());
        }
        let events = self.expected(&request);
        let told = drained(vec![created], &events, watch_id, request.prev_kv);
        self.say("drain", args.clone(), Ok(told));
        let cancel = json!({ "stream": "one", "watch_id": watch_id });
        self.say("cancel_watch", cancel, Ok(Value::Null));
        let canceled = json!({ "canceled": { "watch_id": watch_id } });
        self.say("drain", args, Ok(json!({ "responses": [canceled] })));
        Ok(())
    }

    fn expected(&self, request: &Watch) -> Vec<Event> {
        let range = watched(&request.range);
        let mut events = self.pair.model.events(&range, request.start_revision);
        events.retain(|event| match event.kind {
            EventKind::Put => !request.no_put,
            EventKind::Delete => !request.no_delete,
        });
        events
    }

    /// A follower that goes on after some revision, or that begins anew because that is gone.
    fn resume(&mut self, tally: &mut Tally) -> Result<(), String> {
        self.settle(tally)?;
        let model = &self.pair.model;
        let range = range_as_written(&self.generator.key_range());
        let after = self.generator.random().between(1, model.revision());
        let args = with_range(&range, json!({ "name": "one", "resume_revision": after }));
        if model.range_stream(&range, 0).is_err() {
            self.say("follow", args, Err(ErrorCode::EmptyKey));
            return Ok(());
        }
        if matches!(&range, KeyRange::Span { start, end } if end <= start) {
            self.say("follow", args, Err(ErrorCode::EmptyWatchRange));
            return Ok(());
        }
        tally.count("follow resumed");
        let told = if after + 1 < model.compact_revision() {
            tally.count("follow: reset");
            let state = model.state_at(&range, model.revision());
            let state: Vec<Value> = state.into_iter().map(kv).collect();
            let mut told = vec![json!({ "reset": { "revision": model.revision() } })];
            if !state.is_empty() {
                told.push(json!({ "state": { "kvs": state } }));
            }
            told.push(json!({ "synced": { "revision": model.revision() } }));
            json!({ "responses": told })
        } else {
            tally.count("follow");
            drained(Vec::new(), &model.events(&range, after + 1), 0, false)
        };
        self.say("follow", args, Ok(Value::Null));
        let max_events = 1 + self.generator.random().below(30);
        let args = json!({ "name": "one", "max_events": max_events });
        self.say("drain_follow", args, Ok(told));
        Ok(())
    }

    /// Begins a walk over a range, or goes on with the one under way.
    fn walk(&mut self, tally: &mut Tally) -> Result<(), String> {
        let model = &self.pair.model;
        let Some((revision, left)) = &mut self.walk else {
            let range = range_as_written(&self.generator.key_range());
            let asked = self.generator.revision(model);
            let found = model.range_stream(&range, asked);
            let args = with_range(&range, object([("revision", json!(asked))]));
            let answer = found
                .as_ref()
                .map(|(revision, _)| json!({ "revision": revision }));
            let answer = answer.map_err(|&code| code);
            self.walk = found.ok().map(|(revision, kvs)| (revision, kvs.into()));
            self.say("range_stream", args, answer);
            let action = Action::Walk {
                range,
                revision: asked,
                max_keys: 0,
            };
            return self.pair.act(&action, None).map(drop);
        };
        let max_keys = 1 + self.generator.random().below(4);
        let overtaken = *revision < model.compact_revision();
        let part: Vec<KeyValue> = left.drain(..max_keys.min(left.len())).collect();
        tally.count(match (overtaken, part.is_empty()) {
            (true, _) => "range_stream overtaken by compaction",
            (false, true) => "range_stream at its end",
            (false, false) => "range_stream",
        });
        if overtaken || part.is_empty() {
            self.walk = None;
        }
        let answer = if overtaken {
            Err(ErrorCode::Compacted)
        } else {
            Ok(object([("kvs", part.iter().map(kv).collect())]))
        };
        self.say("next_kvs", json!({ "max_keys": max_keys }), answer);
        let action = Action::Walk {
            range: KeyRange::All,
            revision: 0,
            max_keys,
        };
        self.pair.act(&action, None).map(drop)
    }

    fn reopen(&mut self, tally: &mut Tally) -> Result<(), String> {
        self.drain_live(tally)?;
        self.pair
            .act(&Action::Reopen { clean: true }, Some(tally))?;
        self.walk = None;
        self.say("reopen", json!({}), Ok(Value::Null));
        self.go_live();
        Ok(())
    }
}

/// What a drain answers: what comes first, then all events together.
fn drained(first: Vec<Value>, events: &[Event], watch_id: i64, prev_kv: bool) -> Value {
    let mut responses = first;
    let events: Vec<Value> = events
        .iter()
        .map(|one| {
            let prev_kv = one.prev_kv.clone().filter(|_| prev_kv);
            event(&Event {
                prev_kv,
                ..one.clone()
            })
        })
        .collect();
    if !events.is_empty() {
        let watch_id = ("watch_id", json!(watch_id));
        responses.push(json!({ "events": object([watch_id, ("events", events.into())]) }));
    }
    object([("responses", responses.into())])
}
