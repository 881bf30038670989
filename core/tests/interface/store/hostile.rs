//! Keys and values that are chosen to do harm: they cost what is stated, and break nothing.
//!
//! Work is counted in pages read, which is what a lookup costs beyond memory. With how many keys a
//! lookup compares is counted where the hash is, in `core/src/index`.

use std::cell::Cell;
use std::hash::Hasher;
use std::rc::Rc;

use crate::common::PLENTY;
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use revwatch::page::fault::{Call, Hook, HookedPages};
use revwatch::page::{MemoryPages, PageError};
use revwatch::{
    DeleteRangeRequest, ErrorCode, KeyRange, Limits, Op, Options, PutRequest, RangeRequest, Store,
    TxnRequest,
};

const PAGE_SIZE: usize = 4096;
const MEBIBYTE: usize = 1 << 20;

/// How often a page was read. None is lent, so each time that one is looked at counts.
#[derive(Default)]
struct Reads(Cell<usize>);

impl Hook for Reads {
    fn before(&self, call: Call<'_>) -> Result<(), PageError> {
        if matches!(call, Call::Read { .. }) {
            self.0.set(self.0.get() + 1);
        }
        Ok(())
    }
}

type Counted = HookedPages<MemoryPages, Rc<Reads>>;

fn options() -> Options {
    Options {
        cache_bytes: 0,
        limits: Limits {
            request_bytes: 4 * MEBIBYTE,
            ..Limits::default()
        },
        ..Options::default()
    }
}

/// Keys of 24 bytes whose second halves hold what a known hash combines with its input; only the
/// first 8 bytes differ.
fn colliding() -> Vec<Vec<u8>> {
    let mut hasher = FoldHasher::with_seed(0, SharedSeed::global_fixed());
    hasher.write_u128(1);
    let constant = hasher.finish().to_le_bytes();
    let key = |number: u64| [&number.to_be_bytes()[..], &constant, &constant].concat();
    (0..500).map(key).collect()
}

fn of_one_long_prefix() -> Vec<Vec<u8>> {
    let key = |number: u32| [&vec![b'p'; 4000][..], &number.to_be_bytes()].concat();
    (0..300).map(key).collect()
}

fn of_a_mebibyte() -> Vec<Vec<u8>> {
    let key = |last: u8| [&vec![b'm'; MEBIBYTE][..], &[last]].concat();
    (0..6).map(key).collect()
}

/// Every operation on each of the keys, with what a lookup may cost at most.
fn use_all(keys: &[Vec<u8>]) {
    let reads = Rc::new(Reads::default());
    let pages = HookedPages::new(MemoryPages::new(PAGE_SIZE), Rc::clone(&reads));
    let mut store = Store::open(pages.clone(), options()).unwrap();
    for (number, key) in keys.iter().enumerate() {
        store.put(key, &number.to_be_bytes()).unwrap();
        let again = PutRequest {
            prev_kv: true,
            ..PutRequest::new(key, b"second")
        };
        let prev_kv = store.put_with(&again).unwrap().prev_kv.unwrap();
        assert_eq!(prev_kv.value, number.to_be_bytes());
    }
    costs_what_is_stated(&store, keys, &reads);
    ranges_are_whole(&store, keys);

    let (kept, deleted) = keys.split_at(keys.len() / 2);
    let all_at_once = TxnRequest {
        success: deleted.iter().take(100).map(|key| delete(key)).collect(),
        ..TxnRequest::default()
    };
    assert!(store.txn(&all_at_once).unwrap().succeeded);
    let rest = KeyRange::from_key(&deleted[0]);
    store.delete_range(&DeleteRangeRequest::new(rest)).unwrap();
    store.compact(store.revision()).unwrap();
    while store.status().compacting {
        store.step(0, PLENTY).unwrap();
    }
    let hash = store.hash_kv(0).unwrap();
    store.close().unwrap();

    let store = Store::open(pages, options()).unwrap();
    store.check().unwrap();
    assert_eq!(store.hash_kv(0).unwrap(), hash);
    costs_what_is_stated(&store, kept, &reads);
    ranges_are_whole(&store, kept);
    for key in deleted {
        assert_eq!(store.get(key).unwrap(), None);
    }
}

