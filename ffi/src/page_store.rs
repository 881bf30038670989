//! Stores on pages that the program keeps: functions called by the library.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;

use revwatch_core::page::{PageError, PageStore, is_page_size};
use revwatch_core::{ErrorCode, Options};

use crate::handle;
use crate::input::{self, Out};
use crate::open::{core_options, open_on, revwatch_open_options};
use crate::status::{Failure, REVWATCH_OK, guard, revwatch_status, status_of};
use crate::store::{Pages, revwatch_store};

/// Where a store keeps its bytes, if not in a file: pages of equal size, numbered from 0, in flash, in
/// a file of your own, over a wire.
///
/// What may be lost when the power goes: until `sync` returns, each page written since the last sync
/// may be old, new or torn, independently of all others and in any order; afterwards it is what was
/// last written. A change of length may be lost until then, and pages gained may hold anything.
/// Nothing else is assumed.
///
/// All functions but `release` answer 0, or REVWATCH_ERROR_NO_SPACE when there is no room, or any other
/// number, which the message of the error then repeats. They are called by whichever thread uses
/// the store: `write` and `set_len` by one at a time, `read` and `sync` also beside them. What `read`
/// gives of a page that is being written may be any mixture of old and new. They must not call this library, which answers
/// REVWATCH_ERROR_INVALID_ARGUMENT if they do, and must not throw. `context` is handed to each of them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct revwatch_page_store {
    /// sizeof(revwatch_page_store).
    pub struct_size: usize,
    /// Yours.
    pub context: *mut c_void,
    /// Bytes in a page: a power of two from 512 to 65536.
    pub page_size: usize,
    /// Tells how many pages there are.
    pub len: Option<unsafe extern "C" fn(context: *mut c_void, pages: *mut u32) -> i32>,
    /// Grows or shrinks to so many pages; when it refuses, the length is what it was.
    pub set_len: Option<unsafe extern "C" fn(context: *mut c_void, pages: u32) -> i32>,
    /// Fills `bytes` with the page.
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, page: u32, bytes: *mut u8) -> i32>,
    /// Replaces the page.
    pub write:
        Option<unsafe extern "C" fn(context: *mut c_void, page: u32, bytes: *const u8) -> i32>,
    /// Returns when all that was written before will survive a loss of power.
    pub sync: Option<unsafe extern "C" fn(context: *mut c_void) -> i32>,
    /// Called once, when the library needs the pages no more: when the store is closed, or when it
    /// could not be opened. May be NULL.
    pub release: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

// SAFETY: numbers, a pointer and functions that may be NULL, and the size is first.
unsafe impl input::Options for revwatch_page_store {}

/// Opens the store on `pages`, as revwatch_store_open() does that in a file, and creates it if there
/// are no pages or only zeros. At most one program may have the pages open for writing: see to that
/// yourself. The option page_size is 0 or that of the pages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_store_open_pages(
    pages: *const revwatch_page_store,
    options: *const revwatch_open_options,
    store: *mut *mut revwatch_store,
) -> revwatch_status {
    guard(|| {
        // SAFETY: the conventions: structures that say their size, and an output.
        let (place, out) = unsafe {
            let place = GivenPages::of(pages, options)?;
            (place, Out::required("store", store)?)
        };
        let object = open_on(place.pages, place.options, &place.given)?;
        out.write(handle::insert(Arc::new(object))?);
        Ok(REVWATCH_OK)
    })
}

/// Pages of the program, and how a store is opened on them.
pub(crate) struct GivenPages {
    pub(crate) pages: Pages,
    pub(crate) options: Options,
    pub(crate) given: revwatch_open_options,
}

impl GivenPages {
    /// # Safety
    ///
    /// The conventions: `pages` is NULL or says its size, `options` are options or NULL.
    pub(crate) unsafe fn of(
        pages: *const revwatch_page_store,
        options: *const revwatch_open_options,
    ) -> Result<Self, Failure> {
        if pages.is_null() {
            return Err(Failure::null("pages"));
        }
        // SAFETY: the caller promises it.
        let (pages, given, id) = unsafe {
            let pages = CallbackPages::new(input::options(pages)?)?;
            let given: revwatch_open_options = input::options(options)?;
            let id = given.store_id()?;
            (pages, given, id)
        };
        if given.page_size != 0 && given.page_size != pages.page_size() {
            return Err(Failure::option(format!(
                "page_size is {} in the options and {} in the pages: leave it 0 in the options",
                given.page_size,
                pages.page_size()
            )));
        }
        Ok(Self {
            pages: Box::new(pages),
            options: core_options(&given, true, id)?,
            given,
        })
    }
}

