//! Answers, written as vectors write them.

use revwatch::{
    DeleteRangeResponse, Event, EventKind, HashKvResponse, KeyValue, LeaseGrantResponse,
    LeaseKeepAliveResponse, LeaseTimeToLiveResponse, OpResponse, PutResponse, RangeResponse,
    TxnResponse,
};
use serde_json::{Value, json};

use crate::notation::{bytes_value, number_value, object};

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

pub(crate) fn hash_kv(response: &HashKvResponse) -> Value {
    object([
        ("revision", json!(response.revision)),
        ("hash", json!(response.hash)),
        ("compact_revision", json!(response.compact_revision)),
        ("hash_revision", json!(response.hash_revision)),
    ])
}

pub(crate) fn grant(response: &LeaseGrantResponse) -> Value {
    object([
        ("id", number_value(response.id)),
        ("ttl_ms", json!(response.ttl_ms)),
        ("revision", json!(response.revision)),
    ])
}

pub(crate) fn keep_alive(response: &LeaseKeepAliveResponse) -> Value {
    object([
        ("id", number_value(response.id)),
        ("ttl_ms", json!(response.ttl_ms)),
        ("revision", json!(response.revision)),
    ])
}

pub(crate) fn leases(ids: &[i64]) -> Value {
    let ids = ids.iter().map(|&id| number_value(id)).collect();
    object([("leases", ids)])
}

/// An answer that is a revision.
pub(crate) fn revision(revision: i64) -> Value {
    object([("revision", json!(revision))])
}

pub(crate) fn time_to_live(response: &LeaseTimeToLiveResponse) -> Value {
    object([
        ("id", number_value(response.id)),
        ("ttl_ms", json!(response.ttl_ms)),
        ("granted_ttl_ms", json!(response.granted_ttl_ms)),
        (
            "keys",
            response.keys.iter().map(|key| bytes_value(key)).collect(),
        ),
        ("revision", json!(response.revision)),
    ])
}

pub(crate) fn event(event: &Event) -> Value {
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

pub(crate) fn kv(kv: &KeyValue) -> Value {
    object([
        ("key", bytes_value(&kv.key)),
        ("value", bytes_value(&kv.value)),
        ("create_revision", json!(kv.create_revision)),
        ("mod_revision", json!(kv.mod_revision)),
        ("version", json!(kv.version)),
        ("lease", number_value(kv.lease)),
    ])
}
