//! The answer to a transaction.

use std::ptr;

use revwatch_core::{OpResponse, TxnResponse};

use crate::delete_range::revwatch_delete_range_result;
use crate::key_value::KeyValues;
use crate::owned::{self, Owned, parts};
use crate::put::revwatch_put_result;
use crate::range::revwatch_range_result;

/// The answer to one operation of a transaction: exactly one of these is not NULL.
#[repr(C)]
pub struct revwatch_op_result {
    /// To a put.
    pub put: *const revwatch_put_result,
    /// To a range.
    pub range: *const revwatch_range_result,
    /// To a delete.
    pub delete_range: *const revwatch_delete_range_result,
    /// To a nested transaction.
    pub txn: *const revwatch_txn_result,
}

/// The answer to a transaction.
#[repr(C)]
pub struct revwatch_txn_result {
    /// The store's revision after the transaction; 0 in the answer to a nested one.
    pub revision: i64,
    /// 1 if all comparisons held, otherwise 0.
    pub succeeded: i32,
    /// An answer for each operation of the branch that was taken.
    pub responses: *const revwatch_op_result,
    /// How many `responses`.
    pub responses_len: usize,
    /// 1 if the transaction, and all before it, is safe from a loss of power already, otherwise 0; 0 in
    /// the answer to a nested one.
    pub durable: i32,
}

/// The answers that a transaction's answer points to.
pub(crate) struct Answers {
    _seen: Vec<revwatch_op_result>,
    _answers: Vec<Answer>,
}

/// Boxed, because the answer of the transaction points to it.
enum Answer {
    Put(Box<(revwatch_put_result, KeyValues)>),
    Range(Box<(revwatch_range_result, KeyValues)>),
    DeleteRange(Box<(revwatch_delete_range_result, KeyValues)>),
    Txn(Box<(revwatch_txn_result, Answers)>),
}

impl Owned for revwatch_txn_result {
    type Backing = Answers;
}

impl Answer {
    fn of(response: OpResponse) -> Self {
        match response {
            OpResponse::Put(put) => Self::Put(Box::new(revwatch_put_result::of(put))),
            OpResponse::Range(range) => Self::Range(Box::new(revwatch_range_result::of(range))),
            OpResponse::DeleteRange(delete) => {
                Self::DeleteRange(Box::new(revwatch_delete_range_result::of(delete)))
            }
            OpResponse::Txn(txn) => Self::Txn(Box::new(of(txn))),
        }
    }

    fn seen(&self) -> revwatch_op_result {
        let mut seen = revwatch_op_result {
            put: ptr::null(),
            range: ptr::null(),
            delete_range: ptr::null(),
            txn: ptr::null(),
        };
        match self {
            Self::Put(put) => seen.put = &raw const put.0,
            Self::Range(range) => seen.range = &raw const range.0,
            Self::DeleteRange(delete) => seen.delete_range = &raw const delete.0,
            Self::Txn(txn) => seen.txn = &raw const txn.0,
        }
        seen
    }
}

/// What C sees of `response`, and what that points into.
pub(crate) fn of(response: TxnResponse) -> (revwatch_txn_result, Answers) {
    let durable = i32::from(response.durable);
    let answers: Vec<Answer> = response.responses.into_iter().map(Answer::of).collect();
    let seen: Vec<revwatch_op_result> = answers.iter().map(Answer::seen).collect();
    let (responses, responses_len) = parts(&seen);
    let succeeded = i32::from(response.succeeded);
    let revision = response.revision;
    let result = revwatch_txn_result {
        revision,
        succeeded,
        responses,
        responses_len,
        durable,
    };
    (
        result,
        Answers {
            _seen: seen,
            _answers: answers,
        },
    )
}

/// Frees the answer to a transaction with all answers in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn revwatch_txn_result_free(result: *mut revwatch_txn_result) {
    // SAFETY: the conventions: NULL, or a result that was not freed.
    unsafe { owned::take_back(result) }
}
