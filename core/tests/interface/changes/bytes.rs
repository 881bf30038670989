//! What the bytes of changes are, and that no others are believed.

use crate::common::Rng;
use crate::common::changes::{all_chunks, assert_same, bytes_from, change};
use revwatch::{
    DeleteRangeRequest, ErrorCode, KeyRange, Op, Options, PutRequest, Store, TxnRequest,
};
use xxhash_rust::xxh3::xxh3_64;

const HEADER_BYTES: usize = 48;

/// A chunk with contents of one's choice, and everything around them right.
fn sealed(header: &[u8], contents: &[u8]) -> Vec<u8> {
    let mut chunk = header[..HEADER_BYTES].to_vec();
    chunk[40..48].copy_from_slice(&(contents.len() as u64).to_le_bytes());
    chunk.extend_from_slice(contents);
    let checksum = xxh3_64(&chunk);
    chunk.extend_from_slice(&checksum.to_le_bytes());
    chunk
}

#[test]
fn a_chunk_is_what_the_format_says() {
    let mut store = Store::in_memory(Options::default());
    let put = PutRequest::new(b"a", b"xyz");
    let txn = TxnRequest {
        success: vec![Op::Put(put), Op::Put(PutRequest::new(b"b", b""))],
        ..TxnRequest::default()
    };
    store.txn(&txn).unwrap();
    store
        .delete_range(&DeleteRangeRequest::new(KeyRange::one(b"a")))
        .unwrap();
    let bodies = [
        &b"\x02\x00\x00\x01a\x03xyz\x00\x01\x00"[..], // put 2.0
        b"\x02\x03\x00\x01b\x00\x00\x01\x00",         // put 2.1, the last
        b"\x03\x01\x01\x01a",                         // delete 3.0, the last
    ];
    let frame_of = |body: &&[u8]| [&[body.len() as u8], *body].concat();
    let frames: Vec<u8> = bodies.iter().flat_map(frame_of).collect();
    let mut header = b"rvchange\x0d\x0a\x1a\x0a\x01\0\0\0".to_vec();
    // From, to, the unknown fingerprint, and the length, which `sealed` fills in.
    for field in [1_u64, 3, 0, 0] {
        header.extend(field.to_le_bytes());
    }
    assert_eq!(bytes_from(&store, 1), sealed(&header, &frames));

    // The second transaction alone follows the first, whose frames its fingerprint is of.
    let (first, second) = frames.split_at(frames.len() - frame_of(&bodies[2]).len());
    header[16..24].copy_from_slice(&2_u64.to_le_bytes());
    header[32..40].copy_from_slice(&xxh3_64(first).to_le_bytes());
    assert_eq!(bytes_from(&store, 2), sealed(&header, second));
}

#[test]
fn a_chunk_that_is_cut_short_or_damaged_changes_nothing() {
    let mut source = Store::in_memory(Options::default());
    for key in [b"a", b"b"] {
        source.put(key, b"value").unwrap();
    }
    let mut store = Store::in_memory(Options::default());
    let first = all_chunks(&source, 1, 1);
    let chunks = [first[0].clone(), first.concat()];
    for bytes in &chunks {
        for cut in 0..bytes.len() {
            if cut == first[0].len() {
                continue; // one whole chunk
            }
            let error = store.apply_changes(&bytes[..cut]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidChanges, "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let error = store.apply_changes(&damaged).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidChanges, "bit {bit}");
        }
    }
    assert_eq!((store.revision(), store.status().keys), (1, 0));
    let swapped = [first[1].clone(), first[0].clone()].concat();
    assert_eq!(
        store.apply_changes(&swapped).unwrap_err().code(),
        ErrorCode::InvalidChanges
    );
    store.apply_changes(&first.concat()).unwrap();
    assert_same(&source, &store, "at last");
}

#[test]
fn a_chunk_that_does_not_end_as_it_says_is_refused() {
    let mut source = Store::in_memory(Options::default());
    source.put(b"a", b"").unwrap();
    let both = [b"b", b"c"].map(|key| Op::Put(PutRequest::new(key, b"")));
    let txn = TxnRequest {
        success: both.into(),
        ..TxnRequest::default()
    };
    source.txn(&txn).unwrap();
    let good = bytes_from(&source, 1);
    let contents = &good[HEADER_BYTES..good.len() - 8];
    let with_to = |to: i64| {
        let mut header = good[..HEADER_BYTES].to_vec();
        header[24..32].copy_from_slice(&to.to_le_bytes());
        header
    };
    let frame_bytes = contents.len() / 3;
    let wrong = [
        sealed(&with_to(2), contents),
        sealed(&with_to(4), contents),
        sealed(&with_to(1), &[]),
        // Its last transaction is half there, and half the first.
        sealed(&with_to(3), &contents[..2 * frame_bytes]),
        sealed(&with_to(2), &contents[..2 * frame_bytes]),
        sealed(&with_to(3), &contents[frame_bytes..]),
        sealed(
            &with_to(3),
            &[&contents[..frame_bytes], &contents[2 * frame_bytes..]].concat(),
        ),
    ];
    let mut store = Store::in_memory(Options::default());
    for bytes in wrong {
        let error = store.apply_changes(&bytes).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidChanges, "{error}");
        assert_eq!(store.revision(), 1);
    }
    store
        .apply_changes(&sealed(&with_to(2), &contents[..frame_bytes]))
        .unwrap();
    assert_eq!(store.revision(), 2);
}

#[test]
fn hostile_bytes_with_a_right_checksum_are_refused_or_harmless() {
    let mut rng = Rng::new(11);
    let mut source = Store::in_memory(Options::default());
    for _ in 0..12 {
        change(&mut source, &mut rng);
    }
    let good = bytes_from(&source, 1);
    let contents = &good[HEADER_BYTES..good.len() - 8];
    let (mut refused, mut applied) = (0, 0);
    for _ in 0..20_000 {
        let mut header = good[..HEADER_BYTES].to_vec();
        let mut contents = contents.to_vec();
        for _ in 0..=rng.below(2) {
            match rng.below(6) {
                0 => header[16 + rng.below(24) as usize] = rng.below(256) as u8,
                1 => contents.truncate(rng.below(contents.len() as u64 + 1) as usize),
                _ => {
                    if let Some(last) = contents.len().checked_sub(1) {
                        let at = rng.below(last as u64 + 1) as usize;
                        contents[at] = rng.below(256) as u8;
                    }
                }
            }
        }
        let mut store = Store::in_memory(Options::default());
        match store.apply_changes(&sealed(&header, &contents)) {
            Ok(response) => {
                applied += 1;
                assert_eq!(response.revision, store.revision());
                store.hash_kv(0).unwrap();
            }
            Err(_) => refused += 1,
        }
        assert!(!store.status().poisoned);
        store.put(b"next", b"").unwrap();
    }
    assert!(
        refused > 1_000 && applied > 1_000,
        "{refused} and {applied}"
    );

    let mut greedy = good[..HEADER_BYTES].to_vec();
    greedy[40..48].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut store = Store::in_memory(Options::default());
    let error = store.apply_changes(&greedy).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidChanges);
    let endless = sealed(&good, b"\xff\xff\xff\xff\x07");
    assert!(store.apply_changes(&endless).is_err());
}
