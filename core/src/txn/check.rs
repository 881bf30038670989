//! What a request must be like, whatever the state of the store.

use alloc::vec::Vec;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::request::{Compare, CompareTarget, Op, TxnRequest};
use crate::error::{Error, Result};
use crate::key_hasher::{KeyHasher, spread};
use crate::limits::Limits;
use crate::range::KeyRange;
use crate::store::{DeleteRangeRequest, PutRef, RangeRequest};

/// Checks a put on its own.
pub(crate) fn check_put(request: PutRef<'_>, limits: &Limits) -> Result<()> {
    check_put_shape(request)?;
    check_size(put_bytes(request), limits)
}

/// Checks a range on its own.
pub(crate) fn check_range(request: &RangeRequest) -> Result<()> {
    check_key_range(&request.range)
}

/// Checks a delete on its own.
pub(crate) fn check_delete_range(request: &DeleteRangeRequest) -> Result<()> {
    check_key_range(&request.range)
}

/// Checks a transaction with all that is nested in it, on both branches.
/// `seed` keeps chosen keys from flooding a hash.
pub(crate) fn check_txn(request: &TxnRequest, limits: &Limits, seed: u64) -> Result<()> {
    check_shape(request, limits.txn_ops, limits.txn_ops)?;
    for ops in [&request.success, &request.failure] {
        let is_one_change = matches!(ops[..], [] | [Op::Put(_) | Op::DeleteRange(_)]);
        if !is_one_change {
            check_duplicates(ops, &KeyHasher::with_seed(seed))?;
        }
    }
    check_size(txn_bytes(request), limits)
}

fn check_size(bytes: usize, limits: &Limits) -> Result<()> {
    let limit = limits.request_bytes;
    if bytes > limit {
        Err(Error::RequestTooLarge { bytes, limit })
    } else {
        Ok(())
    }
}

fn check_key_range(range: &KeyRange) -> Result<()> {
    if range.lacks_key() {
        Err(Error::EmptyKey)
    } else {
        Ok(())
    }
}

fn check_put_shape(request: PutRef<'_>) -> Result<()> {
    if request.key.is_empty() {
        return Err(Error::EmptyKey);
    }
    if request.ignore_value && !request.value.is_empty() {
        return Err(Error::ValueProvided);
    }
    if request.ignore_lease && request.lease != 0 {
        return Err(Error::LeaseProvided);
    }
    Ok(())
}

/// Checks every operation, and that no list is longer than what its parents have left of the
/// limit: a nested transaction may use the limit less the longest list of its parent.
fn check_shape(request: &TxnRequest, budget: usize, limit: usize) -> Result<()> {
    let TxnRequest {
        compare,
        success,
        failure,
    } = request;
    let longest = compare.len().max(success.len()).max(failure.len());
    let left = budget
        .checked_sub(longest)
        .ok_or(Error::TooManyOps { limit })?;
    for Compare { range, .. } in compare {
        check_key_range(range)?;
    }
    for op in success.iter().chain(failure) {
        match op {
            Op::Put(put) => check_put_shape(put.as_ref())?,
            Op::Range(range) => check_range(range)?,
            Op::DeleteRange(delete) => check_delete_range(delete)?,
            Op::Txn(nested) => check_shape(nested, left, limit)?,
        }
    }
    Ok(())
}

/// What a list of operations changes. Borrowed from the request: nothing is copied.
#[derive(Default)]
struct Changes<'a> {
    puts: Vec<&'a [u8]>,
    deletes: Vec<&'a KeyRange>,
}

