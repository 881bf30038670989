//! The store: opening, keys, history, the clock.

use revwatch::page::MemoryPages;
use revwatch::{
    CursorId, Durability, FollowId, Limits, Options, RangeStream, Retention, Store, StreamId,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{Failure, Malformed, answer};
use crate::handles::Handles;
use crate::record::{write_event, write_optional_kv};
use crate::request::{
    read_delete_range, read_key_range, read_put, read_range, write_delete_range, write_put,
    write_range,
};
use crate::snapshot::Snapshots;
use crate::wire::{Reader, Writer};

/// Bytes in a page of an image.
pub(crate) const PAGE_SIZE: usize = 4096;

/// A store, with what JavaScript refers to in it.
#[wasm_bindgen]
pub struct RawStore {
    pub(crate) store: Store<MemoryPages>,
    /// The same pages as the store's, to copy the image from.
    pages: MemoryPages,
    pub(crate) streams: Handles<StreamId>,
    pub(crate) follows: Handles<FollowId>,
    pub(crate) cursors: Handles<CursorId>,
    pub(crate) range_streams: Handles<RangeStream>,
    pub(crate) snapshots: Snapshots,
}

/// The outcome of opening: a constructor could only throw.
#[wasm_bindgen]
pub struct Opened {
    status: Vec<u8>,
    store: Option<RawStore>,
}

#[wasm_bindgen]
impl Opened {
    /// The answer: whether it succeeded, and what there is to say of it.
    pub fn status(&self) -> Vec<u8> {
        self.status.clone()
    }

    /// The store, once.
    pub fn take(&mut self) -> Option<RawStore> {
        self.store.take()
    }
}

/// Opens a store on a copy of `image`; an empty one makes a new store.
#[wasm_bindgen]
pub fn open(options: &[u8], image: &[u8]) -> Opened {
    Opened::of(|_| open_store(options, image))
}

impl Opened {
    /// The outcome of `open`.
    pub(crate) fn of(open: impl FnOnce(&mut Writer) -> Result<RawStore, Failure>) -> Self {
        let mut store = None;
        let status = answer(|writer| {
            store = Some(open(writer)?);
            Ok(())
        });
        Self { status, store }
    }
}

fn open_store(options: &[u8], image: &[u8]) -> Result<RawStore, Failure> {
    let pages = MemoryPages::from_bytes(PAGE_SIZE, image).map_err(revwatch::Error::from)?;
    let options = options_of(options)?;
    Ok(RawStore::new(Store::open(pages.clone(), options)?, pages))
}

impl RawStore {
    /// A store on these pages.
    pub(crate) fn new(store: Store<MemoryPages>, pages: MemoryPages) -> Self {
        Self {
            store,
            pages,
            streams: Handles::default(),
            follows: Handles::default(),
            cursors: Handles::default(),
            range_streams: Handles::default(),
            snapshots: Snapshots::default(),
        }
    }
}

/// Where a store begins that is not there yet.
pub(crate) fn new_pages() -> MemoryPages {
    MemoryPages::new(PAGE_SIZE)
}

/// What a store is opened with.
pub(crate) fn options_of(options: &[u8]) -> Result<Options, Malformed> {
    read_options(&mut Reader::new(options))
}

/// A limit of 0 is one that was not given.
fn read_options(reader: &mut Reader<'_>) -> Result<Options, Malformed> {
    let mut limits = Limits::default();
    let seed = reader.int()?.cast_unsigned();
    for size in [
        &mut limits.request_bytes,
        &mut limits.txn_ops,
        &mut limits.lease_expiries_per_step,
        &mut limits.stream_queue_responses,
        &mut limits.catch_up_revisions,
        &mut limits.stream_queue_bytes,
        &mut limits.watch_queue_bytes,
        &mut limits.fragment_bytes,
    ] {
        let given = reader.size()?;
        *size = if given == 0 { *size } else { given };
    }
    for time_ms in [
        &mut limits.lease_min_ttl_ms,
        &mut limits.lease_max_ttl_ms,
        &mut limits.progress_notify_ms,
    ] {
        let given = reader.int()?;
        *time_ms = if given == 0 { *time_ms } else { given };
    }
    if let given @ 1.. = reader.int()? {
        limits.quota_bytes = given.cast_unsigned();
    }
    let retention = Retention {
        revisions: reader.int()?,
        ms: reader.int()?,
    };
    // Syncs mean nothing in memory; a page is written when it is full.
    Ok(Options {
        durability: Durability::Never,
        limits,
        retention,
        seed,
        ..Options::default()
    })
}

#[wasm_bindgen]
impl RawStore {
    /// Creates or changes a key.
    pub fn put(&mut self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let request = read_put(&mut Reader::new(request))?;
            write_put(writer, &self.store.put_with(&request)?);
            Ok(())
        })
    }

    /// One key, as it is now.
    pub fn get(&self, key: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let kv = self.store.get(key)?;
            write_optional_kv(writer, kv.as_ref().map(revwatch::KeyValue::as_ref));
            Ok(())
        })
    }

    /// Asks for keys.
    pub fn range(&self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let request = read_range(&mut Reader::new(request))?;
            write_range(writer, &self.store.range(&request)?);
            Ok(())
        })
    }

    /// Deletes keys.
    #[wasm_bindgen(js_name = deleteRange)]
    pub fn delete_range(&mut self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let request = read_delete_range(&mut Reader::new(request))?;
            write_delete_range(writer, &self.store.delete_range(&request)?);
            Ok(())
        })
    }

    /// Forgets what was superseded before `revision`.
    pub fn compact(&mut self, revision: i64) -> Vec<u8> {
        answer(|writer| {
            writer.int(self.store.compact(revision)?.revision);
            Ok(())
        })
    }

    /// A page of kept events, and where the next one begins.
    pub fn history(&self, request: &[u8]) -> Vec<u8> {
        answer(|writer| {
            let mut reader = Reader::new(request);
            let range = read_key_range(&mut reader)?;
            let start_revision = reader.int()?;
            let max_events = match reader.size()? {
                0 => usize::MAX,
                given => given,
            };
            let history = self.store.history(&range, start_revision, max_events)?;
            writer.list(history.events.iter(), |writer, event| {
                let prev_kv = event.prev_kv.as_ref().map(revwatch::KeyValue::as_ref);
                write_event(writer, event.kind, event.kv.as_ref(), prev_kv);
            });
            // No revision is 0, so that it can say that there is no next page.
            writer.int(history.next_revision.unwrap_or(0));
            Ok(())
        })
    }

    /// A hash of what is kept up to a revision.
    #[wasm_bindgen(js_name = hashKv)]
    pub fn hash_kv(&self, revision: i64) -> Vec<u8> {
        answer(|writer| {
            let hashed = self.store.hash_kv(revision)?;
            writer.int(hashed.revision).int(i64::from(hashed.hash));
            writer
                .int(hashed.compact_revision)
                .int(hashed.hash_revision);
            Ok(())
        })
    }

    /// The current revision.
    pub fn revision(&self) -> i64 {
        self.store.revision()
    }

    /// The present point in history.
    #[wasm_bindgen(js_name = resumeToken)]
    pub fn resume_token(&self) -> Vec<u8> {
        answer(|writer| {
            let token = self.store.resume_token();
            writer.int(token.epoch).int(token.revision);
            Ok(())
        })
    }

    /// How the store is.
    pub fn status(&self) -> Vec<u8> {
        answer(|writer| {
            let status = self.store.status();
            writer.int(status.revision).int(status.published_revision);
            writer.int(status.compact_revision).int(status.epoch);
            for count in [
                status.keys,
                status.size_in_use,
                status.size_allocated,
                status.leases,
                status.watch_streams,
                status.watchers,
                status.unsynced_watchers,
                status.victim_watchers,
            ] {
                writer.int(count.cast_signed());
            }
            writer.flag(status.compacting);
            writer.flag(status.read_only).flag(status.poisoned);
            Ok(())
        })
    }

    /// Sets the clock, does what is due, and says when to be called next: -1 for no need.
    pub fn step(&mut self, now_ms: i64, budget_bytes: usize) -> Vec<u8> {
        answer(|writer| {
            let step = self.store.step(now_ms, budget_bytes)?;
            writer.int(step.next_ms.unwrap_or(-1));
            Ok(())
        })
    }

    /// Verifies everything.
    pub fn check(&self) -> Vec<u8> {
        answer(|_| Ok(self.store.check()?))
    }

    /// Closes the store cleanly and gives its image.
    pub fn close(&mut self) -> Vec<u8> {
        answer(|writer| {
            self.store.close()?;
            writer.bytes(&self.pages.to_bytes());
            Ok(())
        })
    }
}
