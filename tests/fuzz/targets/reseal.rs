//! Checksums made right, as FORMAT.md says: a change behind a wrong one would never be looked at.

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::PAGE;

/// Bits of the first byte of an input.
const HEADER: u8 = 1;
const PAGES: u8 = 2;
const MARKS: u8 = 4;

const STORE_ID: std::ops::Range<usize> = 20..36;
const HEADER_CHECKSUM: std::ops::Range<usize> = 36..44;
const PAGE_CHECKSUM: std::ops::Range<usize> = 0..8;
/// Number, end and census of the mark.
const MARK: std::ops::Range<usize> = 48..72;

/// Makes what `how` says believable: the header's copies, each page's checksum, and with no mark in
/// any page no census to hold them to.
pub fn reseal(image: &mut [u8], how: u8) {
    let mut slots: Vec<&mut [u8]> = image.chunks_mut(PAGE).collect();
    if how & HEADER != 0 {
        for header in slots.iter_mut().take(2) {
            let checksum = xxh3_64(&header[..HEADER_CHECKSUM.start]);
            header[HEADER_CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        }
    }
    let Some(store_id) = slots.first().map(|header| header[STORE_ID].to_vec()) else {
        return;
    };
    for (slot, page) in slots.iter_mut().enumerate().skip(2) {
        if how & MARKS != 0 {
            page[MARK].fill(0);
        }
        if how & (PAGES | MARKS) != 0 {
            let seed = xxh3_64(&[&store_id[..], &(slot as u32).to_le_bytes()].concat());
            let checksum = xxh3_64_with_seed(&page[PAGE_CHECKSUM.end..], seed);
            page[PAGE_CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        }
    }
}
