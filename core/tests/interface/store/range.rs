//! Reading ranges: every way to read one gives the same answer.

use crate::common::Rng;
use revwatch::page::fault::{Fault, FaultPages, HookedPages};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, ErrorCode, KeyRange, KeyValue, Options, RangeRequest, SortOrder,
    SortTarget, Store,
};

/// Some hundred changes of a few dozen keys, of which some are longer than a page.
fn changed<P: PageStore>(pages: P, seed: u64) -> Store<P> {
    let options = Options {
        cache_bytes: 4 * pages.page_size(),
        ..Options::default()
    };
    let mut store = Store::open(pages, options).unwrap();
    let mut rng = Rng::new(seed);
    for round in 0..400 {
        let key = format!("{}/{:02}", rng.below(3), rng.below(20));
        if rng.below(6) == 0 {
            let range = KeyRange::one(key.as_bytes());
            store.delete_range(&DeleteRangeRequest::new(range)).unwrap();
        } else {
            let longest = if rng.below(20) == 0 { 1500 } else { 120 };
            let value = vec![round as u8; rng.below(longest) as usize];
            store.put(key.as_bytes(), &value).unwrap();
        }
    }
    store
}

fn ranges() -> [KeyRange; 7] {
    [
        KeyRange::All,
        KeyRange::prefix(b"1/"),
        KeyRange::prefix(b"7/"),
        KeyRange::span(b"0/13", b"2/02"),
        KeyRange::span(b"2", b"1"),
        KeyRange::from_key(b"2/1"),
        KeyRange::one(b"1/11"),
    ]
}

fn assert_all_ways_agree<P: PageStore>(store: &Store<P>) {
    let oldest = store.status().compact_revision.max(1);
    let mut keys = 0;
    for revision in (oldest..=store.revision()).step_by(7) {
        for range in ranges() {
            let request = RangeRequest {
                revision,
                ..RangeRequest::new(range.clone())
            };
            let owned = store.range(&request).unwrap().kvs;
            assert!(owned.is_sorted_by(|a, b| a.key < b.key));
            let one_by_one: Vec<KeyValue> = owned
                .iter()
                .map(|kv| RangeRequest {
                    revision,
                    ..RangeRequest::new(KeyRange::one(&kv.key))
                })
                .map(|request| store.range(&request).unwrap().kvs.remove(0))
                .collect();
            assert_eq!(owned, one_by_one);
            let pinned: Vec<_> = store
                .range_pinned(&range, revision)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let copied: Vec<_> = pinned.iter().map(|kv| kv.as_ref().to_owned()).collect();
            assert_eq!(owned, copied);
            let mut stream = store.range_stream(range, revision).unwrap();
            let mut streamed = Vec::new();
            while let page = store.next_kvs(&mut stream, 3, 500).unwrap()
                && !page.is_empty()
            {
                streamed.extend(page);
            }
            assert_eq!(owned, streamed);
            keys += owned.len();
        }
    }
    assert!(keys > 1000, "{keys}");
}

#[test]
fn a_range_is_the_same_however_it_is_read() {
    for seed in 1..4 {
        for page_size in [512, 4096] {
            let memory = MemoryPages::new(page_size);
            let mut store = changed(memory.clone(), seed);
            assert_all_ways_agree(&store);
            let copied = changed(HookedPages::new(MemoryPages::new(page_size), ()), seed);
            assert_all_ways_agree(&copied);
            store.compact(store.revision() / 2).unwrap();
            while store.status().compacting {
                store.step(0, 2048).unwrap();
            }
            assert_all_ways_agree(&store);
            store.close().unwrap();
            assert_all_ways_agree(&Store::open(memory, Options::default()).unwrap());
        }
    }
}

#[test]
fn a_pinned_range_that_has_ended_stays_so() {
    let store = changed(MemoryPages::new(512), 1);
    for range in ranges() {
        let mut pinned = store.range_pinned(&range, 0).unwrap();
        assert!(
            pinned
                .by_ref()
                .all(|kv| range.contains(kv.unwrap().as_ref().key))
        );
        assert!(pinned.next().is_none() && pinned.next().is_none());
    }
}

/// Keys that were put in any order, each with the number of its put as a value.
fn numbered<P: PageStore>(pages: P, keys: u64, cache_bytes: usize) -> Store<P> {
    let options = Options {
        cache_bytes,
        ..Options::default()
    };
    let mut store = Store::open(pages, options).unwrap();
    for put in 0..keys {
        // 7919 is a prime, so that each key comes once.
        let key = put * 7919 % keys;
        store.put(&key.to_be_bytes(), &put.to_be_bytes()).unwrap();
    }
    store
}

