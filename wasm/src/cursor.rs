//! Durable cursors.

use revwatch::{CursorId, CursorReport, CursorRequest, CursorResponse};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, Malformed, answer};
use crate::record::read_resume_token;
use crate::request::read_key_range;
use crate::store::RawStore;
use crate::watch::write_events;
use crate::wire::{Reader, Writer};

#[wasm_bindgen]
impl RawStore {
    /// An opening of a cursor, which is made if there is none of its name.
    #[wasm_bindgen(js_name = openCursor)]
    pub fn open_cursor(&mut self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let request = read_request(&mut Reader::new(request))?;
            let cursor = self.store.cursor(&request)?;
            writer.length(self.cursors.insert(cursor) as usize);
            Ok(())
        })
    }

    /// Ends an opening; nothing happens if it has ended before.
    #[wasm_bindgen(js_name = closeCursor)]
    pub fn close_cursor(&mut self, cursor: u32) {
        if let Some(id) = self.cursors.remove(cursor) {
            self.store.close_cursor(id);
        }
    }

    /// The next response of a cursor.
    #[wasm_bindgen(js_name = pollCursor)]
    pub fn poll_cursor(&mut self, cursor: u32, max_events: usize, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let id = self.cursor(cursor)?;
            write_response(writer, &self.store.poll_cursor(id, max_events, max_bytes)?);
            Ok(())
        })
    }

    /// Up to where everything was told.
    #[wasm_bindgen(js_name = cursorRevision)]
    pub fn cursor_revision(&self, cursor: u32) -> Vec<u8> {
        answer(|writer| {
            writer.int(self.store.cursor_revision(self.cursor(cursor)?)?);
            Ok(())
        })
    }

    /// Acknowledges.
    #[wasm_bindgen(js_name = ackCursor)]
    pub fn ack_cursor(&mut self, cursor: u32, revision: i64) -> Vec<u8> {
        answer(|_| {
            let id = self.cursor(cursor)?;
            Ok(self.store.ack_cursor(id, revision)?)
        })
    }

    /// Moves a cursor.
    #[wasm_bindgen(js_name = seekCursor)]
    pub fn seek_cursor(&mut self, cursor: u32, start_revision: i64) -> Vec<u8> {
        answer(|_| {
            let id = self.cursor(cursor)?;
            Ok(self.store.seek_cursor(id, start_revision)?)
        })
    }

    /// All cursors.
    pub fn cursors(&self) -> Vec<u8> {
        answer(|writer| {
            writer.list(self.store.cursors().iter(), write_report);
            Ok(())
        })
    }

    /// Deletes the cursor of a name.
    #[wasm_bindgen(js_name = deleteCursor)]
    pub fn delete_cursor(&mut self, name: &[u8]) -> Vec<u8> {
        answer(|_| Ok(self.store.delete_cursor(name)?))
    }
}

impl RawStore {
    fn cursor(&self, handle: u32) -> Result<CursorId, Failure> {
        self.cursors
            .get(handle)
            .ok_or_else(|| Failure::closed("cursor"))
    }
}

fn read_request(reader: &mut Reader<'_>) -> Result<CursorRequest, Malformed> {
    let name = reader.bytes()?;
    let range = read_key_range(reader)?;
    Ok(CursorRequest {
        start_revision: reader.int()?,
        hold: reader.flag()?,
        prev_kv: reader.flag()?,
        seen: read_resume_token(reader)?,
        ..CursorRequest::new(name, range)
    })
}

fn write_response(writer: &mut Writer, response: &CursorResponse) {
    match response {
        CursorResponse::Idle { .. } => {
            writer.byte(0);
        }
        CursorResponse::Events { revision, events } => {
            write_events(writer.byte(1).int(*revision), events);
        }
        CursorResponse::Compacted { compact_revision } => {
            writer.byte(2).int(*compact_revision);
        }
        CursorResponse::Rewound { revision } => {
            writer.byte(3).int(*revision);
        }
    }
}

fn write_report(writer: &mut Writer, report: &CursorReport) {
    let (key, range_end) = report.range.to_etcd();
    writer.bytes(&report.name).bytes(&key).bytes(&range_end);
    writer.int(report.acked_revision).int(report.lag_revisions);
    writer.flag(report.hold).flag(report.open);
}
