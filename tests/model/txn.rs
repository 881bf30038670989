//! Transactions.

use std::collections::BTreeSet;

use revwatch::{
    Compare, CompareOp, CompareTarget, ErrorCode, KeyRange, KeyValue, Op, OpResponse, TxnRequest,
    TxnResponse,
};

use crate::keys::check_put;
use crate::{Model, Outcome, contains, require_key};

/// Which branch a transaction takes, and which ones the transactions inside that branch take.
struct Path {
    succeeded: bool,
    nested: Vec<Path>,
}

impl Model {
    /// Checks all that can be checked, chooses all branches, checks what these will do (puts, then
    /// ranges), then does it: nothing can fail any more once something was written.
    pub fn txn(&mut self, request: &TxnRequest) -> Outcome<TxnResponse> {
        check_txn(request, self.limits().txn_ops as i64)?;
        check_duplicates(&request.success)?;
        check_duplicates(&request.failure)?;
        if put_bytes(request) > self.limits().request_bytes {
            return Err(ErrorCode::RequestTooLarge);
        }
        let path = self.choose(request);
        self.check_puts(request, &path)?;
        self.check_ranges(request, &path)?;
        let mut response = self.execute(request, &path);
        response.revision = self.commit();
        response.durable = self.durable;
        Ok(response)
    }

    /// All comparisons, nested ones too, look at the state before the transaction.
    fn choose(&self, request: &TxnRequest) -> Path {
        let succeeded = request.compare.iter().all(|compare| self.holds(compare));
        let nested = nested(branch(request, succeeded))
            .map(|txn| self.choose(txn))
            .collect();
        Path { succeeded, nested }
    }

    /// The comparisons of a transaction and of those inside the branch that it takes, with what each
    /// of them gives on the present state.
    pub fn comparisons<'a>(&self, request: &'a TxnRequest) -> Vec<(&'a Compare, bool)> {
        let compares = request.compare.iter();
        let mut all: Vec<_> = compares
            .map(|compare| (compare, self.holds(compare)))
            .collect();
        let succeeded = all.iter().all(|&(_, holds)| holds);
        for txn in nested(branch(request, succeeded)) {
            all.extend(self.comparisons(txn));
        }
        all
    }

    /// Every key of the range must satisfy the comparison; an empty range is like one missing key:
    /// all its numbers are 0, and of its value nothing is true.
    fn holds(&self, compare: &Compare) -> bool {
        let kvs = self.state(&compare.range);
        if kvs.is_empty() {
            return !matches!(compare.target, CompareTarget::Value(_))
                && satisfies(compare, &KeyValue::default());
        }
        kvs.iter().all(|kv| satisfies(compare, kv))
    }

    fn check_puts(&self, request: &TxnRequest, path: &Path) -> Outcome<()> {
        let mut paths = path.nested.iter();
        for op in branch(request, path.succeeded) {
            match op {
                Op::Put(put) => {
                    self.check_kept(put)?;
                    self.check_lease(put)?;
                }
                Op::Txn(txn) => self.check_puts(txn, next(&mut paths))?,
                Op::Range(_) | Op::DeleteRange(_) => {}
            }
        }
        Ok(())
    }

    fn check_ranges(&self, request: &TxnRequest, path: &Path) -> Outcome<()> {
        let mut paths = path.nested.iter();
        for op in branch(request, path.succeeded) {
            match op {
                Op::Range(range) => {
                    // Only in a range alone does a revision below zero mean the current one.
                    if range.revision < 0 && range.revision < self.compact_revision {
                        return Err(ErrorCode::Compacted);
                    }
                    self.check_readable(range.revision)?;
                }
                Op::Txn(txn) => self.check_ranges(txn, next(&mut paths))?,
                Op::Put(_) | Op::DeleteRange(_) => {}
            }
        }
        Ok(())
    }

    /// In order, so that later operations see what earlier ones did. Answers carry the revision as
    /// it is at that moment; the answer of a nested transaction carries none.
    fn execute(&mut self, request: &TxnRequest, path: &Path) -> TxnResponse {
        let mut paths = path.nested.iter();
        let responses = branch(request, path.succeeded)
            .iter()
            .map(|op| match op {
                Op::Put(put) => OpResponse::Put(self.execute_put(put)),
                Op::Range(range) => OpResponse::Range(self.execute_range(range)),
                Op::DeleteRange(delete) => {
                    OpResponse::DeleteRange(self.execute_delete_range(delete))
                }
                Op::Txn(txn) => OpResponse::Txn(self.execute(txn, next(&mut paths))),
            })
            .collect();
        TxnResponse {
            revision: 0,
            succeeded: path.succeeded,
            responses,
            durable: false,
        }
    }
}

