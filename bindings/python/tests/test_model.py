"""Random histories give what a plain and slow model gives, also after the file was opened anew."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import pytest
import revwatch
from revwatch import DeleteRange, Event, KeyValue, Put

KEYS = [b"a", b"a/1", b"a/2", b"a\xff", b"b", b"b\x00", b"\xff", b"\xff\xff"]
State = dict[bytes, KeyValue]


class Change(NamedTuple):
    revision: int
    events: list[Event]


class Model:
    """All states that there ever were, and what led from one to the next."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {1: {}}
        self.changes: list[Change] = []
        self.revision = 1

    @property
    def state(self) -> State:
        return self.states[self.revision]

    def commit(self, ops: list[Put | DeleteRange]) -> None:
        before, after = self.state, dict(self.state)
        revision = self.revision + 1
        events: list[Event] = []
        for op in ops:
            key = bytes(op.key)
            if isinstance(op, Put):
                old = after.get(key)
                create = old.create_revision if old else revision
                version = old.version + 1 if old else 1
                after[key] = KeyValue(key, bytes(op.value), create, revision, version, 0)
                events.append(Event("PUT", after[key], before.get(key)))
                continue
            for gone in sorted(key for key in after if self.covers(op, key)):
                del after[gone]
                deleted = KeyValue(gone, b"", 0, revision, 0, 0)
                events.append(Event("DELETE", deleted, before.get(gone)))
        if events:
            self.revision = revision
            self.states[revision] = after
            self.changes.append(Change(revision, events))

    @staticmethod
    def covers(op: DeleteRange, key: bytes) -> bool:
        if op.prefix:
            return key.startswith(bytes(op.key))
        return key == op.key


def random_ops(rng: random.Random) -> list[Put | DeleteRange]:
    """One to four changes, no key twice."""
    ops: list[Put | DeleteRange] = []
    for key in rng.sample(KEYS, rng.randint(1, 4)):
        if rng.random() < 0.7:
            ops.append(Put(key, rng.randbytes(rng.choice((0, 1, 20, 3000)))))
        else:
            ops.append(DeleteRange(key))
    if rng.random() < 0.1:
        return [DeleteRange(rng.choice((b"a", b"\xff", b"")), prefix=True)]
    return ops


def compare(store: revwatch.Store, model: Model, rng: random.Random, compacted: int) -> None:
    status = store.status()
    assert (status.revision, status.keys) == (model.revision, len(model.state))
    revision = rng.randint(max(compacted, 1), model.revision)
    for asked, state in ((0, model.state), (revision, model.states[revision])):
        expected = [state[key] for key in sorted(state)]
        assert store.range(b"", prefix=True, revision=asked).kvs == expected
    key = rng.choice(KEYS)
    assert store.get(key, revision=revision) == model.states[revision].get(key)


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_agree_with_the_model(seed: int, path: Path) -> None:
    rng = random.Random(seed)
    durability: revwatch.Durability = rng.choice(("commit", "batch", "never"))
    model, told, compacted = Model(), list[Change](), 0
    token = None
    for _ in range(4):
        with revwatch.open(path, durability=durability) as store:
            watch = store.watch(
                b"",
                prefix=True,
                start_revision=2 if token is None else 0,
                resume=token,
                prev_kv=True,
            )
            for _ in range(rng.randint(1, 120)):
                ops = random_ops(rng)
                model.commit(ops)
                assert store.txn([], ops, []).revision == model.revision
                if rng.random() < 0.2:
                    compare(store, model, rng, compacted)
                while rng.random() < 0.6 and (response := watch.poll()) is not None:
                    told += by_revision(response.events)
            store.flush()
            while (response := watch.poll()) is not None:
                told += by_revision(response.events)
            if rng.random() < 0.5 and model.revision > compacted:
                compacted = rng.randint(max(compacted + 1, 1), model.revision)
                store.compact(compacted)
            compare(store, model, rng, compacted)
            store.check()
            token = store.resume_token()
    assert told == model.changes


def by_revision(events: list[Event]) -> list[Change]:
    changes: list[Change] = []
    for event in events:
        if not changes or changes[-1].revision != event.kv.mod_revision:
            changes.append(Change(event.kv.mod_revision, []))
        changes[-1].events.append(event)
    return changes
