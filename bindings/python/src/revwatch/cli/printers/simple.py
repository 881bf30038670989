"""`-w simple`: keys and values on lines of their own."""

from __future__ import annotations

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
    PutResponse,
    RangeResponse,
    Status,
    TxnResponse,
    WatchResponse,
)
from .base import Facts, decode, emit, status_fields


class SimplePrinter:
    """etcdctl's simple format; with `--hex` bytes are `\\x6b`."""

    def __init__(self, *, hexadecimal: bool, values_only: bool) -> None:
        """`values_only` leaves out the keys."""
        self._hexadecimal = hexadecimal
        self._values_only = values_only

    def put(self, answer: PutResponse) -> None:
        """OK, and what was before."""
        emit(self._put(answer))

    def range(self, answer: RangeResponse) -> None:
        """Keys and values."""
        emit(self._kvs(answer.kvs))

    def delete_range(self, answer: DeleteRangeResponse) -> None:
        """How many, and what they were."""
        emit(self._delete_range(answer))

    def txn(self, answer: TxnResponse) -> None:
        """Which branch, then the answers, each after an empty line."""
        text = "SUCCESS\n" if answer.succeeded else "FAILURE\n"
        for response in answer.responses:
            text += "\n"
            if isinstance(response, PutResponse):
                text += self._put(response)
            elif isinstance(response, RangeResponse):
                text += self._kvs(response.kvs)
            elif isinstance(response, DeleteRangeResponse):
                text += self._delete_range(response)
        emit(text)

    def watch(self, answer: WatchResponse) -> None:
        """PUT or DELETE, what was before, what is now."""
        emit(self._events(answer.events))

    def lease_grant(self, answer: LeaseGrantResponse) -> None:
        """Id and time."""
        emit(f"lease {_id(answer.id)} granted with TTL({answer.ttl_ms // 1000}s)\n")

    def lease_revoke(self, lease: int, revision: int) -> None:
        """The id."""
        emit(f"lease {_id(lease)} revoked\n")

    def lease_keep_alive(self, lease: int, ttl: int, revision: int) -> None:
        """Id and time."""
        emit(f"lease {_id(lease)} keepalived with TTL({ttl})\n")

    def lease_ended(self, lease: int) -> None:
        """The id."""
        emit(f"lease {_id(lease)} expired or revoked.\n")

    def lease_time_to_live(self, answer: LeaseTimeToLive, revision: int, keys: bool) -> None:
        """Id, times, keys."""
        if answer.ttl_ms < 0:
            emit(f"lease {_id(answer.id)} already expired\n")
            return
        granted, left = answer.granted_ttl_ms // 1000, answer.ttl_ms // 1000
        text = f"lease {_id(answer.id)} granted with TTL({granted}s), remaining({left}s)"
        if keys:
            text += f", attached keys([{' '.join(map(decode, answer.keys))}])"
        emit(f"{text}\n")

    def leases(self, leases: list[int], revision: int) -> None:
        """How many, and their ids."""
        emit(f"found {len(leases)} leases\n" + "".join(f"{_id(lease)}\n" for lease in leases))

    def status(self, status: Status) -> None:
        """A name and a number on each line."""
        emit("".join(f"{name} {value}\n" for name, value in status_fields(status).items()))

    def facts(self, facts: Facts) -> None:
        """A name and what is said of it on each line."""
        for name, value in facts.items():
            values = [value] if isinstance(value, int) else value
            words = (self._bytes(it) if isinstance(it, bytes) else str(it) for it in values)
            emit(" ".join([name, *words]) + "\n")

    def checked(self, problem: str) -> None:
        """Says ok; a problem goes to stderr."""
        if not problem:
            emit("ok\n")

    def history(self, revision: int, events: list[Event]) -> None:
        """The revision, then its changes as a watch prints them."""
        emit(f"revision {revision}\n" + self._events(events))

    def cursors(self, reports: list[CursorReport]) -> None:
        """The name, then its range, then the numbers by name."""
        for report in reports:
            words = [report.key, report.range_end] if report.range_end else [report.key]
            emit(
                f"{self._bytes(report.name)}\nrange {' '.join(map(self._bytes, words))}\n"
                f"acked_revision {report.acked_revision}\nlag_revisions {report.lag_revisions}\n"
                f"hold {int(report.hold)}\n"
            )

    def follow(self, answer: FollowResponse) -> None:
        """The state as get prints it, `synced R`, then changes as a watch prints them."""
        if isinstance(answer, FollowState):
            emit(self._kvs(answer.kvs))
        elif isinstance(answer, FollowSynced):
            emit(f"synced {answer.revision}\n")
        elif isinstance(answer, FollowEvents):
            emit(self._events(answer.events))
        elif isinstance(answer, FollowReset):
            emit(f"reset {answer.revision}\n")

    def _put(self, answer: PutResponse) -> str:
        return "OK\n" + self._kvs([answer.prev_kv] if answer.prev_kv else [])

    def _delete_range(self, answer: DeleteRangeResponse) -> str:
        return f"{answer.deleted}\n" + self._kvs(answer.prev_kvs)

    def _events(self, events: list[Event]) -> str:
        return "".join(
            f"{event.type}\n" + self._kvs([kv for kv in (event.prev_kv, event.kv) if kv])
            for event in events
        )

    def _kvs(self, kvs: list[KeyValue]) -> str:
        lines = []
        for kv in kvs:
            if not self._values_only:
                lines.append(self._bytes(kv.key))
            lines.append(self._bytes(kv.value))
        return "".join(f"{line}\n" for line in lines)

    def _bytes(self, data: bytes) -> str:
        return "".join(f"\\x{byte:02x}" for byte in data) if self._hexadecimal else decode(data)


def _id(lease: int) -> str:
    return f"{lease:016x}"