fn branch(request: &TxnRequest, succeeded: bool) -> &[Op] {
    if succeeded {
        &request.success
    } else {
        &request.failure
    }
}

fn nested(ops: &[Op]) -> impl Iterator<Item = &TxnRequest> {
    ops.iter().filter_map(|op| match op {
        Op::Txn(txn) => Some(txn),
        _ => None,
    })
}

fn next<'a>(paths: &mut impl Iterator<Item = &'a Path>) -> &'a Path {
    paths
        .next()
        .expect("every nested transaction of the branch has a path")
}

fn satisfies(compare: &Compare, kv: &KeyValue) -> bool {
    let ordering = match &compare.target {
        CompareTarget::Value(value) => kv.value.cmp(value),
        CompareTarget::Version(version) => kv.version.cmp(version),
        CompareTarget::Create(revision) => kv.create_revision.cmp(revision),
        CompareTarget::Mod(revision) => kv.mod_revision.cmp(revision),
        CompareTarget::Lease(lease) => kv.lease.cmp(lease),
    };
    match compare.op {
        CompareOp::Equal => ordering.is_eq(),
        CompareOp::NotEqual => ordering.is_ne(),
        CompareOp::Less => ordering.is_lt(),
        CompareOp::Greater => ordering.is_gt(),
    }
}

/// What can be refused without looking at the store. A transaction's longest list counts against
/// the limit, and what is left of it is the limit of the transactions inside.
fn check_txn(request: &TxnRequest, limit: i64) -> Outcome<()> {
    let lists = [
        request.compare.len(),
        request.success.len(),
        request.failure.len(),
    ];
    let left = limit - lists.into_iter().max().unwrap_or(0) as i64;
    if left < 0 {
        return Err(ErrorCode::TooManyOps);
    }
    for compare in &request.compare {
        require_key(&compare.range)?;
    }
    for op in request.success.iter().chain(&request.failure) {
        match op {
            Op::Put(put) => check_put(put)?,
            Op::Range(range) => require_key(&range.range)?,
            Op::DeleteRange(delete) => require_key(&delete.range)?,
            Op::Txn(txn) => check_txn(txn, left)?,
        }
    }
    Ok(())
}

/// Bytes that both branches put. What else a request holds never decides here.
fn put_bytes(request: &TxnRequest) -> usize {
    let ops = request.success.iter().chain(&request.failure);
    ops.map(|op| match op {
        Op::Put(put) => put.key.len() + put.value.len(),
        Op::Txn(txn) => put_bytes(txn),
        Op::Range(_) | Op::DeleteRange(_) => 0,
    })
    .sum()
}

/// What a branch changes, with all branches of the transactions inside it.
#[derive(Default)]
struct Changed<'a> {
    puts: BTreeSet<&'a [u8]>,
    deletes: Vec<&'a KeyRange>,
}

impl<'a> Changed<'a> {
    fn put(&mut self, key: &'a [u8]) -> Outcome<()> {
        let deleted = self
            .deletes
            .iter()
            .any(|range| is_seen_to_cover(range, key));
        if deleted || !self.puts.insert(key) {
            Err(ErrorCode::DuplicateKey)
        } else {
            Ok(())
        }
    }
}

/// A delete without an end is not seen here, since etcd takes the mark for "no end", one zero byte,
/// for an end like any other, which comes before every key.
fn is_seen_to_cover(range: &KeyRange, key: &[u8]) -> bool {
    range.end().is_some() && contains(range, key)
}

/// No key may be put twice, or put and deleted, in one branch. This is asked in etcd's order: the
/// deletes of this level, then the transactions inside one after the other (of each its puts, then
/// its deletes), then the puts of this level. Hence a put inside one transaction and a delete of
/// that key inside a later one pass. The two branches of one inner transaction exclude each other,
/// so both may put the same key.
fn check_duplicates(ops: &[Op]) -> Outcome<Changed<'_>> {
    let mut changed = Changed::default();
    for op in ops {
        if let Op::DeleteRange(delete) = op {
            changed.deletes.push(&delete.range);
        }
    }
    for txn in nested(ops) {
        let success = check_duplicates(&txn.success)?;
        let failure = check_duplicates(&txn.failure)?;
        for key in success.puts.union(&failure.puts) {
            changed.put(key)?;
        }
        changed
            .deletes
            .extend(success.deletes.into_iter().chain(failure.deletes));
    }
    for op in ops {
        if let Op::Put(put) = op {
            changed.put(&put.key)?;
        }
    }
    Ok(changed)
}
