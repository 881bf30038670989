//! The workloads of watchers. An event counts as delivered when its key and value were read.

use std::time::{Duration, Instant};

use revwatch::page::PageStore;
use revwatch::{KeyRange, StreamId, WatchRequest, WatchResponse, WatchResponseRef};

use crate::data::{
    CATCH_UP_KEYS, CATCH_UP_PUTS, CROWD_PUTS, CROWDS, Key, PREFIX_KEYS, PREFIX_PUTS,
    PREFIX_WATCHERS, Random, Seed, Values, WATCH_PUTS, WATCH_STREAMS, each, event_sum,
    numbered_keys,
};
use crate::keys::put_many;
use crate::measure::{Run, Work};
use crate::subject::Subject;
use crate::table::Table;

const POLL_EVENTS: usize = 1000;
const POLL_BYTES: usize = 1 << 20;
/// A store that has not delivered everything by then has lost something.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the readers of all streams have seen.
#[derive(Default)]
struct Seen {
    events: u32,
    digest: u64,
}

impl Seen {
    /// Reads what the streams have.
    fn drain<P: PageStore>(&mut self, subject: &mut Subject<P>, streams: &[StreamId]) {
        for &stream in streams {
            loop {
                let responses = subject
                    .store
                    .poll_many(stream, POLL_EVENTS, POLL_BYTES)
                    .expect("a poll succeeds");
                if responses.is_empty() {
                    break;
                }
                for response in &responses {
                    self.read(&response);
                }
            }
        }
    }

    /// Reads every byte of a response.
    #[inline]
    fn read(&mut self, response: &WatchResponseRef<'_>) {
        match response {
            WatchResponseRef::Events { events, .. } => {
                for event in events.iter() {
                    let kv = event.kv;
                    let sum = event_sum(kv.key, kv.value, kv.mod_revision);
                    self.digest = self.digest.wrapping_add(sum);
                    self.events += 1;
                }
            }
            WatchResponseRef::Notice(WatchResponse::Created { .. }) => {}
            WatchResponseRef::Notice(other) => panic!("nobody asked for {other:?}"),
        }
    }

    /// Reads on until all has come.
    fn drain_until<P: PageStore>(
        &mut self,
        subject: &mut Subject<P>,
        streams: &[StreamId],
        want: u32,
    ) {
        let start = Instant::now();
        while self.events < want {
            assert!(
                start.elapsed() < PATIENCE,
                "{} of {want} events came",
                self.events
            );
            subject.step();
            self.drain(subject, streams);
        }
        assert_eq!(self.events, want, "events");
    }

    fn work(self) -> Work {
        Work {
            count: self.events,
            digest: self.digest,
        }
    }
}

/// A watcher for each key, dealt out to 64 streams; each put is one event. The reader looks at all
/// streams after every 64 puts, which is once a put and stream on average.
pub(crate) fn watch_keys<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    for watchers in [1_000, 10_000] {
        let (mut subject, keys, values) = (open(), numbered_keys(watchers), Values::new());
        put_many(&mut subject, &keys, &values, &each(watchers));
        subject.flush();
        let streams = streams(&mut subject, WATCH_STREAMS);
        for (key, stream) in keys.iter().zip(streams.iter().cycle()) {
            watch(&mut subject, *stream, KeyRange::one(key), 0);
        }
        let picked = Random::new(Seed::Watch, run.round).picks(WATCH_PUTS, watchers);
        let mut seen = Seen::default();
        seen.drain(&mut subject, &streams);
        run.measure(&format!("watch, {watchers} keys"), "events/s", || {
            for (i, &pick) in picked.iter().enumerate() {
                subject.put(&keys[pick as usize], values.of(i));
                if i % WATCH_STREAMS == 0 {
                    seen.drain(&mut subject, &streams);
                }
            }
            subject.flush();
            seen.drain_until(&mut subject, &streams, WATCH_PUTS);
            seen.work()
        });
    }
}

