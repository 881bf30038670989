//! Errors, and the status that every answer begins with.

use std::cell::RefCell;

use revwatch::{Error, ErrorCode};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::wire::Writer;

/// A request that `js/wire.ts` cannot have written: a defect of this package, not of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Why a request has no answer.
pub struct Failure {
    code: ErrorCode,
    message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
        }
    }
}

impl From<Malformed> for Failure {
    fn from(_: Malformed) -> Self {
        let message = "a request was encoded wrongly: please report this as a defect of revwatch";
        Self {
            code: ErrorCode::Internal,
            message: message.into(),
        }
    }
}

impl Failure {
    /// A handle that is not, or no longer, one of this store.
    pub fn closed(what: &str) -> Self {
        let message = format!("the {what} was closed: open a new one");
        Self {
            code: ErrorCode::Closed,
            message,
        }
    }
}

/// An answer, or why there is none.
pub type Outcome = Result<(), Failure>;

/// Lets `write` write an answer after status 0; if it fails, the answer is the error's number and
/// message instead.
pub fn answer(write: impl FnOnce(&mut Writer) -> Outcome) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.length(0);
    if let Err(Failure { code, message }) = write(&mut writer) {
        writer = Writer::default();
        writer.length(code as usize).bytes(message.as_bytes());
    }
    writer.into_bytes()
}

/// The numbered table of errors, from which the names in JavaScript are made: number, name and
/// meaning of each, a line each, separated by tabs.
#[wasm_bindgen(js_name = errorTable)]
pub fn error_table() -> String {
    let row = |code: &ErrorCode| format!("{}\t{}\t{}\n", *code as i32, code.name(), code.meaning());
    ErrorCode::ALL.iter().map(row).collect()
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what a panic says: without a place to print to, the trap that follows says nothing.
#[wasm_bindgen(start)]
pub fn keep_panic_messages() {
    std::panic::set_hook(Box::new(|info| LAST_PANIC.set(info.to_string())));
}

/// What the last panic said. After one, this is the only function that may still be called.
#[wasm_bindgen(js_name = lastPanic)]
pub fn last_panic() -> String {
    LAST_PANIC.with_borrow(String::clone)
}
