"""What every printer can print, and how it reaches stdout."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from ...types import (
    CursorReport,
    DeleteRangeResponse,
    Event,
    FollowResponse,
    LeaseGrantResponse,
    LeaseTimeToLive,
    PutResponse,
    RangeResponse,
    Status,
    TxnResponse,
    WatchResponse,
)


def emit(text: str) -> None:
    """Writes to stdout, at once, so that a pipe sees every event when it happens."""
    if sys.stdout is None:
        return
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def decode(data: bytes) -> str:
    """The text that `emit` turns back into these bytes."""
    return data.decode("utf-8", "surrogateescape")


Facts: TypeAlias = Mapping[str, int | Sequence[int | str | bytes]]
"""Numbers and lists, by name."""


def status_fields(status: Status) -> dict[str, int]:
    """What `status` says of a store, by name."""
    return {
        "revision": status.revision,
        "compact_revision": status.compact_revision,
        "epoch": status.epoch,
        "keys": status.keys,
        "leases": status.leases,
        "size_in_use": status.size_in_use,
        "size_allocated": status.size_allocated,
    }


class Printer(Protocol):
    """An output format. A lease's times are in seconds, as on the command line."""

    def put(self, answer: PutResponse) -> None:
        """The answer to put."""

    def range(self, answer: RangeResponse) -> None:
        """The answer to get."""

    def delete_range(self, answer: DeleteRangeResponse) -> None:
        """The answer to del."""

    def txn(self, answer: TxnResponse) -> None:
        """The answer to txn, with those of its requests."""

    def watch(self, answer: WatchResponse) -> None:
        """Events, or the end of a watch."""

    def lease_grant(self, answer: LeaseGrantResponse) -> None:
        """The answer to lease grant."""

    def lease_revoke(self, lease: int, revision: int) -> None:
        """The answer to lease revoke."""

    def lease_keep_alive(self, lease: int, ttl: int, revision: int) -> None:
        """A renewal."""

    def lease_ended(self, lease: int) -> None:
        """There is nothing more to renew."""

    def lease_time_to_live(self, answer: LeaseTimeToLive, revision: int, keys: bool) -> None:
        """The answer to lease timetolive; `keys` says whether they were asked for."""

    def leases(self, leases: list[int], revision: int) -> None:
        """The answer to lease list."""

    def status(self, status: Status) -> None:
        """The state of the store."""

    def facts(self, facts: Facts) -> None:
        """What there is to know about something, by name."""

    def checked(self, problem: str) -> None:
        """The outcome of check; no problem is the empty text."""

    def history(self, revision: int, events: list[Event]) -> None:
        """What one revision changed."""

    def cursors(self, reports: list[CursorReport]) -> None:
        """Cursors, and how far they have come."""

    def follow(self, answer: FollowResponse) -> None:
        """State, the end of it, changes, or that the state comes anew."""
