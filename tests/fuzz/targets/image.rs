//! Any bytes, given as the image of a store, give a store or an error: no panic, no endless loop, no
//! allocation larger than the image justifies.
#![no_main]

mod allocation;
mod reseal;

use libfuzzer_sys::fuzz_target;
use revwatch::page::{MemoryPages, PageStore};
use revwatch::{
    DeleteRangeRequest, Durability, KeyRange, Options, RangeRequest, Result, Store, WatchRequest,
};

/// An input's first byte says how it is made more believable; its pages are small, so that there
/// are several of them.
const PAGE: usize = 512;

fuzz_target!(|input: &[u8]| {
    let Some((&how, image)) = input.split_first() else {
        return;
    };
    let mut image = image.to_vec();
    image.resize(image.len().next_multiple_of(PAGE), 0);
    reseal::reseal(&mut image, how);
    for read_only in [true, false] {
        let Ok(pages) = MemoryPages::from_bytes(PAGE, &image) else {
            return;
        };
        let used = allocation::peak_of(|| drop(use_store(&pages, read_only)));
        let justified = justified_bytes(&pages);
        assert!(
            used <= justified,
            "{used} bytes for an image of {} ({justified} are justified)",
            image.len()
        );
    }
});

/// What a store and the answers to a few questions may take: some bytes for each of the image, for
/// a byte of it may be a record of its own, and room to begin with.
fn justified_bytes(pages: &MemoryPages) -> usize {
    let image = pages.to_bytes().len();
    (8 << 20) + 64 * image
}

/// Opens it and goes on with it, as if nothing were wrong.
fn use_store(pages: &MemoryPages, read_only: bool) -> Result<()> {
    let options = Options {
        durability: Durability::Commit,
        read_only,
        cache_bytes: 64 * PAGE,
        ..Options::default()
    };
    let mut store = Store::open(pages.clone(), options.clone())?;
    let checked = store.check();
    ask(&mut store)?;
    store.step(0, 1 << 16)?;
    if read_only {
        return Ok(());
    }
    store.put(b"key", b"value")?;
    store.delete_range(&DeleteRangeRequest::new(KeyRange::prefix(b"k")))?;
    if checked.is_ok() {
        store.compact(store.revision())?;
    }
    for turn in 1..8 {
        store.step(turn * 1_000, 1 << 16)?;
    }
    let (revision, hash) = (store.revision(), store.hash_kv(0)?);
    store.close()?;
    // What it wrote is a store, and the same one.
    let mut again = Store::open(pages.clone(), options)?;
    assert_eq!(again.revision(), revision);
    assert_eq!(again.hash_kv(0)?, hash);
    ask(&mut again)
}

fn ask<P: PageStore>(store: &mut Store<P>) -> Result<()> {
    let first = store.status().compact_revision.max(1);
    store.range(&RangeRequest::new(KeyRange::All))?;
    store.history(&KeyRange::All, first, 1_000)?;
    store.hash_kv(0)?;
    let stream = store.watch_stream();
    let request = WatchRequest {
        start_revision: first,
        prev_kv: true,
        ..WatchRequest::new(KeyRange::All)
    };
    store.watch(stream, &request)?;
    for _ in 0..4 {
        store.poll(stream, 100, 1 << 16)?;
    }
    store.close_stream(stream);
    for id in store.leases() {
        store.lease_time_to_live(id, true);
    }
    Ok(())
}
