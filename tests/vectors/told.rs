//! What watchers, followers and readers of history are told, written as vectors write it.

use revwatch::{Events, FollowResponse, HistoryPage, WatchResponse};
use serde_json::{Value, json};

use crate::notation::object;
use crate::responses::{event, kv};

pub(crate) fn history(page: &HistoryPage) -> Value {
    object([
        ("events", page.events.iter().map(event).collect()),
        (
            "next_revision",
            page.next_revision
                .map_or(Value::Null, |revision| json!(revision)),
        ),
    ])
}

pub(crate) fn watch(response: &WatchResponse) -> Value {
    match response {
        WatchResponse::Created { watch_id, revision } => json!({
            "created": object([("watch_id", json!(watch_id)), ("revision", json!(revision))])
        }),
        WatchResponse::Events {
            watch_id,
            revision,
            events: batch,
            fragment,
        } => json!({
            "events": object([
                ("watch_id", json!(watch_id)),
                ("revision", json!(revision)),
                ("fragment", json!(fragment)),
                ("events", events(batch)),
            ])
        }),
        WatchResponse::Progress { watch_id, revision } => json!({
            "progress": object([("watch_id", json!(watch_id)), ("revision", json!(revision))])
        }),
        WatchResponse::Canceled { watch_id } => {
            json!({ "canceled": object([("watch_id", json!(watch_id))]) })
        }
        WatchResponse::Compacted {
            watch_id,
            compact_revision,
        } => json!({
            "compacted": object([
                ("watch_id", json!(watch_id)),
                ("compact_revision", json!(compact_revision)),
            ])
        }),
        WatchResponse::Idle => json!("idle"),
        WatchResponse::Rewound { .. } => panic!("no vector crashes a store, but it was rewound"),
    }
}

pub(crate) fn follow(response: &FollowResponse) -> Value {
    match response {
        FollowResponse::State { kvs } => {
            json!({ "state": object([("kvs", kvs.iter().map(kv).collect())]) })
        }
        FollowResponse::Synced { revision } => json!({ "synced": { "revision": revision } }),
        FollowResponse::Events {
            revision,
            events: batch,
        } => {
            json!({ "events": { "revision": revision, "events": events(batch) } })
        }
        FollowResponse::Reset { revision } => json!({ "reset": { "revision": revision } }),
        FollowResponse::Idle => json!("idle"),
    }
}

fn events(batch: &Events) -> Value {
    batch.iter().map(|one| event(&one.to_owned())).collect()
}

/// Appends a response to those that were drained before it. Where one response ends and the next
/// begins is a matter of room, so the events of one watcher, and the parts of a state, are put
/// together, unless that would put a revision together that was split.
pub(crate) fn drained(responses: &mut Vec<Value>, response: Value) {
    let mut response = response;
    if let Some(events) = response.get_mut("events").and_then(Value::as_object_mut) {
        events.remove("revision");
    }
    for (kind, list) in [("events", "events"), ("state", "kvs")] {
        let watch_id = response[kind]["watch_id"].clone();
        let last = responses.last_mut().filter(|last| {
            !response[kind].is_null() && !last[kind].is_null() && last[kind]["watch_id"] == watch_id
        });
        let Some(last) = last.and_then(|last| last[kind][list].as_array_mut()) else {
            continue;
        };
        let more = response[kind][list].as_array().expect("a list").clone();
        let revision = |event: &Value| event["kv"]["mod_revision"].as_i64();
        let (before, after) = (last.last().map(revision), more.first().map(revision));
        assert!(
            kind == "state" || before < after,
            "{before:?} is split or not in order"
        );
        last.extend(more);
        return;
    }
    responses.push(response);
}
