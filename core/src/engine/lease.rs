//! Leases.

use alloc::vec::Vec;

use super::store::Store;
use crate::error::{Error, Result};
use crate::lease::{
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
};
use crate::log::Record;
use crate::page::PageStore;

impl<P: PageStore> Store<P> {
    /// Grants a lease of `ttl_ms` milliseconds, raised to the store's minimum. With `id` 0 an id is
    /// chosen. Time passes with [`step`](Self::step).
    ///
    /// ```
    /// use revwatch::{Options, PutRequest, Store};
    ///
    /// let mut store = Store::in_memory(Options::default());
    /// store.step(0, 0).unwrap();
    /// let lease = store.lease_grant(0, 5_000).unwrap();
    /// let alive = PutRequest { lease: lease.id, ..PutRequest::new(b"/alive/me", b"") };
    /// store.put_with(&alive).unwrap();
    /// store.step(5_000, 0).unwrap();
    /// assert_eq!(store.get(b"/alive/me").unwrap(), None);
    /// ```
    pub fn lease_grant(&mut self, id: i64, ttl_ms: i64) -> Result<LeaseGrantResponse> {
        self.refuse_if_read_only()?;
        let limits = &self.options.limits;
        if ttl_ms > limits.lease_max_ttl_ms {
            return Err(Error::LeaseTtlTooLarge {
                ttl_ms,
                limit_ms: limits.lease_max_ttl_ms,
            });
        }
        if self.lessor.exists(id) {
            return Err(Error::LeaseExists { id });
        }
        let ttl_ms = ttl_ms.max(limits.lease_min_ttl_ms).max(1);
        let id = if id == 0 { self.choose_lease_id() } else { id };
        self.log_state(Record::LeaseGrant {
            id,
            ttl_ms: ttl_ms as u64,
        })?;
        self.lessor.grant(id, ttl_ms);
        Ok(LeaseGrantResponse {
            revision: self.revision(),
            id,
            ttl_ms,
            durable: self.is_durable(),
        })
    }

    /// Ends a lease: all keys attached to it are deleted at one revision, in key order.
    pub fn lease_revoke(&mut self, id: i64) -> Result<LeaseRevokeResponse> {
        self.refuse_if_read_only()?;
        let keys = self.lessor.keys(id).ok_or(Error::LeaseNotFound { id })?;
        let bytes = keys.iter().map(Vec::len).sum();
        self.revisions.reserve_to_free(bytes, keys.len() + 1)?;
        if keys.is_empty() {
            self.log_state(Record::LeaseRevoke { id })?;
            self.lessor.revoke(id);
            return Ok(LeaseRevokeResponse {
                revision: self.revision(),
                durable: self.is_durable(),
            });
        }
        let ((), revision) = self.transact(|revisions, txn| {
            for key in keys {
                revisions.delete_key(txn, &key, false)?;
            }
            revisions.append_state_in(txn, Record::LeaseRevoke { id }, true)
        })?;
        self.lessor.revoke(id);
        Ok(LeaseRevokeResponse {
            revision,
            durable: self.is_durable(),
        })
    }

    /// Gives a lease its full time again. A lease that is not there, or whose time is over, is no
    /// error: the answer's time is 0.
    pub fn lease_keep_alive(&mut self, id: i64) -> Result<LeaseKeepAliveResponse> {
        self.refuse_if_read_only()?;
        let mut ttl_ms = 0;
        if let Some((full_ttl_ms, log_is_behind)) = self.lessor.keep_alive(id) {
            ttl_ms = full_ttl_ms;
            if log_is_behind {
                let remaining_ms = ttl_ms as u64;
                let logged = self.log_state(Record::LeaseRemaining { id, remaining_ms });
                if logged.is_err() {
                    self.lessor.was_not_saved(id);
                }
                logged?;
            }
        }
        Ok(LeaseKeepAliveResponse {
            revision: self.revision(),
            id,
            ttl_ms,
            durable: self.is_durable(),
        })
    }

    /// Logs what leases have left, for the next opening. Rides with the next sync.
    pub(super) fn log_remaining(&mut self, leases: Vec<(i64, i64)>) -> Result<()> {
        let mut outcome = Ok(());
        for (id, remaining_ms) in leases {
            if outcome.is_ok() {
                let remaining_ms = remaining_ms as u64;
                let record = Record::LeaseRemaining { id, remaining_ms };
                outcome = self.revisions.append_state(record);
            }
            if outcome.is_err() {
                self.lessor.was_not_saved(id);
            }
        }
        outcome
    }

    /// What a lease has left, and with `keys` which keys are attached to it. A lease that is not
    /// there is no error: the answer's time is -1.
    pub fn lease_time_to_live(&self, id: i64, keys: bool) -> LeaseTimeToLiveResponse {
        let (ttl_ms, granted_ttl_ms) = self.lessor.time_to_live(id).unwrap_or((-1, 0));
        let attached = if keys { self.lessor.keys(id) } else { None };
        LeaseTimeToLiveResponse {
            revision: self.revision(),
            id,
            ttl_ms,
            granted_ttl_ms,
            keys: attached.unwrap_or_default(),
        }
    }

    /// The ids of all leases, ascending.
    pub fn leases(&self) -> Vec<i64> {
        self.lessor.ids()
    }

    /// An id that is positive, not in use, and the same for the same seed and history.
    fn choose_lease_id(&mut self) -> i64 {
        loop {
            self.leases_chosen += 1;
            // Not where the log ends: what a store notes down for itself would show in answers.
            let place = (self.revision() as u64).rotate_left(32) ^ self.leases_chosen;
            let id = (mix(self.options.seed ^ mix(place)) >> 1) as i64;
            if id != 0 && !self.lessor.exists(id) {
                return id;
            }
        }
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014): one to one, and every bit of the input changes about half of the output's.
fn mix(input: u64) -> u64 {
    let mut bits = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
