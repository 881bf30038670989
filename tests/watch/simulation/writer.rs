//! The writer: what is written, compacted and left to time.

use std::collections::BTreeSet;

use revwatch::{DeleteRangeRequest, KeyRange, Op, PutRequest, Result, TxnRequest};

use super::World;
use crate::record::{Entry, WRITER, WriteOp};

/// All keys: few, so that they meet, and prefixes of one another.
#[rustfmt::skip]
const KEYS: [&[u8]; 14] = [
    b"\0", b"a", b"a/1", b"a/2", b"a/3", b"a\xff", b"b", b"b/1", b"b/2", b"b/2/x", b"c", b"c\0",
    b"\xff", b"\xff\xff",
];
const PREFIXES: [&[u8]; 5] = [b"a/", b"b", b"b/", b"c", b"\xff"];
const LEASES: [i64; 3] = [1, 2, -3];

impl World {
    pub(super) fn some_key(&mut self) -> Vec<u8> {
        self.random.pick(&KEYS).to_vec()
    }

    /// A range that some of the keys are in.
    pub(super) fn some_range(&mut self) -> KeyRange {
        match self.random.below(10) {
            0..3 => KeyRange::One(self.some_key()),
            3..5 => KeyRange::prefix(self.random.pick::<&[u8]>(&PREFIXES)),
            5..7 => loop {
                let (start, end) = (self.some_key(), self.some_key());
                if start < end {
                    break KeyRange::Span { start, end };
                }
            },
            7 => KeyRange::from_key(self.random.pick::<&[u8]>(&[b"a/2", b"b", b"c"])),
            _ => KeyRange::All,
        }
    }

    /// Writes one transaction.
    pub(super) fn write(&mut self) {
        if self.failed {
            return self.lose_process();
        }
        if self.random.chance(6) {
            return self.lease();
        }
        let ops = self.some_ops();
        let outcome = self.carry_out(&ops);
        self.written(ops, outcome);
    }

    /// What was asked for has been tried.
    fn written(&mut self, ops: Vec<WriteOp>, outcome: Result<()>) {
        self.ledger.write(&ops);
        self.note(Entry::Write { ops });
        self.tally.writes += 1;
        match outcome {
            Ok(()) => {
                let (revision, newest) = (self.store(WRITER).revision(), self.ledger.newest());
                assert!(
                    revision == newest,
                    "the store is at {revision}, not at {newest}: {}",
                    self.whole_story()
                );
            }
            Err(error) => {
                self.tally.failed_writes += 1;
                self.fail(&error);
            }
        }
        self.look_at(WRITER);
    }

    fn some_ops(&mut self) -> Vec<WriteOp> {
        match self.random.below(20) {
            0..11 => vec![self.some_put()],
            11..14 => vec![WriteOp::Delete {
                range: KeyRange::One(self.some_key()),
            }],
            14..16 => vec![WriteOp::Delete {
                range: self.some_range(),
            }],
            16 => {
                // The only way to change one key twice at one revision.
                let put = self.some_put();
                let WriteOp::Put { key, .. } = &put else {
                    unreachable!("it is a put")
                };
                let range = KeyRange::One(key.clone());
                vec![put, WriteOp::Delete { range }]
            }
            _ => self.some_transaction(),
        }
    }

    /// Puts of different keys, and a delete of another.
    fn some_transaction(&mut self) -> Vec<WriteOp> {
        let mut keys = BTreeSet::new();
        for _ in 0..self.random.between(2, 7) {
            keys.insert(self.some_key());
        }
        let deleted = self.random.chance(40).then(|| keys.pop_first()).flatten();
        let puts = keys.into_iter().map(|key| self.put(key));
        let mut ops: Vec<WriteOp> = puts.collect();
        if let Some(key) = deleted {
            let place = self.random.below(ops.len() + 1);
            let range = KeyRange::One(key);
            ops.insert(place, WriteOp::Delete { range });
        }
        ops
    }

    fn some_put(&mut self) -> WriteOp {
        let key = self.some_key();
        self.put(key)
    }

    /// A value that no other put has, so that it is seen whose it is.
    fn put(&mut self, key: Vec<u8>) -> WriteOp {
        self.values += 1;
        let mut value = self.values.to_string().into_bytes();
        if self.random.chance(5) {
            value.resize(700, b'.');
        }
        let leases = if self.failed {
            Vec::new()
        } else {
            self.store(WRITER).leases()
        };
        let lease = if !leases.is_empty() && self.random.chance(25) {
            *self.random.pick(&leases)
        } else {
            0
        };
        WriteOp::Put { key, value, lease }
    }

