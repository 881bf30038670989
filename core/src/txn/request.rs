//! The words of a transaction.

use alloc::vec::Vec;

use crate::range::KeyRange;
use crate::store::{
    DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse, RangeRequest, RangeResponse,
};

/// If all comparisons hold, then do `success`, else do `failure`: atomically, at one revision.
///
/// ```
/// use revwatch::{Compare, CompareOp, CompareTarget, KeyRange, Op, Options, PutRequest, Store, TxnRequest};
///
/// let mut store = Store::in_memory(Options::default());
/// let take_the_lock = TxnRequest {
///     compare: vec![Compare {
///         range: KeyRange::one(b"lock"),
///         op: CompareOp::Equal,
///         target: CompareTarget::Version(0),
///     }],
///     success: vec![Op::Put(PutRequest::new(b"lock", b"me"))],
///     failure: vec![],
/// };
/// assert!(store.txn(&take_the_lock).unwrap().succeeded);
/// assert!(!store.txn(&take_the_lock).unwrap().succeeded);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxnRequest {
    /// All must hold for `success`; none given: they do.
    pub compare: Vec<Compare>,
    /// Done in order if the comparisons hold; later operations see what earlier ones did.
    pub success: Vec<Op>,
    /// Done in order if they do not.
    pub failure: Vec<Op>,
}

/// A condition on a key, or on every key of a range, as it was before the transaction.
///
/// A missing key, or an empty range, has version, revisions and lease 0, and no value: a
/// comparison of its value is false whatever the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// Which keys.
    pub range: KeyRange,
    /// How the key's attribute relates to the operand.
    pub op: CompareOp,
    /// Which attribute, and the operand.
    pub target: CompareTarget,
}

/// How the key's attribute relates to the operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// Is the same.
    Equal,
    /// Is another.
    NotEqual,
    /// Is less.
    Less,
    /// Is greater.
    Greater,
}

/// Which attribute of a key is compared, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompareTarget {
    /// The value, bytewise.
    Value(Vec<u8>),
    /// The version; 0 for a key that does not exist.
    Version(i64),
    /// The create revision; 0 for a key that does not exist.
    Create(i64),
    /// The mod revision; 0 for a key that does not exist.
    Mod(i64),
    /// The lease; 0 for none.
    Lease(i64),
}

/// One step of a transaction's branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Creates or changes a key.
    Put(PutRequest),
    /// Asks for keys.
    Range(RangeRequest),
    /// Deletes keys.
    DeleteRange(DeleteRangeRequest),
    /// Another transaction, part of this one.
    Txn(TxnRequest),
}

/// The answer to a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxnResponse {
    /// The store's revision after the transaction; 0 in the answer to a nested one, as in etcd.
    pub revision: i64,
    /// Whether all comparisons held.
    pub succeeded: bool,
    /// An answer for each operation of the branch that was taken.
    pub responses: Vec<OpResponse>,
    /// Whether this, and all before it, was safe from a loss of power when it was answered; false in
    /// the answer to a nested one.
    pub durable: bool,
}

/// The answer to one operation of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpResponse {
    /// To [`Op::Put`].
    Put(PutResponse),
    /// To [`Op::Range`].
    Range(RangeResponse),
    /// To [`Op::DeleteRange`].
    DeleteRange(DeleteRangeResponse),
    /// To [`Op::Txn`].
    Txn(TxnResponse),
}
