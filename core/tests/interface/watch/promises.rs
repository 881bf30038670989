//! What watchers are promised.

use crate::common::{PLENTY, Rng, drain, events, outline, poll, store_with_queue, watch_from};
use revwatch::page::MemoryPages;
use revwatch::{
    DeleteRangeRequest, Durability, ErrorCode, Event, EventKind, KeyRange, Limits, Op, Options,
    PutRequest, Store, StreamId, TxnRequest, WatchRequest, WatchResponse, WatcherReport,
    WatcherState,
};

fn put_all(store: &mut Store, keys: &[&[u8]]) {
    let success = keys
        .iter()
        .map(|key| Op::Put(PutRequest::new(key, b"v")))
        .collect();
    store
        .txn(&TxnRequest {
            success,
            ..TxnRequest::default()
        })
        .unwrap();
}

#[test]
fn every_change_comes_once_in_order_and_whole_whatever_the_pace() {
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut store = store_with_queue(1 + rng.below(4) as usize);
        let ranges = [
            KeyRange::All,
            KeyRange::one(b"k1"),
            KeyRange::prefix(b"k"),
            KeyRange::span(b"k1", b"k3"),
        ];
        let mut streams = Vec::new();
        let mut delivered = vec![Vec::new(); ranges.len()];
        for range in &ranges {
            streams.push(watch_from(&mut store, range.clone(), 2));
        }
        for _ in 0..200 {
            match rng.below(8) {
                0..4 => {
                    let keys: [&[u8]; 4] = [b"k0", b"k1", b"k2", b"other"];
                    let from = rng.below(4) as usize;
                    put_all(&mut store, &keys[from..]);
                }
                4 => {
                    let doomed = DeleteRangeRequest::new(KeyRange::prefix(b"k"));
                    store.delete_range(&doomed).unwrap();
                }
                5 => drop(store.step(0, 1 + rng.below(200) as usize).unwrap()),
                _ => {
                    let which = rng.below(ranges.len() as u64) as usize;
                    let max_events = rng.below(5) as usize;
                    let response = store.poll(streams[which], max_events, PLENTY).unwrap();
                    delivered[which].push(response);
                }
            }
        }
        for (which, range) in ranges.iter().enumerate() {
            delivered[which].extend(drain(&mut store, streams[which]));
            let kept = store.history(range, 0, usize::MAX).unwrap().events;
            assert_eq!(events(&delivered[which]), kept, "seed {seed}, {range:?}");
            assert_no_revision_is_split(&delivered[which]);
        }
    }
}

fn assert_no_revision_is_split(responses: &[WatchResponse]) {
    let mut last = 0;
    for response in responses {
        let WatchResponse::Events { events, .. } = response else {
            continue;
        };
        let first = events.iter().next().unwrap().kv.mod_revision;
        assert!(first > last, "revision {first} came in two responses");
        last = events.iter().last().unwrap().kv.mod_revision;
    }
}

#[test]
fn a_slow_watcher_does_not_hold_up_the_fast_one_of_another_stream() {
    let mut store = store_with_queue(2);
    let slow = watch_from(&mut store, KeyRange::All, 0);
    let fast = watch_from(&mut store, KeyRange::All, 0);
    for _ in 0..50 {
        store.put(b"k", b"v").unwrap();
        assert_eq!(events(&drain(&mut store, fast)).len(), 1);
    }
    assert_eq!(store.status().victim_watchers, 1);
    assert_eq!(events(&drain(&mut store, slow)).len(), 50);
}

#[test]
fn a_change_that_concerns_more_watchers_than_the_queue_holds_makes_no_victims() {
    let mut store = store_with_queue(2);
    let stream = store.watch_stream();
    for _ in 0..100 {
        store
            .watch(stream, &WatchRequest::new(KeyRange::All))
            .unwrap();
    }
    drain(&mut store, stream);
    store.put(b"k", b"v").unwrap();
    assert_eq!(store.status().victim_watchers, 0);
    store.put(b"k", b"v").unwrap();
    assert_eq!(store.status().victim_watchers, 100);
    assert_eq!(events(&drain(&mut store, stream)).len(), 200);
    assert_eq!(store.status().victim_watchers, 0);
}

