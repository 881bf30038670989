//! What the tests of snapshots share.

use revwatch::page::PageStore;
use revwatch::{CursorRequest, KeyRange, RangeRequest, Store};

use super::changes::change;
use super::{PLENTY, Rng};

pub(crate) fn chunks_since<P: PageStore>(
    store: &mut Store<P>,
    since: i64,
    max_bytes: usize,
) -> Vec<Vec<u8>> {
    let mut snapshot = store.snapshot(since).unwrap();
    let mut chunks = Vec::new();
    loop {
        let chunk = store.next_snapshot_chunk(&mut snapshot, max_bytes).unwrap();
        if chunk.is_empty() {
            return chunks;
        }
        assert!(chunk.len() <= max_bytes.max(512));
        chunks.push(chunk);
    }
}

/// One random thing that may happen to a store, besides changes also to what has no revision.
pub(crate) fn happen<P: PageStore>(store: &mut Store<P>, rng: &mut Rng, now_ms: &mut i64) {
    match rng.below(30) {
        0 => {
            let compacted = store.status().compact_revision.max(1);
            let wanted = compacted + rng.below((store.revision() - compacted + 1) as u64) as i64;
            // Held by a cursor, or compacted before.
            let _ = store.compact(wanted);
        }
        1..4 => {
            *now_ms += rng.below(20_000) as i64;
            store.step(*now_ms, rng.below(40_000) as usize).unwrap();
        }
        4 => {
            let request = CursorRequest {
                hold: rng.below(4) == 0,
                start_revision: i64::from(rng.below(2) == 0),
                ..CursorRequest::new(&[b'a' + rng.below(3) as u8], KeyRange::All)
            };
            if let Ok(cursor) = store.cursor(&request) {
                let _ = store.poll_cursor(cursor, 5, PLENTY);
                let delivered = store.cursor_revision(cursor).unwrap();
                let _ = store.ack_cursor(cursor, delivered);
                store.close_cursor(cursor);
            }
        }
        5 => {
            let _ = store.delete_cursor(&[b'a' + rng.below(3) as u8]);
        }
        6 => {
            if let Some(&lease) = store.leases().last() {
                store.lease_keep_alive(lease).unwrap();
            }
        }
        7 => drop(store.lease_grant(rng.below(3) as i64 + 1, 30_000)),
        _ => change(store, rng),
    }
}

/// Everything that can be asked of a store but its epoch, which each has of its own.
#[derive(Debug, PartialEq)]
pub(crate) struct Portrait {
    hash: revwatch::HashKvResponse,
    compact_revision: i64,
    states: Vec<revwatch::RangeResponse>,
    events: Vec<revwatch::Event>,
    leases: Vec<revwatch::LeaseTimeToLiveResponse>,
    cursors: Vec<revwatch::CursorReport>,
}

impl Portrait {
    pub(crate) fn of<P: PageStore>(store: &Store<P>) -> Self {
        let status = store.status();
        let first = status.compact_revision.max(1);
        let all_states = (first..=store.revision()).map(|revision| {
            let request = RangeRequest {
                revision,
                ..RangeRequest::new(KeyRange::All)
            };
            store.range(&request).unwrap()
        });
        let leases = store.leases().into_iter();
        Self {
            hash: store.hash_kv(0).unwrap(),
            compact_revision: status.compact_revision,
            states: all_states.collect(),
            events: store.history(&KeyRange::All, first, PLENTY).unwrap().events,
            leases: leases
                .map(|id| store.lease_time_to_live(id, true))
                .collect(),
            cursors: store.cursors(),
        }
    }
}
