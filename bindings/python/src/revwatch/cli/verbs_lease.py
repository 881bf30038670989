"""lease grant, revoke, keep-alive, timetolive and list.

A file has no server that would let leases expire: time passes for them while some program has the
store open for writing, and each writing command lets expire what is due.
"""

from __future__ import annotations

import time

from .call import Call, Verb
from .endless import check_stdout
from .exits import CommandError, Exit, UsageError
from .flags import Flag
from .go_syntax import parse_int
from .requests import parse_lease


def _grant(call: Call) -> None:
    try:
        ttl = parse_int(_only_argument(call, "grant TTL"), 10)
    except ValueError as error:
        raise UsageError(f"lease grant: the time in seconds {error}") from None
    with call.writing() as store:
        answer = store.lease_grant(max(ttl, 0) * 1000)
    call.printer.lease_grant(answer)


def _revoke(call: Call) -> None:
    lease = parse_lease(_only_argument(call, "revoke ID"))
    with call.writing() as store:
        revision = store.lease_revoke(lease)
    call.printer.lease_revoke(lease, revision)


def _keep_alive(call: Call) -> None:
    lease = parse_lease(_only_argument(call, "keep-alive ID"))
    once = call.flags.on("once")
    while ttl_ms := _renew(call, lease):
        if once:
            return
        time.sleep(ttl_ms / 3000)
        check_stdout()
    if once:
        raise CommandError(
            Exit.NO_LEASE,
            f"lease keep-alive: there is no lease {lease:016x}; see lease list for those that are",
        )
    call.printer.lease_ended(lease)


def _renew(call: Call, lease: int) -> int:
    """Renews and says so; the time in milliseconds, or 0 if there is no such lease."""
    with call.writing() as store:
        ttl_ms = store.lease_keep_alive(lease)
        revision = store.status().revision
    if ttl_ms:
        call.printer.lease_keep_alive(lease, ttl_ms // 1000, revision)
    return ttl_ms


def _timetolive(call: Call) -> None:
    lease = parse_lease(_only_argument(call, "timetolive ID"))
    keys = call.flags.on("keys")
    with call.reading_or_creating() as store:
        answer = store.lease_time_to_live(lease, keys=keys)
        revision = store.status().revision
    call.printer.lease_time_to_live(answer, revision, keys)


def _list(call: Call) -> None:
    with call.reading_or_creating() as store:
        # The first to expire comes first, as in etcd.
        left = {lease: store.lease_time_to_live(lease).ttl_ms for lease in store.leases()}
        revision = store.status().revision
    call.printer.leases(sorted(left, key=lambda lease: (left[lease], lease)), revision)


def _only_argument(call: Call, usage: str) -> str:
    if len(call.arguments) != 1:
        raise UsageError(f"lease: {len(call.arguments)} arguments; write lease {usage}")
    return call.arguments[0]


VERBS = {
    "lease grant": Verb("lease grant TTL", "Makes a lease of TTL seconds", _grant),
    "lease revoke": Verb("lease revoke ID", "Ends a lease and deletes its keys", _revoke),
    "lease keep-alive": Verb(
        "lease keep-alive ID",
        "Renews a lease again and again",
        _keep_alive,
        [Flag("once", "switch", "renew once")],
    ),
    "lease timetolive": Verb(
        "lease timetolive ID",
        "Prints how long a lease has yet",
        _timetolive,
        [Flag("keys", "switch", "print its keys too")],
    ),
    "lease list": Verb("lease list", "Prints the leases, the first to expire first", _list),
}
