//! Writing and reading keys, in memory.

use std::hint::black_box;

use revwatch::{
    Compare, CompareOp, CompareTarget, DeleteRangeRequest, KeyRange, Op, PutRequest, RangeRequest,
    SharedStore, TxnRequest,
};

use crate::data::{PUTS_PER_TXN, kv_sum};
use crate::fixture::{Data, KEYS, in_memory};
use crate::path;

pub(crate) fn all() {
    let data = Data::of(KEYS);
    puts(&data);
    transactions(&data);
    gets(&data);
    ranges(&data);
    leases(&data);
}

fn puts(data: &Data) {
    let mut store = in_memory();
    path("put, new keys", KEYS, || data.put_into(&mut store));
    path("put, keys that are there", KEYS, || {
        data.put_into(&mut store);
    });
    path("delete", KEYS, || {
        for key in data.picked() {
            let request = DeleteRangeRequest::new(KeyRange::one(key));
            black_box(store.delete_range(&request)).expect("a delete succeeds");
        }
    });
    let shared = SharedStore::new(data.store());
    path("put through a shared handle", KEYS, || {
        for (key, value) in data.pairs() {
            black_box(shared.put(key, value)).expect("a put succeeds");
        }
    });
}

fn transactions(data: &Data) {
    let put = |(key, value)| Op::Put(PutRequest::new(key, value));
    let pairs: Vec<_> = data.pairs().collect();
    let requests: Vec<_> = pairs
        .chunks(PUTS_PER_TXN)
        .map(|together| TxnRequest {
            success: together.iter().copied().map(put).collect(),
            ..TxnRequest::default()
        })
        .collect();
    let mut store = data.store();
    path("transaction of 100 puts, each", KEYS, || {
        for request in &requests {
            black_box(store.txn(request)).expect("a transaction succeeds");
        }
    });

    let guarded: Vec<_> = data
        .pairs()
        .map(|(key, value)| TxnRequest {
            compare: vec![Compare {
                range: KeyRange::one(key),
                op: CompareOp::Equal,
                target: CompareTarget::Version(2),
            }],
            success: vec![put((key, value))],
            failure: Vec::new(),
        })
        .collect();
    path("transaction of a comparison and a put", KEYS, || {
        for request in &guarded {
            let response = store.txn(request).expect("a transaction succeeds");
            assert!(response.succeeded, "each key was put twice before");
        }
    });
}

fn gets(data: &Data) {
    let mut store = data.store();
    let before = store.revision();
    data.put_into(&mut store);
    path("get, borrowed", KEYS, || {
        for key in data.picked() {
            let found = store.get_pinned(key).expect("a get succeeds");
            let found = found.expect("every key was put");
            let kv = found.as_ref();
            black_box(kv_sum(kv.key, kv.value));
        }
    });
    path("get, copied", KEYS, || {
        for key in data.picked() {
            black_box(store.get(key)).expect("a get succeeds");
        }
    });
    path("get of a key that is not there", KEYS, || {
        for key in data.picked() {
            black_box(store.get(&key[..15])).expect("a get succeeds");
        }
    });
    path("get of an older revision", KEYS, || {
        for key in data.picked() {
            let request = RangeRequest {
                revision: before,
                ..RangeRequest::new(KeyRange::one(key))
            };
            black_box(store.range(&request)).expect("a get succeeds");
        }
    });
}

fn ranges(data: &Data) {
    let store = data.store();
    let thousands: Vec<_> = data
        .keys
        .iter()
        .step_by(1_000)
        .map(|key| KeyRange::prefix(&key[..13]))
        .collect();
    path("range, borrowed, each key", KEYS, || {
        for range in &thousands {
            for pinned in store.range_pinned(range, 0).expect("a range succeeds") {
                let pinned = pinned.expect("a range succeeds");
                let kv = pinned.as_ref();
                black_box(kv_sum(kv.key, kv.value));
            }
        }
    });
    path("range, copied, each key", KEYS, || {
        for range in &thousands {
            let request = RangeRequest::new(range.clone());
            black_box(store.range(&request)).expect("a range succeeds");
        }
    });
    path("count of a range, each key", KEYS, || {
        for range in &thousands {
            let request = RangeRequest {
                count_only: true,
                ..RangeRequest::new(range.clone())
            };
            black_box(store.range(&request)).expect("a range succeeds");
        }
    });
    path("hash_kv, each revision", KEYS, || {
        black_box(store.hash_kv(0)).expect("a hash succeeds");
    });
}

fn leases(data: &Data) {
    const LEASES: u32 = 1_000;
    let mut store = in_memory();
    let mut ids = Vec::new();
    path("lease granted", LEASES, || {
        ids.extend((0..LEASES).map(|_| store.lease_grant(0, 60_000).expect("there is room").id));
    });
    let requests: Vec<_> = data
        .pairs()
        .zip(ids.iter().cycle())
        .map(|((key, value), &lease)| PutRequest {
            lease,
            ..PutRequest::new(key, value)
        })
        .collect();
    path("put with a lease", KEYS, || {
        for request in &requests {
            black_box(store.put_with(request)).expect("a put succeeds");
        }
    });
    path("lease kept alive", LEASES, || {
        for &id in &ids {
            black_box(store.lease_keep_alive(id)).expect("it is there");
        }
    });
    path("lease revoked, each of 10 keys", KEYS, || {
        for &id in &ids {
            black_box(store.lease_revoke(id)).expect("it is there");
        }
    });
}
