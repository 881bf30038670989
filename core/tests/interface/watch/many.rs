//! Many watchers of one stream, and many responses at once.

use crate::common::{PLENTY, Rng, drain, events, store_with_queue};
use revwatch::{KeyRange, Store, StreamId, WatchRequest, WatchResponse, WatchResponseRef};

/// A dozen watchers of the same range, of which some want something of their own, and some others.
fn watch_crowd(store: &mut Store, stream: StreamId, rng: &mut Rng) {
    for number in 0..12 {
        let plain = WatchRequest::new(KeyRange::prefix(b"k"));
        let request = match number {
            8 => WatchRequest {
                no_put: rng.below(2) == 0,
                ..plain
            },
            9 => WatchRequest {
                conflate: true,
                ..plain
            },
            10 => WatchRequest {
                progress_notify: true,
                keys_only: true,
                ..plain
            },
            11 => WatchRequest {
                fragment: true,
                prev_kv: true,
                ..plain
            },
            _ => plain,
        };
        store.watch(stream, &request).unwrap();
    }
    store
        .watch(stream, &WatchRequest::new(KeyRange::one(b"k1")))
        .unwrap();
}

#[test]
fn many_responses_at_once_are_those_that_one_poll_after_the_other_answers() {
    let mut taken_together = 0;
    for seed in 0..60 {
        let queue = [4, 40, 400][seed as usize % 3];
        let mut stores = [store_with_queue(queue), store_with_queue(queue)];
        let [stream, twin_stream] = stores.each_mut().map(|store| {
            let stream = store.watch_stream();
            watch_crowd(store, stream, &mut Rng::new(seed));
            stream
        });
        let mut rng = Rng::new(seed);
        for _ in 0..200 {
            let (choice, number) = (rng.below(8), rng.below(60));
            if choice < 4 {
                for store in &mut stores {
                    let key = format!("k{}", number % 3);
                    store.put(key.as_bytes(), &[b'v'; 10]).unwrap();
                }
                continue;
            }
            if choice == 4 && number < 5 {
                for (store, stream) in stores.iter_mut().zip([stream, twin_stream]) {
                    store.cancel_watch(stream, number as i64).unwrap();
                    let request = WatchRequest::new(KeyRange::prefix(b"k"));
                    store.watch(stream, &request).unwrap();
                }
                continue;
            }
            let [store, twin] = &mut stores;
            let most = number as usize;
            let responses = store.poll_many(stream, most, PLENTY).unwrap();
            taken_together += responses.len().saturating_sub(1);
            let mut told = 0;
            for response in &responses {
                assert!(told == 0 || told < most, "none is taken beyond the limit");
                let twins = twin.poll(twin_stream, most.saturating_sub(told), PLENTY);
                let twins = twins.unwrap();
                assert_eq!(response.to_owned(), twins, "seed {seed}");
                told += match &twins {
                    WatchResponse::Events { events, .. } => events.len(),
                    _ => 1,
                };
            }
            if responses.is_empty() {
                let idle = twin.poll(twin_stream, most, PLENTY).unwrap();
                assert_eq!(idle, WatchResponse::Idle);
            }
        }
        let [store, twin] = &mut stores;
        assert_eq!(drain(store, stream), drain(twin, twin_stream));
    }
    assert!(taken_together > 10_000, "{taken_together}");
}

#[test]
fn who_cancels_or_comes_between_two_changes_is_told_what_was_changed_while_it_watched() {
    let mut store = store_with_queue(1_000);
    let stream = store.watch_stream();
    for _ in 0..10 {
        let request = WatchRequest::new(KeyRange::All);
        store.watch(stream, &request).unwrap();
    }
    for _ in 0..5 {
        store.put(b"key", b"value").unwrap();
    }
    let request = WatchRequest::new(KeyRange::All);
    let late = store.watch(stream, &request).unwrap();
    for _ in 0..5 {
        store.put(b"key", b"value").unwrap();
    }
    store.cancel_watch(stream, 3).unwrap();
    for _ in 0..5 {
        store.put(b"key", b"value").unwrap();
    }
    let responses = drain(&mut store, stream);
    let told = |id: i64| {
        let of_id = |response: &&WatchResponse| matches!(response, WatchResponse::Events { watch_id, .. } if *watch_id == id);
        let mine: Vec<_> = responses.iter().filter(of_id).cloned().collect();
        let events = events(&mine);
        events.iter().map(|event| event.kv.mod_revision).collect()
    };
    let [canceled, lasting, late]: [Vec<i64>; 3] = [told(3), told(4), told(late)];
    assert_eq!(canceled, (2..=11).collect::<Vec<_>>());
    assert_eq!(lasting, (2..=16).collect::<Vec<_>>());
    assert_eq!(late, (7..=16).collect::<Vec<_>>());
}

#[test]
fn watchers_who_are_told_together_are_counted_one_by_one() {
    let mut store = store_with_queue(100);
    let stream = store.watch_stream();
    for _ in 0..10 {
        let request = WatchRequest::new(KeyRange::All);
        store.watch(stream, &request).unwrap();
    }
    drain(&mut store, stream);
    for _ in 0..9 {
        store.put(b"key", b"value").unwrap();
    }
    let reports = store.watchers();
    assert!(reports.iter().all(|report| report.queued_responses == 9));
    assert!(reports.iter().all(|report| report.queued_bytes == 9 * 8));
    store.poll_many(stream, 25, PLENTY).unwrap();
    let reports = store.watchers();
    let queued = reports.iter().map(|report| report.queued_responses);
    assert_eq!(queued.sum::<usize>(), 90 - 25);
    for _ in 0..9 {
        store.put(b"key", b"value").unwrap();
    }
    let reports = store.watchers();
    let queued = reports.iter().map(|report| report.queued_responses);
    assert!(queued.sum::<usize>() <= 100, "all have something queued");
    let status = store.status();
    assert!(
        status.victim_watchers + status.unsynced_watchers > 0,
        "{status:?}"
    );
    assert_eq!(events(&drain(&mut store, stream)).len(), 180 - 25);
}

#[test]
fn events_are_the_same_where_they_are_held_once_and_shown_alike() {
    let mut store = store_with_queue(100);
    let stream = store.watch_stream();
    let plain = WatchRequest::new(KeyRange::prefix(b"k"));
    let keys_only = WatchRequest {
        keys_only: true,
        ..plain.clone()
    };
    for request in [&plain, &plain, &keys_only] {
        store.watch(stream, request).unwrap();
    }
    drain(&mut store, stream);
    for _ in 0..3 {
        store.put(b"k", b"").unwrap();
    }
    let responses = store.poll_many(stream, PLENTY, PLENTY).unwrap();
    let told = responses.iter().map(|response| match response {
        WatchResponseRef::Events {
            watch_id, events, ..
        } => (watch_id, events),
        WatchResponseRef::Notice(notice) => panic!("nobody asked for {notice:?}"),
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 9);
    for &(one, events) in &told {
        for &(other, others) in &told {
            let revision_of =
                |events: revwatch::EventsRef<'_>| events.get(0).unwrap().kv.mod_revision;
            let is_same = revision_of(events) == revision_of(others) && (one < 2) == (other < 2);
            assert_eq!(events.is_same(others), is_same, "{one} and {other}");
        }
    }
}