#[test]
fn a_transaction_comes_in_the_order_of_its_operations() {
    let mut store = store_with_queue(8);
    let stream = watch_from(&mut store, KeyRange::All, 0);
    put_all(&mut store, &[b"c", b"a", b"b"]);
    let WatchResponse::Events {
        events, revision, ..
    } = poll(&mut store, stream)
    else {
        panic!("the transaction is one response");
    };
    let keys: Vec<&[u8]> = events.iter().map(|event| event.kv.key).collect();
    assert_eq!((keys, revision), (vec![&b"c"[..], b"a", b"b"], 2));
}

#[test]
fn a_delete_carries_its_key_and_revision_only() {
    let mut store = store_with_queue(8);
    store.put(b"k", b"v").unwrap();
    let stream = watch_from(&mut store, KeyRange::All, 0);
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::All))
        .unwrap();
    let [event] = &events(&drain(&mut store, stream))[..] else {
        panic!("one event")
    };
    assert_eq!(event.kind, EventKind::Delete);
    assert_eq!(
        (event.kv.key.as_slice(), event.kv.mod_revision),
        (&b"k"[..], 3)
    );
    assert_eq!(
        (
            event.kv.create_revision,
            event.kv.version,
            event.kv.value.len()
        ),
        (0, 0, 0)
    );
}

#[test]
fn a_start_in_the_future_skips_what_comes_before_it() {
    let mut store = store_with_queue(8);
    let stream = watch_from(&mut store, KeyRange::All, 4);
    for _ in 2..=5 {
        store.put(b"k", b"v").unwrap();
    }
    let seen = outline(&events(&drain(&mut store, stream)));
    assert_eq!(seen, [(4, "k".into()), (5, "k".into())]);
}

#[test]
fn filters_leave_out_what_they_name_and_send_nothing_empty() {
    let mut store = store_with_queue(8);
    let stream = store.watch_stream();
    let no_put = WatchRequest {
        no_put: true,
        ..WatchRequest::new(KeyRange::All)
    };
    let no_delete = WatchRequest {
        no_delete: true,
        ..WatchRequest::new(KeyRange::All)
    };
    let (deletes, puts) = (
        store.watch(stream, &no_put).unwrap(),
        store.watch(stream, &no_delete).unwrap(),
    );
    store.put(b"k", b"v").unwrap();
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::All))
        .unwrap();
    let mut seen = Vec::new();
    for response in drain(&mut store, stream) {
        if let WatchResponse::Events {
            watch_id, events, ..
        } = response
        {
            seen.push((watch_id, events.len(), events.iter().next().unwrap().kind));
        }
    }
    assert_eq!(
        seen,
        [(puts, 1, EventKind::Put), (deletes, 1, EventKind::Delete)]
    );
}

#[test]
fn what_a_key_was_before_is_its_state_before_the_transaction() {
    for start_revision in [0, 2] {
        let mut store = store_with_queue(8);
        let stream = store.watch_stream();
        let request = WatchRequest {
            prev_kv: true,
            start_revision,
            ..WatchRequest::new(KeyRange::All)
        };
        if start_revision == 0 {
            store.watch(stream, &request).unwrap();
        }
        store.put(b"k", b"1").unwrap();
        store.put(b"k", b"2").unwrap();
        store
            .delete_range(&DeleteRangeRequest::new(KeyRange::All))
            .unwrap();
        if start_revision != 0 {
            store.watch(stream, &request).unwrap();
        }
        let before: Vec<_> = events(&drain(&mut store, stream))
            .into_iter()
            .map(|event| event.prev_kv.map(|kv| (kv.value, kv.mod_revision)))
            .collect();
        assert_eq!(
            before,
            [None, Some((b"1".to_vec(), 2)), Some((b"2".to_vec(), 3))]
        );
    }
}

