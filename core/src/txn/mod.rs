//! If/Then/Else: several comparisons and operations as one step of history.
//!
//! A transaction goes through three stages. [`check`] looks at the request alone: empty keys, too
//! many operations, a key changed twice. [`plan`] evaluates all comparisons, nested ones too, on
//! the state before the transaction, which decides every branch, and checks the operations of the
//! branches taken against that state. [`apply`] carries them out in order; nothing but the page
//! store can fail any more.

mod apply;
mod check;
mod compare;
mod plan;
mod request;

pub use request::{Compare, CompareOp, CompareTarget, Op, OpResponse, TxnRequest, TxnResponse};

pub(crate) use apply::apply;
pub(crate) use check::{check_delete_range, check_put, check_range, check_txn};
pub(crate) use plan::{check_put_against_state, logged_value_bytes, plan};
