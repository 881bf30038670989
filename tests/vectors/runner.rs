//! Doing the steps of a file, one after the other, on one store.

use std::collections::BTreeMap;

use revwatch::page::MemoryPages;
use revwatch::{
    Durability, FollowId, FollowResponse, Options, RangeStream, Result, ResumeToken, Store,
    StreamId, WatchResponse,
};
use serde_json::{Value, json};

use crate::notation::object;
use crate::values::{Fields, expected};
use crate::{requests, responses, told};

const BUDGET_BYTES: usize = 1 << 20;
/// How often a poll that is idle is tried again after a step.
const RETRIES: usize = 4;

pub(crate) struct Runner {
    store: Store<MemoryPages>,
    pages: MemoryPages,
    now_ms: i64,
    streams: BTreeMap<String, StreamId>,
    follows: BTreeMap<String, FollowId>,
    range_streams: BTreeMap<String, RangeStream>,
}

fn options() -> Options {
    Options {
        durability: Durability::Commit,
        ..Options::default()
    }
}

fn open(pages: &MemoryPages, now_ms: i64) -> Store<MemoryPages> {
    let mut store = Store::open(pages.clone(), options()).expect("the pages can be opened");
    store
        .step(now_ms, BUDGET_BYTES)
        .expect("nothing is wrong with the pages");
    store
}

impl Runner {
    pub(crate) fn new() -> Self {
        let pages = MemoryPages::new(4096);
        let store = open(&pages, 0);
        Self {
            store,
            pages,
            now_ms: 0,
            streams: BTreeMap::new(),
            follows: BTreeMap::new(),
            range_streams: BTreeMap::new(),
        }
    }

    pub(crate) fn step(&mut self, mut step: Fields) -> std::result::Result<(), String> {
        let op = step.text("op");
        let mut args = Fields::new(step.take("args").unwrap_or_default());
        let expect = step.take("expect");
        let error = step.text("error");
        let note = step.text("note");
        step.finish();
        let about = |what: String| {
            if note.is_empty() {
                what
            } else {
                format!("{what} ({note})")
            }
        };

        let answer = self.act(&op, &mut args);
        args.finish();
        match answer {
            Err(refused) if refused.code().name() == error => Ok(()),
            Err(refused) => Err(about(format!("failed with {refused:?}"))),
            Ok(answer) if !error.is_empty() => Err(about(format!(
                "should fail with {error}, but was answered {answer}"
            ))),
            Ok(_) if expect.is_none() => Ok(()),
            Ok(answer) if op == "status" => status_is(&answer, expect).map_err(about),
            Ok(answer) => {
                let expect = expect.map(expected);
                if Some(&answer) == expect.as_ref() {
                    return Ok(());
                }
                let expect = expect.unwrap_or_default();
                Err(about(format!("\n  answered {answer}\n  expected {expect}")))
            }
        }
    }

    fn act(&mut self, op: &str, args: &mut Fields) -> Result<Value> {
        let store = &mut self.store;
        Ok(match op {
            "put" => responses::put(&store.put_with(&requests::put(args))?),
            "range" => responses::range(&store.range(&requests::range(args))?),
            "delete_range" => {
                responses::delete_range(&store.delete_range(&requests::delete_range(args))?)
            }
            "txn" => responses::txn(&store.txn(&requests::txn(args))?),
            "range_stream" => {
                let name = args.text("name");
                let range = requests::key_range(args);
                let stream = store.range_stream(range, args.number("revision"))?;
                let revision = stream.revision();
                self.range_streams.insert(name, stream);
                responses::revision(revision)
            }
            "next_kvs" => {
                let stream = self.range_streams.get_mut(&args.text("name"));
                let stream = stream.expect("`range_stream` comes before `next_kvs`");
                let kvs = store.next_kvs(stream, max_events(args, "max_keys"), BUDGET_BYTES)?;
                object([("kvs", kvs.iter().map(responses::kv).collect())])
            }
            "compact" => responses::revision(store.compact(args.number("revision"))?.revision),
            "hash_kv" => responses::hash_kv(&store.hash_kv(args.number("revision"))?),
            "history" => {
                let range = requests::key_range(args);
                let start_revision = args.number("start_revision");
                let max_events = match args.number("max_events") {
                    0 => usize::MAX,
                    number => number as usize,
                };
                told::history(&store.history(&range, start_revision, max_events)?)
            }
            "status" => {
                let status = store.status();
                json!({
                    "revision": status.revision,
                    "compact_revision": status.compact_revision,
                    "keys": status.keys,
                    "leases": status.leases,
                })
            }
            "step" => {
                // The host's clock may go back; the store's does not, nor the one to reopen at.
                let now_ms = args.number("now_ms");
                self.now_ms = self.now_ms.max(now_ms);
                store.step(now_ms, BUDGET_BYTES)?;
                Value::Null
            }
            "reopen" => {
                store.close()?;
                self.restart(self.pages.clone(), self.now_ms);
                Value::Null
            }
            "fresh" => {
                self.restart(MemoryPages::new(4096), 0);
                Value::Null
            }
            _ if op.starts_with("lease") => self.lease(op, args)?,
            _ => self.watch(op, args)?,
        })
    }

