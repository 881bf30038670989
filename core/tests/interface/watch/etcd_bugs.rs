//! What etcd's watch got wrong at some time, and must not happen here. Each test names the report.

use crate::common::{PLENTY, drain, events, outline, poll, store_with_queue, watch_from};
use revwatch::page::MemoryPages;
use revwatch::{
    DeleteRangeRequest, KeyRange, Options, PROGRESS_OF_STREAM, Store, WatchRequest, WatchResponse,
};

fn put_times(store: &mut Store, times: usize) {
    for _ in 0..times {
        store.put(b"k", b"v").unwrap();
    }
}

/// How often each watcher of a stream was told that history is gone, by id.
fn compactions_told(responses: &[WatchResponse], watchers: usize) -> Vec<usize> {
    let mut told = vec![0; watchers];
    for response in responses {
        if let WatchResponse::Compacted { watch_id, .. } = response {
            told[*watch_id as usize] += 1;
        }
    }
    told
}

/// etcd#22294: with 512 or more watchers behind, those that compaction had overtaken were taken out
/// of a copy of their group only, and were told again and again.
#[test]
fn etcd_22294_compacted_watchers_are_told_once_however_many_are_behind() {
    const WATCHERS: usize = 2_000;
    let mut store = store_with_queue(8);
    put_times(&mut store, 20);
    let stream = store.watch_stream();
    for watcher in 0..WATCHERS {
        let request = WatchRequest {
            start_revision: if watcher % 2 == 0 { 2 } else { 15 },
            ..WatchRequest::new(KeyRange::All)
        };
        store.watch(stream, &request).unwrap();
    }
    store.compact(10).unwrap();
    let mut responses = Vec::new();
    for _ in 0..5 {
        store.step(0, PLENTY).unwrap();
        responses.extend(drain(&mut store, stream));
    }
    let told = compactions_told(&responses, WATCHERS);
    assert!(
        told.iter()
            .enumerate()
            .all(|(id, &times)| times == 1 - id % 2)
    );
    assert_eq!(
        events(&responses).len(),
        WATCHERS / 2 * 7,
        "revisions 15 to 21"
    );
    assert_eq!(store.status().watchers, WATCHERS as u64 / 2);
}

/// etcd#17529: a watcher whose queue was full when history was compacted lost events in silence.
#[test]
fn etcd_17529_a_full_queue_and_a_compaction_end_in_a_notice_not_in_a_gap() {
    for step_first in [false, true] {
        let mut store = store_with_queue(1);
        let stream = watch_from(&mut store, KeyRange::All, 0);
        put_times(&mut store, 10);
        store.compact(9).unwrap();
        if step_first {
            store.step(0, PLENTY).unwrap();
        }
        put_times(&mut store, 1);
        let mut responses = drain(&mut store, stream);
        let notice = WatchResponse::Compacted {
            watch_id: 0,
            compact_revision: 9,
        };
        assert_eq!(responses.pop(), Some(notice));
        // One response was queued and one held.
        let seen = outline(&events(&responses));
        assert_eq!(seen, [(2, "k".into()), (3, "k".into())]);
        store.compact(11).unwrap();
        assert_eq!(drain(&mut store, stream), [], "told once");
    }
}

/// etcd#18089: the delete at exactly the compact revision was dropped from history.
#[test]
fn etcd_18089_a_delete_at_the_compact_revision_is_seen() {
    let mut store = store_with_queue(8);
    put_times(&mut store, 1);
    let all = DeleteRangeRequest::new(KeyRange::All);
    store.delete_range(&all).unwrap();
    store.compact(3).unwrap();
    let stream = watch_from(&mut store, KeyRange::All, 3);
    let seen = outline(&events(&drain(&mut store, stream)));
    assert_eq!(seen, [(3, "k".into())]);
}

/// etcd#19179: the same after opening the store again, and when everything was reclaimed.
#[test]
fn etcd_19179_a_delete_at_the_compact_revision_is_seen_after_a_restart() {
    let pages = MemoryPages::new(4096);
    let mut store = Store::open(pages.clone(), Options::default()).unwrap();
    store.put(b"k", b"v").unwrap();
    let all = DeleteRangeRequest::new(KeyRange::All);
    store.delete_range(&all).unwrap();
    store.compact(3).unwrap();
    for now_ms in 0..100 {
        store.step(now_ms, PLENTY).unwrap();
    }
    store.close().unwrap();
    let mut store = Store::open(pages, Options::default()).unwrap();
    let stream = watch_from(&mut store, KeyRange::All, 3);
    let seen = outline(&events(&drain(&mut store, stream)));
    assert_eq!(seen, [(3, "k".into())]);
}

