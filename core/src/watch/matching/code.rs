//! Numbers in the order of byte strings, for strings that begin alike.
//!
//! Ranges often begin alike (`/registry/pods/default/...`), and their first bytes would tell nothing.
//! So a node knows what all its starts have in common, and a code begins behind that. What is not
//! before the common bytes either begins with them or leaves them upwards at some byte, and the
//! earlier it does so, the greater it is. A code is therefore one byte that says how many of the
//! common bytes are not shared, and the seven bytes that follow the shared ones. With `/pods/` in
//! common,
//!
//! ```text
//! /pods/abc     0, "abc"
//! /pods/b       0, "b"
//! /pods0        1, "0"
//! /q            5, "q"
//! no end        255, 255, 255 ...
//! ```
//!
//! Every end is after a start, so it has a code; a key that is before the common bytes is before all
//! that is in the node. Codes are from prefix B-trees (Bayer and Unterauer, 1977) and from "poor
//! man's normalized keys" (Graefe and Larson, 2001), with the byte in front added for ends, which lie
//! anywhere behind.

use super::ranges::End;

/// More bytes in common than this are not made use of: their number must fit into a code's byte.
pub(super) const MAX_COMMON_BYTES: usize = 255;
/// Of a code: the bytes behind those shared.
const TAIL_BITS: u32 = 56;
const NO_END: u64 = u64::MAX;

/// The code of an end.
pub(super) fn end_code(end: End<'_>, common: &[u8]) -> u64 {
    match end {
        End::At(end) => code_of(end, common),
        End::None => NO_END,
    }
}

/// The code of what is not before the common bytes. Of two codes of which one is less, so is what it
/// stands for; of equal ones it says nothing.
#[inline]
pub(super) fn code_of(bytes: &[u8], common: &[u8]) -> u64 {
    let shared = bytes_alike(bytes, common);
    let rest = &bytes[shared..];
    let tail = rest.first_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        padded
    });
    let unshared = (common.len() - shared) as u64;
    unshared << TAIL_BITS | u64::from_be_bytes(tail) >> (u64::BITS - TAIL_BITS)
}

/// How many bytes both begin with.
#[inline]
pub(super) fn bytes_alike(a: &[u8], b: &[u8]) -> usize {
    // Eight at a time, and then one by one.
    let eights = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let alike = 8 * eights.take_while(|(a, b)| a == b).count();
    let rest = a[alike..].iter().zip(&b[alike..]);
    alike + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_the_order_of_what_they_stand_for() {
        let texts: [&[u8]; 14] = [
            b"/pods/",
            b"/pods/\0",
            b"/pods/abc",
            b"/pods/abcdefg",
            b"/pods/abcdefgh",
            b"/pods/b",
            b"/pods/\xff\xff\xff\xff\xff\xff\xff\xff",
            b"/pods0",
            b"/pods00",
            b"/podt",
            b"/pp",
            b"/q",
            b"0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ];
        for common in [&b""[..], b"/", b"/pods", b"/pods/"] {
            let codes = texts.map(|text| code_of(text, common));
            assert!(codes.is_sorted(), "{common:?}: {codes:x?}");
            assert!(codes.iter().all(|&code| code < NO_END));
        }
        assert!(code_of(b"/pods/abc", b"/pods/") < code_of(b"/pods/abd", b"/pods/"));
        assert!(code_of(b"/pods/zzzzzzz", b"/pods/") < code_of(b"/pods0", b"/pods/"));
    }
}