#[test]
fn compaction_takes_what_a_key_was_before_without_an_error() {
    let mut store = store_with_queue(8);
    for value in [b"1", b"2", b"3"] {
        store.put(b"k", value).unwrap();
    }
    store.compact(3).unwrap();
    let stream = store.watch_stream();
    let request = WatchRequest {
        prev_kv: true,
        start_revision: 3,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &request).unwrap();
    let before: Vec<_> = events(&drain(&mut store, stream))
        .into_iter()
        .map(|event| event.prev_kv.map(|kv| kv.value))
        .collect();
    assert_eq!(before, [None, Some(b"2".to_vec())]);
}

#[test]
fn ids_are_chosen_upwards_and_never_go_back() {
    let mut store = store_with_queue(8);
    let stream = store.watch_stream();
    let any = WatchRequest::new(KeyRange::All);
    let chosen = |id| WatchRequest {
        watch_id: id,
        ..any.clone()
    };
    assert_eq!(store.watch(stream, &any).unwrap(), 0);
    assert_eq!(store.watch(stream, &chosen(1)).unwrap(), 1);
    assert_eq!(store.watch(stream, &chosen(-5)).unwrap(), -5);
    assert_eq!(store.watch(stream, &any).unwrap(), 2);
    let twice = store.watch(stream, &chosen(1)).unwrap_err();
    assert_eq!(twice.code(), ErrorCode::DuplicateWatchId);
    store.cancel_watch(stream, 2).unwrap();
    assert_eq!(store.watch(stream, &any).unwrap(), 3);
    assert_eq!(store.watch(stream, &chosen(2)).unwrap(), 2);
}

#[test]
fn a_canceled_watcher_says_so_once_and_then_nothing() {
    let mut store = store_with_queue(8);
    let stream = watch_from(&mut store, KeyRange::All, 0);
    store.put(b"k", b"1").unwrap();
    store.cancel_watch(stream, 0).unwrap();
    store.cancel_watch(stream, 0).unwrap();
    store.put(b"k", b"2").unwrap();
    let responses = drain(&mut store, stream);
    assert_eq!(events(&responses).len(), 1);
    assert_eq!(responses.len(), 2);
    assert_eq!(responses[1], WatchResponse::Canceled { watch_id: 0 });
}

#[test]
fn an_empty_range_is_refused_and_an_empty_key_means_the_first() {
    let mut store = store_with_queue(8);
    let stream = store.watch_stream();
    for (start, end) in [(&b"b"[..], &b"a"[..]), (b"b", b"b")] {
        let refused = store.watch(stream, &WatchRequest::new(KeyRange::span(start, end)));
        assert_eq!(refused.unwrap_err().code(), ErrorCode::EmptyWatchRange);
    }
    store
        .watch(stream, &WatchRequest::new(KeyRange::from_etcd(b"", b"\0")))
        .unwrap();
    store.put(b"k", b"v").unwrap();
    assert_eq!(events(&drain(&mut store, stream)).len(), 1);
}

#[test]
fn a_compacted_start_is_told_once_behind_the_creation() {
    let mut store = store_with_queue(8);
    for _ in 0..4 {
        store.put(b"k", b"v").unwrap();
    }
    store.compact(4).unwrap();
    let stream = watch_from(&mut store, KeyRange::All, 3);
    let told = WatchResponse::Compacted {
        watch_id: 0,
        compact_revision: 4,
    };
    assert_eq!(drain(&mut store, stream), [told]);
    let at_the_compact_revision = watch_from(&mut store, KeyRange::All, 4);
    let seen = outline(&events(&drain(&mut store, at_the_compact_revision)));
    assert_eq!(seen, [(4, "k".into()), (5, "k".into())]);
}

