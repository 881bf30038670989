//! What the tests of the public interface share.

pub(crate) mod changes;
pub(crate) mod cursors;
pub(crate) mod gated;
pub(crate) mod snapshots;

use revwatch::page::PageStore;
use revwatch::{Event, KeyRange, Limits, Options, Store, StreamId, WatchRequest, WatchResponse};

/// More than any of these tests needs.
pub(crate) const PLENTY: usize = 1 << 20;

/// A store in memory whose streams hold `queue_responses`.
pub(crate) fn store_with_queue(queue_responses: usize) -> Store {
    let limits = Limits {
        stream_queue_responses: queue_responses,
        ..Limits::default()
    };
    Store::in_memory(Options {
        limits,
        ..Options::default()
    })
}

/// A stream with one watcher of `range` that starts at `start_revision`.
pub(crate) fn watch_from<P: PageStore>(
    store: &mut Store<P>,
    range: KeyRange,
    start_revision: i64,
) -> StreamId {
    let stream = store.watch_stream();
    let request = WatchRequest {
        start_revision,
        ..WatchRequest::new(range)
    };
    store.watch(stream, &request).unwrap();
    assert!(matches!(poll(store, stream), WatchResponse::Created { .. }));
    stream
}

/// The next response, whatever its size.
pub(crate) fn poll<P: PageStore>(store: &mut Store<P>, stream: StreamId) -> WatchResponse {
    store.poll(stream, PLENTY, PLENTY).unwrap()
}

/// All responses until there is nothing more to say.
pub(crate) fn drain<P: PageStore>(store: &mut Store<P>, stream: StreamId) -> Vec<WatchResponse> {
    std::iter::from_fn(|| Some(poll(store, stream)))
        .take_while(|response| *response != WatchResponse::Idle)
        .collect()
}

/// The events among responses, in order.
pub(crate) fn events(responses: &[WatchResponse]) -> Vec<Event> {
    let mut all = Vec::new();
    for response in responses {
        if let WatchResponse::Events { events, .. } = response {
            all.extend(events.iter().map(|event| event.to_owned()));
        }
    }
    all
}

/// `mod_revision` and key of each event.
pub(crate) fn outline(events: &[Event]) -> Vec<(i64, String)> {
    events
        .iter()
        .map(|event| {
            (
                event.kv.mod_revision,
                String::from_utf8_lossy(&event.kv.key).into(),
            )
        })
        .collect()
}

/// A small deterministic generator (Marsaglia's xorshift), so that a failure can be had again.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
