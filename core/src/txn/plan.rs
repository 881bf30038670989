//! Deciding what a transaction will do, and whether it can, before anything is changed.

use alloc::vec::Vec;

use super::compare::holds;
use super::request::{Op, TxnRequest};
use crate::error::{Error, Result};
use crate::index::Place;
use crate::page::PageStore;
use crate::store::{DeleteRangeRequest, PutRef, RangeRequest, RevisionStore};

/// The branch that a transaction takes, and those that the transactions nested in it take.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(super) succeeded: bool,
    pub(super) steps: Vec<Step<'a>>,
    counts: Counts,
}

/// An operation of the branch taken.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// Its key stays where it was found: no other operation of a transaction may put it.
    Put(PutRef<'a>, Place),
    DeleteRange(&'a DeleteRangeRequest),
    Range(&'a RangeRequest),
    Txn(Plan<'a>),
}

/// How many operations of a kind there are, nested ones included.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    puts: usize,
    deletes: usize,
    ranges: usize,
}

/// Evaluates all comparisons on the state as it is, and checks what the branches taken will do
/// against it: as in etcd, first all that they put, then all that they read. `lease_exists` knows
/// the leases.
pub(crate) fn plan<'a, P: PageStore>(
    request: &'a TxnRequest,
    store: &RevisionStore<P>,
    lease_exists: &dyn Fn(i64) -> bool,
) -> Result<Plan<'a>> {
    let plan = take_branches(request, store)?;
    plan.check_puts(store, lease_exists)?;
    plan.check_ranges(store)?;
    Ok(plan)
}

/// All keys that are put are looked for together: what one look waits for in memory does not depend
/// on another, so the waits overlap.
fn take_branches<'a, P: PageStore>(
    request: &'a TxnRequest,
    store: &RevisionStore<P>,
) -> Result<Plan<'a>> {
    let main = store.revision();
    let mut succeeded = true;
    for compare in &request.compare {
        succeeded = succeeded && holds(compare, store, main)?;
    }
    let branch = if succeeded {
        &request.success
    } else {
        &request.failure
    };
    let mut steps = Vec::with_capacity(branch.len());
    let mut counts = Counts::default();
    for op in branch {
        steps.push(match op {
            Op::Put(put) => {
                counts.puts += 1;
                Step::Put(put.as_ref(), store.locate(&put.key))
            }
            Op::DeleteRange(delete) => {
                counts.deletes += 1;
                Step::DeleteRange(delete)
            }
            Op::Range(range) => {
                counts.ranges += 1;
                Step::Range(range)
            }
            Op::Txn(nested) => {
                let nested = take_branches(nested, store)?;
                counts.puts += nested.counts.puts;
                counts.deletes += nested.counts.deletes;
                counts.ranges += nested.counts.ranges;
                Step::Txn(nested)
            }
        });
    }
    Ok(Plan {
        succeeded,
        steps,
        counts,
    })
}

/// The revision that the transaction itself will make counts as a future one. Unlike in a range
/// alone, a revision below zero does not mean the current one.
fn check_range_revision<P: PageStore>(revision: i64, store: &RevisionStore<P>) -> Result<()> {
    let compact_revision = store.compact_revision();
    if revision < 0 && revision < compact_revision {
        return Err(Error::Compacted {
            requested: revision,
            compact_revision,
        });
    }
    store.readable(revision).map(drop)
}

/// A put alone is checked as one in a transaction is, but etcd looks at the lease first.
pub(crate) fn check_put_against_state<P: PageStore>(
    request: PutRef<'_>,
    store: &RevisionStore<P>,
    lease_exists: &dyn Fn(i64) -> bool,
) -> Result<()> {
    check_lease(request, lease_exists)?;
    check_kept_key(request, store)
}

/// A put that keeps something needs a key that has it.
fn check_kept_key<P: PageStore>(request: PutRef<'_>, store: &RevisionStore<P>) -> Result<()> {
    let keeps = request.ignore_value || request.ignore_lease;
    if keeps && store.find(request.key, store.revision()).is_none() {
        return Err(Error::KeyNotFound);
    }
    Ok(())
}

fn check_lease(request: PutRef<'_>, lease_exists: &dyn Fn(i64) -> bool) -> Result<()> {
    if request.lease != 0 && !lease_exists(request.lease) {
        return Err(Error::LeaseNotFound { id: request.lease });
    }
    Ok(())
}

impl Plan<'_> {
    fn check_puts<P: PageStore>(
        &self,
        store: &RevisionStore<P>,
        lease_exists: &dyn Fn(i64) -> bool,
    ) -> Result<()> {
        self.steps.iter().try_for_each(|step| match step {
            Step::Put(put, _) => {
                check_kept_key(*put, store)?;
                check_lease(*put, lease_exists)
            }
            Step::Txn(nested) => nested.check_puts(store, lease_exists),
            Step::DeleteRange(_) | Step::Range(_) => Ok(()),
        })
    }

    fn check_ranges<P: PageStore>(&self, store: &RevisionStore<P>) -> Result<()> {
        if self.counts.ranges == 0 {
            return Ok(());
        }
        self.steps.iter().try_for_each(|step| match step {
            Step::Range(range) => check_range_revision(range.revision, store),
            Step::Txn(nested) => nested.check_ranges(store),
            Step::Put(..) | Step::DeleteRange(_) => Ok(()),
        })
    }

    /// How many of the operations may change something.
    pub(crate) fn writes(&self) -> usize {
        self.counts.puts + self.counts.deletes
    }

    /// How many of the operations are puts.
    pub(crate) fn puts(&self) -> usize {
        self.counts.puts
    }

    /// Bytes of keys and values, and number of entries, that carrying it out may log at most.
    pub(crate) fn cost<P: PageStore>(&self, store: &RevisionStore<P>) -> (usize, usize) {
        let mut cost = (0, 1);
        self.add_cost(store, &mut cost);
        cost
    }

    fn add_cost<P: PageStore>(&self, store: &RevisionStore<P>, cost: &mut (usize, usize)) {
        for step in &self.steps {
            let (bytes, entries) = match step {
                // A key that is put may also be deleted by a later nested transaction, and a put
                // may keep a value that is there.
                Step::Put(put, _) => (2 * put.key.len() + logged_value_bytes(*put, store), 2),
                Step::DeleteRange(delete) => {
                    let (keys, bytes) = store.delete_cost(&delete.range);
                    (bytes, keys)
                }
                Step::Range(_) => (0, 0),
                Step::Txn(nested) => {
                    nested.add_cost(store, cost);
                    continue;
                }
            };
            cost.0 += bytes;
            cost.1 += entries;
        }
    }
}

/// Bytes of the value that a put will log.
pub(crate) fn logged_value_bytes<P: PageStore>(put: PutRef<'_>, store: &RevisionStore<P>) -> usize {
    if !put.ignore_value {
        return put.value.len();
    }
    let kept = store.get(put.key, store.revision()).ok().flatten();
    kept.map_or(0, |kv| kv.value.len())
}