#[test]
fn a_pinned_range_has_each_key_once_and_in_order_however_many_there_are() {
    for keys in (0..140).chain([1000, 5000]) {
        for store in [
            numbered(HookedPages::new(MemoryPages::new(512), ()), keys, 1 << 20),
            numbered(HookedPages::new(MemoryPages::new(512), ()), keys, 0),
        ] {
            let mut range = store.range_pinned(&KeyRange::All, 0).unwrap();
            for expected in 0..keys {
                let pinned = range.next().unwrap().unwrap();
                let kv = pinned.as_ref();
                assert_eq!(kv.key, expected.to_be_bytes());
                let put = u64::from_be_bytes(kv.value.try_into().unwrap());
                assert_eq!(put * 7919 % keys, expected);
                assert_eq!(kv.mod_revision, put as i64 + 2);
            }
            assert!(range.next().is_none());
        }
    }
}

#[test]
fn a_pinned_range_goes_on_behind_a_key_that_it_could_not_read() {
    const KEYS: u64 = 300;
    let pages = FaultPages::new(512, 1);
    let store = numbered(pages.clone(), KEYS, 0);
    let mut failed = 0;
    for reads in 0..KEYS {
        pages.fail_after(reads, Fault::BitFlipOnRead);
        let mut keys = 0..KEYS;
        for pinned in store.range_pinned(&KeyRange::All, 0).unwrap() {
            let key = keys.next().unwrap().to_be_bytes();
            match pinned {
                Ok(pinned) => assert_eq!(pinned.as_ref().key, key),
                Err(error) => {
                    assert_eq!(error.code(), ErrorCode::Corrupt);
                    failed += 1;
                }
            }
        }
        assert!(keys.is_empty());
        pages.forget_faults();
    }
    assert!(failed > KEYS / 2, "{failed}");
}

#[test]
fn a_pinned_range_is_refused_where_a_range_is() {
    let mut store = changed(MemoryPages::new(512), 1);
    store.compact(100).unwrap();
    for (range, revision, code) in [
        (KeyRange::prefix(b"a"), 99, ErrorCode::Compacted),
        (
            KeyRange::All,
            store.revision() + 1,
            ErrorCode::FutureRevision,
        ),
        (KeyRange::from_etcd(b"", b"b"), 0, ErrorCode::EmptyKey),
    ] {
        let pinned = store.range_pinned(&range, revision).map(drop);
        assert_eq!(pinned.unwrap_err().code(), code);
        let request = RangeRequest {
            revision,
            ..RangeRequest::new(range)
        };
        assert_eq!(store.range(&request).unwrap_err().code(), code);
    }
}

#[test]
fn a_limit_cuts_the_sorted_answer_and_counts_all() {
    let store = changed(MemoryPages::new(512), 2);
    let by = |kv: &KeyValue, target| match target {
        SortTarget::Key => kv.key.clone(),
        SortTarget::Version => kv.version.to_be_bytes().to_vec(),
        SortTarget::Create => kv.create_revision.to_be_bytes().to_vec(),
        SortTarget::Mod => kv.mod_revision.to_be_bytes().to_vec(),
        SortTarget::Value => kv.value.clone(),
    };
    let targets = [
        SortTarget::Key,
        SortTarget::Version,
        SortTarget::Create,
        SortTarget::Mod,
        SortTarget::Value,
    ];
    let all = store.range(&RangeRequest::new(KeyRange::All)).unwrap().kvs;
    for sort_target in targets {
        for (sort_order, keys_only) in [
            (SortOrder::Ascend, false),
            (SortOrder::Descend, false),
            (SortOrder::Descend, true),
        ] {
            let mut expected = all.clone();
            expected.sort_by(|a, b| match sort_order {
                SortOrder::Descend => by(b, sort_target).cmp(&by(a, sort_target)),
                _ => by(a, sort_target).cmp(&by(b, sort_target)),
            });
            expected.truncate(10);
            if keys_only {
                for kv in &mut expected {
                    kv.value.clear();
                }
            }
            let request = RangeRequest {
                limit: 10,
                sort_order,
                sort_target,
                keys_only,
                ..RangeRequest::new(KeyRange::All)
            };
            let response = store.range(&request).unwrap();
            assert_eq!(response.kvs, expected, "{sort_target:?} {sort_order:?}");
            assert!(response.more && response.count == all.len() as i64);
        }
    }
}
