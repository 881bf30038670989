//! What a request must be like, whatever the state of the store.

use alloc::vec::Vec;

use super::request::{Compare, CompareTarget, Op, TxnRequest};
use crate::error::{Error, Result};
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
pub(crate) fn check_txn(request: &TxnRequest, limits: &Limits) -> Result<()> {
    check_shape(request, limits.txn_ops, limits.txn_ops)?;
    check_duplicates(&request.success)?;
    check_duplicates(&request.failure)?;
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
    fn merge(&mut self, other: Self) -> Result<()> {
        refuse_deletes_of_puts(&other.deletes, &self.puts)?;
        refuse_deletes_of_puts(&self.deletes, &other.puts)?;
        self.puts.extend(other.puts);
        self.deletes.extend(other.deletes);
        self.refuse_equal_puts()
    }

    fn refuse_equal_puts(&mut self) -> Result<()> {
        sort(&mut self.puts);
        match self.puts.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::DuplicateKey {
                key: pair[0].into(),
            }),
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
fn check_duplicates(ops: &[Op]) -> Result<Changes<'_>> {
    // etcd looks at nested transactions first, in order, and then at the branch's own operations.
    let mut nested = Changes::default();
    for op in ops {
        let Op::Txn(txn) = op else { continue };
        let success = check_duplicates(&txn.success)?;
        let failure = check_duplicates(&txn.failure)?;
        let mut child = Changes {
            puts: success.puts,
            deletes: success.deletes,
        };
        child.puts.extend(failure.puts);
        child.deletes.extend(failure.deletes);
        sort(&mut child.puts);
        child.puts.dedup();
        // The asymmetric case: an earlier child's put may be deleted by a later child.
        refuse_deletes_of_puts(&nested.deletes, &child.puts)?;
        nested.puts.extend(child.puts);
        nested.deletes.extend(child.deletes);
        nested.refuse_equal_puts()?;
    }
    let mut own = Changes::default();
    for op in ops {
        match op {
            Op::Put(put) => own.puts.push(&put.key),
            Op::DeleteRange(delete) => own.deletes.push(&delete.range),
            Op::Range(_) | Op::Txn(_) => {}
        }
    }
    own.refuse_equal_puts()?;
    refuse_deletes_of_puts(&own.deletes, &own.puts)?;
    if nested.puts.is_empty() && nested.deletes.is_empty() {
        return Ok(own);
    }
    nested.merge(own)?;
    Ok(nested)
}

/// Sorts keys. They often begin alike, so they are compared by what follows that, as numbers; only
/// where eight bytes of it are the same, byte by byte.
fn sort(keys: &mut [&[u8]]) {
    let Some((first, rest)) = keys.split_first() else {
        return;
    };
    let alike = |key: &&[u8]| first.iter().zip(*key).take_while(|(a, b)| a == b).count();
    let alike = rest.iter().map(alike).min().unwrap_or_default();
    let head = |key: &[u8]| {
        let behind = &key[alike..];
        let mut head = [0; 8];
        let bytes = behind.len().min(head.len());
        head[..bytes].copy_from_slice(&behind[..bytes]);
        u64::from_be_bytes(head)
    };
    let mut by_head: Vec<(u64, &[u8])> = keys.iter().map(|key| (head(key), *key)).collect();
    by_head.sort_unstable();
    for (place, (_, key)) in keys.iter_mut().zip(by_head) {
        *place = key;
    }
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
        check_txn(request, &Limits::default()).map_err(|error| error.code())
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
    fn keys_are_sorted_as_bytes_whatever_they_have_in_common() {
        let texts: [&[u8]; 12] = [
            b"/k/2",
            b"/k/10",
            b"/k/",
            b"/k",
            b"/k/1\0",
            b"/k/1",
            b"",
            b"\xff",
            b"/k/123456789",
            b"/k/123456788",
            b"/k/12345678",
            b"/k/1",
        ];
        for from in 0..texts.len() {
            for to in from..=texts.len() {
                let (mut sorted, mut expected) =
                    (texts[from..to].to_vec(), texts[from..to].to_vec());
                sort(&mut sorted);
                expected.sort_unstable();
                assert_eq!(sorted, expected);
            }
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