/// etcd#17529: a watcher whose queue was full when history was compacted lost events in silence.
#[test]
fn a_full_queue_and_a_compaction_end_in_a_notice_not_in_a_gap() {
    let mut store = store_with_queue(1);
    let stream = watch_from(&mut store, KeyRange::All, 0);
    for _ in 0..10 {
        store.put(b"k", b"v").unwrap();
    }
    store.compact(9).unwrap();
    store.step(0, PLENTY).unwrap();
    let responses = drain(&mut store, stream);
    // One response was queued and one held; what came after them was compacted.
    assert_eq!(
        outline(&events(&responses)),
        [(2, "k".into()), (3, "k".into())]
    );
    let notices: Vec<_> = responses
        .iter()
        .filter(|response| !is_events(response))
        .collect();
    assert_eq!(
        notices,
        [&WatchResponse::Compacted {
            watch_id: 0,
            compact_revision: 9
        }]
    );
}

fn is_events(response: &WatchResponse) -> bool {
    matches!(response, WatchResponse::Events { .. })
}

/// etcd#18089, #19179: the delete at exactly the compact revision was dropped.
#[test]
fn a_delete_at_exactly_the_compact_revision_is_still_seen() {
    let mut store = store_with_queue(8);
    store.put(b"k", b"v").unwrap();
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::All))
        .unwrap();
    store.compact(3).unwrap();
    let stream = watch_from(&mut store, KeyRange::All, 3);
    assert_eq!(
        outline(&events(&drain(&mut store, stream))),
        [(3, "k".into())]
    );
}

#[test]
fn synced_watchers_do_not_mind_a_compaction() {
    let mut store = store_with_queue(8);
    let stream = watch_from(&mut store, KeyRange::All, 0);
    store.put(b"k", b"1").unwrap();
    store.compact(2).unwrap();
    store.put(b"k", b"2").unwrap();
    assert_eq!(
        outline(&events(&drain(&mut store, stream))),
        [(2, "k".into()), (3, "k".into())]
    );
}

#[test]
fn changes_are_shown_when_they_are_as_durable_as_the_store_promises() {
    let open = |durability| {
        let options = Options {
            durability,
            ..Options::default()
        };
        Store::open(MemoryPages::new(4096), options).unwrap()
    };
    let batch = Durability::Batch {
        max_ms: 100,
        max_writes: 3,
    };
    for (durability, at_once) in [(Durability::Commit, 1), (Durability::Never, 1), (batch, 0)] {
        let mut store = open(durability);
        let stream = watch_from(&mut store, KeyRange::All, 0);
        store.put(b"k", b"v").unwrap();
        assert_eq!(
            events(&drain(&mut store, stream)).len(),
            at_once,
            "{durability:?}"
        );
    }

    let mut store = open(batch);
    let stream = watch_from(&mut store, KeyRange::All, 0);
    store.step(1_000, PLENTY).unwrap();
    store.put(b"k", b"1").unwrap();
    assert_eq!(store.step(1_099, PLENTY).unwrap().next_ms, Some(1_100));
    assert_eq!(events(&drain(&mut store, stream)).len(), 0);
    store.step(1_100, PLENTY).unwrap();
    assert_eq!(events(&drain(&mut store, stream)).len(), 1);
    for _ in 0..3 {
        store.put(b"k", b"2").unwrap();
    }
    assert_eq!(events(&drain(&mut store, stream)).len(), 3);
}

#[test]
fn a_watcher_registered_between_a_change_and_its_publication_misses_nothing() {
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    let mut store = Store::open(MemoryPages::new(4096), options).unwrap();
    store.put(b"k", b"1").unwrap();
    let from_the_first = watch_from(&mut store, KeyRange::All, 2);
    let from_now = watch_from(&mut store, KeyRange::All, 0);
    store.put(b"k", b"2").unwrap();
    assert!(drain(&mut store, from_the_first).is_empty());
    store.flush().unwrap();
    store.put(b"k", b"3").unwrap();
    store.flush().unwrap();
    let revisions = |stream, store: &mut Store| -> Vec<i64> {
        events(&drain(store, stream))
            .iter()
            .map(|event| event.kv.mod_revision)
            .collect()
    };
    assert_eq!(revisions(from_the_first, &mut store), [2, 3, 4]);
    assert_eq!(revisions(from_now, &mut store), [3, 4]);
}

