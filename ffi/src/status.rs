//! How every function answers.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use revwatch_core::{Error, ErrorCode};

use crate::{error, notify, page_store};

/// What a function answers: 0, a positive outcome, or a negative error.
pub type revwatch_status = i32;

/// Done; outputs are written.
pub const REVWATCH_OK: i32 = 0;
/// Nothing is wrong, but there is no such key, or no further one.
pub const REVWATCH_NOT_FOUND: i32 = 1;
/// Nothing is wrong, but there is nothing to report now.
pub const REVWATCH_IDLE: i32 = 2;

/// Why a function fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core refused or failed.
    Core(Error),
    /// The boundary itself refused: a code of the 7xx band, or an option, with its message.
    Boundary(ErrorCode, String),
}

impl Failure {
    pub(crate) fn null(what: &str) -> Self {
        Self::Boundary(
            ErrorCode::NullPointer,
            format!("`{what}` is NULL: give the address of one"),
        )
    }

    pub(crate) fn closed(what: &str) -> Self {
        Self::Boundary(
            ErrorCode::Closed,
            format!("the {what} was closed, or this never was the handle of one: open it anew"),
        )
    }

    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self::Boundary(ErrorCode::InvalidArgument, message.into())
    }

    pub(crate) fn option(message: impl Into<String>) -> Self {
        Self::Boundary(ErrorCode::InvalidOption, message.into())
    }

    fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::Boundary(
            ErrorCode::Internal,
            format!("a defect in revwatch: {text}; please report it with what led to it"),
        )
    }

    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Core(error) => error.code(),
            Self::Boundary(code, _) => *code,
        }
    }

    /// The revision that a program needs in order to go on after this failure, or 0.
    pub(crate) fn revision(&self) -> i64 {
        match self {
            Self::Core(Error::Compacted {
                compact_revision, ..
            }) => *compact_revision,
            Self::Core(
                Error::FutureRevision { current, .. }
                | Error::ChangesOutOfPlace { current, .. }
                | Error::SnapshotOutOfPlace { current, .. },
            ) => *current,
            Self::Core(Error::Rewound { revision, .. }) => *revision,
            Self::Core(Error::HeldByCursor { held_from, .. }) => *held_from,
            Self::Core(Error::AckNotDelivered { delivered, .. }) => *delivered,
            _ => 0,
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Self::Core(error) => error.to_string(),
            Self::Boundary(_, message) => message.clone(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// Runs the body of a function: no panic leaves it, a failure becomes its status and this thread's
/// last error, and nothing is done for a function that this library is waiting for. Who is to be
/// told that there is something to poll is told before it returns.
pub(crate) fn guard(body: impl FnOnce() -> Result<revwatch_status, Failure>) -> revwatch_status {
    let body = AssertUnwindSafe(|| page_store::refuse_inside().and_then(|()| body()));
    notify::enter();
    let outcome = catch_unwind(body);
    notify::make_calls();
    notify::leave();
    let failure = match outcome {
        Ok(Ok(status)) => return status,
        Ok(Err(failure)) => failure,
        Err(payload) => {
            let failure = Failure::panic(&*payload);
            // A payload may panic again when it is dropped.
            std::mem::forget(payload);
            failure
        }
    };
    error::remember(&failure);
    status_of(failure.code())
}

/// The status that stands for an error of the table.
pub(crate) const fn status_of(code: ErrorCode) -> revwatch_status {
    -(code as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_internal_error_with_its_text() {
        for text in ["a literal", "formatted"] {
            let status = guard(|| {
                if text == "formatted" {
                    panic!("{text}")
                } else {
                    panic!("a literal")
                }
            });
            assert_eq!(status, status_of(ErrorCode::Internal));
            let message = error::revwatch_last_error_message();
            // SAFETY: the message is a string until this thread's next failure.
            let message = unsafe { std::ffi::CStr::from_ptr(message) };
            assert!(message.to_str().unwrap().contains(text));
        }
    }

    #[test]
    fn outcomes_pass_through_and_leave_the_last_error_alone() {
        guard(|| Err(Failure::null("key")));
        assert_eq!(guard(|| Ok(REVWATCH_IDLE)), REVWATCH_IDLE);
        let message = error::revwatch_last_error_message();
        // SAFETY: as above.
        let message = unsafe { std::ffi::CStr::from_ptr(message) };
        assert!(message.to_str().unwrap().contains("`key` is NULL"));
    }
}
