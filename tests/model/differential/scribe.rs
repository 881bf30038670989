//! Requests and answers as the steps of a vector.

use revwatch::{
    Compare, CompareOp, CompareTarget, KeyRange, Op, SortOrder, SortTarget, TxnRequest,
};
use revwatch_model::{Answer, Command, Outcome, Watch};
use serde_json::{Value, json};

use crate::notation::{bytes_value, number_value, object};
use crate::responses;

/// A step with its answer, or with the name of its refusal.
pub(crate) fn step(op: &str, args: Value, answer: Outcome<Value>) -> Value {
    let mut step = json!({ "op": op });
    if args != json!({}) {
        step["args"] = args;
    }
    match answer {
        Ok(Value::Null) => {}
        Ok(expect) => step["expect"] = expect,
        Err(code) => step["error"] = code.name().into(),
    }
    step
}

/// A request and what was answered. The clock is told without an answer.
pub(crate) fn asked(command: &Command, answer: &Outcome<Answer>) -> Value {
    let (op, args) = match command {
        Command::Put(_) | Command::DeleteRange(_) | Command::Range(_) | Command::Txn(_) => {
            op_of(command)
        }
        Command::Compact { revision } => ("compact", object([("revision", json!(revision))])),
        Command::HashKv { revision } => ("hash_kv", object([("revision", json!(revision))])),
        Command::LeaseGrant { id, ttl_ms } => (
            "lease_grant",
            object([("id", number_value(*id)), ("ttl_ms", json!(ttl_ms))]),
        ),
        Command::LeaseRevoke { id } => ("lease_revoke", object([("id", number_value(*id))])),
        Command::LeaseKeepAlive { id } => ("lease_keep_alive", object([("id", number_value(*id))])),
        Command::LeaseTimeToLive { id, keys } => (
            "lease_time_to_live",
            object([("id", number_value(*id)), ("keys", json!(keys))]),
        ),
        Command::Leases => ("leases", json!({})),
        Command::Step { now_ms } => ("step", object([("now_ms", json!(now_ms))])),
    };
    let answer = answer.as_ref().map(|answer| match answer {
        Answer::Put(response) => responses::put(response),
        Answer::DeleteRange(response) => responses::delete_range(response),
        Answer::Range(response) => responses::range(response),
        Answer::Txn(response) => responses::txn(response),
        Answer::Compact(response) => responses::revision(response.revision),
        Answer::HashKv(response) => responses::hash_kv(response),
        Answer::LeaseGrant(response) => responses::grant(response),
        Answer::LeaseRevoke(response) => responses::revision(response.revision),
        Answer::LeaseKeepAlive(response) => responses::keep_alive(response),
        Answer::LeaseTimeToLive(response) => responses::time_to_live(response),
        Answer::Leases(ids) => responses::leases(ids),
        Answer::Step => Value::Null,
    });
    step(op, args, answer.map_err(|&code| code))
}

fn op_of(command: &Command) -> (&'static str, Value) {
    match command {
        Command::Put(put) => ("put", {
            object([
                ("key", bytes_value(&put.key)),
                ("value", bytes_value(&put.value)),
                ("lease", number_value(put.lease)),
                ("prev_kv", json!(put.prev_kv)),
                ("ignore_value", json!(put.ignore_value)),
                ("ignore_lease", json!(put.ignore_lease)),
            ])
        }),
        Command::DeleteRange(delete) => (
            "delete_range",
            with_range(&delete.range, object([("prev_kv", json!(delete.prev_kv))])),
        ),
        Command::Range(range) => {
            let order = match range.sort_order {
                SortOrder::None => "",
                SortOrder::Ascend => "ascend",
                SortOrder::Descend => "descend",
            };
            let target = match range.sort_target {
                SortTarget::Key => "",
                SortTarget::Version => "version",
                SortTarget::Create => "create",
                SortTarget::Mod => "mod",
                SortTarget::Value => "value",
            };
            let options = object([
                ("revision", json!(range.revision)),
                ("limit", json!(range.limit)),
                ("sort_order", json!(order)),
                ("sort_target", json!(target)),
                ("keys_only", json!(range.keys_only)),
                ("count_only", json!(range.count_only)),
                ("min_mod_revision", json!(range.min_mod_revision)),
                ("max_mod_revision", json!(range.max_mod_revision)),
                ("min_create_revision", json!(range.min_create_revision)),
                ("max_create_revision", json!(range.max_create_revision)),
            ]);
            ("range", with_range(&range.range, options))
        }
        Command::Txn(request) => ("txn", txn(request)),
        _ => unreachable!("only what a transaction can hold"),
    }
}

