//! Changing keys.

use super::store::Store;
use crate::error::{Error, Result};
use crate::log::Record;
use crate::page::{PageError, PageStore};
use crate::store::{DeleteRangeRequest, DeleteRangeResponse, PutRef, PutRequest, PutResponse};
use crate::txn::{
    TxnRequest, TxnResponse, apply, check_delete_range, check_put, check_put_against_state,
    check_txn, logged_value_bytes, plan,
};

/// History was compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactResponse {
    /// The store's current revision, which compaction does not change.
    pub revision: i64,
    /// Whether this, and all before it, was safe from a loss of power when it was answered.
    pub durable: bool,
}

impl<P: PageStore> Store<P> {
    /// Creates or changes a key.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<PutResponse> {
        self.put_ref(PutRef {
            key,
            value,
            ..PutRef::default()
        })
    }

    /// Creates or changes a key, with options.
    pub fn put_with(&mut self, request: &PutRequest) -> Result<PutResponse> {
        self.put_ref(request.as_ref())
    }

    fn put_ref(&mut self, request: PutRef<'_>) -> Result<PutResponse> {
        self.refuse_if_read_only()?;
        check_put(request, &self.options.limits)?;
        self.hub.foresee(request.key);
        let lease_exists = |id| self.lessor.exists(id);
        check_put_against_state(request, &self.revisions, &lease_exists)?;
        self.refuse_beyond_quota()?;
        let value_bytes = logged_value_bytes(request, &self.revisions);
        self.reserve(request.key.len().saturating_add(value_bytes), 1)?;
        let (prev_kv, revision) = self.transact(|revisions, txn| {
            let place = revisions.locate(request.key);
            revisions.put_at(place, txn, request, true)
        })?;
        Ok(PutResponse {
            revision,
            prev_kv,
            durable: self.is_durable(),
        })
    }

    /// Deletes keys, all at one revision.
    ///
    /// ```
    /// use revwatch::{DeleteRangeRequest, KeyRange, Options, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"a", b"1").unwrap();
    /// let response = store.delete_range(&DeleteRangeRequest::new(KeyRange::All)).unwrap();
    /// assert_eq!((response.deleted, response.revision), (1, 3));
    /// let response = store.delete_range(&DeleteRangeRequest::new(KeyRange::All)).unwrap();
    /// assert_eq!((response.deleted, response.revision), (0, 3));
    /// ```
    pub fn delete_range(&mut self, request: &DeleteRangeRequest) -> Result<DeleteRangeResponse> {
        self.refuse_if_read_only()?;
        check_delete_range(request)?;
        let doomed = self.revisions.doomed(&request.range, self.revision());
        let bytes = self.revisions.key_bytes(&doomed);
        self.revisions.reserve_to_free(bytes, doomed.len() + 1)?;
        let (prev_kvs, revision) =
            self.transact(|revisions, txn| revisions.delete(txn, &doomed, request.prev_kv, true))?;
        Ok(DeleteRangeResponse {
            revision,
            deleted: doomed.len() as i64,
            prev_kvs,
            durable: self.is_durable(),
        })
    }

    /// Carries out a transaction: all of it at one revision, or nothing.
    pub fn txn(&mut self, request: &TxnRequest) -> Result<TxnResponse> {
        check_txn(request, &self.options.limits, self.options.seed)?;
        self.execute(request)
    }

    /// Refuses reads and watches before `revision` from now on, so that space can be reclaimed.
    /// What each key was at `revision` stays readable. Fails with `HeldByCursor` if a cursor has yet
    /// to see what that would take.
    ///
    /// ```
    /// use revwatch::{ErrorCode, KeyRange, Options, RangeRequest, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.put(b"a", b"1").unwrap();
    /// store.put(b"a", b"2").unwrap();
    /// store.compact(3).unwrap();
    /// let old = RangeRequest { revision: 2, ..RangeRequest::new(KeyRange::one(b"a")) };
    /// assert_eq!(store.range(&old).unwrap_err().code(), ErrorCode::Compacted);
    /// ```
    pub fn compact(&mut self, revision: i64) -> Result<CompactResponse> {
        self.refuse_if_read_only()?;
        self.revisions.check_compaction(revision)?;
        self.check_holds(revision)?;
        if revision > self.published {
            // Whoever sees only what is durable must find a history that begins there.
            self.sync_all()?;
        }
        self.log_state(Record::Compact {
            revision: revision as u64,
        })?;
        self.revisions.compact(revision);
        Ok(CompactResponse {
            revision: self.revision(),
            durable: self.is_durable(),
        })
    }

    /// A store beyond its quota takes only what makes it smaller in the end.
    pub(super) fn refuse_beyond_quota(&self) -> Result<()> {
        if self.revisions.log().size_in_use() >= self.options.limits.quota_bytes {
            return Err(Error::Page(PageError::NoSpace));
        }
        Ok(())
    }

    /// Carries out a request whose shape has been checked.
    fn execute(&mut self, request: &TxnRequest) -> Result<TxnResponse> {
        let lease_exists = |id| self.lessor.exists(id);
        let plan = plan(request, &self.revisions, &lease_exists)?;
        if plan.writes() == 0 {
            let mut txn = self.revisions.begin(false, None);
            let response = apply(&plan, &mut self.revisions, &mut txn)?;
            let revision = self.revision();
            return Ok(TxnResponse {
                revision,
                durable: self.is_durable(),
                ..response
            });
        }
        self.refuse_if_read_only()?;
        let (bytes, entries) = plan.cost(&self.revisions);
        if plan.puts() > 0 {
            self.refuse_beyond_quota()?;
            self.reserve(bytes, entries)?;
        } else {
            self.revisions.reserve_to_free(bytes, entries)?;
        }
        let (response, revision) = self.transact(|revisions, txn| apply(&plan, revisions, txn))?;
        Ok(TxnResponse {
            revision,
            durable: self.is_durable(),
            ..response
        })
    }
}
