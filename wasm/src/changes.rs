//! Changes between two revisions. A walk is two numbers, which JavaScript keeps: the revision that
//! it has come to, and the last one.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::answer;
use crate::record::write_event;
use crate::store::RawStore;

#[wasm_bindgen]
impl RawStore {
    /// The last revision of a walk after `from` up to `to`, or for 0 up to now.
    pub fn changes(&self, from: i64, to: i64) -> Vec<u8> {
        answer(|writer| {
            writer.int(self.store.changes(from, to)?.to());
            Ok(())
        })
    }

    /// The next events of a walk, and how far it has come with them.
    #[wasm_bindgen(js_name = nextChanges)]
    pub fn next_changes(&self, at: i64, to: i64, max_events: usize, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let mut changes = self.store.changes(at, to)?;
            let events = self
                .store
                .next_changes(&mut changes, max_events, max_bytes)?;
            writer.int(changes.revision());
            writer.list(events.iter(), |writer, event| {
                write_event(writer, event.kind, event.kv.as_ref(), None);
            });
            Ok(())
        })
    }

    /// The next changes of a walk as bytes, and how far it has come with them.
    #[wasm_bindgen(js_name = nextChangesChunk)]
    pub fn next_changes_chunk(&self, at: i64, to: i64, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let mut changes = self.store.changes(at, to)?;
            let chunk = self.store.next_changes_chunk(&mut changes, max_bytes)?;
            writer.int(changes.revision()).bytes(&chunk);
            Ok(())
        })
    }

    /// Applies the changes of another store.
    #[wasm_bindgen(js_name = applyChanges)]
    pub fn apply_changes(&mut self, chunks: &[u8]) -> Vec<u8> {
        answer(|writer| {
            writer.int(self.store.apply_changes(chunks)?.revision);
            Ok(())
        })
    }
}
