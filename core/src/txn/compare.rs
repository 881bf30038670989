//! Evaluating comparisons.

use core::cmp::Ordering;

use super::request::{Compare, CompareOp, CompareTarget};
use crate::error::Result;
use crate::page::PageStore;
use crate::record::KeyValueRef;
use crate::store::RevisionStore;

/// Whether every key of the comparison's range satisfies it as of `main`.
pub(super) fn holds<P: PageStore>(
    compare: &Compare,
    store: &RevisionStore<P>,
    main: i64,
) -> Result<bool> {
    let reads_values = matches!(
        compare.target,
        CompareTarget::Value(_) | CompareTarget::Lease(_)
    );
    let test = |kv: KeyValueRef<'_>| satisfies(kv, compare);
    let of_keys = store.all(&compare.range, main, reads_values, test)?;
    Ok(of_keys.unwrap_or_else(|| {
        // A missing key has every number 0, but no value, not even an empty one.
        let value = matches!(compare.target, CompareTarget::Value(_));
        !value && satisfies(KeyValueRef::default(), compare)
    }))
}

fn satisfies(kv: KeyValueRef<'_>, compare: &Compare) -> bool {
    let order = match &compare.target {
        CompareTarget::Value(value) => kv.value.cmp(&value[..]),
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
