//! Results: a structure that C reads, with the memory it points into behind it.

/// A structure that C reads, and what its pointers point into.
pub(crate) trait Owned: Sized {
    /// Keeps alive what the structure points to. Its contents do not move while it lives.
    type Backing;
}

/// One allocation: first what C sees, then what only the library knows.
#[repr(C)]
struct Allocation<C: Owned> {
    seen: C,
    backing: C::Backing,
}

/// Gives the structure to C.
pub(crate) fn give<C: Owned>(seen: C, backing: C::Backing) -> *mut C {
    Box::into_raw(Box::new(Allocation { seen, backing })).cast()
}

/// Takes the structure back and frees all that belongs to it.
///
/// # Safety
///
/// `result` is NULL, or came from [`give`] and was not taken back before.
pub(crate) unsafe fn take_back<C: Owned>(result: *mut C) {
    if !result.is_null() {
        // SAFETY: `give` made it as an `Allocation` whose first member is at the same address.
        let allocation = unsafe { Box::from_raw(result.cast::<Allocation<C>>()) };
        drop(allocation.backing);
    }
}

/// The address and length of a slice, as C wants them.
pub(crate) fn parts<T>(slice: &[T]) -> (*const T, usize) {
    (slice.as_ptr(), slice.len())
}