fn delete(key: &[u8]) -> Op {
    Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(key)))
}

/// A key that is there costs the pages of its own record and at most two more, however many keys
/// there are; one that is not costs none, and neither does counting.
fn costs_what_is_stated(store: &Store<Counted>, keys: &[Vec<u8>], reads: &Reads) {
    let cost = |work: &dyn Fn()| {
        let before = reads.0.get();
        work();
        reads.0.get() - before
    };
    for key in keys {
        let of_its_own = key.len() / (PAGE_SIZE - 100) + 2;
        let found = || assert_eq!(store.get(key).unwrap().unwrap().value, b"second");
        let pages = cost(&found);
        assert!(
            pages <= of_its_own + 2,
            "{pages} pages, {} bytes",
            key.len()
        );
        let absent = [&key[..], b"absent"].concat();
        let not_found = || assert_eq!(store.get(&absent).unwrap(), None);
        assert_eq!(cost(&not_found), 0);
    }
    let count = || {
        let all = RangeRequest {
            count_only: true,
            ..RangeRequest::new(KeyRange::All)
        };
        assert_eq!(store.range(&all).unwrap().count, keys.len() as i64);
    };
    assert_eq!(cost(&count), 0);
}

/// All keys come in their order, whole and in parts.
fn ranges_are_whole(store: &Store<Counted>, keys: &[Vec<u8>]) {
    let all = RangeRequest {
        keys_only: true,
        ..RangeRequest::new(KeyRange::All)
    };
    let kvs = store.range(&all).unwrap().kvs;
    assert!(kvs.iter().map(|kv| &kv.key).eq(keys));
    let mut stream = store.range_stream(KeyRange::All, 0).unwrap();
    for part in keys.chunks(7) {
        let kvs = store.next_kvs(&mut stream, 7, usize::MAX).unwrap();
        assert!(kvs.iter().map(|kv| &kv.key).eq(part));
    }
    assert!(store.next_kvs(&mut stream, 7, PLENTY).unwrap().is_empty());
}

#[test]
fn keys_that_collide_under_a_known_hash_are_keys_like_others() {
    use_all(&colliding());
}

#[test]
fn keys_with_one_long_prefix_are_keys_like_others() {
    use_all(&of_one_long_prefix());
}

#[test]
fn keys_of_a_mebibyte_are_keys_like_others() {
    use_all(&of_a_mebibyte());
}

#[test]
fn a_request_may_be_as_large_as_the_limit_and_not_larger() {
    let default = Limits::default().request_bytes;
    assert_eq!(default, 3 * MEBIBYTE / 2);
    for limit in [1, 100, default, 5 * MEBIBYTE] {
        let limits = Limits {
            request_bytes: limit,
            ..Limits::default()
        };
        let mut store = Store::in_memory(Options {
            limits,
            ..Options::default()
        });
        let value = vec![7; limit - 1];
        store.put(b"k", &value).unwrap();
        assert_eq!(store.get(b"k").unwrap().unwrap().value, value);
        let too_large = vec![8; limit];
        let put = PutRequest::new(b"k", &too_large);
        let in_txn = TxnRequest {
            success: vec![Op::Put(put.clone())],
            ..TxnRequest::default()
        };
        for error in [
            store.put_with(&put).unwrap_err(),
            store.txn(&in_txn).unwrap_err(),
        ] {
            assert_eq!(error.code(), ErrorCode::RequestTooLarge);
            let text = error.to_string();
            let named = [limit, limit + 1].map(|bytes| text.contains(&bytes.to_string()));
            assert_eq!(named, [true; 2], "{text}");
        }
        assert_eq!(store.revision(), 2);
        assert_eq!(store.get(b"k").unwrap().unwrap().value, value);
    }
}
