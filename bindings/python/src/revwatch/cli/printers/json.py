"""`-w json`: one line for each answer, bytes in base64, as Go writes etcd's messages.

Fields that are zero are left out, except where etcd's client keeps them (leases, watch). The
header holds the revision alone.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from ...types import (
    CursorReport,
    DeleteRangeResponse,
    Event,
    FollowEvents,
    FollowReset,
    FollowResponse,
    FollowState,
    FollowSynced,
    KeyValue,
    LeaseGrantResponse,
    LeaseTimeToLive,
    OpResponse,
    PutResponse,
    RangeResponse,
    Status,
    TxnResponse,
    WatchResponse,
)
from .base import Facts, emit, status_fields

Fields = dict[str, Any]


class JsonPrinter:
    """etcdctl's JSON; our own verbs follow its manner."""

    def put(self, answer: PutResponse) -> None:
        """With `prev_kv` if there is one."""
        _emit(_put(answer))

    def range(self, answer: RangeResponse) -> None:
        """With `kvs`, `more` and `count`."""
        _emit(_range(answer))

    def delete_range(self, answer: DeleteRangeResponse) -> None:
        """With `deleted` and `prev_kvs`."""
        _emit(_delete_range(answer))

    def txn(self, answer: TxnResponse) -> None:
        """With `succeeded` and `responses`."""
        _emit(_txn(answer))

    def watch(self, answer: WatchResponse) -> None:
        """All fields, in capitals, as etcd's client has them."""
        refused = answer.canceled and not answer.compact_revision
        _emit(
            {
                "Header": _set(revision=answer.revision),
                "Events": None if refused else list(map(_event, answer.events)),
                "CompactRevision": answer.compact_revision,
                "Canceled": answer.canceled,
                "Created": answer.created,
            }
        )

    def lease_grant(self, answer: LeaseGrantResponse) -> None:
        """Id and time in seconds."""
        ttl = answer.ttl_ms // 1000
        _emit({"revision": answer.revision, "ID": answer.id, "TTL": ttl, "Error": ""})

    def lease_revoke(self, lease: int, revision: int) -> None:
        """The header."""
        _emit({"header": {"revision": revision}})

    def lease_keep_alive(self, lease: int, ttl: int, revision: int) -> None:
        """Id and time in seconds."""
        _emit({"revision": revision, "ID": lease, "TTL": ttl})

    def lease_ended(self, lease: int) -> None:
        """Nothing, as etcdctl."""

    def lease_time_to_live(self, answer: LeaseTimeToLive, revision: int, keys: bool) -> None:
        """Times in seconds; no keys are null."""
        _emit(
            {
                "revision": revision,
                "id": answer.id,
                "ttl": answer.ttl_ms // 1000 if answer.ttl_ms >= 0 else -1,
                "granted-ttl": answer.granted_ttl_ms // 1000,
                "keys": list(map(_bytes, answer.keys)) or None,
            }
        )

    def leases(self, leases: list[int], revision: int) -> None:
        """A list of ids."""
        _emit({"revision": revision, "leases": [{"id": lease} for lease in leases]})

    def status(self, status: Status) -> None:
        """All numbers by name."""
        _emit(status_fields(status))

    def facts(self, facts: Facts) -> None:
        """All by name."""
        _emit(
            {
                name: value
                if isinstance(value, int)
                else [_bytes(it) if isinstance(it, bytes) else it for it in value]
                for name, value in facts.items()
            }
        )

    def checked(self, problem: str) -> None:
        """Whether all is well, and what is not."""
        _emit({"ok": False, "problem": problem} if problem else {"ok": True})

    def history(self, revision: int, events: list[Event]) -> None:
        """One line for each revision."""
        _emit({"revision": revision, "events": list(map(_event, events))})

    def cursors(self, reports: list[CursorReport]) -> None:
        """One line for each cursor."""
        for report in reports:
            _emit(
                {
                    "name": _bytes(report.name),
                    "key": _bytes(report.key),
                    "range_end": _bytes(report.range_end),
                    "acked_revision": report.acked_revision,
                    "lag_revisions": report.lag_revisions,
                    "hold": report.hold,
                }
            )

    def follow(self, answer: FollowResponse) -> None:
        """One line for each answer, with its kind first."""
        if isinstance(answer, FollowState):
            _emit({"type": "state", "kvs": list(map(_kv, answer.kvs))})
        elif isinstance(answer, FollowSynced):
            _emit({"type": "synced", "revision": answer.revision})
        elif isinstance(answer, FollowEvents):
            events = list(map(_event, answer.events))
            _emit({"type": "events", "revision": answer.revision, "events": events})
        elif isinstance(answer, FollowReset):
            _emit({"type": "reset", "revision": answer.revision})


def _emit(fields: Fields) -> None:
    emit(json.dumps(fields, separators=(",", ":")) + "\n")


def _set(**fields: object) -> Fields:
    """The fields that are not zero."""
    return {name: value for name, value in fields.items() if value}


def _bytes(data: bytes) -> str:
    return b64encode(data).decode()


def _header(revision: int) -> Fields:
    return {"header": _set(revision=revision)}


def _kv(kv: KeyValue) -> Fields:
    return _set(
        key=_bytes(kv.key),
        create_revision=kv.create_revision,
        mod_revision=kv.mod_revision,
        version=kv.version,
        value=_bytes(kv.value),
        lease=kv.lease,
    )


def _event(event: Event) -> Fields:
    prev_kv = _kv(event.prev_kv) if event.prev_kv else None
    return _set(type=int(event.type == "DELETE"), kv=_kv(event.kv), prev_kv=prev_kv)


def _put(answer: PutResponse) -> Fields:
    prev_kv = _kv(answer.prev_kv) if answer.prev_kv else None
    return _header(answer.revision) | _set(prev_kv=prev_kv)


def _range(answer: RangeResponse) -> Fields:
    kvs = list(map(_kv, answer.kvs))
    return _header(answer.revision) | _set(kvs=kvs, more=answer.more, count=answer.count)


def _delete_range(answer: DeleteRangeResponse) -> Fields:
    prev_kvs = list(map(_kv, answer.prev_kvs))
    return _header(answer.revision) | _set(deleted=answer.deleted, prev_kvs=prev_kvs)


def _txn(answer: TxnResponse) -> Fields:
    responses = [{"Response": _op(response)} for response in answer.responses]
    return _header(answer.revision) | _set(succeeded=answer.succeeded, responses=responses)


def _op(answer: OpResponse) -> Fields:
    if isinstance(answer, PutResponse):
        return {"ResponsePut": _put(answer)}
    if isinstance(answer, RangeResponse):
        return {"ResponseRange": _range(answer)}
    if isinstance(answer, DeleteRangeResponse):
        return {"ResponseDeleteRange": _delete_range(answer)}
    return {"ResponseTxn": _txn(answer)}
