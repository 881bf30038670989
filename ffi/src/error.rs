//! The table of errors, and each thread's last one.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::OnceLock;

use revwatch_core::ErrorCode;

use crate::status::{Failure, revwatch_status, status_of};

struct LastError {
    message: CString,
    revision: i64,
}

thread_local! {
    static LAST: RefCell<LastError> =
        RefCell::new(LastError { message: CString::default(), revision: 0 });
}

struct Texts {
    status: revwatch_status,
    name: CString,
    meaning: CString,
}

static TABLE: OnceLock<Vec<Texts>> = OnceLock::new();

fn table() -> &'static [Texts] {
    TABLE.get_or_init(|| {
        ErrorCode::ALL
            .iter()
            .map(|code| Texts {
                status: status_of(*code),
                name: c_string(code.name()),
                meaning: c_string(code.meaning()),
            })
            .collect()
    })
}

/// A zero byte would end the text early, so it is shown instead.
fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).unwrap_or_default()
}

/// Makes `failure` this thread's last error.
pub(crate) fn remember(failure: &Failure) {
    let last = LastError {
        message: c_string(&failure.message()),
        revision: failure.revision(),
    };
    // While a thread ends there may be nothing left to remember it in, and nobody to ask.
    let _ = LAST.try_with(|slot| *slot.borrow_mut() = last);
}

/// What was asked, what was wrong and what to do: the last error of this thread as UTF-8, or "" if
/// there was none. Meaningful after a negative status only. It lives until the next function of
/// this library fails in this thread.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_last_error_message() -> *const c_char {
    LAST.try_with(|last| last.borrow().message.as_ptr())
        .unwrap_or(c"".as_ptr())
}

/// The revision that belongs to the last error of this thread: the compact revision for
/// REVWATCH_ERROR_COMPACTED, the current one for REVWATCH_ERROR_FUTURE_REVISION, the end of the lost
/// epoch for REVWATCH_ERROR_REWOUND, the last revision that can be compacted for
/// REVWATCH_ERROR_HELD_BY_CURSOR, the last that was delivered for REVWATCH_ERROR_ACK_NOT_DELIVERED, the
/// current one for REVWATCH_ERROR_CHANGES_OUT_OF_PLACE, and 0 for all others.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_last_error_revision() -> i64 {
    LAST.try_with(|last| last.borrow().revision).unwrap_or(0)
}

/// How many errors there are.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_error_count() -> usize {
    table().len()
}

/// The status that stands for the error at `index`, from 0, in the order of their numbers; 0 if
/// `index` is revwatch_error_count() or more.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_error_code(index: usize) -> revwatch_status {
    table().get(index).map_or(0, |texts| texts.status)
}

/// The name of the error that a status stands for, such as "EmptyKey"; NULL if it stands for none.
/// Lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_error_name(status: revwatch_status) -> *const c_char {
    text(status, |texts| &texts.name)
}

/// What the error that a status stands for means, in a sentence; NULL if it stands for none. Lives
/// as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_error_meaning(status: revwatch_status) -> *const c_char {
    text(status, |texts| &texts.meaning)
}

fn text(status: revwatch_status, pick: impl Fn(&'static Texts) -> &'static CStr) -> *const c_char {
    table()
        .iter()
        .find(|texts| texts.status == status)
        .map_or(ptr::null(), |texts| pick(texts).as_ptr())
}

/// The version of the library, such as "0.1.0". Lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn revwatch_version() -> *const c_char {
    static VERSION: OnceLock<CString> = OnceLock::new();
    VERSION
        .get_or_init(|| c_string(env!("CARGO_PKG_VERSION")))
        .as_ptr()
}
