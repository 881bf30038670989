//! Leases, by a clock that only `step` moves.

use revwatch::{
    ErrorCode, EventKind, KeyRange, KeyValue, LeaseGrantResponse, LeaseKeepAliveResponse,
    LeaseRevokeResponse, LeaseTimeToLiveResponse,
};

use crate::{Model, Outcome};

/// A promise that keys stay for a while. Which keys, the keys themselves know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// How long it lasts after being granted or kept alive.
    pub granted_ttl_ms: i64,
    /// When it ends, by the clock.
    pub expires_ms: i64,
}

impl Model {
    /// Grants a lease of an id that the caller chose. A short time is raised to the minimum.
    ///
    /// # Panics
    ///
    /// If `id` is 0: the model cannot guess which one a store would choose.
    pub fn lease_grant(&mut self, id: i64, ttl_ms: i64) -> Outcome<LeaseGrantResponse> {
        assert_ne!(id, 0, "the model cannot guess which id a store chooses");
        if ttl_ms > self.limits.lease_max_ttl_ms {
            return Err(ErrorCode::LeaseTtlTooLarge);
        }
        if self.leases.contains_key(&id) {
            return Err(ErrorCode::LeaseExists);
        }
        let ttl_ms = ttl_ms.max(self.limits.lease_min_ttl_ms);
        let lease = Lease {
            granted_ttl_ms: ttl_ms,
            expires_ms: self.now_ms + ttl_ms,
        };
        self.leases.insert(id, lease);
        Ok(LeaseGrantResponse {
            id,
            ttl_ms,
            revision: self.revision,
            durable: self.durable,
        })
    }

    /// Ends a lease: all keys attached to it are deleted at one revision, in key order.
    pub fn lease_revoke(&mut self, id: i64) -> Outcome<LeaseRevokeResponse> {
        if self.leases.remove(&id).is_none() {
            return Err(ErrorCode::LeaseNotFound);
        }
        for key in self.attached(id) {
            let mod_revision = self.revision + 1;
            let kv = KeyValue {
                key,
                mod_revision,
                ..KeyValue::default()
            };
            self.change(EventKind::Delete, kv);
        }
        Ok(LeaseRevokeResponse {
            revision: self.commit(),
            durable: self.durable,
        })
    }

    /// Gives a lease its full time again. One that is unknown, or over and only waits for a step
    /// to end it, is answered with 0.
    pub fn lease_keep_alive(&mut self, id: i64) -> LeaseKeepAliveResponse {
        let now_ms = self.now_ms;
        let alive = self
            .leases
            .get_mut(&id)
            .filter(|lease| lease.expires_ms > now_ms);
        let ttl_ms = alive.map_or(0, |lease| {
            lease.expires_ms = now_ms + lease.granted_ttl_ms;
            lease.granted_ttl_ms
        });
        LeaseKeepAliveResponse {
            id,
            ttl_ms,
            revision: self.revision,
            durable: self.durable,
        }
    }

    /// What is left of a lease; -1 if there is none.
    pub fn lease_time_to_live(&self, id: i64, keys: bool) -> LeaseTimeToLiveResponse {
        let lease = self.leases.get(&id);
        LeaseTimeToLiveResponse {
            id,
            ttl_ms: lease.map_or(-1, |lease| (lease.expires_ms - self.now_ms).max(0)),
            granted_ttl_ms: lease.map_or(0, |lease| lease.granted_ttl_ms),
            keys: if keys && lease.is_some() {
                self.attached(id)
            } else {
                Vec::new()
            },
            revision: self.revision,
        }
    }

    /// The ids of all leases, ascending.
    pub fn leases(&self) -> Vec<i64> {
        self.leases.keys().copied().collect()
    }

    /// Sets the clock, which never goes back, and ends what is over: each lease at a revision of
    /// its own, those that ended first first, and no more of them than the limit.
    ///
    /// # Panics
    ///
    /// If the model contradicts itself.
    pub fn step(&mut self, now_ms: i64) {
        if self.clock_is_known {
            self.now_ms = self.now_ms.max(now_ms);
        } else {
            self.restart_clock(now_ms);
        }
        let mut over: Vec<_> = self
            .leases
            .iter()
            .filter(|(_, lease)| lease.expires_ms <= self.now_ms)
            .map(|(&id, lease)| (lease.expires_ms, id))
            .collect();
        over.sort_unstable();
        over.truncate(self.limits.lease_expiries_per_step);
        for (_, id) in over {
            self.lease_revoke(id)
                .expect("the lease was there a moment ago");
        }
    }

    /// Closes and opens: data and leases stay, and the time until the first step after it does not
    /// count.
    pub fn reopen(&mut self) {
        self.clock_is_known = false;
    }

    /// What is left of each lease begins to run at the first clock after a restart. For how long
    /// one was over, is forgotten.
    fn restart_clock(&mut self, now_ms: i64) {
        for lease in self.leases.values_mut() {
            lease.expires_ms = now_ms + (lease.expires_ms - self.now_ms).max(0);
        }
        self.now_ms = now_ms;
        self.clock_is_known = true;
    }

    /// Takes over what a store says is left of a lease: after a crash it may be any time between
    /// what was left and the full one.
    pub fn set_remaining(&mut self, id: i64, ttl_ms: i64) {
        if let Some(lease) = self.leases.get_mut(&id) {
            lease.expires_ms = self.now_ms + ttl_ms;
        }
    }

    /// The keys that now carry this lease, in key order.
    fn attached(&self, id: i64) -> Vec<Vec<u8>> {
        let kvs = self.state(&KeyRange::All);
        kvs.iter()
            .filter(|kv| kv.lease == id)
            .map(|kv| kv.key.clone())
            .collect()
    }
}