    fn lease(&mut self, op: &str, args: &mut Fields) -> Result<Value> {
        let store = &mut self.store;
        if op == "leases" {
            return Ok(responses::leases(&store.leases()));
        }
        let id = args.number("id");
        Ok(match op {
            "lease_grant" => responses::grant(&store.lease_grant(id, args.number("ttl_ms"))?),
            "lease_revoke" => responses::revision(store.lease_revoke(id)?.revision),
            "lease_keep_alive" => responses::keep_alive(&store.lease_keep_alive(id)?),
            "lease_time_to_live" => {
                responses::time_to_live(&store.lease_time_to_live(id, args.flag("keys")))
            }
            other => panic!("there is no operation {other}"),
        })
    }

    fn watch(&mut self, op: &str, args: &mut Fields) -> Result<Value> {
        Ok(match op {
            "watch" => {
                let stream = self.stream(args);
                let request = requests::watch(args);
                object([("watch_id", json!(self.store.watch(stream, &request)?))])
            }
            "cancel_watch" => {
                let stream = self.stream(args);
                self.store.cancel_watch(stream, args.number("watch_id"))?;
                Value::Null
            }
            "request_progress" => {
                let stream = self.stream(args);
                let told = self.store.request_progress(stream)?;
                object([("told", json!(told))])
            }
            "poll" => {
                let stream = self.stream(args);
                let max_events = max_events(args, "max_events");
                self.poll_stream(stream, max_events)?
            }
            "drain" => {
                let stream = self.stream(args);
                let max_events = max_events(args, "max_events");
                self.drain(|runner| runner.poll_stream(stream, max_events))?
            }
            "follow" => {
                let name = args.text("name");
                let range = requests::key_range(args);
                let resume = match args.number("resume_revision") {
                    0 => None,
                    revision => Some(ResumeToken {
                        revision,
                        ..self.store.resume_token()
                    }),
                };
                let follow = self.store.follow(range, resume)?;
                self.follows.insert(name, follow);
                Value::Null
            }
            "poll_follow" => {
                let follow = self.followed(args);
                let max_events = max_events(args, "max_events");
                self.poll_follow(follow, max_events)?
            }
            "drain_follow" => {
                let follow = self.followed(args);
                let max_events = max_events(args, "max_events");
                self.drain(|runner| runner.poll_follow(follow, max_events))?
            }
            other => panic!("there is no operation {other}"),
        })
    }

    fn poll_stream(&mut self, stream: StreamId, max_events: usize) -> Result<Value> {
        let response = self.poll(
            |store| store.poll(stream, max_events, BUDGET_BYTES),
            |response| *response == WatchResponse::Idle,
        )?;
        Ok(told::watch(&response))
    }

    fn poll_follow(&mut self, follow: FollowId, max_events: usize) -> Result<Value> {
        let response = self.poll(
            |store| store.poll_follow(follow, max_events, BUDGET_BYTES),
            |response| *response == FollowResponse::Idle,
        )?;
        Ok(told::follow(&response))
    }

    /// All that there is.
    fn drain(&mut self, mut poll: impl FnMut(&mut Self) -> Result<Value>) -> Result<Value> {
        let mut responses = Vec::new();
        loop {
            match poll(self)? {
                Value::String(_) => return Ok(object([("responses", responses.into())])),
                response => told::drained(&mut responses, response),
            }
        }
    }

    /// The follower that a step names.
    fn followed(&mut self, args: &mut Fields) -> FollowId {
        let follow = self.follows.get(&args.text("name"));
        *follow.expect("`follow` comes before it is polled")
    }

    /// Polls until there is something, with a step after each time that there is not.
    fn poll<T>(
        &mut self,
        mut poll: impl FnMut(&mut Store<MemoryPages>) -> Result<T>,
        is_idle: impl Fn(&T) -> bool,
    ) -> Result<T> {
        let mut response = poll(&mut self.store)?;
        for _ in 0..RETRIES {
            if !is_idle(&response) {
                break;
            }
            self.store.step(self.now_ms, BUDGET_BYTES)?;
            response = poll(&mut self.store)?;
        }
        Ok(response)
    }

    /// The stream that a step names, opened if it is not yet.
    fn stream(&mut self, args: &mut Fields) -> StreamId {
        let store = &mut self.store;
        *self
            .streams
            .entry(args.text("stream"))
            .or_insert_with(|| store.watch_stream())
    }

    fn restart(&mut self, pages: MemoryPages, now_ms: i64) {
        self.store = open(&pages, now_ms);
        self.pages = pages;
        self.now_ms = now_ms;
        self.streams.clear();
        self.follows.clear();
        self.range_streams.clear();
    }
}

/// How much of it; 1000 where that is not said.
fn max_events(args: &mut Fields, name: &str) -> usize {
    match args.number(name) {
        0 => 1000,
        number => number as usize,
    }
}

/// Of a status only what is named is compared, zeros too.
fn status_is(status: &Value, expect: Option<Value>) -> std::result::Result<(), String> {
    let expect = expect.unwrap_or_default();
    let named = expect.as_object().expect("a status is an object");
    match named
        .iter()
        .find(|(name, value)| status.get(name) != Some(value))
    {
        Some((name, value)) => Err(format!("{name} is {}, expected {value}", status[name])),
        None => Ok(()),
    }
}
