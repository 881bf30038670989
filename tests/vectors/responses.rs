//! Answers, written as vectors write them.

use revwatch::{
    DeleteRangeResponse, Event, EventKind, Events, FollowResponse, HistoryPage, KeyValue,
    LeaseTimeToLiveResponse, OpResponse, PutResponse, RangeResponse, TxnResponse, WatchResponse,
};
use serde_json::{Value, json};

use crate::values::{bytes_value, object};

pub(crate) fn put(response: &PutResponse) -> Value {
    let prev_kv = response.prev_kv.as_ref().map_or(Value::Null, kv);
    object([("revision", json!(response.revision)), ("prev_kv", prev_kv)])
}

pub(crate) fn range(response: &RangeResponse) -> Value {
    object([
        ("revision", json!(response.revision)),
        ("kvs", response.kvs.iter().map(kv).collect()),
        ("more", json!(response.more)),
        ("count", json!(response.count)),
    ])
}

pub(crate) fn delete_range(response: &DeleteRangeResponse) -> Value {
    object([
        ("revision", json!(response.revision)),
        ("deleted", json!(response.deleted)),
        ("prev_kvs", response.prev_kvs.iter().map(kv).collect()),
    ])
}

pub(crate) fn txn(response: &TxnResponse) -> Value {
    let op = |response: &OpResponse| match response {
        OpResponse::Put(response) => json!({ "put": put(response) }),
        OpResponse::Range(response) => json!({ "range": range(response) }),
        OpResponse::DeleteRange(response) => json!({ "delete_range": delete_range(response) }),
        OpResponse::Txn(response) => json!({ "txn": txn(response) }),
    };
    object([
        ("revision", json!(response.revision)),
        ("succeeded", json!(response.succeeded)),
        ("responses", response.responses.iter().map(op).collect()),
    ])
}

pub(crate) fn time_to_live(response: &LeaseTimeToLiveResponse) -> Value {
    object([
        ("id", json!(response.id)),
        ("ttl_ms", json!(response.ttl_ms)),
        ("granted_ttl_ms", json!(response.granted_ttl_ms)),
        (
            "keys",
            response.keys.iter().map(|key| bytes_value(key)).collect(),
        ),
        ("revision", json!(response.revision)),
    ])
}

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
            fragment: _,
        } => json!({
            "events": object([
                ("watch_id", json!(watch_id)),
                ("revision", json!(revision)),
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

fn event(event: &Event) -> Value {
    let kind = match event.kind {
        EventKind::Put => "put",
        EventKind::Delete => "delete",
    };
    let prev_kv = event.prev_kv.as_ref().map_or(Value::Null, kv);
    object([
        ("kind", json!(kind)),
        ("kv", kv(&event.kv)),
        ("prev_kv", prev_kv),
    ])
}

fn kv(kv: &KeyValue) -> Value {
    object([
        ("key", bytes_value(&kv.key)),
        ("value", bytes_value(&kv.value)),
        ("create_revision", json!(kv.create_revision)),
        ("mod_revision", json!(kv.mod_revision)),
        ("version", json!(kv.version)),
        ("lease", json!(kv.lease)),
    ])
}
