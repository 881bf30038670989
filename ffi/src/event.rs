//! Events, as C reads them.

use revwatch_core::{EventKind, KeyValueRef};

use crate::key_value::revwatch_key_value;

/// The type of an event: the key was created or changed; `kv` is all of it.
pub const REVWATCH_EVENT_PUT: i32 = 0;
/// The type of an event: the key was deleted; `kv` has its key and mod_revision only.
pub const REVWATCH_EVENT_DELETE: i32 = 1;

/// One change of one key.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct revwatch_event {
    /// REVWATCH_EVENT_PUT or REVWATCH_EVENT_DELETE.
    pub r#type: i32,
    /// 1 if prev_kv was asked for, the key existed and compaction has not taken it; otherwise 0,
    /// and prev_kv is all zeros.
    pub has_prev_kv: i32,
    /// The key's state after the change.
    pub kv: revwatch_key_value,
    /// The key's state before the transaction.
    pub prev_kv: revwatch_key_value,
}

impl revwatch_event {
    /// Points into whatever `kv` and `prev_kv` borrow from.
    pub(crate) fn of(
        kind: EventKind,
        kv: KeyValueRef<'_>,
        prev_kv: Option<KeyValueRef<'_>>,
    ) -> Self {
        Self {
            r#type: match kind {
                EventKind::Put => REVWATCH_EVENT_PUT,
                EventKind::Delete => REVWATCH_EVENT_DELETE,
            },
            has_prev_kv: i32::from(prev_kv.is_some()),
            kv: revwatch_key_value::of(kv),
            prev_kv: prev_kv.map_or_else(revwatch_key_value::none, revwatch_key_value::of),
        }
    }
}
