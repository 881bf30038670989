//! Asking for memory before it is needed.

use core::hint;

/// Reads bytes that will be needed soon. To read them one by one, each when it is its turn, would be
/// to wait for memory once for each; these loads do not depend on each other, so their waits
/// overlap.
#[inline]
pub(crate) fn touch(bytes: impl Iterator<Item = u8>) {
    hint::black_box(bytes.fold(0, |all, byte| all ^ byte));
}