/// etcd#16839: watchers with old starts that kept coming starved those that were nearly done, whose
/// events piled up until memory ran out.
#[test]
fn etcd_16839_watchers_that_keep_coming_starve_nobody() {
    let mut store = store_with_queue(8);
    put_times(&mut store, 5_000);
    let waits = store.watch_stream();
    let nearly_done = WatchRequest {
        start_revision: 4_990,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(waits, &nearly_done).unwrap();
    poll(&mut store, waits);
    let mut newcomers = 0;
    while !store
        .watchers()
        .iter()
        .any(|report| report.stream == waits && report.queued_responses > 0)
    {
        // None of these is ever polled again.
        watch_from(&mut store, KeyRange::All, 2);
        store.step(0, 1).unwrap();
        newcomers += 1;
        assert!(newcomers < 1_000, "it starves");
    }
    let held: usize = store
        .watchers()
        .iter()
        .map(|report| report.queued_responses)
        .sum();
    assert!(held <= newcomers + 1, "one response for each at most");
}

/// etcd#15220: progress was told at once, with a revision whose events were still to come.
#[test]
fn etcd_15220_no_event_comes_after_progress_of_its_revision() {
    for seed in 0..50 {
        let mut rng = crate::common::Rng::new(seed);
        let mut store = store_with_queue(1 + rng.below(3) as usize);
        let stream = watch_from(&mut store, KeyRange::prefix(b"k"), 0);
        store
            .watch(stream, &WatchRequest::new(KeyRange::All))
            .unwrap();
        let (mut progressed, mut told) = (0, 0);
        let mut check = |response: WatchResponse| match response {
            WatchResponse::Progress {
                watch_id: PROGRESS_OF_STREAM,
                revision,
            } => (progressed, told) = (revision, told + 1),
            WatchResponse::Events { events, .. } => {
                for event in events.iter() {
                    assert!(event.kv.mod_revision > progressed, "seed {seed}");
                }
            }
            _ => {}
        };
        for _ in 0..300 {
            match rng.below(5) {
                0 => drop(store.put(b"k", b"").unwrap()),
                1 => drop(store.put(b"other", b"").unwrap()),
                2 => drop(store.request_progress(stream).unwrap()),
                3 => drop(store.step(0, 1 + rng.below(50) as usize).unwrap()),
                _ => check(poll(&mut store, stream)),
            }
        }
        for response in drain(&mut store, stream) {
            check(response);
        }
        assert!(store.request_progress(stream).unwrap());
        check(poll(&mut store, stream));
        assert!(told > 0 && progressed == store.revision(), "seed {seed}");
    }
}

/// etcd#20262: who asked for its progress was not told it before a compaction took the revisions
/// from which it could have resumed.
#[test]
fn etcd_20262_a_watcher_of_what_never_changes_learns_where_to_resume_before_a_compaction() {
    let mut store = store_with_queue(8);
    let stream = watch_from(&mut store, KeyRange::one(b"never"), 0);
    put_times(&mut store, 50);
    assert!(store.request_progress(stream).unwrap());
    let compacted = store.revision();
    store.compact(compacted).unwrap();
    let told = drain(&mut store, stream);
    let [WatchResponse::Progress { revision, .. }] = told[..] else {
        panic!("{told:?}");
    };
    store.close_stream(stream);
    let resumed = watch_from(&mut store, KeyRange::one(b"never"), revision + 1);
    put_times(&mut store, 1);
    assert!(store.request_progress(resumed).unwrap());
    let told = drain(&mut store, resumed);
    assert!(
        matches!(told[..], [WatchResponse::Progress { .. }]),
        "{told:?}"
    );
}

/// etcd#10280: a watcher could not tell a compaction from being too slow or from being canceled.
#[test]
fn etcd_10280_why_a_watcher_ended_is_told_and_being_slow_is_no_reason() {
    let mut store = store_with_queue(1);
    let slow = watch_from(&mut store, KeyRange::All, 0);
    let canceled = watch_from(&mut store, KeyRange::All, 0);
    put_times(&mut store, 1_000);
    store.cancel_watch(canceled, 0).unwrap();
    assert_eq!(
        events(&drain(&mut store, slow)).len(),
        1_000,
        "slow, and complete"
    );
    let told = drain(&mut store, canceled);
    assert_eq!(told.last(), Some(&WatchResponse::Canceled { watch_id: 0 }));
    store.compact(500).unwrap();
    let compacted = watch_from(&mut store, KeyRange::All, 499);
    let told = WatchResponse::Compacted {
        watch_id: 0,
        compact_revision: 500,
    };
    assert_eq!(drain(&mut store, compacted), [told]);
}
