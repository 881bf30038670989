//! Watchers of the same ranges share a group, and nobody sees that: who joins or leaves one misses
//! nothing and is given nothing twice.

use super::*;
use crate::page::fault::Random;
use crate::watch::holder::{Place, Who};
use crate::watch::stream::{Queued, Stream};
use crate::watch::watcher::State;

/// A watcher, what it wants, and what it was given.
struct Watching {
    stream: StreamId,
    id: i64,
    ranges: Vec<KeyRange>,
    start: i64,
    /// Nothing after this is wanted.
    end: i64,
    seen: Vec<i64>,
}

impl Watching {
    fn wants(&self, past: &Past) -> Vec<i64> {
        let wanted = |event: &&Event| {
            let range = |range: &KeyRange| range.contains(&event.kv.key);
            self.ranges.iter().any(range)
        };
        let events = past.events.range(self.start..).flat_map(|(_, all)| all);
        let revisions = events.filter(wanted).map(|event| event.kv.mod_revision);
        revisions.filter(|&revision| revision <= self.end).collect()
    }
}

/// Ranges that many choose alike, some said in two ways, and some of several.
fn ranges(random: &mut Random) -> Vec<KeyRange> {
    let key = [b"a/1", b"a/2", b"b/1"][random.below(3)];
    match random.below(8) {
        0..3 => alloc::vec![KeyRange::one(key)],
        3 => alloc::vec![KeyRange::prefix(b"a/")],
        4 => alloc::vec![KeyRange::span(b"a/", b"a0")],
        5 => alloc::vec![KeyRange::span(b"a/2", b"c"), KeyRange::one(key)],
        6 => alloc::vec![KeyRange::one(b"b/1"), KeyRange::one(key)],
        _ => alloc::vec![KeyRange::span(b"a/2", b"c")],
    }
}

#[derive(Debug, Default, PartialEq)]
struct Founded {
    by_synced: usize,
    by_unsynced: usize,
    by_victims: usize,
    /// Runs that were queued.
    runs: usize,
}

/// The states of those who are alone with their ranges.
fn alone(hub: &Hub) -> Vec<(u32, State)> {
    let watchers = hub.watchers.iter();
    let alone = watchers.filter(|(_, watcher)| matches!(watcher.place, Place::Alone { .. }));
    alone
        .map(|(key, watcher)| (key as u32, watcher.state))
        .collect()
}

fn streams_that_end_with_a_run(hub: &Hub) -> usize {
    let ends_with_run = |stream: &&Stream| matches!(stream.queue.back(), Some(Queued::Run { .. }));
    let streams = hub.streams.iter().map(|(_, stream)| stream);
    streams.filter(ends_with_run).count()
}

fn note_events(watching: &mut [Watching], stream: StreamId, response: &WatchResponse) {
    if let WatchResponse::Events {
        watch_id, events, ..
    } = response
    {
        let mut all = watching.iter_mut();
        let to = all.find(|to| (to.stream, to.id) == (stream, *watch_id));
        let seen = &mut to.expect("only watchers are told").seen;
        seen.extend(events.iter().map(|event| event.kv.mod_revision));
    }
}

fn history_of_groups(seed: u64, founded: &mut Founded) {
    let mut random = Random::new(seed);
    let mut past = Past::of_puts(1, 1);
    let mut hub = hub(&Limits {
        stream_queue_responses: [2, 10, 50][random.below(3)],
        stream_queue_bytes: [400, 10_000][random.below(2)],
        catch_up_revisions: 3,
        ..Limits::default()
    });
    let streams: Vec<_> = (0..3).map(|_| hub.open_stream()).collect();
    let mut watching: Vec<Watching> = Vec::new();
    for _ in 0..300 {
        let stream = streams[random.below(streams.len())];
        match random.below(8) {
            0 => {
                let request = WatchRequest {
                    start_revision: past.applied() + 2 - random.below(9) as i64,
                    ..WatchRequest::of_ranges(ranges(&mut random))
                };
                let request = WatchRequest {
                    start_revision: request.start_revision.max(1),
                    ..request
                };
                let registration = Registration {
                    applied: past.applied(),
                    published: past.published(),
                    rewound_to: None,
                };
                let before = alone(&hub);
                let id = hub.watch(stream, &request, &registration).unwrap();
                for (key, state) in before {
                    let holder = hub.watchers[key as usize].holder(key);
                    if matches!(holder.who(), Who::Group(_)) {
                        match state {
                            State::Synced => founded.by_synced += 1,
                            State::Unsynced => founded.by_unsynced += 1,
                            State::Victim => founded.by_victims += 1,
                            State::Ended => panic!("who has ended watches nothing"),
                        }
                    }
                }
                watching.push(Watching {
                    stream,
                    id,
                    ranges: request.ranges,
                    start: request.start_revision,
                    end: i64::MAX,
                    seen: Vec::new(),
                });
            }
            1 if !watching.is_empty() => {
                let gone = random.below(watching.len());
                let gone = &mut watching[gone];
                hub.cancel(gone.stream, gone.id).unwrap();
                gone.end = gone.end.min(past.applied());
            }
            2..5 => {
                let key = [b"a/1", b"a/2", b"b/1", b"c/1"][random.below(4)];
                let events = past.put(key, b"value");
                hub.publish(past.published(), events, 0);
                founded.runs += streams_that_end_with_a_run(&hub);
            }
            5 => catch_up(&mut hub, 100, &past),
            6 => {
                let responses = poll_many(&mut hub, stream, 1 + random.below(9), &past);
                for response in &responses.unwrap() {
                    note_events(&mut watching, stream, &response.to_owned());
                }
            }
            _ => {
                let response = poll(&mut hub, stream, 1 + random.below(3), PLENTY, &past);
                note_events(&mut watching, stream, &response.unwrap());
            }
        }
    }
    for stream in streams {
        loop {
            let response = poll(&mut hub, stream, PLENTY, PLENTY, &past).unwrap();
            if response == WatchResponse::Idle {
                break;
            }
            note_events(&mut watching, stream, &response);
        }
    }
    for one in &watching {
        let wanted = one.wants(&past);
        // Who was canceled is given what was queued for it then, and no more.
        let is_whole = one.end < i64::MAX || one.seen.len() == wanted.len();
        assert!(
            is_whole && wanted.starts_with(&one.seen),
            "seed {seed}: {:?} of {wanted:?} for {:?} from {}",
            one.seen,
            one.ranges,
            one.start
        );
    }
    for one in &watching {
        hub.cancel(one.stream, one.id).unwrap();
    }
    assert!(hub.groups.is_empty(), "nobody has ranges any more");
    assert!(hub.rosters.is_empty(), "what was queued was told");
    assert_eq!(hub.batches.bytes(), 0);
}

#[test]
fn who_joins_or_leaves_those_with_the_same_ranges_misses_nothing() {
    let mut founded = Founded::default();
    for seed in 1..=400 {
        history_of_groups(seed, &mut founded);
    }
    let Founded {
        by_synced,
        by_unsynced,
        by_victims,
        runs,
    } = founded;
    assert!(
        by_synced.min(by_unsynced).min(by_victims).min(runs) > 20,
        "{founded:?}"
    );
}
