//! Keys with their values, as C reads them.

use std::ptr;

use revwatch_core::{KeyValue, KeyValueRef};

/// A key with its value and the revisions that made it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_key_value {
    /// The key, never empty.
    pub key: *const u8,
    /// Bytes in the key.
    pub key_len: usize,
    /// The value; empty is a value too.
    pub value: *const u8,
    /// Bytes in the value.
    pub value_len: usize,
    /// The revision of the put that created the key (0 in the event of a delete).
    pub create_revision: i64,
    /// The revision of the change that this is the result of.
    pub mod_revision: i64,
    /// How many puts the key has seen since it was created (0 in the event of a delete).
    pub version: i64,
    /// The lease that the key is attached to, or 0.
    pub lease: i64,
}

impl revwatch_key_value {
    /// All zeros: what stands where there is no key.
    pub(crate) fn none() -> Self {
        Self {
            key: ptr::null(),
            value: ptr::null(),
            ..Self::of(KeyValueRef::default())
        }
    }

    /// Points into whatever `kv` borrows from.
    pub(crate) fn of(kv: KeyValueRef<'_>) -> Self {
        Self {
            key: kv.key.as_ptr(),
            key_len: kv.key.len(),
            value: kv.value.as_ptr(),
            value_len: kv.value.len(),
            create_revision: kv.create_revision,
            mod_revision: kv.mod_revision,
            version: kv.version,
            lease: kv.lease,
        }
    }
}

/// Key-values for C, with the keys and values that they point into.
pub(crate) struct KeyValues {
    pub(crate) seen: Vec<revwatch_key_value>,
    _owned: Vec<KeyValue>,
}

impl From<Vec<KeyValue>> for KeyValues {
    fn from(owned: Vec<KeyValue>) -> Self {
        // The bytes are on the heap: moving the vector does not move them.
        let seen = owned
            .iter()
            .map(|kv| revwatch_key_value::of(kv.as_ref()))
            .collect();
        Self {
            seen,
            _owned: owned,
        }
    }
}
