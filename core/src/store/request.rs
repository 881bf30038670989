//! What may be asked of keys, and what is answered.

use alloc::vec::Vec;

use crate::range::KeyRange;
use crate::record::KeyValue;

/// Creates or changes a key.
///
/// ```
/// use revwatch::{Options, PutRequest, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"key", b"old").unwrap();
/// let request = PutRequest { prev_kv: true, ..PutRequest::new(b"key", b"new") };
/// let response = store.put_with(&request).unwrap();
/// assert_eq!(response.prev_kv.unwrap().value, b"old");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutRequest {
    /// The key, not empty.
    pub key: Vec<u8>,
    /// The new value; may be empty.
    pub value: Vec<u8>,
    /// The lease to attach the key to; 0 detaches it from any.
    pub lease: i64,
    /// Whether to answer with what the key was before.
    pub prev_kv: bool,
    /// Keep the value that the key has. The key must exist, `value` must be empty.
    pub ignore_value: bool,
    /// Keep the lease that the key has. The key must exist, `lease` must be 0.
    pub ignore_lease: bool,
}

impl PutRequest {
    /// `key` becomes `value`, attached to no lease.
    pub fn new(key: &[u8], value: &[u8]) -> Self {
        Self {
            key: key.to_vec(),
            value: value.to_vec(),
            ..Self::default()
        }
    }
}

impl PutRequest {
    /// The same, borrowed.
    pub(crate) fn as_ref(&self) -> PutRef<'_> {
        PutRef {
            key: &self.key,
            value: &self.value,
            lease: self.lease,
            prev_kv: self.prev_kv,
            ignore_value: self.ignore_value,
            ignore_lease: self.ignore_lease,
        }
    }
}

/// A [`PutRequest`] whose bytes belong to somebody else: a plain put copies its key and value only
/// to where they stay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PutRef<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) lease: i64,
    pub(crate) prev_kv: bool,
    pub(crate) ignore_value: bool,
    pub(crate) ignore_lease: bool,
}

/// The answer to a put.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutResponse {
    /// The revision that the put made.
    pub revision: i64,
    /// What the key was before, if that was asked for and it existed.
    pub prev_kv: Option<KeyValue>,
    /// Whether this, and all before it, was safe from a loss of power when it was answered. Of an
    /// operation in a transaction the transaction's own answer says it, and this is false.
    pub durable: bool,
}

/// The order of the answer to a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortOrder {
    /// By key, or ascending if the target is not the key.
    #[default]
    None,
    /// Smallest first.
    Ascend,
    /// Largest first.
    Descend,
}

/// What the answer to a range is ordered by. Equals stay in key order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortTarget {
    /// The key, bytewise.
    #[default]
    Key,
    /// [`KeyValue::version`].
    Version,
    /// [`KeyValue::create_revision`].
    Create,
    /// [`KeyValue::mod_revision`].
    Mod,
    /// The value, bytewise.
    Value,
}

/// Asks for keys.
///
/// Evaluated in this order: the revision bounds filter, then comes the sort, then the limit, and
/// `keys_only` takes the values away last. As in etcd, a limit without a sort order or a revision
/// bound cuts before the sort, so say [`SortOrder::Ascend`] for the least of all keys by another
/// target than the key.
///
/// ```
/// use revwatch::{KeyRange, Options, RangeRequest, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// for key in [b"a", b"b", b"c"] {
///     store.put(key, b"").unwrap();
/// }
/// let response = store.range(&RangeRequest { limit: 2, ..RangeRequest::new(KeyRange::All) }).unwrap();
/// assert_eq!((response.kvs.len(), response.count, response.more), (2, 3, true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeRequest {
    /// Which keys.
    pub range: KeyRange,
    /// As of which revision; 0 or negative for the current one.
    pub revision: i64,
    /// At most so many; 0 or negative for all.
    pub limit: i64,
    /// In which direction to sort.
    pub sort_order: SortOrder,
    /// What to sort by.
    pub sort_target: SortTarget,
    /// Leave the values out.
    pub keys_only: bool,
    /// Only count; the limit and the revision bounds do not matter then.
    pub count_only: bool,
    /// Leave out keys changed before this revision; 0 for no bound.
    pub min_mod_revision: i64,
    /// Leave out keys changed after this revision; 0 for no bound.
    pub max_mod_revision: i64,
    /// Leave out keys created before this revision; 0 for no bound.
    pub min_create_revision: i64,
    /// Leave out keys created after this revision; 0 for no bound.
    pub max_create_revision: i64,
}

impl RangeRequest {
    /// All of `range` as it is now, in key order.
    pub fn new(range: KeyRange) -> Self {
        Self {
            range,
            revision: 0,
            limit: 0,
            sort_order: SortOrder::None,
            sort_target: SortTarget::Key,
            keys_only: false,
            count_only: false,
            min_mod_revision: 0,
            max_mod_revision: 0,
            min_create_revision: 0,
            max_create_revision: 0,
        }
    }
}

/// The answer to a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeResponse {
    /// The store's current revision, also when an older one was read.
    pub revision: i64,
    /// The keys, in the order asked for.
    pub kvs: Vec<KeyValue>,
    /// Whether the limit left some out.
    pub more: bool,
    /// How many keys are in the range at that revision, whatever the limit and revision bounds.
    pub count: i64,
}

/// Deletes keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteRangeRequest {
    /// Which keys.
    pub range: KeyRange,
    /// Whether to answer with what was deleted.
    pub prev_kv: bool,
}

impl DeleteRangeRequest {
    /// Deletes all of `range`.
    pub fn new(range: KeyRange) -> Self {
        Self {
            range,
            prev_kv: false,
        }
    }
}

/// The answer to a delete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteRangeResponse {
    /// The store's revision after the delete; one higher than before if it deleted something.
    pub revision: i64,
    /// How many keys were deleted.
    pub deleted: i64,
    /// What was deleted, in key order, if that was asked for.
    pub prev_kvs: Vec<KeyValue>,
    /// Whether this, and all before it, was safe from a loss of power when it was answered. Of an
    /// operation in a transaction the transaction's own answer says it, and this is false.
    pub durable: bool,
}
