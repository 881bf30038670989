"""The same random histories on a real etcd and on revwatch: every answer, event and hash is equal.

``REVWATCH_SEED`` replays a history that failed, ``REVWATCH_OPS`` sets how many operations are done.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
import revwatch
from revwatch import DeleteRange, Event, Put, Range, Txn

from .differences import expected_answer, expected_events, hash_is_refused_by_etcd_alone
from .gateway import EtcdError, Gateway
from .histories import Compact, HashKv, Histories, LeaseGrant, LeaseKeys, LeaseRevoke, Leases, Step
from .server import running_etcd

SEED = int(os.environ.get("REVWATCH_SEED", "1"))
HISTORIES = 8
STEPS = int(os.environ.get("REVWATCH_OPS", "10400")) // HISTORIES
ENOUGH_STEPS = 1000
"""In so many every kind of step is drawn."""
REFUSED = "refused: "


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_etcd() as port:
        yield Gateway(port)


def ask_etcd(gateway: Gateway, step: Step) -> object:
    try:
        match step:
            case Compact(revision):
                return gateway.compact(revision)
            case HashKv(revision):
                return gateway.hash_kv(revision)
            case LeaseGrant(lease, ttl_ms):
                return gateway.lease_grant(lease, ttl_ms)
            case LeaseRevoke(lease):
                return gateway.lease_revoke(lease)
            case LeaseKeys(lease):
                return gateway.lease_keys(lease)
            case Leases():
                return gateway.leases()
            case _:
                return expected_answer(step, gateway.do(step))
    except EtcdError as error:
        return REFUSED + error.name


def ask_revwatch(store: revwatch.Store, step: Step) -> object:
    try:
        match step:
            case Compact(revision):
                return store.compact(revision)
            case HashKv(revision):
                return store.hash_kv(revision).hash
            case LeaseGrant(lease, ttl_ms):
                granted = store.lease_grant(ttl_ms, lease)
                return granted.id, granted.ttl_ms
            case LeaseRevoke(lease):
                return store.lease_revoke(lease)
            case LeaseKeys(lease):
                return store.lease_time_to_live(lease, keys=True).keys
            case Leases():
                return store.leases()
            case Txn():
                return store.txn(step.compare, step.success, step.failure)
            case Put() | Range() | DeleteRange():
                # One operation alone is answered as within a transaction, but for the checks that
                # only transactions have.
                return alone(store, step)
    except revwatch.RevwatchError as error:
        return REFUSED + error.name


def alone(store: revwatch.Store, op: Put | Range | DeleteRange) -> object:
    fields = {name: getattr(op, name) for name in op.__slots__ if name not in ("_", "key", "value")}
    match op:
        case Put():
            return store.put(op.key, op.value, **fields)
        case Range():
            return store.range(op.key, **fields)
        case DeleteRange():
            return store.delete_range(op.key, **fields)


def told_by_revwatch(store: revwatch.Store, start_revision: int, last_revision: int) -> list[Event]:
    everything = store.watch(b"", from_key=True, start_revision=start_revision, prev_kv=True)
    events: list[Event] = []
    with everything as watch:
        while not events or events[-1].kv.mod_revision < last_revision:
            response = watch.poll(timeout=5)
            assert response is not None and not response.canceled, response
            events += response.events
    return events


@pytest.mark.parametrize("number", range(HISTORIES))
def test_a_random_history_is_answered_as_the_real_etcd_answers_it(
    gateway: Gateway, number: int
) -> None:
    seed = SEED + number
    histories = Histories(seed)
    counts: Counter[str] = Counter()
    with revwatch.open() as store:
        for position in range(STEPS):
            step = histories.step()
            where = f"seed {seed}, step {position}: {step}"
            theirs = ask_etcd(gateway, step)
            ours = ask_revwatch(store, step)
            if isinstance(step, HashKv) and hash_is_refused_by_etcd_alone(
                step.revision, histories.compact_revision
            ):
                assert theirs == REFUSED + "Compacted", where
            else:
                assert ours == theirs, where
            if isinstance(step, Compact) and not isinstance(ours, str):
                histories.compact_revision = step.revision
            histories.revision = store.status().revision
            counts[type(step).__name__] += 1
            counts["refused"] += isinstance(ours, str)

        last = store.put(b"last", b"").revision
        gateway.do(Put(b"last", b""))
        first = max(histories.compact_revision, 1)
        told = told_by_revwatch(store, first, last)
        told_by_etcd = gateway.events(first, last)
        assert told == expected_events(told_by_etcd, told, histories.compact_revision), seed
        assert store.hash_kv(0).hash == gateway.hash_kv(0), seed
    print(f"seed {seed}: {dict(counts)}, {len(told)} events")
    missing = {kind.__name__ for kind in Step.__args__} - set(counts)
    assert not missing or STEPS < ENOUGH_STEPS, f"never drawn: {missing}"
