//! Carrying out a plan.

use alloc::vec::Vec;

use super::plan::{Plan, Step};
use super::request::{Op, OpResponse, TxnResponse};
use crate::error::Result;
use crate::page::PageStore;
use crate::store::{DeleteRangeResponse, PutResponse, RangeResponse, RevisionStore, WriteTxn};

/// Carries out a plan in order; later operations see what earlier ones did. The answer's own
/// revision and durability are the caller's to set, once the transaction is committed.
pub(crate) fn apply<P: PageStore>(
    plan: &Plan<'_>,
    store: &mut RevisionStore<P>,
    txn: &mut WriteTxn,
) -> Result<TxnResponse> {
    Applier {
        store,
        txn,
        writes_left: plan.writes(),
    }
    .branch(plan)
}

struct Applier<'a, P> {
    store: &'a mut RevisionStore<P>,
    txn: &'a mut WriteTxn,
    /// The operation that brings this to zero is the last that may change something.
    writes_left: usize,
}

impl<P: PageStore> Applier<'_, P> {
    fn branch(&mut self, plan: &Plan<'_>) -> Result<TxnResponse> {
        let mut responses = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            responses.push(match step {
                Step::Op(op) => self.op(op)?,
                Step::Txn(nested) => OpResponse::Txn(self.branch(nested)?),
            });
        }
        Ok(TxnResponse {
            revision: 0,
            succeeded: plan.succeeded,
            responses,
            durable: false,
        })
    }

    fn op(&mut self, op: &Op) -> Result<OpResponse> {
        if matches!(op, Op::Put(_) | Op::DeleteRange(_)) {
            self.writes_left -= 1;
        }
        let last = self.writes_left == 0;
        Ok(match op {
            Op::Put(put) => {
                let prev_kv = self.store.put(self.txn, put.as_ref(), last)?;
                OpResponse::Put(PutResponse {
                    revision: self.txn.view(),
                    prev_kv,
                    durable: false,
                })
            }
            Op::DeleteRange(delete) => {
                let (deleted, prev_kvs) = self.store.delete_range(self.txn, delete, last)?;
                let revision = self.txn.view();
                OpResponse::DeleteRange(DeleteRangeResponse {
                    revision,
                    deleted,
                    prev_kvs,
                    durable: false,
                })
            }
            Op::Range(range) => {
                let view = self.txn.view();
                let main = if range.revision > 0 {
                    range.revision
                } else {
                    view
                };
                let response = self.store.range(range, main)?;
                OpResponse::Range(RangeResponse {
                    revision: view,
                    ..response
                })
            }
            Op::Txn(_) => unreachable!("a plan keeps nested transactions as plans"),
        })
    }
}
