//! Any bytes, given as a snapshot, give a store or an error: no panic, no endless loop, no allocation
//! larger than the bytes justify; and a store that is imported can be opened and checked.
#![no_main]

mod allocation;

use libfuzzer_sys::fuzz_target;
use revwatch::page::MemoryPages;
use revwatch::{ErrorCode, Import, Options, SnapshotUpdate, SnapshotVerifier, Store};
use xxhash_rust::xxh3::xxh3_64;

const HEADER: usize = 40;
const CHECKSUM: usize = 8;

fuzz_target!(|input: &[u8]| {
    let Some((&how, bytes)) = input.split_first() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if how & 1 == 1 {
        reseal(&mut bytes);
    }
    let used = allocation::peak_of(|| {
        take(&bytes, usize::from(how >> 1) * 7 + 1);
    });
    let justified = (8 << 20) + 256 * bytes.len();
    assert!(used <= justified, "{used} bytes for {}", bytes.len());
});

/// Gives every chunk the number, the link and the checksum that it should have.
fn reseal(bytes: &mut [u8]) {
    let (mut at, mut number, mut before) = (0_usize, 0_u64, 0_u64);
    while at + HEADER + CHECKSUM <= bytes.len() {
        bytes[at..at + 12].copy_from_slice(b"rvsnapsh\r\n\x1a\n");
        bytes[at + 12..at + 16].copy_from_slice(&1_u32.to_le_bytes());
        bytes[at + 16..at + 24].copy_from_slice(&number.to_le_bytes());
        bytes[at + 24..at + 32].copy_from_slice(&before.to_le_bytes());
        let room = bytes.len() - at - HEADER - CHECKSUM;
        let mut field = [0; 4];
        field.copy_from_slice(&bytes[at + 36..at + 40]);
        let length = (u32::from_le_bytes(field) as usize).min(room);
        bytes[at + 36..at + 40].copy_from_slice(&(length as u32).to_le_bytes());
        let end = at + HEADER + length;
        let is_last = u32::from(bytes.len() - end < HEADER + 2 * CHECKSUM);
        bytes[at + 32..at + 36].copy_from_slice(&is_last.to_le_bytes());
        before = xxh3_64(&bytes[at..end]);
        bytes[end..end + CHECKSUM].copy_from_slice(&before.to_le_bytes());
        number += 1;
        at = end + CHECKSUM;
    }
}

fn take(bytes: &[u8], piece: usize) {
    let mut verifier = SnapshotVerifier::default();
    let is_whole = verifier.feed(bytes).is_ok() && verifier.is_complete();

    let pages = MemoryPages::new(512);
    let mut import = Import::begin(pages.clone(), Options::default()).unwrap();
    let fed = bytes.chunks(piece).try_for_each(|part| import.feed(part));
    assert!(fed.is_err() || import.is_complete() == is_whole);
    match fed.and_then(|()| import.finish()) {
        Ok(store) => {
            assert!(is_whole);
            store.check().unwrap();
            drop(store);
            Store::open(pages, Options::default()).unwrap();
        }
        Err(_) => {
            let error = Store::open(pages, Options::default()).err().unwrap();
            assert_eq!(error.code(), ErrorCode::ImportIncomplete);
        }
    }

    let mut copy = Store::in_memory(Options::default());
    let _ = copy.apply_snapshot(&mut SnapshotUpdate::default(), bytes);
    copy.check().unwrap();
    copy.put(b"goes on", b"").unwrap();
}
