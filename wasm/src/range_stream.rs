//! Walking over a large range, part by part.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, answer};
use crate::record::write_kvs;
use crate::request::read_key_range;
use crate::store::RawStore;
use crate::wire::Reader;

#[wasm_bindgen]
impl RawStore {
    /// A new walk over a range, and the revision that it is as of.
    #[wasm_bindgen(js_name = openRangeStream)]
    pub fn open_range_stream(&mut self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let mut reader = Reader::new(request);
            let range = read_key_range(&mut reader)?;
            let stream = self.store.range_stream(range, reader.int()?)?;
            let revision = stream.revision();
            writer.length(self.range_streams.insert(stream) as usize);
            writer.int(revision);
            Ok(())
        })
    }

    /// Ends a walk; nothing happens if it has ended before.
    #[wasm_bindgen(js_name = closeRangeStream)]
    pub fn close_range_stream(&mut self, stream: u32) {
        self.range_streams.remove(stream);
    }

    /// The next keys of a walk; none at its end.
    #[wasm_bindgen(js_name = nextKvs)]
    pub fn next_kvs(&mut self, stream: u32, max_keys: usize, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let stream = self
                .range_streams
                .get_mut(stream)
                .ok_or_else(|| Failure::closed("range stream"))?;
            write_kvs(writer, &self.store.next_kvs(stream, max_keys, max_bytes)?);
            Ok(())
        })
    }
}
