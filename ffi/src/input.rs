//! What comes in through pointers, and where outputs go.

use std::mem::{MaybeUninit, size_of};
use std::{ptr, slice};

use revwatch_core::KeyRange;

use crate::status::Failure;

/// An option structure: numbers and pointers only, for all of which zero is a value, and
/// `struct_size` first.
///
/// # Safety
///
/// The type is `#[repr(C)]`, begins with a `usize`, and every bit pattern is a valid value of it.
pub(crate) unsafe trait Options: Copy {}

/// The bytes at `data`, read before the function returns.
///
/// # Safety
///
/// If `data` is not NULL, it points to `len` bytes that do not change during the call.
pub(crate) unsafe fn bytes<'a>(
    what: &str,
    data: *const u8,
    len: usize,
) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::null(what));
    }
    if isize::try_from(len).is_err() {
        return Err(Failure::argument(format!(
            "the length of `{what}`, {len}, exceeds all memory: give the number of its bytes"
        )));
    }
    // SAFETY: the caller promises `len` bytes, and no object is larger than `isize::MAX`.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// The elements at `data`, read before the function returns.
///
/// # Safety
///
/// If `data` is not NULL, it points to `len` elements that do not change during the call.
pub(crate) unsafe fn array<'a, T>(
    what: &str,
    data: *const T,
    len: usize,
) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::null(what));
    }
    let fits = len.checked_mul(size_of::<T>()).map(isize::try_from);
    if !matches!(fits, Some(Ok(_))) || !data.is_aligned() {
        return Err(Failure::argument(format!(
            "`{what}` cannot have {len} elements at this address: give an array and its length"
        )));
    }
    // SAFETY: the caller promises `len` elements, they are aligned, and no object is larger than
    // `isize::MAX`.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}

/// The options at `options`, with zero for what the caller's version of the structure lacks.
///
/// # Safety
///
/// If `options` is not NULL, it points to a `usize` followed by as many bytes as that says.
pub(crate) unsafe fn options<T: Options>(options: *const T) -> Result<T, Failure> {
    let mut copy = MaybeUninit::<T>::zeroed();
    if !options.is_null() {
        let bytes = options.cast::<u8>();
        // SAFETY: the structure begins with its size.
        let size = unsafe { bytes.cast::<usize>().read_unaligned() };
        let known = size.min(size_of::<T>());
        check_size(size)?;
        for at in known..size {
            // SAFETY: below the size that the caller states.
            if unsafe { bytes.add(at).read() } != 0 {
                return Err(Failure::option(
                    "an option is set that this version of the library does not know: leave it 0",
                ));
            }
        }
        // SAFETY: `known` is within both structures.
        unsafe { ptr::copy_nonoverlapping(bytes, copy.as_mut_ptr().cast(), known) };
    }
    // SAFETY: zeros, or bytes of the caller, both of which `Options` allows.
    Ok(unsafe { copy.assume_init() })
}

/// A size that no version of any option structure has is a mistake, often a forgotten member.
fn check_size(size: usize) -> Result<(), Failure> {
    if size < size_of::<usize>() || size > 4096 {
        return Err(Failure::option(format!(
            "struct_size is {size}: set it to the sizeof of the option structure"
        )));
    }
    Ok(())
}

/// The range that `key` and `range_end` mean.
pub(crate) fn key_range(key: &[u8], range_end: &[u8], prefix: i32) -> Result<KeyRange, Failure> {
    if prefix == 0 {
        Ok(KeyRange::from_etcd(key, range_end))
    } else if range_end.is_empty() {
        Ok(KeyRange::prefix(key))
    } else {
        Err(Failure::argument(
            "a range_end was given together with `prefix`: leave one of them out",
        ))
    }
}

/// A count or size that may be 0 for the default.
pub(crate) fn or_default(value: usize, default: usize) -> usize {
    if value == 0 { default } else { value }
}

/// A place that a result is written to.
pub(crate) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    ///
    /// If `place` is not NULL, a `T` may be written there until the function returns.
    pub(crate) unsafe fn required(what: &str, place: *mut T) -> Result<Self, Failure> {
        if place.is_null() {
            Err(Failure::null(what))
        } else {
            Ok(Self(place))
        }
    }

    /// # Safety
    ///
    /// As for [`Out::required`].
    pub(crate) unsafe fn optional(place: *mut T) -> Self {
        Self(place)
    }

    pub(crate) fn is_wanted(&self) -> bool {
        !self.0.is_null()
    }

    pub(crate) fn write(self, value: T) {
        if self.is_wanted() {
            // SAFETY: whoever made `self` promised it.
            unsafe { self.0.write_unaligned(value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct New {
        struct_size: usize,
        old: i64,
        added: i64,
    }

    // SAFETY: numbers only, and the size is first.
    unsafe impl Options for New {}

    fn read(given: &[usize]) -> Result<New, Failure> {
        // SAFETY: each test gives as many bytes as its first word says, or a refused size.
        unsafe { options(given.as_ptr().cast::<New>()) }
    }

    #[test]
    fn options_of_an_older_caller_are_filled_up_with_zeros() {
        let size = size_of::<usize>() + size_of::<i64>();
        let options = read(&[size, 5, usize::MAX]).unwrap();
        assert_eq!((options.old, options.added), (5, 0));
    }

    #[test]
    fn options_of_a_newer_caller_are_taken_if_what_is_unknown_is_zero() {
        let words = 5;
        let size = words * size_of::<usize>();
        assert_eq!(read(&[size, 1, 2, 0, 0]).unwrap().added, 2);
        assert!(read(&[size, 1, 2, 0, 1]).is_err());
    }

    #[test]
    fn a_size_that_cannot_be_is_refused() {
        for size in [0, 1, size_of::<usize>() - 1, 5000, usize::MAX] {
            assert!(read(&[size, 0, 0]).is_err());
        }
    }
}
