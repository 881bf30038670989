//! Random requests, chosen so that they meet: few keys, few leases, revisions near the edges.

use revwatch::{
    Compare, CompareOp, CompareTarget, DeleteRangeRequest, KeyRange, KeyValue, Op, PutRequest,
    RangeRequest, SortOrder, SortTarget, TxnRequest,
};

use crate::{Command, Model, Random, Watch};

/// All keys that are used: prefixes of one another, and the bytes at both ends.
#[rustfmt::skip]
pub const KEYS: [&[u8]; 18] = [
    b"a", b"a\0", b"a\xff", b"a\xff\xff", b"ab", b"abc", b"abd", b"b", b"\0", b"\0\0", b"\xff",
    b"\xff\xff", b"\xff\xfe", b"task/1", b"task/2", b"task/3", b"task0", b"z",
];

/// All leases that are used, besides those whose id the store chooses. Ids may be negative.
pub const LEASES: [i64; 5] = [1, 2, 3, i64::MAX, -7];

const VALUES: [&[u8]; 6] = [
    b"",
    b"0",
    b"1",
    b"one",
    b"\0\xff",
    b"a longer value than the others",
];

/// Makes requests for a store that is as the model is.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
    now_ms: i64,
}

impl Generator {
    /// The requests that belong to `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            now_ms: 0,
        }
    }

    /// Where the other choices of a test come from, so that one seed decides all.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The next request.
    pub fn command(&mut self, model: &Model) -> Command {
        match self.random.below(100) {
            0..30 => Command::Put(self.put(model)),
            30..38 => Command::DeleteRange(self.delete_range()),
            38..56 => Command::Range(self.range(model)),
            56..80 => Command::Txn(self.txn(model, 0)),
            80..82 => Command::Compact {
                revision: self.revision(model),
            },
            82..86 => self.lease_grant(model),
            86..87 => Command::LeaseRevoke { id: self.lease() },
            87..90 => Command::LeaseKeepAlive { id: self.lease() },
            90..93 => Command::LeaseTimeToLive {
                id: self.lease(),
                keys: self.random.chance(50),
            },
            93..94 => Command::Leases,
            94..95 => Command::HashKv {
                revision: self.revision(model),
            },
            _ => self.step(),
        }
    }

    /// A watch that begins at a revision still there, or in the near future.
    pub fn watch(&mut self, model: &Model) -> Watch {
        let oldest = model.compact_revision().max(1);
        Watch {
            range: self.key_range(),
            start_revision: self.start_revision(model, oldest),
            prev_kv: self.random.chance(50),
            no_put: self.random.chance(15),
            no_delete: self.random.chance(15),
        }
    }

    /// From `oldest` to the near future, and often exactly where history begins.
    pub fn start_revision(&mut self, model: &Model, oldest: i64) -> i64 {
        if self.random.chance(40) {
            return model.compact_revision().max(1);
        }
        self.random.between(oldest, model.revision() + 1)
    }

    /// A range of keys in any of its forms, now and then without a first key, or empty.
    pub fn key_range(&mut self) -> KeyRange {
        match self.random.below(20) {
            0..7 => KeyRange::One(self.key()),
            7..11 => KeyRange::Span {
                start: self.key(),
                end: self.key(),
            },
            11..14 => KeyRange::From(self.key()),
            14..17 => self.prefix(),
            _ => KeyRange::All,
        }
    }

    fn prefix(&mut self) -> KeyRange {
        let key = self.key();
        let length = self.random.below(key.len() + 1).max(1);
        KeyRange::prefix(&key[..length.min(key.len())])
    }

    fn key(&mut self) -> Vec<u8> {
        if self.random.chance(1) {
            Vec::new()
        } else {
            self.random.pick(&KEYS).to_vec()
        }
    }

    /// Mostly a short value; now and then one that fills several small pages.
    fn value(&mut self) -> Vec<u8> {
        if self.random.chance(3) {
            return vec![b'v'; self.random.below(3_000)];
        }
        self.random.pick(&VALUES).to_vec()
    }

    fn lease(&mut self) -> i64 {
        *self.random.pick(&LEASES)
    }

    /// A revision in the past, the present, the near future, or none that ever was.
    pub fn revision(&mut self, model: &Model) -> i64 {
        let (compacted, current) = (model.compact_revision(), model.revision());
        match self.random.below(10) {
            0 => current + 1,
            1 => self.random.between(-2, 1),
            2 => compacted + self.random.between(-1, 1),
            3..6 => current,
            _ => self.random.between(compacted.max(current - 30), current),
        }
    }

    fn put(&mut self, model: &Model) -> PutRequest {
        let mut request = PutRequest::new(&self.key(), &self.value());
        request.prev_kv = self.random.chance(30);
        request.ignore_value = self.random.chance(8);
        request.ignore_lease = self.random.chance(8);
        if self.random.chance(25) && !request.ignore_lease || self.random.chance(1) {
            request.lease = self.lease();
        }
        if request.ignore_value && self.random.chance(80) {
            request.value.clear();
        }
        if !request.ignore_value && self.random.chance(1) && self.random.chance(10) {
            request.value = vec![b'x'; model.limits().request_bytes];
        }
        request
    }

    fn delete_range(&mut self) -> DeleteRangeRequest {
        let range = if self.random.chance(70) {
            KeyRange::One(self.key())
        } else {
            self.key_range()
        };
        DeleteRangeRequest {
            range,
            prev_kv: self.random.chance(50),
        }
    }

    fn range(&mut self, model: &Model) -> RangeRequest {
        let mut request = RangeRequest::new(self.key_range());
        if self.random.chance(50) {
            request.revision = self.revision(model);
        }
        if self.random.chance(30) {
            request.limit = self.random.between(-1, 4);
        }
        if self.random.chance(50) {
            request.sort_order =
                *self
                    .random
                    .pick(&[SortOrder::None, SortOrder::Ascend, SortOrder::Descend]);
            request.sort_target = *self.random.pick(&[
                SortTarget::Key,
                SortTarget::Version,
                SortTarget::Create,
                SortTarget::Mod,
                SortTarget::Value,
            ]);
        }
        request.keys_only = self.random.chance(20);
        request.count_only = self.random.chance(10);
        if self.random.chance(30) {
            let bound = match self.random.below(4) {
                0 => &mut request.min_mod_revision,
                1 => &mut request.max_mod_revision,
                2 => &mut request.min_create_revision,
                _ => &mut request.max_create_revision,
            };
            *bound = self.random.between(-1, model.revision() + 1);
        }
        request
    }

    fn txn(&mut self, model: &Model, depth: usize) -> TxnRequest {
        let too_long = self.random.chance(1);
        let longest = if too_long {
            model.limits().txn_ops + 1
        } else {
            3
        };
        let lengths = [(); 3].map(|()| self.random.below(longest + 1));
        TxnRequest {
            compare: (0..lengths[0]).map(|_| self.compare(model)).collect(),
            success: (0..lengths[1]).map(|_| self.op(model, depth)).collect(),
            failure: (0..lengths[2]).map(|_| self.op(model, depth)).collect(),
        }
    }

    fn compare(&mut self, model: &Model) -> Compare {
        let range = match self.random.below(20) {
            0..11 => KeyRange::One(self.key()),
            11..17 => self.span_of_one(model),
            _ => self.key_range(),
        };
        let op = *self.random.pick(&[
            CompareOp::Equal,
            CompareOp::NotEqual,
            CompareOp::Less,
            CompareOp::Greater,
        ]);
        let there = model.state_at(&range, model.revision());
        let target = if !there.is_empty() && self.random.chance(70) {
            let kv = *self.random.pick(&there);
            self.target_of(kv)
        } else {
            self.target(model)
        };
        Compare { range, op, target }
    }

    /// A range that can hold one key only, so that all of it can be equal to something.
    fn span_of_one(&mut self, model: &Model) -> KeyRange {
        let there = model.state_at(&KeyRange::All, model.revision());
        let start = match there.as_slice() {
            [] => self.key(),
            there => self.random.pick(there).key.clone(),
        };
        let end = [start.as_slice(), &[0]].concat();
        KeyRange::Span { start, end }
    }

    /// What is equal to this key in a comparison, or just less or greater.
    fn target_of(&mut self, kv: &KeyValue) -> CompareTarget {
        let near = *self.random.pick(&[-1, 0, 0, 1]);
        match self.random.below(5) {
            0 if near < 0 => CompareTarget::Value(Vec::new()),
            0 if near > 0 => CompareTarget::Value([&kv.value[..], &[0]].concat()),
            0 => CompareTarget::Value(kv.value.clone()),
            1 => CompareTarget::Version(kv.version + near),
            2 => CompareTarget::Create(kv.create_revision + near),
            3 => CompareTarget::Mod(kv.mod_revision + near),
            _ => CompareTarget::Lease(kv.lease.saturating_add(near)),
        }
    }

    fn target(&mut self, model: &Model) -> CompareTarget {
        match self.random.below(5) {
            0 => CompareTarget::Value(self.value()),
            1 => CompareTarget::Version(self.random.between(0, 3)),
            2 => CompareTarget::Create(self.random.between(0, model.revision())),
            3 => CompareTarget::Mod(self.random.between(0, model.revision())),
            _ if self.random.chance(50) => CompareTarget::Lease(0),
            _ => CompareTarget::Lease(self.lease()),
        }
    }

    fn op(&mut self, model: &Model, depth: usize) -> Op {
        match self.random.below(100) {
            0..40 => Op::Put(self.put(model)),
            40..60 => Op::Range(self.range(model)),
            60..80 => Op::DeleteRange(self.delete_range()),
            80..83 if depth < 3 => self.put_then_delete(),
            _ if depth < 3 => Op::Txn(self.txn(model, depth + 1)),
            _ => Op::Put(self.put(model)),
        }
    }

    /// The one way to change a key twice in one transaction: put inside one nested transaction,
    /// deleted inside a later one.
    fn put_then_delete(&mut self) -> Op {
        let key = self.key();
        let within = |op| {
            Op::Txn(TxnRequest {
                success: vec![op],
                ..TxnRequest::default()
            })
        };
        let put = within(Op::Put(PutRequest::new(&key, b"for a moment")));
        let mut delete = DeleteRangeRequest::new(KeyRange::One(key));
        delete.prev_kv = self.random.chance(50);
        let delete = within(Op::DeleteRange(delete));
        let success = if self.random.chance(80) {
            vec![put, delete]
        } else {
            vec![delete, put]
        };
        Op::Txn(TxnRequest {
            success,
            ..TxnRequest::default()
        })
    }

    fn lease_grant(&mut self, model: &Model) -> Command {
        let id = if self.random.chance(10) {
            0
        } else {
            self.lease()
        };
        let limits = model.limits();
        let ttl_ms = match self.random.below(10) {
            0 => self.random.between(-1, limits.lease_min_ttl_ms),
            1 => limits.lease_max_ttl_ms + self.random.between(0, 1),
            _ => limits.lease_min_ttl_ms + self.random.between(0, 20_000),
        };
        Command::LeaseGrant { id, ttl_ms }
    }

    /// Mostly a little later, now and then much later, or as if the clock had gone back.
    fn step(&mut self) -> Command {
        let elapsed = match self.random.below(20) {
            0 => -1,
            1 => 0,
            2 => self.random.between(1, 30_000),
            _ => self.random.between(1, 1_500),
        };
        self.now_ms += elapsed.max(0);
        Command::Step {
            now_ms: self.now_ms + elapsed.min(0),
        }
    }
}
