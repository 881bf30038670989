"""Structures of the library become Python values: all that a call answered, in one go."""

from __future__ import annotations

from typing import Any

from ._native import NULL, ffi
from .types import (
    DeleteRangeResponse,
    Event,
    KeyValue,
    PutResponse,
    RangeResponse,
)

_unpack = ffi.unpack


def key_value(kv: Any) -> KeyValue:
    """One key with its value, copied."""
    key_len, value_len = kv.key_len, kv.value_len
    return KeyValue(
        _unpack(kv.key, key_len) if key_len else b"",
        _unpack(kv.value, value_len) if value_len else b"",
        kv.create_revision,
        kv.mod_revision,
        kv.version,
        kv.lease,
    )


def key_values(array: Any, length: int) -> list[KeyValue]:
    """An array of them."""
    return [key_value(kv) for kv in _unpack(array, length)] if length else []


def events(array: Any, length: int) -> list[Event]:
    """An array of events."""
    if not length:
        return []
    return [
        Event(
            "DELETE" if event.type else "PUT",
            key_value(event.kv),
            key_value(event.prev_kv) if event.has_prev_kv else None,
        )
        for event in _unpack(array, length)
    ]


def put_response(result: Any) -> PutResponse:
    """The answer to a put."""
    prev_kv = result.prev_kv
    return PutResponse(result.revision, None if prev_kv == NULL else key_value(prev_kv))


def range_response(result: Any) -> RangeResponse:
    """The answer to a range."""
    kvs = key_values(result.kvs, result.kvs_len)
    return RangeResponse(result.revision, kvs, bool(result.more), result.count)


def delete_range_response(result: Any) -> DeleteRangeResponse:
    """The answer to a delete."""
    prev_kvs = key_values(result.prev_kvs, result.prev_kvs_len)
    return DeleteRangeResponse(result.revision, result.deleted, prev_kvs)
