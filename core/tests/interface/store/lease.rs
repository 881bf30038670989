//! What leases are promised.

use crate::common::{PLENTY, drain, events, outline, watch_from};
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{Durability, ErrorCode, KeyRange, Options, PutRequest, SharedStore, Store};

fn store() -> Store {
    let mut store = Store::in_memory(Options::default());
    store.step(0, PLENTY).unwrap();
    store
}

fn put_leased<P: PageStore>(store: &mut Store<P>, key: &[u8], lease: i64) {
    store
        .put_with(&PutRequest {
            lease,
            ..PutRequest::new(key, b"v")
        })
        .unwrap();
}

#[test]
fn a_lease_that_runs_out_takes_its_keys_in_one_revision_in_key_order() {
    let mut store = store();
    store.lease_grant(7, 5_000).unwrap();
    for key in [b"c", b"a", b"b"] {
        put_leased(&mut store, key, 7);
    }
    store.put(b"unleased", b"v").unwrap();
    let stream = watch_from(&mut store, KeyRange::All, 0);
    assert_eq!(store.step(4_999, PLENTY).unwrap().next_ms, Some(5_000));
    assert_eq!(store.status().keys, 4);
    assert_eq!(store.step(5_000, PLENTY).unwrap().next_ms, None);
    let deleted = outline(&events(&drain(&mut store, stream)));
    assert_eq!(deleted, [(6, "a".into()), (6, "b".into()), (6, "c".into())]);
    assert!(store.leases().is_empty());
}

#[test]
fn keeping_alive_starts_the_time_anew() {
    let mut store = store();
    store.lease_grant(7, 5_000).unwrap();
    put_leased(&mut store, b"k", 7);
    store.step(4_000, PLENTY).unwrap();
    assert_eq!(store.lease_time_to_live(7, false).ttl_ms, 1_000);
    assert_eq!(store.lease_keep_alive(7).unwrap().ttl_ms, 5_000);
    store.step(8_999, PLENTY).unwrap();
    assert!(store.get(b"k").unwrap().is_some());
    store.step(9_000, PLENTY).unwrap();
    assert!(store.get(b"k").unwrap().is_none());
}

#[test]
fn revoking_makes_a_revision_only_if_there_are_keys() {
    let mut store = store();
    store.lease_grant(1, 5_000).unwrap();
    assert_eq!(store.lease_revoke(1).unwrap().revision, 1);
    store.lease_grant(1, 5_000).unwrap();
    put_leased(&mut store, b"k", 1);
    assert_eq!(store.lease_revoke(1).unwrap().revision, 3);
    assert_eq!(
        store.lease_revoke(1).unwrap_err().code(),
        ErrorCode::LeaseNotFound
    );
    assert_eq!(
        store.lease_revoke(0).unwrap_err().code(),
        ErrorCode::LeaseNotFound
    );
}

#[test]
fn a_grant_is_raised_to_the_minimum_refused_above_the_maximum_and_unique() {
    let mut store = store();
    for ttl_ms in [-1, 0, 1_999] {
        assert_eq!(store.lease_grant(0, ttl_ms).unwrap().ttl_ms, 2_000);
    }
    let too_large = store.lease_grant(0, 9_000_000_000_001).unwrap_err();
    assert_eq!(too_large.code(), ErrorCode::LeaseTtlTooLarge);
    assert_eq!(store.lease_grant(-3, 5_000).unwrap().id, -3);
    assert_eq!(
        store.lease_grant(-3, 5_000).unwrap_err().code(),
        ErrorCode::LeaseExists
    );
    assert!(store.leases()[1..].iter().all(|&id| id > 0));
    assert_eq!(store.leases().len(), 4);
}