impl Changes<'_> {
    /// Adds another list's changes, unless they change a key that this one puts or deletes, or
    /// delete what this one puts.
    fn merge(&mut self, other: Self, hasher: &KeyHasher) -> Result<()> {
        refuse_deletes_of_puts(&other.deletes, &self.puts)?;
        refuse_deletes_of_puts(&self.deletes, &other.puts)?;
        self.puts.extend(other.puts);
        self.deletes.extend(other.deletes);
        self.refuse_equal_puts(hasher)
    }

    /// Refuses the least key that is put twice.
    fn refuse_equal_puts(&self, hasher: &KeyHasher) -> Result<()> {
        let mut seen: HashTable<&[u8]> = HashTable::with_capacity(self.puts.len());
        let repeated = self.puts.iter().filter(|&&key| {
            let hash = |key: &[u8]| spread(hasher.hash(key));
            let entry = seen.entry(hash(key), |&other| other == key, |key| hash(key));
            match entry {
                Entry::Occupied(_) => true,
                Entry::Vacant(place) => {
                    place.insert(key);
                    false
                }
            }
        });
        match repeated.min() {
            Some(&key) => Err(Error::DuplicateKey { key: key.into() }),
            None => Ok(()),
        }
    }
}

fn refuse_deletes_of_puts(deletes: &[&KeyRange], puts: &[&[u8]]) -> Result<()> {
    match puts
        .iter()
        .find(|key| deletes.iter().any(|range| is_seen_to_cover(range, key)))
    {
        Some(&key) => Err(Error::DuplicateKey { key: key.into() }),
        None => Ok(()),
    }
}

/// etcd reads the mark for "no end" as an end like any other here, so it does not see what a
/// delete without an end covers. A transaction that it takes is taken here, too.
fn is_seen_to_cover(range: &KeyRange, key: &[u8]) -> bool {
    range.has_end() && range.contains(key)
}

/// Refuses a branch that changes a key twice, as etcd does. Deleting twice is fine, and so is a
/// delete in a later nested transaction of a key put in an earlier one; nested branches of one
/// transaction exclude each other, so both may put the same key.
fn check_duplicates<'a>(ops: &'a [Op], hasher: &KeyHasher) -> Result<Changes<'a>> {
    // etcd looks at nested transactions first, in order, and then at the branch's own operations.
    let mut nested = Changes::default();
    for op in ops {
        let Op::Txn(txn) = op else { continue };
        let success = check_duplicates(&txn.success, hasher)?;
        let failure = check_duplicates(&txn.failure, hasher)?;
        let mut child = Changes {
            puts: success.puts,
            deletes: success.deletes,
        };
        child.puts.extend(failure.puts);
        child.deletes.extend(failure.deletes);
        child.puts.sort_unstable();
        child.puts.dedup();
        // The asymmetric case: an earlier child's put may be deleted by a later child.
        refuse_deletes_of_puts(&nested.deletes, &child.puts)?;
        nested.puts.extend(child.puts);
        nested.deletes.extend(child.deletes);
        nested.refuse_equal_puts(hasher)?;
    }
    let mut own = Changes {
        puts: Vec::with_capacity(ops.len()),
        deletes: Vec::new(),
    };
    for op in ops {
        match op {
            Op::Put(put) => own.puts.push(&put.key),
            Op::DeleteRange(delete) => own.deletes.push(&delete.range),
            Op::Range(_) | Op::Txn(_) => {}
        }
    }
    own.refuse_equal_puts(hasher)?;
    refuse_deletes_of_puts(&own.deletes, &own.puts)?;
    if nested.puts.is_empty() && nested.deletes.is_empty() {
        return Ok(own);
    }
    nested.merge(own, hasher)?;
    Ok(nested)
}

fn put_bytes(request: PutRef<'_>) -> usize {
    request.key.len() + request.value.len()
}

fn range_bytes(range: &KeyRange) -> usize {
    let end = if let KeyRange::Span { end, .. } = range {
        end.len()
    } else {
        0
    };
    range.start().len() + end
}

