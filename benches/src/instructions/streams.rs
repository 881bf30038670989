//! Streams of watchers, and reading what they are told.

use std::hint::black_box;

use revwatch::page::MemoryPages;
use revwatch::{KeyRange, Store, StreamId, WatchRequest, WatchResponse, WatchResponseRef};

use crate::data::{WATCH_STREAMS, event_sum};

pub(crate) const POLL_EVENTS: usize = 1_000;
pub(crate) const POLL_BYTES: usize = 1 << 20;

/// Reads what streams have; how many events there were.
pub(crate) fn drain(store: &mut Store<MemoryPages>, streams: &[StreamId]) -> u32 {
    let mut read = 0;
    for &stream in streams {
        loop {
            let responses = store.poll_many(stream, POLL_EVENTS, POLL_BYTES);
            let responses = responses.expect("a poll succeeds");
            if responses.is_empty() {
                break;
            }
            for response in &responses {
                match response {
                    WatchResponseRef::Events { events, .. } => {
                        for event in events.iter() {
                            let kv = event.kv;
                            black_box(event_sum(kv.key, kv.value, kv.mod_revision));
                            read += 1;
                        }
                    }
                    WatchResponseRef::Notice(WatchResponse::Created { .. }) => {}
                    WatchResponseRef::Notice(other) => panic!("nobody asked for {other:?}"),
                }
            }
        }
    }
    read
}

pub(crate) fn streams(store: &mut Store<MemoryPages>) -> Vec<StreamId> {
    (0..WATCH_STREAMS).map(|_| store.watch_stream()).collect()
}

pub(crate) fn watch(
    store: &mut Store<MemoryPages>,
    stream: StreamId,
    range: KeyRange,
    start: i64,
) -> i64 {
    let request = WatchRequest {
        start_revision: start,
        ..WatchRequest::new(range)
    };
    store.watch(stream, &request).expect("a watch succeeds")
}