/// The functions and what they are called with. Gone with the last who uses it: then `release` is
/// called.
struct CallbackPages {
    functions: Functions,
    given: revwatch_page_store,
}

/// Those of the functions that may not be NULL.
struct Functions {
    len: unsafe extern "C" fn(*mut c_void, *mut u32) -> i32,
    set_len: unsafe extern "C" fn(*mut c_void, u32) -> i32,
    read: unsafe extern "C" fn(*mut c_void, u32, *mut u8) -> i32,
    write: unsafe extern "C" fn(*mut c_void, u32, *const u8) -> i32,
    sync: unsafe extern "C" fn(*mut c_void) -> i32,
}

// SAFETY: the contract of the structure: its functions are called by any thread with the context.
unsafe impl Send for CallbackPages {}
// SAFETY: as above.
unsafe impl Sync for CallbackPages {}

impl CallbackPages {
    fn new(given: revwatch_page_store) -> Result<Self, Failure> {
        if !is_page_size(given.page_size) {
            return Err(Failure::option(format!(
                "page_size of the pages is {}: give a power of two from 512 to 65536",
                given.page_size
            )));
        }
        let functions = Functions {
            len: given.len.ok_or_else(|| Failure::null("len"))?,
            set_len: given.set_len.ok_or_else(|| Failure::null("set_len"))?,
            read: given.read.ok_or_else(|| Failure::null("read"))?,
            write: given.write.ok_or_else(|| Failure::null("write"))?,
            sync: given.sync.ok_or_else(|| Failure::null("sync"))?,
        };
        Ok(Self { functions, given })
    }

    fn check_size(&self, page: u32, len: usize) -> Result<(), PageError> {
        if len == self.given.page_size {
            Ok(())
        } else {
            Err(PageError::OutOfBounds { page })
        }
    }
}

impl PageStore for CallbackPages {
    fn page_size(&self) -> usize {
        self.given.page_size
    }

    fn len(&self) -> Result<u32, PageError> {
        let mut pages = 0;
        // SAFETY: the function and its context belong together, and the output is there.
        call("len", || unsafe {
            (self.functions.len)(self.given.context, &raw mut pages)
        })?;
        Ok(pages)
    }

    fn set_len(&self, len: u32) -> Result<(), PageError> {
        // SAFETY: the function and its context belong together.
        call("set_len", || unsafe {
            (self.functions.set_len)(self.given.context, len)
        })
    }

    fn read(&self, page: u32, buffer: &mut [u8]) -> Result<(), PageError> {
        self.check_size(page, buffer.len())?;
        // SAFETY: the function and its context belong together; the buffer is one page long.
        call("read", || unsafe {
            (self.functions.read)(self.given.context, page, buffer.as_mut_ptr())
        })
    }

    fn write(&self, page: u32, bytes: &[u8]) -> Result<(), PageError> {
        self.check_size(page, bytes.len())?;
        // SAFETY: the function and its context belong together; the bytes are one page.
        call("write", || unsafe {
            (self.functions.write)(self.given.context, page, bytes.as_ptr())
        })
    }

    fn sync(&self) -> Result<(), PageError> {
        // SAFETY: the function and its context belong together.
        call("sync", || unsafe {
            (self.functions.sync)(self.given.context)
        })
    }
}

impl Drop for CallbackPages {
    fn drop(&mut self) {
        if let Some(release) = self.given.release {
            let _inside = Inside::enter();
            // SAFETY: the function and its context belong together; nobody uses them any more.
            unsafe { release(self.given.context) }
        }
    }
}

/// Calls a function of the program and takes its answer for what it is.
fn call(name: &str, function: impl FnOnce() -> i32) -> Result<(), PageError> {
    let _inside = Inside::enter();
    match function() {
        0 => Ok(()),
        answer if answer == status_of(ErrorCode::NoSpace) => Err(PageError::NoSpace),
        answer => Err(PageError::other(format!(
            "the function `{name}` of the page store answered {answer}"
        ))),
    }
}

thread_local! {
    /// How many functions of page stores this thread is inside of.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// A call into the program, for as long as it lasts.
struct Inside;

impl Inside {
    fn enter() -> Self {
        CALLS.set(CALLS.get() + 1);
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        CALLS.set(CALLS.get() - 1);
    }
}

/// Refuses what a function of a page store asks of the library: the store waits for it, and would
/// wait for ever.
pub(crate) fn refuse_inside() -> Result<(), Failure> {
    if CALLS.get() == 0 {
        return Ok(());
    }
    Err(Failure::argument(
        "a function of a page store called the library: do it after the function has returned",
    ))
}
