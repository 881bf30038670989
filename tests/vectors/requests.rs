//! Requests, read from the arguments of a step.

use revwatch::{
    Compare, CompareOp, CompareTarget, DeleteRangeRequest, KeyRange, Op, PutRequest, RangeRequest,
    SortOrder, SortTarget, TxnRequest, WatchRequest,
};
use serde_json::Value;

use crate::values::{Fields, bytes, number};

pub(crate) fn key_range(args: &mut Fields) -> KeyRange {
    let (key, range_end) = (args.bytes("key"), args.bytes("range_end"));
    if args.flag("prefix") {
        assert!(range_end.is_empty(), "a prefix has no end");
        return KeyRange::prefix(&key);
    }
    KeyRange::from_etcd(&key, &range_end)
}

pub(crate) fn put(args: &mut Fields) -> PutRequest {
    PutRequest {
        key: args.bytes("key"),
        value: args.bytes("value"),
        lease: args.number("lease"),
        prev_kv: args.flag("prev_kv"),
        ignore_value: args.flag("ignore_value"),
        ignore_lease: args.flag("ignore_lease"),
    }
}

pub(crate) fn delete_range(args: &mut Fields) -> DeleteRangeRequest {
    DeleteRangeRequest {
        range: key_range(args),
        prev_kv: args.flag("prev_kv"),
    }
}

pub(crate) fn range(args: &mut Fields) -> RangeRequest {
    RangeRequest {
        range: key_range(args),
        revision: args.number("revision"),
        limit: args.number("limit"),
        sort_order: match args.text("sort_order").as_str() {
            "" => SortOrder::None,
            "ascend" => SortOrder::Ascend,
            "descend" => SortOrder::Descend,
            other => panic!("{other} is no order"),
        },
        sort_target: match args.text("sort_target").as_str() {
            "" => SortTarget::Key,
            "version" => SortTarget::Version,
            "create" => SortTarget::Create,
            "mod" => SortTarget::Mod,
            "value" => SortTarget::Value,
            other => panic!("{other} is no target of a sort"),
        },
        keys_only: args.flag("keys_only"),
        count_only: args.flag("count_only"),
        min_mod_revision: args.number("min_mod_revision"),
        max_mod_revision: args.number("max_mod_revision"),
        min_create_revision: args.number("min_create_revision"),
        max_create_revision: args.number("max_create_revision"),
    }
}

pub(crate) fn watch(args: &mut Fields) -> WatchRequest {
    let mut ranges = vec![key_range(args)];
    for range in args.list("ranges") {
        let mut fields = Fields::new(range);
        ranges.push(key_range(&mut fields));
        fields.finish();
    }
    WatchRequest {
        start_revision: args.number("start_revision"),
        watch_id: args.number("watch_id"),
        prev_kv: args.flag("prev_kv"),
        no_put: args.flag("no_put"),
        no_delete: args.flag("no_delete"),
        keys_only: args.flag("keys_only"),
        fragment: args.flag("fragment"),
        progress_notify: args.flag("progress_notify"),
        conflate: args.flag("conflate"),
        ..WatchRequest::of_ranges(ranges)
    }
}

pub(crate) fn txn(args: &mut Fields) -> TxnRequest {
    TxnRequest {
        compare: args.list("compare").into_iter().map(compare).collect(),
        success: args.list("success").into_iter().map(op).collect(),
        failure: args.list("failure").into_iter().map(op).collect(),
    }
}

fn compare(value: Value) -> Compare {
    let mut fields = Fields::new(value);
    let range = key_range(&mut fields);
    let op = match fields.text("op").as_str() {
        "=" => CompareOp::Equal,
        "!=" => CompareOp::NotEqual,
        "<" => CompareOp::Less,
        ">" => CompareOp::Greater,
        other => panic!("{other} compares nothing"),
    };
    let target = fields.text("target");
    let operand = fields.take("operand");
    fields.finish();
    if target == "value" {
        let value = operand.map_or_else(Vec::new, |value| bytes(&value));
        return Compare {
            range,
            op,
            target: CompareTarget::Value(value),
        };
    }
    let number = operand.map_or(0, |value| number(&value));
    let target = match target.as_str() {
        "version" => CompareTarget::Version(number),
        "create" => CompareTarget::Create(number),
        "mod" => CompareTarget::Mod(number),
        "lease" => CompareTarget::Lease(number),
        other => panic!("{other} cannot be compared"),
    };
    Compare { range, op, target }
}

fn op(value: Value) -> Op {
    let (name, args) = Fields::new(value).only();
    let mut args = Fields::new(args);
    let op = match name.as_str() {
        "put" => Op::Put(put(&mut args)),
        "range" => Op::Range(range(&mut args)),
        "delete_range" => Op::DeleteRange(delete_range(&mut args)),
        "txn" => Op::Txn(txn(&mut args)),
        other => panic!("{other} is no operation of a transaction"),
    };
    args.finish();
    op
}
