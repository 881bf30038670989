//! A walk over a range, one part at a time while everything else goes on.

use std::collections::VecDeque;

use revwatch::page::MemoryPages;
use revwatch::{Error, ErrorCode, KeyRange, KeyValue, RangeStream, Store};
use revwatch_model::Model;

use crate::pair::{BUDGET_BYTES, same};
use crate::tally::Tally;

pub(crate) struct Walk {
    stream: RangeStream,
    /// What is still to come, as the model knew it when the walk began.
    left: VecDeque<KeyValue>,
}

impl Walk {
    /// Begins a walk, unless both refuse it.
    pub(crate) fn begin(
        store: &Store<MemoryPages>,
        model: &Model,
        range: &KeyRange,
        revision: i64,
    ) -> Result<Option<Self>, String> {
        let stream = store.range_stream(range.clone(), revision);
        let pinned = stream.as_ref().map(RangeStream::revision);
        let pinned = pinned.map_err(Error::code);
        let (expected, left) = match model.range_stream(range, revision) {
            Ok((revision, kvs)) => (Ok(revision), kvs.into()),
            Err(code) => (Err(code), VecDeque::new()),
        };
        same("the revision of a walk", &pinned, &expected)?;
        Ok(stream.ok().map(|stream| Self { stream, left }))
    }

    /// Takes the next part: whether it was the end.
    pub(crate) fn next(
        &mut self,
        store: &Store<MemoryPages>,
        model: &Model,
        max_keys: usize,
        tally: Option<&mut Tally>,
    ) -> Result<bool, String> {
        let part = store.next_kvs(&mut self.stream, max_keys, BUDGET_BYTES);
        let part = part.map_err(|error| error.code());
        let overtaken = self.stream.revision() < model.compact_revision();
        let expected = if overtaken {
            Err(ErrorCode::Compacted)
        } else {
            let keys = max_keys.max(1).min(self.left.len());
            Ok(self.left.drain(..keys).collect())
        };
        same("a part of a walk", &part, &expected)?;
        let ended = part.map_or(true, |part| part.is_empty());
        if let Some(tally) = tally {
            tally.count(match (overtaken, ended) {
                (true, _) => "range_stream overtaken by compaction",
                (false, true) => "range_stream at its end",
                (false, false) => "range_stream",
            });
        }
        Ok(ended)
    }
}
