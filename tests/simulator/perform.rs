//! Carrying out commands.

use revwatch::page::PageStore;
use revwatch::{DeleteRangeRequest, Error, KeyRange, Op, PutRequest, Store, TxnRequest};

use crate::command::Command;
use crate::cursors;
use crate::history::Change;

/// What one step may read or reclaim, in bytes: little, so that such work is spread over many.
const STEP_BYTES: usize = 2_048;

/// Asks a store to do what a command says, which may not be to close it.
pub fn perform<P: PageStore>(
    store: &mut Store<P>,
    command: &Command,
    now_ms: i64,
) -> Result<(), Error> {
    let delete = |range| DeleteRangeRequest::new(range);
    match command {
        Command::Put(change) => match request(change) {
            Op::Put(request) => store.put_with(&request).map(drop),
            _ => unreachable!("a put puts"),
        },
        Command::Delete(key) => store.delete_range(&delete(KeyRange::one(key))).map(drop),
        Command::DeleteAll => store.delete_range(&delete(KeyRange::All)).map(drop),
        Command::Txn(changes) => {
            let success = changes.iter().map(request).collect();
            let request = TxnRequest {
                success,
                ..TxnRequest::default()
            };
            store.txn(&request).map(drop)
        }
        Command::Compact { revision } => store.compact(*revision).map(drop),
        Command::Grant { id, ttl_ms } => store.lease_grant(*id, *ttl_ms).map(drop),
        Command::Revoke { id } => store.lease_revoke(*id).map(drop),
        Command::KeepAlive { id } => store.lease_keep_alive(*id).map(drop),
        Command::MakeCursor(name) => cursors::open(store, name).map(|id| store.close_cursor(id)),
        Command::Consume(name, most) => cursors::consume(store, name, *most),
        Command::DeleteCursor(name) => store.delete_cursor(name.as_bytes()),
        Command::Step { .. } => store.step(now_ms, STEP_BYTES).map(drop),
        Command::Flush => store.flush(),
        Command::Close => unreachable!("a store that is closed takes no commands"),
    }
}

fn request(change: &Change) -> Op {
    match change {
        Change::Put { key, value, lease } => Op::Put(PutRequest {
            lease: *lease,
            ..PutRequest::new(key, value)
        }),
        Change::Delete { key } => Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(key))),
    }
}

/// The leases there are, with what they have left.
pub fn remaining_ms<P: PageStore>(store: &Store<P>) -> impl Iterator<Item = (i64, i64)> {
    let leases = store.leases().into_iter();
    leases.map(|id| (id, store.lease_time_to_live(id, false).ttl_ms))
}
