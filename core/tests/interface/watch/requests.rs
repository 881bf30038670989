//! What a watcher can ask for, and what it is promised then.

use crate::common::{PLENTY, drain, events, outline, poll, store_with_queue};
use revwatch::{
    DeleteRangeRequest, ErrorCode, KeyRange, Limits, Op, Options, PROGRESS_OF_STREAM, PutRequest,
    Store, StreamId, TxnRequest, WatchRequest, WatchResponse,
};

/// A stream with one watcher, whose creation was polled.
fn watch(store: &mut Store, request: &WatchRequest) -> StreamId {
    let stream = store.watch_stream();
    store.watch(stream, request).unwrap();
    assert!(matches!(poll(store, stream), WatchResponse::Created { .. }));
    stream
}

fn put_all(store: &mut Store, keys: &[&[u8]], value: &[u8]) {
    let puts = keys.iter().map(|key| Op::Put(PutRequest::new(key, value)));
    let request = TxnRequest {
        success: puts.collect(),
        ..TxnRequest::default()
    };
    store.txn(&request).unwrap();
}

fn delete(store: &mut Store, key: &[u8]) {
    let doomed = DeleteRangeRequest::new(KeyRange::one(key));
    store.delete_range(&doomed).unwrap();
}

/// Before what is watched is written, and after it.
const STARTS: [i64; 2] = [0, 2];

#[test]
fn a_change_in_several_ranges_of_a_watcher_comes_once() {
    let ranges = vec![
        KeyRange::prefix(b"a"),
        KeyRange::one(b"ab"),
        KeyRange::span(b"aa", b"ac"),
        KeyRange::one(b"x"),
        KeyRange::one(b"x"),
    ];
    for start_revision in STARTS {
        let mut store = store_with_queue(8);
        let request = WatchRequest {
            start_revision,
            ..WatchRequest::of_ranges(ranges.clone())
        };
        let registered = (start_revision == 0).then(|| watch(&mut store, &request));
        put_all(&mut store, &[b"ab", b"b", b"x", b"aa"], b"");
        store.put(b"z", b"").unwrap();
        store.put(b"ab", b"").unwrap();
        let stream = registered.unwrap_or_else(|| watch(&mut store, &request));
        let seen = outline(&events(&drain(&mut store, stream)));
        let expected = [(2, "ab"), (2, "x"), (2, "aa"), (4, "ab")];
        let expected = expected.map(|(revision, key)| (revision, key.into()));
        assert_eq!(seen, expected, "from {start_revision}");
    }
}

#[test]
fn a_range_that_can_hold_nothing_is_refused_among_others_too() {
    let mut store = store_with_queue(8);
    let stream = store.watch_stream();
    let empty = KeyRange::span(b"b", b"a");
    for ranges in [vec![], vec![KeyRange::All, empty]] {
        let refused = store.watch(stream, &WatchRequest::of_ranges(ranges));
        assert_eq!(refused.unwrap_err().code(), ErrorCode::EmptyWatchRange);
    }
    assert_eq!(poll(&mut store, stream), WatchResponse::Idle);
    assert_eq!(store.status().watchers, 0);
}

