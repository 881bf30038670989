//! Keys with their values, and the events that change them.

use alloc::vec::Vec;

/// A key with its value and the revisions that made it, owned.
///
/// ```
/// use revwatch::{Options, Store};
///
/// let mut store = Store::in_memory(Options::default());
/// store.put(b"hello", b"world1").unwrap();
/// store.put(b"hello", b"world2").unwrap();
/// let kv = store.get(b"hello").unwrap().unwrap();
/// assert_eq!((kv.create_revision, kv.mod_revision, kv.version), (2, 3, 2));
/// assert_eq!(kv.value, b"world2");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyValue {
    /// The key, never empty.
    pub key: Vec<u8>,
    /// The value; empty is a value too.
    pub value: Vec<u8>,
    /// The revision of the put that created the key (0 in the event of a delete).
    pub create_revision: i64,
    /// The revision of the change that this is the result of.
    pub mod_revision: i64,
    /// How many puts the key has seen since it was created: 1 after the first (0 in a delete).
    pub version: i64,
    /// The lease that the key is attached to, or 0.
    pub lease: i64,
}

impl KeyValue {
    /// Bytes of its key and value.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> KeyValueRef<'_> {
        KeyValueRef {
            key: &self.key,
            value: &self.value,
            create_revision: self.create_revision,
            mod_revision: self.mod_revision,
            version: self.version,
            lease: self.lease,
        }
    }
}

/// A [`KeyValue`] whose bytes belong to somebody else.
///
/// ```
/// use revwatch::KeyValue;
///
/// let owned = KeyValue { key: b"k".to_vec(), ..KeyValue::default() };
/// assert_eq!(owned.as_ref().to_owned(), owned);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyValueRef<'a> {
    /// The key, never empty.
    pub key: &'a [u8],
    /// The value; empty is a value too.
    pub value: &'a [u8],
    /// The revision of the put that created the key (0 in the event of a delete).
    pub create_revision: i64,
    /// The revision of the change that this is the result of.
    pub mod_revision: i64,
    /// How many puts the key has seen since it was created: 1 after the first (0 in a delete).
    pub version: i64,
    /// The lease that the key is attached to, or 0.
    pub lease: i64,
}

impl KeyValueRef<'_> {
    /// Bytes of its key and value.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }

    /// A copy that owns its bytes.
    pub fn to_owned(&self) -> KeyValue {
        KeyValue {
            key: self.key.to_vec(),
            value: self.value.to_vec(),
            create_revision: self.create_revision,
            mod_revision: self.mod_revision,
            version: self.version,
            lease: self.lease,
        }
    }
}

/// What happened to a key, and its state after that.
pub(crate) type Change<'a> = (EventKind, KeyValueRef<'a>);

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The key was created or changed; the event carries all of the new [`KeyValue`].
    Put,
    /// The key was deleted; the event carries the key and `mod_revision` only.
    Delete,
}

/// One change of one key, as watchers see it.
///
/// ```
/// use revwatch::{Event, EventKind, KeyValue};
///
/// let kv = KeyValue { key: b"k".to_vec(), mod_revision: 5, ..KeyValue::default() };
/// let event = Event { kind: EventKind::Delete, kv, prev_kv: None };
/// assert_eq!(event.kv.version, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The key's state after the change.
    pub kv: KeyValue,
    /// The key's state before the transaction, if the watcher asked for it, the key existed and
    /// compaction has not taken it.
    pub prev_kv: Option<KeyValue>,
}

impl Event {
    /// Bytes of its keys and values, with those of what the key was before.
    pub(crate) fn bytes(&self) -> usize {
        let before = self.prev_kv.as_ref().map_or(0, KeyValue::bytes);
        self.kv.bytes() + before
    }
}
