//! Snapshots: taken of a store, restored, and applied to a copy.

use std::collections::BTreeMap;

use revwatch::{Error, Import, Snapshot, SnapshotUpdate};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, answer};
use crate::store::{Opened, RawStore, new_pages, options_of};

/// The snapshots that are being taken, each under a number that is never used again.
#[derive(Default)]
pub struct Snapshots {
    taken: BTreeMap<u32, Snapshot>,
    last: u32,
}

#[wasm_bindgen]
impl RawStore {
    /// Begins a snapshot; answers its number and the revision that it is of.
    pub fn snapshot(&mut self, since: i64) -> Vec<u8> {
        answer(|writer| {
            let snapshot = self.store.snapshot(since)?;
            let revision = snapshot.revision();
            self.snapshots.last += 1;
            let number = self.snapshots.last;
            self.snapshots.taken.insert(number, snapshot);
            writer.int(i64::from(number)).int(revision);
            Ok(())
        })
    }

    /// The next bytes of a snapshot; none at its end, and once it was let go of.
    #[wasm_bindgen(js_name = nextSnapshotChunk)]
    pub fn next_snapshot_chunk(&mut self, number: u32, max_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let chunk = match self.snapshots.taken.get_mut(&number) {
                Some(snapshot) => self.store.next_snapshot_chunk(snapshot, max_bytes)?,
                None => Vec::new(),
            };
            writer.bytes(&chunk);
            Ok(())
        })
    }

    /// Lets go of a snapshot.
    #[wasm_bindgen(js_name = freeSnapshot)]
    pub fn free_snapshot(&mut self, number: u32) {
        self.snapshots.taken.remove(&number);
    }

    /// Applies a whole snapshot of what happened in another store.
    #[wasm_bindgen(js_name = applySnapshot)]
    pub fn apply_snapshot(&mut self, bytes: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let mut update = SnapshotUpdate::default();
            self.store.apply_snapshot(&mut update, bytes)?;
            if !update.is_complete() {
                return Err(incomplete(bytes));
            }
            writer.int(self.store.revision());
            Ok(())
        })
    }
}

/// Makes a new store of a snapshot of a whole one.
#[wasm_bindgen]
pub fn restore(options: &[u8], bytes: &[u8]) -> Opened {
    Opened::of(|_| {
        let pages = new_pages();
        let mut import = Import::begin(pages.clone(), options_of(options)?)?;
        import.feed(bytes)?;
        Ok(RawStore::new(import.finish()?, pages))
    })
}

fn incomplete(bytes: &[u8]) -> Failure {
    Failure::from(Error::InvalidSnapshot {
        at: bytes.len() as u64,
        what: "its last chunk is missing".into(),
    })
}
