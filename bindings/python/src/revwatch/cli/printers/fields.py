"""`-w fields`: a name and a value on each line, names and texts in double quotes."""

from __future__ import annotations

from ...types import (
    CursorReport,
    DeleteRangeResponse,
    Event,
    FollowResponse,
    KeyValue,
    LeaseGrantResponse,
    LeaseTimeToLive,
    PutResponse,
    RangeResponse,
    Status,
    TxnResponse,
    WatchResponse,
)
from ..exits import CommandError, Exit
from ..go_syntax import quote
from .base import Facts, emit


class FieldsPrinter:
    """etcdctl's fields."""

    def put(self, answer: PutResponse) -> None:
        """With what was before."""
        emit(_put(answer))

    def range(self, answer: RangeResponse) -> None:
        """Keys, then More and Count."""
        emit(_range(answer))

    def delete_range(self, answer: DeleteRangeResponse) -> None:
        """How many, and what they were."""
        emit(_delete_range(answer))

    def txn(self, answer: TxnResponse) -> None:
        """Which branch, then the answers."""
        text = _lines(Revision=answer.revision, Succeeded=answer.succeeded)
        for response in answer.responses:
            if isinstance(response, PutResponse):
                text += _put(response)
            elif isinstance(response, RangeResponse):
                text += _range(response)
            elif isinstance(response, DeleteRangeResponse):
                text += _delete_range(response)
        emit(text)

    def watch(self, answer: WatchResponse) -> None:
        """The store's revision, then the events."""
        text = _lines(Revision=answer.revision)
        for event in answer.events:
            text += _lines(Type=event.type)
            if event.prev_kv:
                text += _kv("Prev", event.prev_kv)
            text += _kv("", event.kv)
        emit(text)

    def lease_grant(self, answer: LeaseGrantResponse) -> None:
        """Id and time."""
        emit(_lines(Revision=answer.revision, ID=answer.id, TTL=answer.ttl_ms // 1000))

    def lease_revoke(self, lease: int, revision: int) -> None:
        """The revision."""
        emit(_lines(Revision=revision))

    def lease_keep_alive(self, lease: int, ttl: int, revision: int) -> None:
        """Id and time."""
        emit(_lines(Revision=revision, ID=lease, TTL=ttl))

    def lease_ended(self, lease: int) -> None:
        """Nothing, as etcdctl."""

    def lease_time_to_live(self, answer: LeaseTimeToLive, revision: int, keys: bool) -> None:
        """Times, then keys."""
        left = answer.ttl_ms // 1000 if answer.ttl_ms >= 0 else -1
        granted = answer.granted_ttl_ms // 1000
        text = _lines(Revision=revision, ID=answer.id, TTL=left, GrantedTTL=granted)
        emit(text + "".join(_lines(Key=quote(key)) for key in answer.keys))

    def leases(self, leases: list[int], revision: int) -> None:
        """The ids."""
        emit(_lines(Revision=revision) + "".join(_lines(ID=lease) for lease in leases))

    def status(self, status: Status) -> None:
        """Not in this format."""
        raise _unsupported()

    def facts(self, facts: Facts) -> None:
        """Not in this format."""
        raise _unsupported()

    def checked(self, problem: str) -> None:
        """Not in this format."""
        raise _unsupported()

    def history(self, revision: int, events: list[Event]) -> None:
        """Not in this format."""
        raise _unsupported()

    def cursors(self, reports: list[CursorReport]) -> None:
        """Not in this format."""
        raise _unsupported()

    def follow(self, answer: FollowResponse) -> None:
        """Not in this format."""
        raise _unsupported()


def _unsupported() -> CommandError:
    message = "--write-out=fields: this command has only simple and json"
    return CommandError(Exit.BAD_FEATURE, message)


def _lines(**fields: object) -> str:
    return "".join(f'"{name}" : {_plain(value)}\n' for name, value in fields.items())


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kv(prefix: str, kv: KeyValue) -> str:
    fields = {
        "Key": quote(kv.key),
        "CreateRevision": kv.create_revision,
        "ModRevision": kv.mod_revision,
        "Version": kv.version,
        "Value": quote(kv.value),
        "Lease": kv.lease,
    }
    return _lines(**{prefix + name: value for name, value in fields.items()})


def _put(answer: PutResponse) -> str:
    text = _lines(Revision=answer.revision)
    return text + _kv("Prev", answer.prev_kv) if answer.prev_kv else text


def _range(answer: RangeResponse) -> str:
    kvs = "".join(_kv("", kv) for kv in answer.kvs)
    return _lines(Revision=answer.revision) + kvs + _lines(More=answer.more, Count=answer.count)


def _delete_range(answer: DeleteRangeResponse) -> str:
    text = _lines(Revision=answer.revision, Deleted=answer.deleted)
    return text + "".join(_kv("Prev", kv) for kv in answer.prev_kvs)
