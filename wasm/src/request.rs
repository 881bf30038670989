//! What is asked of keys, and what is answered.

use revwatch::{
    DeleteRangeRequest, DeleteRangeResponse, KeyRange, PutRequest, PutResponse, RangeRequest,
    RangeResponse, SortOrder, SortTarget,
};

use crate::error::Malformed;
use crate::record::{write_kvs, write_optional_kv};
use crate::wire::{Reader, Writer};

/// Which keys: etcd's pair, or the prefix or first key that etcd's clients make such a pair of.
pub fn read_key_range(reader: &mut Reader<'_>) -> Result<KeyRange, Malformed> {
    match reader.byte()? {
        0 => Ok(KeyRange::from_etcd(reader.bytes()?, reader.bytes()?)),
        1 => Ok(KeyRange::prefix(reader.bytes()?)),
        2 => Ok(KeyRange::from_key(reader.bytes()?)),
        _ => Err(Malformed),
    }
}

/// A put.
pub fn read_put(reader: &mut Reader<'_>) -> Result<PutRequest, Malformed> {
    Ok(PutRequest {
        key: reader.bytes()?.to_vec(),
        value: reader.bytes()?.to_vec(),
        lease: reader.int()?,
        prev_kv: reader.flag()?,
        ignore_value: reader.flag()?,
        ignore_lease: reader.flag()?,
    })
}

/// The answer to a put.
pub fn write_put(writer: &mut Writer, response: &PutResponse) {
    writer.int(response.revision);
    write_optional_kv(
        writer,
        response.prev_kv.as_ref().map(revwatch::KeyValue::as_ref),
    );
}

/// A range.
pub fn read_range(reader: &mut Reader<'_>) -> Result<RangeRequest, Malformed> {
    Ok(RangeRequest {
        range: read_key_range(reader)?,
        revision: reader.int()?,
        limit: reader.int()?,
        sort_order: match reader.byte()? {
            0 => SortOrder::None,
            1 => SortOrder::Ascend,
            2 => SortOrder::Descend,
            _ => return Err(Malformed),
        },
        sort_target: match reader.byte()? {
            0 => SortTarget::Key,
            1 => SortTarget::Version,
            2 => SortTarget::Create,
            3 => SortTarget::Mod,
            4 => SortTarget::Value,
            _ => return Err(Malformed),
        },
        keys_only: reader.flag()?,
        count_only: reader.flag()?,
        min_mod_revision: reader.int()?,
        max_mod_revision: reader.int()?,
        min_create_revision: reader.int()?,
        max_create_revision: reader.int()?,
    })
}

/// The answer to a range.
pub fn write_range(writer: &mut Writer, response: &RangeResponse) {
    writer
        .int(response.revision)
        .int(response.count)
        .flag(response.more);
    write_kvs(writer, &response.kvs);
}

/// A delete.
pub fn read_delete_range(reader: &mut Reader<'_>) -> Result<DeleteRangeRequest, Malformed> {
    Ok(DeleteRangeRequest {
        range: read_key_range(reader)?,
        prev_kv: reader.flag()?,
    })
}

/// The answer to a delete.
pub fn write_delete_range(writer: &mut Writer, response: &DeleteRangeResponse) {
    writer.int(response.revision).int(response.deleted);
    write_kvs(writer, &response.prev_kvs);
}