#[test]
fn keys_only_leaves_out_every_value() {
    for start_revision in STARTS {
        let mut store = store_with_queue(8);
        let request = WatchRequest {
            start_revision,
            keys_only: true,
            prev_kv: true,
            ..WatchRequest::new(KeyRange::All)
        };
        let registered = (start_revision == 0).then(|| watch(&mut store, &request));
        store.put(b"k", b"1").unwrap();
        store.put(b"k", b"2").unwrap();
        let stream = registered.unwrap_or_else(|| watch(&mut store, &request));
        let seen = events(&drain(&mut store, stream));
        let values = |event: &revwatch::Event| {
            let before = event.prev_kv.as_ref();
            (
                event.kv.version,
                event.kv.value.len(),
                before.map(|kv| (kv.version, kv.value.len())),
            )
        };
        let expected = [(1, 0, None), (2, 0, Some((1, 0)))];
        assert_eq!(seen.iter().map(values).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn watchers_of_one_range_each_see_what_they_asked_for() {
    for start_revision in STARTS {
        let mut store = store_with_queue(64);
        let all = WatchRequest {
            start_revision,
            ..WatchRequest::new(KeyRange::All)
        };
        let no_put = WatchRequest {
            no_put: true,
            ..all.clone()
        };
        let no_delete = WatchRequest {
            no_delete: true,
            ..all.clone()
        };
        let nothing = WatchRequest {
            no_put: true,
            no_delete: true,
            ..all.clone()
        };
        let stream = store.watch_stream();
        let register = |store: &mut Store| {
            for request in [&all, &no_put, &no_delete, &nothing] {
                store.watch(stream, request).unwrap();
            }
        };
        if start_revision == 0 {
            register(&mut store);
        }
        put_all(&mut store, &[b"a", b"b"], b"");
        let mixed = TxnRequest {
            success: vec![
                Op::Put(PutRequest::new(b"c", b"")),
                Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(b"a"))),
                Op::Put(PutRequest::new(b"d", b"")),
                Op::DeleteRange(DeleteRangeRequest::new(KeyRange::one(b"b"))),
            ],
            ..TxnRequest::default()
        };
        store.txn(&mixed).unwrap();
        if start_revision != 0 {
            register(&mut store);
        }
        let mut seen = [String::new(), String::new(), String::new(), String::new()];
        for response in drain(&mut store, stream) {
            if let WatchResponse::Events {
                watch_id, events, ..
            } = response
            {
                for event in events.iter() {
                    seen[watch_id as usize].push(char::from(event.kv.key[0]));
                }
            }
        }
        assert_eq!(seen, ["abcadb", "ab", "abcd", ""], "from {start_revision}");
    }
}

#[test]
fn a_revision_comes_in_marked_fragments_only_to_who_asked_for_them() {
    for (fragment, start_revision) in [(false, 0), (false, 2), (true, 0), (true, 2)] {
        let mut store = store_with_queue(8);
        let request = WatchRequest {
            fragment,
            start_revision,
            ..WatchRequest::new(KeyRange::All)
        };
        let registered = (start_revision == 0).then(|| watch(&mut store, &request));
        put_all(&mut store, &[b"a", b"b", b"c", b"d", b"e"], b"");
        store.put(b"f", b"").unwrap();
        let stream = registered.unwrap_or_else(|| watch(&mut store, &request));
        let mut parts = Vec::new();
        while let WatchResponse::Events {
            events, fragment, ..
        } = store.poll(stream, 2, PLENTY).unwrap()
        {
            let keys = events.iter().map(|event| char::from(event.kv.key[0]));
            parts.push((keys.collect::<String>(), fragment));
        }
        let expected: &[(&str, bool)] = match (fragment, start_revision) {
            (false, _) => &[("abcde", false), ("f", false)],
            (true, 0) => &[("ab", true), ("cd", true), ("e", false), ("f", false)],
            // From history two revisions may come together.
            (true, _) => &[("ab", true), ("cd", true), ("ef", false)],
        };
        let parts: Vec<_> = parts
            .iter()
            .map(|(keys, last)| (keys.as_str(), *last))
            .collect();
        assert_eq!(parts, expected, "from {start_revision}");
    }
}

#[test]
fn fragments_are_bounded_in_bytes_by_an_option() {
    let limits = Limits {
        fragment_bytes: 10,
        ..Limits::default()
    };
    let mut store = Store::in_memory(Options {
        limits,
        ..Options::default()
    });
    let request = WatchRequest {
        fragment: true,
        ..WatchRequest::new(KeyRange::All)
    };
    let stream = watch(&mut store, &request);
    put_all(&mut store, &[b"a", b"b", b"c"], b"four");
    let mut lengths = Vec::new();
    while let WatchResponse::Events { events, .. } = poll(&mut store, stream) {
        lengths.push(events.len());
    }
    assert_eq!(lengths, [2, 1]);
}

fn progress(watch_id: i64, revision: i64) -> WatchResponse {
    WatchResponse::Progress { watch_id, revision }
}

#[test]
fn progress_comes_behind_what_is_queued_and_nothing_older_after_it() {
    let mut store = store_with_queue(8);
    let stream = watch(&mut store, &WatchRequest::new(KeyRange::All));
    store.put(b"k", b"1").unwrap();
    assert!(store.request_progress(stream).unwrap());
    store.put(b"k", b"2").unwrap();
    let responses = drain(&mut store, stream);
    assert_eq!(responses[1], progress(PROGRESS_OF_STREAM, 2));
    assert_eq!(outline(&events(&responses[2..])), [(3, "k".into())]);
}

#[test]
fn progress_that_is_asked_for_again_and_again_is_told_once() {
    let mut store = store_with_queue(8);
    let stream = store.watch_stream();
    for _ in 0..10 {
        store.put(b"k", b"").unwrap();
        assert!(store.request_progress(stream).unwrap());
    }
    assert_eq!(
        drain(&mut store, stream),
        [progress(PROGRESS_OF_STREAM, 11)]
    );
}

#[test]
fn no_progress_is_told_while_a_watcher_is_behind_or_has_not_started() {
    let mut store = store_with_queue(1);
    store.put(b"k", b"1").unwrap();
    let from_the_first = WatchRequest {
        start_revision: 2,
        ..WatchRequest::new(KeyRange::All)
    };
    let behind = watch(&mut store, &from_the_first);
    assert!(!store.request_progress(behind).unwrap(), "unsynced");
    drain(&mut store, behind);
    assert!(store.request_progress(behind).unwrap());
    drain(&mut store, behind);
    store.put(b"k", b"2").unwrap();
    store.put(b"k", b"3").unwrap();
    assert_eq!(store.status().victim_watchers, 1);
    assert!(!store.request_progress(behind).unwrap(), "victim");

    let later = WatchRequest {
        start_revision: 6,
        watch_id: 7,
        ..WatchRequest::new(KeyRange::All)
    };
    let waits = watch(&mut store, &later);
    assert_eq!(store.revision(), 4);
    assert!(!store.request_progress(waits).unwrap(), "not started");
    store.put(b"k", b"4").unwrap();
    assert!(
        store.request_progress(waits).unwrap(),
        "what comes next is its"
    );
    assert_eq!(drain(&mut store, waits), [progress(PROGRESS_OF_STREAM, 5)]);

    let never = WatchRequest {
        start_revision: i64::MAX,
        ..WatchRequest::new(KeyRange::All)
    };
    let id = store.watch(waits, &never).unwrap();
    assert!(!store.request_progress(waits).unwrap());
    store.cancel_watch(waits, id).unwrap();
    assert!(
        store.request_progress(waits).unwrap(),
        "nobody waits any more"
    );
}

fn store_with_interval(progress_notify_ms: i64) -> Store {
    let limits = Limits {
        progress_notify_ms,
        stream_queue_responses: 1,
        ..Limits::default()
    };
    Store::in_memory(Options {
        limits,
        ..Options::default()
    })
}

#[test]
fn progress_is_told_by_interval_to_who_was_told_nothing_else() {
    let mut store = store_with_interval(1_000);
    let asks = WatchRequest {
        progress_notify: true,
        ..WatchRequest::new(KeyRange::one(b"k"))
    };
    let stream = watch(&mut store, &asks);
    store
        .watch(stream, &WatchRequest::new(KeyRange::All))
        .unwrap();
    assert_eq!(store.step(5_000, PLENTY).unwrap().next_ms, Some(6_000));
    drain(&mut store, stream);
    store.step(5_999, PLENTY).unwrap();
    assert_eq!(drain(&mut store, stream), []);
    assert_eq!(store.step(6_000, PLENTY).unwrap().next_ms, Some(7_000));
    assert_eq!(drain(&mut store, stream), [progress(0, 1)]);

    store.put(b"other", b"").unwrap();
    store.put(b"k", b"").unwrap();
    let told = drain(&mut store, stream);
    assert_eq!(events(&told).len(), 3);
    store.step(7_000, PLENTY).unwrap();
    let told = drain(&mut store, stream);
    assert!(
        !told
            .iter()
            .any(|told| matches!(told, WatchResponse::Progress { .. }))
    );
    store.step(8_000, PLENTY).unwrap();
    assert_eq!(drain(&mut store, stream), [progress(0, 3)]);
    store.cancel_watch(stream, 0).unwrap();
    assert_eq!(store.step(8_500, PLENTY).unwrap().next_ms, None);
}

#[test]
fn a_reader_who_does_not_come_is_not_told_its_progress_again_and_again() {
    let mut store = store_with_interval(10);
    let asks = WatchRequest {
        progress_notify: true,
        ..WatchRequest::new(KeyRange::All)
    };
    let stream = watch(&mut store, &asks);
    for now_ms in 0..1_000 {
        store.step(now_ms, PLENTY).unwrap();
    }
    assert_eq!(drain(&mut store, stream), [progress(0, 1)]);
}

#[test]
fn progress_by_interval_is_not_told_to_who_is_behind_or_has_not_started() {
    let mut store = store_with_interval(10);
    let later = WatchRequest {
        progress_notify: true,
        start_revision: 9,
        ..WatchRequest::new(KeyRange::All)
    };
    let waits = watch(&mut store, &later);
    let now = WatchRequest {
        start_revision: 0,
        ..later
    };
    let slow = watch(&mut store, &now);
    store.step(0, PLENTY).unwrap();
    for _ in 0..5 {
        store.put(b"k", b"").unwrap();
    }
    for now_ms in 1..100 {
        store.step(now_ms, PLENTY).unwrap();
    }
    assert_eq!(drain(&mut store, waits), []);
    let told = drain(&mut store, slow);
    assert_eq!(events(&told).len(), 5);
    assert!(
        !told
            .iter()
            .any(|told| matches!(told, WatchResponse::Progress { .. }))
    );
}

fn conflating(start_revision: i64) -> WatchRequest {
    WatchRequest {
        conflate: true,
        start_revision,
        ..WatchRequest::new(KeyRange::All)
    }
}

#[test]
fn a_conflating_watcher_that_is_behind_sees_the_newest_state_of_each_key() {
    let limits = Limits {
        catch_up_revisions: 2,
        ..Limits::default()
    };
    let mut store = Store::in_memory(Options {
        limits,
        ..Options::default()
    });
    let stream = watch(&mut store, &conflating(0));
    for value in [b"1", b"2", b"3"] {
        store.put(b"a", value).unwrap();
        store.put(b"gone", value).unwrap();
        store.put(b"b", value).unwrap();
    }
    delete(&mut store, b"gone");
    store.put(b"a", b"4").unwrap();
    let responses = drain(&mut store, stream);
    // One response may wait for its reader; what came after it is conflated.
    let expected = [(2, "a"), (10, "b"), (11, "gone"), (12, "a")];
    let expected = expected.map(|(revision, key)| (revision, key.into()));
    assert_eq!(outline(&events(&responses)), expected);
}

#[test]
fn a_conflating_watcher_ends_with_what_the_store_holds_whatever_its_pace() {
    for seed in 0..40 {
        let mut rng = crate::common::Rng::new(seed);
        let mut store = store_with_queue(4);
        let stream = watch(&mut store, &conflating(1));
        let mut copy = std::collections::BTreeMap::new();
        let (mut last, mut told) = (0, 0);
        let mut follow = |response: &WatchResponse| {
            for event in events(std::slice::from_ref(response)) {
                assert!(event.kv.mod_revision >= last, "order");
                (last, told) = (event.kv.mod_revision, told + 1);
                match event.kind {
                    revwatch::EventKind::Put => copy.insert(event.kv.key, event.kv.value),
                    revwatch::EventKind::Delete => copy.remove(&event.kv.key),
                };
            }
        };
        for round in 0..300_u32 {
            let key = [b'0' + rng.below(5) as u8];
            match rng.below(12) {
                0..7 => drop(store.put(&key, &round.to_le_bytes()).unwrap()),
                7 => put_all(&mut store, &[&key, b"x", b"y"], &round.to_le_bytes()),
                8 => delete(&mut store, &key),
                9 => drop(store.step(0, 1 + rng.below(300) as usize).unwrap()),
                _ => follow(&store.poll(stream, 3, PLENTY).unwrap()),
            }
        }
        for response in drain(&mut store, stream) {
            follow(&response);
        }
        let all = store
            .range(&revwatch::RangeRequest::new(KeyRange::All))
            .unwrap();
        let expected = all.kvs.into_iter().map(|kv| (kv.key, kv.value));
        assert_eq!(copy, expected.collect(), "seed {seed}");
        let changes = store
            .history(&KeyRange::All, 0, usize::MAX)
            .unwrap()
            .events
            .len();
        assert!(
            told < changes,
            "seed {seed}: nothing was left out of {changes}"
        );
    }
}

#[test]
fn a_conflating_watcher_is_told_of_a_compaction_that_may_have_taken_a_delete() {
    let mut store = store_with_queue(8);
    store.put(b"k", b"1").unwrap();
    delete(&mut store, b"k");
    store.put(b"other", b"").unwrap();
    let stream = watch(&mut store, &conflating(2));
    store.compact(4).unwrap();
    let told = WatchResponse::Compacted {
        watch_id: 0,
        compact_revision: 4,
    };
    assert_eq!(drain(&mut store, stream), [told]);
}

#[test]
fn the_report_says_where_each_watcher_stands() {
    use revwatch::WatcherState::{Synced, Unsynced, Victim};
    let mut store = store_with_queue(1);
    let synced = watch(&mut store, &WatchRequest::new(KeyRange::one(b"other")));
    let slow = watch(&mut store, &WatchRequest::new(KeyRange::prefix(b"k")));
    for _ in 0..5 {
        store.put(b"k", b"value").unwrap();
    }
    let late = WatchRequest {
        start_revision: 3,
        watch_id: 9,
        ..WatchRequest::of_ranges(vec![KeyRange::one(b"z"), KeyRange::one(b"a")])
    };
    let late_stream = watch(&mut store, &late);
    let reports = store.watchers();
    let told: Vec<_> = reports
        .iter()
        .map(|report| (report.stream, report.watch_id, report.state))
        .collect();
    let expected = [
        (synced, 0, Synced),
        (slow, 0, Victim),
        (late_stream, 9, Unsynced),
    ];
    assert_eq!(told, expected);
    let figures: Vec<_> = reports
        .iter()
        .map(|report| {
            (
                report.next_revision,
                report.lag,
                report.queued_responses,
                report.queued_bytes,
            )
        })
        .collect();
    // The victim has one response queued and holds another, of a key and a value each.
    assert_eq!(figures, [(7, 0, 0, 0), (4, 3, 1, 12), (3, 4, 0, 0)]);
    assert_eq!(
        reports[2].ranges,
        [KeyRange::one(b"a"), KeyRange::one(b"z")]
    );
}
