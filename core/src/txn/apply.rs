//! Carrying out a plan.

use alloc::vec::Vec;

use super::plan::{Plan, Step};
use super::request::{OpResponse, TxnResponse};
use crate::error::Result;
use crate::index::Place;
use crate::page::PageStore;
use crate::store::{
    DeleteRangeRequest, DeleteRangeResponse, PutRef, PutResponse, RangeRequest, RangeResponse,
    RevisionStore, WriteTxn,
};

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
                Step::Put(put, place) => OpResponse::Put(self.put(*put, *place)?),
                Step::DeleteRange(delete) => OpResponse::DeleteRange(self.delete_range(delete)?),
                Step::Range(range) => OpResponse::Range(self.range(range)?),
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

    /// Whether the next operation is the last that may change something.
    fn begin_write(&mut self) -> bool {
        self.writes_left -= 1;
        self.writes_left == 0
    }

    fn put(&mut self, put: PutRef<'_>, place: Place) -> Result<PutResponse> {
        let last = self.begin_write();
        let prev_kv = self.store.put_at(place, self.txn, put, last)?;
        Ok(PutResponse {
            revision: self.txn.view(),
            prev_kv,
            durable: false,
        })
    }

    fn delete_range(&mut self, delete: &DeleteRangeRequest) -> Result<DeleteRangeResponse> {
        let last = self.begin_write();
        let doomed = self.store.doomed(&delete.range, self.txn.view());
        let prev_kvs = self.store.delete(self.txn, &doomed, delete.prev_kv, last)?;
        Ok(DeleteRangeResponse {
            revision: self.txn.view(),
            deleted: doomed.len() as i64,
            prev_kvs,
            durable: false,
        })
    }

    fn range(&mut self, range: &RangeRequest) -> Result<RangeResponse> {
        let view = self.txn.view();
        let main = if range.revision > 0 {
            range.revision
        } else {
            view
        };
        Ok(RangeResponse {
            revision: view,
            ..self.store.range(range, main)?
        })
    }
}
