//! What bytes that are taken for a snapshot may do: be refused, whole, before anything is a store.

use crate::common::snapshots::{Portrait, chunks_since, happen};
use crate::common::{PLENTY, Rng};
use revwatch::page::MemoryPages;
use revwatch::page::fault::Random;
use revwatch::{ErrorCode, Import, Options, Result, SnapshotHead, SnapshotUpdate, Store};

fn lived_in(seed: u64) -> Store {
    let mut rng = Rng::new(seed);
    let mut store = Store::in_memory(Options::default());
    let mut now_ms = 0;
    store.step(0, 0).unwrap();
    for _ in 0..60 {
        happen(&mut store, &mut rng, &mut now_ms);
    }
    store
}

/// Restores; whatever happens, the pages are the whole store or say that they are none.
fn restore(parts: &[&[u8]]) -> Result<Store> {
    let pages = MemoryPages::new(512);
    let outcome = Store::restore(pages.clone(), Options::default(), parts);
    if let Err(error) = &outcome {
        assert_eq!(error.code(), ErrorCode::InvalidSnapshot, "{error}");
        let error = Store::open(pages, Options::default()).err().unwrap();
        assert_eq!(error.code(), ErrorCode::ImportIncomplete);
    }
    outcome
}

#[test]
fn bytes_may_arrive_in_any_pieces() {
    let mut store = lived_in(1);
    let bytes = chunks_since(&mut store, 0, 700).concat();
    let whole = Portrait::of(&store);
    for size in [1, 7, 511, 700, 701, PLENTY] {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        assert_eq!(Portrait::of(&restore(&pieces).unwrap()), whole, "{size}");
    }
}

#[test]
fn a_chunk_that_is_missing_doubled_or_of_another_snapshot_is_refused() {
    let mut store = lived_in(2);
    let chunks = chunks_since(&mut store, 0, 600);
    store.put(b"one more", b"").unwrap();
    let others = chunks_since(&mut store, 0, 600);
    assert!(chunks.len() > 3 && others.len() >= chunks.len());
    let as_slices = |chunks: &[Vec<u8>]| chunks.iter().map(Vec::clone).collect::<Vec<_>>();
    for at in 0..chunks.len() {
        let mut missing = as_slices(&chunks);
        missing.remove(at);
        let mut doubled = as_slices(&chunks);
        doubled.insert(at, chunks[at].clone());
        let mut exchanged = as_slices(&chunks);
        exchanged[at].clone_from(&others[at]);
        for parts in [missing, doubled, exchanged] {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            assert!(restore(&parts).is_err());
        }
    }
    let mut too_many: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    too_many.push(b"x");
    assert!(restore(&too_many).is_err());
    assert!(restore(&[]).is_err());
}

#[test]
fn any_byte_that_changed_is_noticed() {
    let mut store = lived_in(3);
    let bytes = chunks_since(&mut store, 0, 900).concat();
    restore(&[&bytes]).unwrap();
    for at in (0..bytes.len()).step_by(3) {
        for bit in [0, 3, 7] {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let outcome = restore(&[&changed]);
            assert!(outcome.is_err(), "byte {at}, bit {bit}");
        }
    }
    for cut in (0..bytes.len()).step_by(5) {
        assert!(restore(&[&bytes[..cut]]).is_err(), "cut at {cut}");
    }
}

/// Chunks with other contents and a right checksum.
fn forged(random: &mut Random, chunk: &[u8]) -> Vec<u8> {
    let mut forged = chunk.to_vec();
    let end = forged.len() - 8;
    for _ in 0..=random.below(3) {
        let at = 40 + random.below(end - 40);
        forged[at] = match random.below(3) {
            0 => random.below(256) as u8,
            1 => forged[at].wrapping_add(1),
            _ => 0xff,
        };
    }
    let checksum = xxhash(&forged[..end]);
    forged[end..].copy_from_slice(&checksum.to_le_bytes());
    forged
}

fn xxhash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

#[test]
fn forged_chunks_are_refused_or_a_store_that_can_be_opened() {
    let mut accepted = 0;
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let mut store = lived_in(seed % 7);
        let chunk = chunks_since(&mut store, 0, PLENTY).concat();
        let pages = MemoryPages::new(512);
        let forged = forged(&mut random, &chunk);
        match Store::restore(pages.clone(), Options::default(), [forged]) {
            Ok(copy) => {
                copy.check().unwrap();
                copy.hash_kv(0).unwrap();
                accepted += 1;
            }
            Err(error) => {
                let code = error.code();
                let is_refused = matches!(
                    code,
                    ErrorCode::InvalidSnapshot | ErrorCode::SnapshotOutOfPlace
                );
                assert!(is_refused, "{seed}: {error}");
                let error = Store::open(pages, Options::default()).err().unwrap();
                assert_eq!(error.code(), ErrorCode::ImportIncomplete);
            }
        }
    }
    assert!((10..600).contains(&accepted), "{accepted}");
}

#[test]
fn forged_increments_leave_a_store_that_is_whole() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let mut store = lived_in(seed % 7);
        let mut copy = Store::in_memory(Options::default());
        if store.status().compact_revision > 1 {
            continue;
        }
        let chunk = chunks_since(&mut store, 1, PLENTY).concat();
        let _ = copy.apply_snapshot(&mut SnapshotUpdate::default(), &forged(&mut random, &chunk));
        copy.check().unwrap();
        assert!(!copy.status().poisoned);
        copy.put(b"goes on", b"").unwrap();
    }
}

#[test]
fn a_length_is_looked_at_before_it_is_believed() {
    let mut store = lived_in(5);
    let mut bytes = chunks_since(&mut store, 0, 600).concat();
    bytes[36..40].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut import = Import::begin(MemoryPages::new(512), Options::default()).unwrap();
    let error = import.feed(&bytes).unwrap_err();
    assert!(error.to_string().contains("no chunk has more"), "{error}");
    // Nothing more is taken then.
    let error = import.feed(&bytes).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidSnapshot);
}

#[test]
fn the_head_says_what_a_snapshot_is_of() {
    let mut store = lived_in(6);
    let chunks = chunks_since(&mut store, 0, 600);
    let head = SnapshotHead::of(&chunks.concat()).unwrap();
    let status = store.status();
    assert_eq!(
        (head.since, head.revision, head.compact_revision, head.epoch),
        (0, status.revision, status.compact_revision, status.epoch)
    );
    for bytes in [&b""[..], b"rvsnap", &chunks[1], &chunks[0][..100]] {
        let error = SnapshotHead::of(bytes).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidSnapshot);
    }
}