    fn carry_out(&mut self, ops: &[WriteOp]) -> Result<()> {
        let nested = self.random.chance(20) || is_put_and_deleted(ops);
        let request = |op: &WriteOp| match op.clone() {
            WriteOp::Put { key, value, lease } => Op::Put(PutRequest {
                lease,
                ..PutRequest::new(&key, &value)
            }),
            WriteOp::Delete { range } => Op::DeleteRange(DeleteRangeRequest::new(range)),
            WriteOp::Revoke { .. } => unreachable!("a lease ends outside of transactions"),
        };
        let nest = |op| {
            if nested {
                Op::Txn(TxnRequest {
                    success: vec![op],
                    ..TxnRequest::default()
                })
            } else {
                op
            }
        };
        let store = self.store(WRITER);
        match ops {
            [op] if !nested => match request(op) {
                Op::Put(put) => store.put_with(&put).map(drop),
                Op::DeleteRange(delete) => store.delete_range(&delete).map(drop),
                _ => unreachable!("no other operation writes"),
            },
            ops => {
                let txn = TxnRequest {
                    success: ops.iter().map(request).map(nest).collect(),
                    ..TxnRequest::default()
                };
                store.txn(&txn).map(drop)
            }
        }
    }

    fn lease(&mut self) {
        let id = *self.random.pick(&LEASES);
        let ttl_ms = self.random.between(2_000, 9_000);
        let store = self.store(WRITER);
        if store.leases().contains(&id) {
            let outcome = store.lease_revoke(id).map(drop);
            return self.written(vec![WriteOp::Revoke { lease: id }], outcome);
        }
        if let Err(error) = store.lease_grant(id, ttl_ms) {
            self.fail(&error);
        }
        self.look_at(WRITER);
    }

    /// Time passes: leases run out one by one, batches become durable, watchers catch up.
    pub(super) fn pass_time(&mut self) {
        self.now_ms += self.random.between(0, 1_500);
        let leases = self.store(WRITER).leases();
        let (now_ms, budget_bytes) = (self.now_ms, self.setup.budget_bytes);
        let outcome = self.store(WRITER).step(now_ms, budget_bytes).map(drop);
        let left = self.store(WRITER).leases();
        let expired = leases.into_iter().find(|id| !left.contains(id));
        if let Some(lease) = expired {
            self.tally.expired_leases += 1;
            return self.written(vec![WriteOp::Revoke { lease }], outcome);
        }
        if outcome.is_err() {
            // One of them may be found to have expired by the next opening.
            self.perhaps_expired = left;
        }
        self.chore(outcome);
    }

    /// The store was opened and is at `revision`: finds out whether a lease was being revoked when
    /// the step failed that did so.
    pub(super) fn settle_expiry(&mut self, revision: i64, leases: &[i64]) {
        let perhaps = std::mem::take(&mut self.perhaps_expired);
        let expired = perhaps.into_iter().find(|id| !leases.contains(id));
        if let (true, Some(lease)) = (revision == self.ledger.newest() + 1, expired) {
            let ops = vec![WriteOp::Revoke { lease }];
            self.ledger.write(&ops);
            self.note(Entry::Write { ops });
        }
    }

    pub(super) fn flush(&mut self) {
        if self.failed {
            return self.lose_process();
        }
        let outcome = self.store(WRITER).flush();
        self.chore(outcome);
    }

    pub(super) fn compact(&mut self) {
        let (oldest, newest) = (self.ledger.compact_revision(), self.ledger.newest());
        if self.failed || oldest.max(1) >= newest {
            return;
        }
        // Mostly close to the present, where watchers are that are a little behind.
        let span = newest - oldest.max(1);
        let near = self.random.chance(60);
        let back = self
            .random
            .between(0, if near { span.min(12) } else { span - 1 });
        let revision = (newest - back).max(oldest + 1).max(1);
        let outcome = self.store(WRITER).compact(revision).map(drop);
        self.tally.compactions += 1;
        self.chore(outcome);
    }

    fn chore(&mut self, outcome: Result<()>) {
        match outcome {
            Ok(()) if self.failed => {}
            Ok(()) => {
                let (revision, newest) = (self.store(WRITER).revision(), self.ledger.newest());
                assert!(
                    revision == newest,
                    "the store is at {revision}, not at {newest}: {}",
                    self.whole_story()
                );
            }
            Err(error) => self.fail(&error),
        }
        self.look_at(WRITER);
    }
}

/// Whether a transaction may only do this in transactions within it.
fn is_put_and_deleted(ops: &[WriteOp]) -> bool {
    matches!(ops, [WriteOp::Put { key, .. }, WriteOp::Delete { range: KeyRange::One(deleted) }] if key == deleted)
}
