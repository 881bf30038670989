//! Keys, values and events in answers.

use revwatch::{EventKind, KeyValue, KeyValueRef, ResumeToken};

use crate::error::Malformed;
use crate::wire::{Reader, Writer};

/// A key with its value.
pub fn write_kv(writer: &mut Writer, kv: KeyValueRef<'_>) {
    writer.bytes(kv.key).bytes(kv.value);
    writer
        .int(kv.create_revision)
        .int(kv.mod_revision)
        .int(kv.version)
        .int(kv.lease);
}

/// Keys with their values.
pub fn write_kvs(writer: &mut Writer, kvs: &[KeyValue]) {
    writer.list(kvs.iter(), |writer, kv| write_kv(writer, kv.as_ref()));
}

/// A key with its value, if there is one.
pub fn write_optional_kv(writer: &mut Writer, kv: Option<KeyValueRef<'_>>) {
    writer.flag(kv.is_some());
    if let Some(kv) = kv {
        write_kv(writer, kv);
    }
}

/// One event.
pub fn write_event(
    writer: &mut Writer,
    kind: EventKind,
    kv: KeyValueRef<'_>,
    prev_kv: Option<KeyValueRef<'_>>,
) {
    writer.flag(kind == EventKind::Delete);
    write_kv(writer, kv);
    write_optional_kv(writer, prev_kv);
}

/// A point in history, if one is given.
pub fn read_resume_token(reader: &mut Reader<'_>) -> Result<Option<ResumeToken>, Malformed> {
    if !reader.flag()? {
        return Ok(None);
    }
    Ok(Some(ResumeToken {
        epoch: reader.int()?,
        revision: reader.int()?,
    }))
}
