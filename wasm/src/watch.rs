//! Watch streams.

use std::collections::BTreeMap;

use revwatch::{StreamId, WatchRequest, WatchResponse, WatcherReport, WatcherState};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, Malformed, answer};
use crate::record::write_event;
use crate::request::read_key_range;
use crate::store::RawStore;
use crate::wire::{Reader, Writer};

#[wasm_bindgen]
impl RawStore {
    /// A new stream.
    #[wasm_bindgen(js_name = openStream)]
    pub fn open_stream(&mut self) -> u32 {
        self.streams.insert(self.store.watch_stream())
    }

    /// Ends a stream with all its watchers; nothing happens if it has ended before.
    #[wasm_bindgen(js_name = closeStream)]
    pub fn close_stream(&mut self, stream: u32) {
        if let Some(id) = self.streams.remove(stream) {
            self.store.close_stream(id);
        }
    }

    /// A new watcher on a stream.
    pub fn watch(&mut self, stream: u32, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let id = self.stream(stream)?;
            let request = read_watch(&mut Reader::new(request))?;
            writer.int(self.store.watch(id, &request)?);
            Ok(())
        })
    }

    /// Ends a watcher.
    #[wasm_bindgen(js_name = cancelWatch)]
    pub fn cancel_watch(&mut self, stream: u32, watch_id: i64) -> Vec<u8> {
        answer(|_| {
            let id = self.stream(stream)?;
            Ok(self.store.cancel_watch(id, watch_id)?)
        })
    }

    /// Whether progress of a stream will be told.
    #[wasm_bindgen(js_name = requestProgress)]
    pub fn request_progress(&mut self, stream: u32) -> Vec<u8> {
        answer(|writer| {
            let id = self.stream(stream)?;
            writer.flag(self.store.request_progress(id)?);
            Ok(())
        })
    }

    /// All watchers.
    pub fn watchers(&mut self) -> Vec<u8> {
        answer(|writer| {
            let reports = self.store.watchers();
            let handles: BTreeMap<StreamId, u32> = self
                .streams
                .iter()
                .map(|(handle, stream)| (*stream, handle))
                .collect();
            writer.list(reports.iter(), |writer, report| {
                // No handle is 0, so that it can say that the stream is not one of JavaScript's.
                let handle = handles.get(&report.stream).copied().unwrap_or(0);
                write_report(writer, handle, report);
            });
            Ok(())
        })
    }

    /// The next response of a stream.
    pub fn poll(&mut self, stream: u32, max_events: usize, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let id = self.stream(stream)?;
            write_response(writer, &self.store.poll(id, max_events, max_bytes)?);
            Ok(())
        })
    }

    /// The next responses of a stream, of so many events and bytes together; none if there are none.
    #[wasm_bindgen(js_name = pollMany)]
    pub fn poll_many(&mut self, stream: u32, max_events: usize, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let id = self.stream(stream)?;
            let responses = self.store.poll_many(id, max_events, max_bytes)?;
            writer.length(responses.len());
            for response in &responses {
                write_response(writer, &response.to_owned());
            }
            Ok(())
        })
    }
}

impl RawStore {
    fn stream(&self, handle: u32) -> Result<StreamId, Failure> {
        self.streams
            .get(handle)
            .ok_or_else(|| Failure::closed("watch stream"))
    }
}

fn read_watch(reader: &mut Reader<'_>) -> Result<WatchRequest, Malformed> {
    let mut ranges = vec![read_key_range(reader)?];
    ranges.extend(reader.list(read_key_range)?);
    let mut request = WatchRequest::of_ranges(ranges);
    request.start_revision = reader.int()?;
    request.epoch = reader.int()?;
    request.watch_id = reader.int()?;
    request.prev_kv = reader.flag()?;
    request.no_put = reader.flag()?;
    request.no_delete = reader.flag()?;
    request.keys_only = reader.flag()?;
    request.fragment = reader.flag()?;
    request.progress_notify = reader.flag()?;
    request.conflate = reader.flag()?;
    Ok(request)
}

fn write_response(writer: &mut Writer, response: &WatchResponse) {
    match response {
        WatchResponse::Idle => writer.byte(0),
        WatchResponse::Created { watch_id, revision } => {
            writer.byte(1).int(*watch_id).int(*revision)
        }
        WatchResponse::Events {
            watch_id,
            revision,
            events,
            fragment,
        } => {
            writer.byte(2).int(*watch_id).int(*revision);
            write_events(writer, events);
            writer.flag(*fragment)
        }
        WatchResponse::Canceled { watch_id } => writer.byte(3).int(*watch_id),
        WatchResponse::Compacted {
            watch_id,
            compact_revision,
        } => writer.byte(4).int(*watch_id).int(*compact_revision),
        WatchResponse::Rewound { watch_id, revision } => {
            writer.byte(5).int(*watch_id).int(*revision)
        }
        WatchResponse::Progress { watch_id, revision } => {
            writer.byte(6).int(*watch_id).int(*revision)
        }
    };
}

fn write_report(writer: &mut Writer, stream: u32, report: &WatcherReport) {
    writer.length(stream as usize).int(report.watch_id);
    writer.byte(match report.state {
        WatcherState::Synced => 0,
        WatcherState::Unsynced => 1,
        WatcherState::Victim => 2,
    });
    writer.list(report.ranges.iter(), |writer, range| {
        let (key, range_end) = range.to_etcd();
        writer.bytes(&key).bytes(&range_end);
    });
    writer
        .int(report.next_revision)
        .int(report.queued_responses as i64)
        .int(report.queued_bytes as i64)
        .int(report.lag);
}

/// The events of a response.
pub fn write_events(writer: &mut Writer, events: &revwatch::Events) {
    writer.length(events.len());
    for event in events.iter() {
        write_event(writer, event.kind, event.kv, event.prev_kv);
    }
}