fn txn(request: &TxnRequest) -> Value {
    let ops = |ops: &[Op]| ops.iter().map(op).collect();
    object([
        ("compare", request.compare.iter().map(compare).collect()),
        ("success", ops(&request.success)),
        ("failure", ops(&request.failure)),
    ])
}

fn op(op: &Op) -> Value {
    let (name, args) = op_of(&match op.clone() {
        Op::Put(put) => Command::Put(put),
        Op::Range(range) => Command::Range(range),
        Op::DeleteRange(delete) => Command::DeleteRange(delete),
        Op::Txn(txn) => Command::Txn(txn),
    });
    json!({ name: args })
}

fn compare(compare: &Compare) -> Value {
    let op = match compare.op {
        CompareOp::Equal => "=",
        CompareOp::NotEqual => "!=",
        CompareOp::Less => "<",
        CompareOp::Greater => ">",
    };
    let (target, operand) = match &compare.target {
        CompareTarget::Value(value) => ("value", bytes_value(value)),
        CompareTarget::Version(version) => ("version", json!(version)),
        CompareTarget::Create(revision) => ("create", json!(revision)),
        CompareTarget::Mod(revision) => ("mod", json!(revision)),
        CompareTarget::Lease(lease) => ("lease", number_value(*lease)),
    };
    let (key, end) = etcd_pair(&compare.range);
    object([
        ("key", bytes_value(&key)),
        ("range_end", bytes_value(&end)),
        ("target", json!(target)),
        ("op", json!(op)),
        ("operand", operand),
    ])
}

/// The arguments of a watch.
pub(crate) fn watch(watch: &Watch, watch_id: i64) -> Value {
    let options = object([
        ("stream", json!("one")),
        ("start_revision", json!(watch.start_revision)),
        ("watch_id", json!(watch_id)),
        ("prev_kv", json!(watch.prev_kv)),
        ("no_put", json!(watch.no_put)),
        ("no_delete", json!(watch.no_delete)),
    ]);
    with_range(&watch.range, options)
}

/// Options with a range before them.
pub(crate) fn with_range(range: &KeyRange, mut options: Value) -> Value {
    let (key, end) = etcd_pair(range);
    if let KeyRange::Prefix(prefix) = range {
        options["key"] = bytes_value(prefix);
        options["prefix"] = true.into();
        return options;
    }
    for (name, bytes) in [("key", key), ("range_end", end)] {
        if !bytes.is_empty() {
            options[name] = bytes_value(&bytes);
        }
    }
    options
}

/// etcd's pair of key and end.
fn etcd_pair(range: &KeyRange) -> (Vec<u8>, Vec<u8>) {
    match range {
        KeyRange::One(key) => (key.clone(), Vec::new()),
        KeyRange::All => (vec![0], vec![0]),
        other => (
            other.start().to_vec(),
            other.end().unwrap_or_else(|| vec![0]),
        ),
    }
}

/// A request with each range as it is after its way through etcd's pair, in which some ranges are
/// others.
pub(crate) fn as_written(command: Command) -> Command {
    match command {
        Command::DeleteRange(mut delete) => {
            delete.range = range_as_written(&delete.range);
            Command::DeleteRange(delete)
        }
        Command::Range(mut range) => {
            range.range = range_as_written(&range.range);
            Command::Range(range)
        }
        Command::Txn(request) => Command::Txn(txn_as_written(request)),
        // A clock that begins at 0 is at 0 as well if it goes back from there.
        Command::Step { now_ms } => Command::Step {
            now_ms: now_ms.max(0),
        },
        other => other,
    }
}

pub(crate) fn range_as_written(range: &KeyRange) -> KeyRange {
    match range {
        KeyRange::Prefix(prefix) => KeyRange::prefix(prefix),
        other => {
            let (key, end) = etcd_pair(other);
            KeyRange::from_etcd(&key, &end)
        }
    }
}

fn txn_as_written(mut request: TxnRequest) -> TxnRequest {
    for compare in &mut request.compare {
        let (key, end) = etcd_pair(&compare.range);
        compare.range = KeyRange::from_etcd(&key, &end);
    }
    for op in request.success.iter_mut().chain(&mut request.failure) {
        match op {
            Op::Put(_) => {}
            Op::Range(range) => range.range = range_as_written(&range.range),
            Op::DeleteRange(delete) => delete.range = range_as_written(&delete.range),
            Op::Txn(txn) => *txn = txn_as_written(std::mem::take(txn)),
        }
    }
    request
}