#[test]
fn unknown_leases_are_answered_as_etcd_does() {
    let mut store = store();
    let unknown = store.lease_time_to_live(9, true);
    assert_eq!(
        (unknown.ttl_ms, unknown.granted_ttl_ms, unknown.keys.len()),
        (-1, 0, 0)
    );
    assert_eq!(store.lease_keep_alive(9).unwrap().ttl_ms, 0);
    let put = store.put_with(&PutRequest {
        lease: 9,
        ..PutRequest::new(b"k", b"v")
    });
    assert_eq!(put.unwrap_err().code(), ErrorCode::LeaseNotFound);
    assert_eq!(store.revision(), 1);
}

#[test]
fn the_last_put_decides_the_lease_of_a_key() {
    let mut store = store();
    store.lease_grant(1, 5_000).unwrap();
    store.lease_grant(2, 9_000).unwrap();
    put_leased(&mut store, b"moved", 1);
    put_leased(&mut store, b"moved", 2);
    put_leased(&mut store, b"detached", 1);
    store.put(b"detached", b"v").unwrap();
    put_leased(&mut store, b"kept", 1);
    store
        .put_with(&PutRequest {
            ignore_lease: true,
            ..PutRequest::new(b"kept", b"w")
        })
        .unwrap();
    assert_eq!(store.lease_time_to_live(1, true).keys, [b"kept"]);
    assert_eq!(store.lease_time_to_live(2, true).keys, [b"moved"]);
    store.step(5_000, PLENTY).unwrap();
    assert_eq!(store.status().keys, 2);
}

#[test]
fn what_remains_survives_a_restart_and_time_while_closed_does_not_count() {
    let pages = MemoryPages::new(4096);
    let open = || Store::open(pages.clone(), Options::default()).unwrap();
    let mut store = open();
    store.step(1_000, PLENTY).unwrap();
    store.lease_grant(1, 60_000).unwrap();
    put_leased(&mut store, b"k", 1);
    store.step(31_000, PLENTY).unwrap();
    store.close().unwrap();

    let mut store = open();
    store.step(9_000_000, PLENTY).unwrap();
    let left = store.lease_time_to_live(1, true);
    assert_eq!((left.ttl_ms, left.granted_ttl_ms), (30_000, 60_000));
    assert_eq!(left.keys, [b"k"]);
    store.step(9_030_000, PLENTY).unwrap();
    assert!(store.get(b"k").unwrap().is_none());
}

#[test]
fn one_step_ends_a_bounded_number_of_leases_and_asks_to_be_called_again() {
    let mut options = Options::default();
    options.limits.lease_expiries_per_step = 10;
    let mut store = Store::in_memory(options);
    store.step(0, PLENTY).unwrap();
    for id in 1..=25 {
        store.lease_grant(id, 2_000).unwrap();
    }
    let mut left = Vec::new();
    while !store.leases().is_empty() {
        assert_eq!(
            store.step(2_000, PLENTY).unwrap().next_ms.is_some(),
            !store.leases().is_empty()
        );
        left.push(store.leases().len());
    }
    assert_eq!(left, [15, 5, 0]);
}

/// Reclaiming in a shared store waits for syncs of its own, and the step begins again after each.
#[test]
fn a_step_that_waits_for_a_sync_ends_no_more_leases_than_one_that_does_not() {
    let mut options = Options {
        durability: Durability::Commit,
        ..Options::default()
    };
    options.limits.lease_expiries_per_step = 1;
    let mut store = Store::open(MemoryPages::new(512), options).unwrap();
    store.step(0, PLENTY).unwrap();
    for round in 0..6_u8 {
        for key in 0..100_u8 {
            store.put(&[key], &[round; 100]).unwrap();
        }
    }
    for id in 1..=60 {
        store.lease_grant(id, 2_000).unwrap();
        put_leased(&mut store, &id.to_be_bytes(), id);
    }
    store.compact(store.revision()).unwrap();
    let store = SharedStore::new(store);
    for left in (0..60).rev() {
        store.step(2_000, 10_000).unwrap();
        assert_eq!(store.leases().len(), left);
    }
}
