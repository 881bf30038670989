//! Evaluating comparisons.

use core::cmp::Ordering;

use super::request::{Compare, CompareOp, CompareTarget};
use crate::error::Result;
use crate::page::PageStore;
use crate::record::KeyValue;
use crate::store::{RangeRequest, RevisionStore};

/// Whether every key of the comparison's range satisfies it as of `main`.
pub(super) fn holds<P: PageStore>(
    compare: &Compare,
    store: &RevisionStore<P>,
    main: i64,
) -> Result<bool> {
    let request = RangeRequest {
        keys_only: !matches!(
            compare.target,
            CompareTarget::Value(_) | CompareTarget::Lease(_)
        ),
        ..RangeRequest::new(compare.range.clone())
    };
    let kvs = store.range(&request, main)?.kvs;
    if kvs.is_empty() {
        // A missing key has every number 0, but no value, not even an empty one.
        let value = matches!(compare.target, CompareTarget::Value(_));
        return Ok(!value && satisfies(&KeyValue::default(), compare));
    }
    Ok(kvs.iter().all(|kv| satisfies(kv, compare)))
}

fn satisfies(kv: &KeyValue, compare: &Compare) -> bool {
    let order = match &compare.target {
        CompareTarget::Value(value) => kv.value.cmp(value),
        CompareTarget::Version(version) => kv.version.cmp(version),
        CompareTarget::Create(revision) => kv.create_revision.cmp(revision),
        CompareTarget::Mod(revision) => kv.mod_revision.cmp(revision),
        CompareTarget::Lease(lease) => kv.lease.cmp(lease),
    };
    match compare.op {
        CompareOp::Equal => order == Ordering::Equal,
        CompareOp::NotEqual => order != Ordering::Equal,
        CompareOp::Less => order == Ordering::Less,
        CompareOp::Greater => order == Ordering::Greater,
    }
}
