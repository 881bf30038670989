//! Asking a store.

use revwatch::Store;
use revwatch::page::MemoryPages;
use revwatch_model::{Answer, Command, Outcome};

use crate::pair::BUDGET_BYTES;

/// Does what `command` says, on the store.
pub(crate) fn apply(store: &mut Store<MemoryPages>, command: &Command) -> Outcome<Answer> {
    let answer = match command {
        Command::Put(request) => store.put_with(request).map(Answer::Put),
        Command::DeleteRange(request) => store.delete_range(request).map(Answer::DeleteRange),
        Command::Range(request) => store.range(request).map(Answer::Range),
        Command::Txn(request) => store.txn(request).map(Answer::Txn),
        Command::Compact { revision } => store.compact(*revision).map(Answer::Compact),
        Command::HashKv { revision } => store.hash_kv(*revision).map(Answer::HashKv),
        Command::LeaseGrant { id, ttl_ms } => {
            store.lease_grant(*id, *ttl_ms).map(Answer::LeaseGrant)
        }
        Command::LeaseRevoke { id } => store.lease_revoke(*id).map(Answer::LeaseRevoke),
        Command::LeaseKeepAlive { id } => store.lease_keep_alive(*id).map(Answer::LeaseKeepAlive),
        Command::LeaseTimeToLive { id, keys } => Ok(Answer::LeaseTimeToLive(
            store.lease_time_to_live(*id, *keys),
        )),
        Command::Leases => Ok(Answer::Leases(store.leases())),
        Command::Step { now_ms } => store.step(*now_ms, BUDGET_BYTES).map(|_| Answer::Step),
    };
    answer.map_err(|error| error.code())
}