/// 1000 watchers of one prefix, so that each put is 1000 events. The reader looks at all streams
/// after every put.
pub(crate) fn watch_prefix<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    for count in [1, WATCH_STREAMS] {
        let (mut subject, keys, values) = (open(), numbered_keys(PREFIX_KEYS), Values::new());
        let streams = streams(&mut subject, count);
        for (_, stream) in (0..PREFIX_WATCHERS).zip(streams.iter().cycle()) {
            watch(&mut subject, *stream, KeyRange::prefix(b"k"), 0);
        }
        let mut seen = Seen::default();
        seen.drain(&mut subject, &streams);
        run.measure(
            &format!("watch, 1000 on one prefix, streams: {count}"),
            "events/s",
            || {
                for (i, key) in keys.iter().cycle().take(PREFIX_PUTS as usize).enumerate() {
                    subject.put(key, values.of(i));
                    seen.drain(&mut subject, &streams);
                }
                subject.flush();
                seen.drain_until(&mut subject, &streams, PREFIX_PUTS * PREFIX_WATCHERS);
                seen.work()
            },
        );
    }
}

/// One watcher of all keys that begins at the first of 20,000 revisions.
pub(crate) fn catch_up<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    let (mut subject, keys, values) = (open(), numbered_keys(CATCH_UP_KEYS), Values::new());
    for (i, key) in keys.iter().cycle().take(CATCH_UP_PUTS as usize).enumerate() {
        subject.put(key, values.of(i));
    }
    subject.flush();
    run.measure("catch-up over 20000 revisions", "events/s", || {
        let streams = streams(&mut subject, 1);
        watch(&mut subject, streams[0], KeyRange::All, 1);
        let mut seen = Seen::default();
        seen.drain_until(&mut subject, &streams, CATCH_UP_PUTS);
        seen.work()
    });
}

fn streams<P: PageStore>(subject: &mut Subject<P>, count: usize) -> Vec<StreamId> {
    (0..count).map(|_| subject.store.watch_stream()).collect()
}

fn watch<P: PageStore>(
    subject: &mut Subject<P>,
    stream: StreamId,
    range: KeyRange,
    start_revision: i64,
) {
    let request = WatchRequest {
        start_revision,
        ..WatchRequest::new(range)
    };
    subject
        .store
        .watch(stream, &request)
        .expect("a watch succeeds");
}

/// A range of a number, and how it is called.
type Watched = (&'static str, fn(&Key) -> KeyRange);

/// What many watchers of other keys add to a put that concerns one of them. The same 1000 keys are put
/// in every case.
pub(crate) fn watch_crowd<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    let kinds: [Watched; 3] = [
        ("keys", |key| KeyRange::one(key)),
        ("prefixes", |key| KeyRange::prefix(key)),
        ("spans", |key| {
            KeyRange::span(key, &[key, &b"~~"[..]].concat())
        }),
    ];
    for (name, range) in kinds {
        for watchers in CROWDS {
            let (mut subject, keys, values) = (open(), numbered_keys(watchers), Values::new());
            let streams: Vec<StreamId> = (0..WATCH_STREAMS)
                .map(|_| subject.store.watch_stream())
                .collect();
            for (key, &stream) in keys.iter().zip(streams.iter().cycle()) {
                let request = WatchRequest::new(range(key));
                subject
                    .store
                    .watch(stream, &request)
                    .expect("a watch succeeds");
            }
            let mut seen = Seen::default();
            seen.drain(&mut subject, &streams);
            let apart = watchers / CROWDS[0];
            let picked = Random::new(Seed::Watch, run.round).picks(CROWD_PUTS, CROWDS[0]);
            run.measure(&format!("put, one of {watchers} {name}"), "puts/s", || {
                for (i, &pick) in picked.iter().enumerate() {
                    let number = pick * apart;
                    subject.put(&keys[number as usize], values.of(i));
                    let stream = streams[number as usize % streams.len()];
                    seen.drain(&mut subject, &[stream]);
                }
                let (count, digest) = (seen.events, seen.digest);
                Work { count, digest }
            });
        }
    }
}
