//! Everything that can be asked of a store, as data, so that two stores can be asked the same.

use revwatch::{
    CompactResponse, DeleteRangeRequest, DeleteRangeResponse, HashKvResponse, KeyRange,
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseRevokeResponse, LeaseTimeToLiveResponse,
    PutRequest, PutResponse, RangeRequest, RangeResponse, TxnRequest, TxnResponse,
};

use crate::{Model, Outcome};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the store's operations are")]
pub enum Command {
    Put(PutRequest),
    DeleteRange(DeleteRangeRequest),
    Range(RangeRequest),
    Txn(TxnRequest),
    Compact { revision: i64 },
    HashKv { revision: i64 },
    LeaseGrant { id: i64, ttl_ms: i64 },
    LeaseRevoke { id: i64 },
    LeaseKeepAlive { id: i64 },
    LeaseTimeToLive { id: i64, keys: bool },
    Leases,
    Step { now_ms: i64 },
}

/// A watch to be opened and read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the store's options are")]
pub struct Watch {
    pub range: KeyRange,
    pub start_revision: i64,
    pub prev_kv: bool,
    pub no_put: bool,
    pub no_delete: bool,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the store's operations are")]
pub enum Answer {
    Put(PutResponse),
    DeleteRange(DeleteRangeResponse),
    Range(RangeResponse),
    Txn(TxnResponse),
    Compact(CompactResponse),
    HashKv(HashKvResponse),
    LeaseGrant(LeaseGrantResponse),
    LeaseRevoke(LeaseRevokeResponse),
    LeaseKeepAlive(LeaseKeepAliveResponse),
    LeaseTimeToLive(LeaseTimeToLiveResponse),
    Leases(Vec<i64>),
    Step,
}

impl Model {
    /// Does what `command` says. A lease is granted under the id that the command names, which
    /// must not be 0.
    pub fn apply(&mut self, command: &Command) -> Outcome<Answer> {
        Ok(match command {
            Command::Put(request) => Answer::Put(self.put(request)?),
            Command::DeleteRange(request) => Answer::DeleteRange(self.delete_range(request)?),
            Command::Range(request) => Answer::Range(self.range(request)?),
            Command::Txn(request) => Answer::Txn(self.txn(request)?),
            Command::Compact { revision } => Answer::Compact(self.compact(*revision)?),
            Command::HashKv { revision } => Answer::HashKv(self.hash_kv(*revision)?),
            Command::LeaseGrant { id, ttl_ms } => {
                Answer::LeaseGrant(self.lease_grant(*id, *ttl_ms)?)
            }
            Command::LeaseRevoke { id } => Answer::LeaseRevoke(self.lease_revoke(*id)?),
            Command::LeaseKeepAlive { id } => Answer::LeaseKeepAlive(self.lease_keep_alive(*id)),
            Command::LeaseTimeToLive { id, keys } => {
                Answer::LeaseTimeToLive(self.lease_time_to_live(*id, *keys))
            }
            Command::Leases => Answer::Leases(self.leases()),
            Command::Step { now_ms } => {
                self.step(*now_ms);
                Answer::Step
            }
        })
    }
}