fn txn_bytes(request: &TxnRequest) -> usize {
    let compares = request.compare.iter().map(|compare| {
        let operand = if let CompareTarget::Value(value) = &compare.target {
            value.len()
        } else {
            0
        };
        range_bytes(&compare.range) + operand
    });
    let ops = request
        .success
        .iter()
        .chain(&request.failure)
        .map(|op| match op {
            Op::Put(put) => put_bytes(put.as_ref()),
            Op::Range(range) => range_bytes(&range.range),
            Op::DeleteRange(delete) => range_bytes(&delete.range),
            Op::Txn(nested) => txn_bytes(nested),
        });
    compares.chain(ops).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::PutRequest;
    use alloc::vec;

    fn put(key: &[u8]) -> Op {
        Op::Put(PutRequest::new(key, b"v"))
    }

    fn delete(range: KeyRange) -> Op {
        Op::DeleteRange(DeleteRangeRequest::new(range))
    }

    fn then(success: Vec<Op>) -> TxnRequest {
        TxnRequest {
            success,
            ..TxnRequest::default()
        }
    }

    fn nested(success: Vec<Op>) -> Op {
        Op::Txn(then(success))
    }

    fn verdict(request: &TxnRequest) -> Result<(), crate::ErrorCode> {
        check_txn(request, &Limits::default(), 7).map_err(|error| error.code())
    }

    #[test]
    fn a_branch_that_changes_a_key_twice_is_refused_taken_or_not() {
        let refused = [
            then(vec![put(b"a"), put(b"a")]),
            TxnRequest {
                failure: vec![put(b"a"), put(b"a")],
                ..TxnRequest::default()
            },
            then(vec![put(b"a"), delete(KeyRange::one(b"a"))]),
            then(vec![delete(KeyRange::prefix(b"a")), put(b"ab")]),
            then(vec![put(b"a"), nested(vec![put(b"a")])]),
            then(vec![nested(vec![put(b"a")]), nested(vec![put(b"a")])]),
            then(vec![
                delete(KeyRange::prefix(b"a")),
                nested(vec![put(b"a")]),
            ]),
            then(vec![
                nested(vec![delete(KeyRange::span(b"a", b"b"))]),
                put(b"a"),
            ]),
            then(vec![
                nested(vec![delete(KeyRange::one(b"n"))]),
                nested(vec![put(b"n")]),
            ]),
        ];
        for request in &refused {
            assert_eq!(
                verdict(request),
                Err(crate::ErrorCode::DuplicateKey),
                "{request:?}"
            );
        }
    }

    #[test]
    fn the_least_key_that_is_put_twice_is_named() {
        let keys: [&[u8]; 7] = [b"c", b"b", b"a", b"c", b"d", b"b", b"c"];
        let request = then(keys.map(put).to_vec());
        for seed in [0, 1, u64::MAX] {
            let error = check_txn(&request, &Limits::default(), seed).unwrap_err();
            assert!(matches!(error, Error::DuplicateKey { key } if *key == *b"b"));
        }
    }

    #[test]
    fn changes_that_etcd_lets_through_are_let_through() {
        let both_branches = TxnRequest {
            success: vec![put(b"a")],
            failure: vec![put(b"a")],
            ..TxnRequest::default()
        };
        let allowed = [
            both_branches.clone(),
            then(vec![Op::Txn(both_branches)]),
            then(vec![
                delete(KeyRange::one(b"a")),
                delete(KeyRange::prefix(b"a")),
            ]),
            then(vec![delete(KeyRange::All), put(b"a")]),
            then(vec![put(b"a"), delete(KeyRange::from_key(b"a"))]),
            then(vec![
                nested(vec![put(b"n")]),
                nested(vec![delete(KeyRange::one(b"n"))]),
            ]),
        ];
        for request in &allowed {
            assert_eq!(verdict(request), Ok(()), "{request:?}");
        }
    }

    #[test]
    fn nested_operations_share_the_budget_of_their_parent() {
        let puts = |n: usize| -> Vec<Op> {
            (0..n)
                .map(|i| Op::Put(PutRequest::new(alloc::format!("{i}").as_bytes(), b"")))
                .collect()
        };
        let with_nested = |n| {
            let mut ops = puts(n);
            ops.push(nested(vec![put(b"nested")]));
            then(ops)
        };
        assert_eq!(verdict(&then(puts(128))), Ok(()));
        assert_eq!(verdict(&then(puts(129))), Err(crate::ErrorCode::TooManyOps));
        assert_eq!(verdict(&with_nested(126)), Ok(()));
        assert_eq!(
            verdict(&with_nested(127)),
            Err(crate::ErrorCode::TooManyOps)
        );
    }
}