#[test]
fn what_was_read_before_a_compaction_is_read_again_after_it() {
    let limits = Limits {
        catch_up_revisions: 4,
        ..Limits::default()
    };
    let mut store = Store::in_memory(Options {
        limits,
        ..Options::default()
    });
    for _ in 0..20 {
        store.put(b"k", b"v").unwrap();
    }
    let with_prev_kv = |start_revision| WatchRequest {
        prev_kv: true,
        start_revision,
        ..WatchRequest::new(KeyRange::All)
    };
    // It stays behind, so that what it has read is kept for others.
    let first = store.watch_stream();
    store.watch(first, &with_prev_kv(2)).unwrap();
    poll(&mut store, first);
    assert!(is_events(&poll(&mut store, first)));
    store.compact(4).unwrap();
    let other = store.watch_stream();
    store.watch(other, &with_prev_kv(4)).unwrap();
    let seen = events(&drain(&mut store, other));
    assert_eq!(seen.len(), 18);
    assert!(seen[0].prev_kv.is_none(), "revision 3 is gone");
    assert!(seen[1].prev_kv.is_some());
}

#[test]
fn who_has_caught_up_is_synced_although_there_always_is_something_to_be_synced() {
    let options = Options {
        durability: Durability::ETCD,
        ..Options::default()
    };
    let mut met_synced = 0;
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut store = Store::open(MemoryPages::new(4096), options.clone()).unwrap();
        let mut watching: Vec<(StreamId, i64, bool, Vec<WatchResponse>)> = Vec::new();
        for number in 0..600_u64 {
            let key = [b'k', b'0' + (number % 3) as u8];
            store.put(&key, &number.to_le_bytes()).unwrap();
            if rng.below(8) == 0 {
                // Something is always left to be synced: a put comes first wherever one looks.
                store.flush().unwrap();
                store.put(b"k", b"v").unwrap();
            }
            if number % 100 == 50 {
                let request = WatchRequest {
                    start_revision: 1 + rng.below(store.revision() as u64) as i64,
                    prev_kv: rng.below(2) == 0,
                    ..WatchRequest::new(KeyRange::prefix(b"k"))
                };
                let stream = store.watch_stream();
                store.watch(stream, &request).unwrap();
                let (start, prev_kv) = (request.start_revision, request.prev_kv);
                watching.push((stream, start, prev_kv, Vec::new()));
            }
            for (stream, _, _, responses) in &mut watching {
                if rng.below(4) == 0 {
                    responses.extend(drain(&mut store, *stream));
                }
            }
            let report = store.watchers();
            let is_synced = |report: &WatcherReport| report.state == WatcherState::Synced;
            met_synced += report.iter().filter(|report| is_synced(report)).count();
        }
        store.flush().unwrap();
        let kept = store.history(&KeyRange::All, 0, usize::MAX).unwrap().events;
        for (stream, start, prev_kv, mut responses) in watching {
            responses.extend(drain(&mut store, stream));
            let told = events(&responses);
            let revisions = |events: &[Event]| -> Vec<i64> {
                events.iter().map(|event| event.kv.mod_revision).collect()
            };
            let wanted = revisions(&kept);
            let wanted = &wanted[wanted.partition_point(|&revision| revision < start)..];
            assert_eq!(revisions(&told), wanted, "seed {seed}");
            for event in told {
                let is_new = event.kv.create_revision == event.kv.mod_revision;
                assert_eq!(event.prev_kv.is_some(), prev_kv && !is_new, "seed {seed}");
            }
        }
    }
    assert!(met_synced > 40 * 600, "{met_synced}");
}
