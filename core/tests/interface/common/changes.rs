//! What the tests of changes between stores share.

use revwatch::page::PageStore;
use revwatch::{DeleteRangeRequest, KeyRange, Op, PutRequest, RangeRequest, Store, TxnRequest};

use super::{PLENTY, Rng};

pub(crate) fn all_chunks<P: PageStore>(
    store: &Store<P>,
    from: i64,
    max_bytes: usize,
) -> Vec<Vec<u8>> {
    let mut changes = store.changes(from, 0).unwrap();
    let mut chunks = Vec::new();
    loop {
        let chunk = store.next_changes_chunk(&mut changes, max_bytes).unwrap();
        if chunk.is_empty() {
            assert_eq!(changes.revision(), changes.to());
            return chunks;
        }
        chunks.push(chunk);
    }
}

/// The bytes of all changes from one revision on, at once.
pub(crate) fn bytes_from<P: PageStore>(store: &Store<P>, from: i64) -> Vec<u8> {
    all_chunks(store, from, PLENTY).concat()
}

pub(crate) fn put_delete_in_one(key: &[u8], value: &[u8]) -> TxnRequest {
    let put = TxnRequest {
        success: vec![Op::Put(PutRequest::new(key, value))],
        ..TxnRequest::default()
    };
    let delete = TxnRequest {
        success: vec![Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(key)))],
        ..TxnRequest::default()
    };
    TxnRequest {
        success: vec![Op::Txn(put), Op::Txn(delete)],
        ..TxnRequest::default()
    }
}

/// One random change of a store.
pub(crate) fn change<P: PageStore>(store: &mut Store<P>, rng: &mut Rng) {
    let key = [b'k', b'0' + rng.below(6) as u8];
    let value = vec![rng.below(256) as u8; rng.below(200) as usize];
    match rng.below(12) {
        0..6 => drop(store.put(&key, &value).unwrap()),
        6 => {
            let lease = store.lease_grant(0, 60_000).unwrap().id;
            let put = PutRequest {
                lease,
                ..PutRequest::new(&key, &value)
            };
            store.put_with(&put).unwrap();
        }
        7 => {
            if let Some(&lease) = store.leases().first() {
                store.lease_revoke(lease).unwrap();
            }
        }
        8 => drop(store.txn(&put_delete_in_one(&key, &value)).unwrap()),
        9 => {
            let several = (b'0'..b'6').map(|i| Op::Put(PutRequest::new(&[b'k', i], &value)));
            let txn = TxnRequest {
                success: several.collect(),
                ..TxnRequest::default()
            };
            store.txn(&txn).unwrap();
        }
        10 => {
            let some = DeleteRangeRequest::new(KeyRange::span(b"k1", &key));
            store.delete_range(&some).unwrap();
        }
        _ => {
            let all = DeleteRangeRequest::new(KeyRange::prefix(b"k"));
            store.delete_range(&all).unwrap();
        }
    }
}

pub(crate) fn assert_same<P: PageStore, Q: PageStore>(
    one: &Store<P>,
    other: &Store<Q>,
    what: &str,
) {
    assert_eq!(one.revision(), other.revision(), "{what}");
    assert_eq!(one.hash_kv(0).unwrap(), other.hash_kv(0).unwrap(), "{what}");
    for revision in 1..=one.revision() {
        let request = RangeRequest {
            revision,
            ..RangeRequest::new(KeyRange::All)
        };
        let (one, other) = (one.range(&request).unwrap(), other.range(&request).unwrap());
        assert_eq!(one, other, "{what}, at {revision}");
    }
    assert_eq!(
        one.history(&KeyRange::All, 0, PLENTY).unwrap(),
        other.history(&KeyRange::All, 0, PLENTY).unwrap(),
        "{what}"
    );
}
