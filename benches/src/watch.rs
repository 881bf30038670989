//! The workloads of watchers. An event counts as delivered when its key and value were read.

use std::time::{Duration, Instant};

use revwatch::page::PageStore;
use revwatch::{KeyRange, StreamId, WatchRequest, WatchResponse, WatchResponseRef};

use crate::data::{
    CATCH_UP_KEYS, CATCH_UP_PUTS, CATCH_UP_WATCHERS, CROWD_PUTS, CROWDS, FAR_PUTS, Key,
    MANY_WATCHERS, PREFIX_KEYS, PREFIX_PUTS, PREFIX_WATCHERS, Random, Seed, Values, WATCH_PUTS,
    WATCH_STREAMS, each, event_sum, numbered_keys,
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
pub(crate) struct Seen {
    events: u32,
    digest: u64,
}

impl Seen {
    /// Reads what the streams have.
    pub(crate) fn drain<P: PageStore>(&mut self, subject: &mut Subject<P>, streams: &[StreamId]) {
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
    pub(crate) fn drain_until<P: PageStore>(
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

    pub(crate) fn work(self) -> Work {
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
        watch_each(run, open(), watchers, ("keys", |key| KeyRange::one(key)));
    }
}

/// The same with many more, and with prefixes of which each put concerns one.
pub(crate) fn watch_many<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    let kinds: [Watched; 2] = [
        ("keys", |key| KeyRange::one(key)),
        ("prefixes", |key| KeyRange::prefix(key)),
    ];
    for kind in kinds {
        watch_each(run, open(), MANY_WATCHERS, kind);
    }
}

fn watch_each<P: PageStore>(
    run: &Run,
    mut subject: Subject<P>,
    watchers: u32,
    (name, range): Watched,
) {
    let (keys, values) = (numbered_keys(watchers), Values::new());
    put_many(&mut subject, &keys, &values, &each(watchers));
    subject.flush();
    let streams = streams(&mut subject, WATCH_STREAMS);
    for (key, stream) in keys.iter().zip(streams.iter().cycle()) {
        watch(&mut subject, *stream, range(key), 0);
    }
    let picked = Random::new(Seed::Watch, run.round).picks(WATCH_PUTS, watchers);
    let mut seen = Seen::default();
    seen.drain(&mut subject, &streams);
    run.measure(&format!("watch, {watchers} {name}"), "events/s", || {
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
    catch_up_over(run, open(), CATCH_UP_PUTS, 1);
}

/// The same over ten times as many, and with a thousand watchers on 64 streams.
pub(crate) fn catch_up_far<P: PageStore>(run: &Run, open: impl Fn() -> Subject<P>) {
    catch_up_over(run, open(), FAR_PUTS, 1);
    catch_up_over(run, open(), CATCH_UP_PUTS, CATCH_UP_WATCHERS);
}

fn catch_up_over<P: PageStore>(run: &Run, mut subject: Subject<P>, puts: u32, watchers: u32) {
    let (keys, values) = (numbered_keys(CATCH_UP_KEYS), Values::new());
    for (i, key) in keys.iter().cycle().take(puts as usize).enumerate() {
        subject.put(key, values.of(i));
    }
    subject.flush();
    let whose = if watchers == 1 {
        String::new()
    } else {
        format!(" of {watchers} watchers")
    };
    let workload = format!("catch-up{whose} over {puts} revisions");
    run.measure(&workload, "events/s", || {
        let streams = streams(&mut subject, WATCH_STREAMS.min(watchers as usize));
        for (_, stream) in (0..watchers).zip(streams.iter().cycle()) {
            watch(&mut subject, *stream, KeyRange::All, 1);
        }
        let mut seen = Seen::default();
        seen.drain_until(&mut subject, &streams, puts * watchers);
        seen.work()
    });
}

pub(crate) fn streams<P: PageStore>(subject: &mut Subject<P>, count: usize) -> Vec<StreamId> {
    (0..count).map(|_| subject.store.watch_stream()).collect()
}

pub(crate) fn watch<P: PageStore>(
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
    // The first store of a process pays for memory that the others find there.
    let (mut first, mut unmeasured) =
        (beside_crowd(open(), CROWDS[1], kinds[0].1), Seen::default());
    first.put_and_read(run.round, &mut unmeasured);
    drop(first);
    for (name, range) in kinds {
        for watchers in CROWDS {
            let mut beside = beside_crowd(open(), watchers, range);
            let mut seen = Seen::default();
            run.measure(&format!("put, one of {watchers} {name}"), "puts/s", || {
                beside.put_and_read(run.round, &mut seen);
                seen.work()
            });
        }
    }
}

/// A store with many watchers, who were told that they are there.
struct BesideCrowd<P: PageStore> {
    subject: Subject<P>,
    keys: Vec<Key>,
    streams: Vec<StreamId>,
}

fn beside_crowd<P: PageStore>(
    mut subject: Subject<P>,
    watchers: u32,
    range: fn(&Key) -> KeyRange,
) -> BesideCrowd<P> {
    let (keys, streams) = (
        numbered_keys(watchers),
        streams(&mut subject, WATCH_STREAMS),
    );
    for (key, &stream) in keys.iter().zip(streams.iter().cycle()) {
        watch(&mut subject, stream, range(key), 0);
    }
    Seen::default().drain(&mut subject, &streams);
    BesideCrowd {
        subject,
        keys,
        streams,
    }
}

impl<P: PageStore> BesideCrowd<P> {
    /// Puts keys that as many watchers watch in every case, and has the one told.
    fn put_and_read(&mut self, round: u32, seen: &mut Seen) {
        let values = Values::new();
        let apart = self.keys.len() as u32 / CROWDS[0];
        let picked = Random::new(Seed::Watch, round).picks(CROWD_PUTS, CROWDS[0]);
        for (i, &pick) in picked.iter().enumerate() {
            let number = (pick * apart) as usize;
            self.subject.put(&self.keys[number], values.of(i));
            let stream = self.streams[number % self.streams.len()];
            seen.drain(&mut self.subject, &[stream]);
        }
    }
}
