"""Watchers that etcd has not: of several ranges, or without values. Each is compared with plain
watchers of etcd's, one for each of its ranges."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

import revwatch
from revwatch import Event, KeyRange

from .histories import KEYS
from .watch_stream import WatchStream
from .watches import RANGE_ENDS, Told, responses

# A revision, what happened then, and to which key: no two events have all three in common.
Place = tuple[int, str, bytes]


@dataclass
class Union:
    """One watcher of ours, and those of etcd's that watch the same together."""

    keys_only: bool
    ours: Told = field(default_factory=Told)
    theirs: list[Told] = field(default_factory=list)

    def expected(self) -> dict[Place, Event]:
        """What etcd has told, each once."""
        return by_place(self.shown(event) for told in self.theirs for event in told.events)

    def shown(self, event: Event) -> Event:
        if not self.keys_only:
            return event
        before = event.prev_kv and event.prev_kv._replace(value=b"")
        return event._replace(kv=event.kv._replace(value=b""), prev_kv=before)


class Unions:
    """Such watchers, on a stream of their own on each side."""

    def __init__(self, port: int, store: revwatch.Store, counts: Counter[str]) -> None:
        self.ours = store.watch_stream()
        self.theirs = WatchStream(port)
        self.counts = counts
        self.by_our_id: dict[int, Union] = {}
        self.by_their_id: dict[int, Told] = {}

    def close(self) -> None:
        self.theirs.close()
        self.ours.close()

    def watch(self, random: Random, revision: int, compact_revision: int) -> None:
        ranges = [some_range(random) for _ in range(random.randint(1, 3))]
        keys_only = len(ranges) == 1 or random.random() < 0.3
        prev_kv = random.random() < 0.4
        # Not from the compact revision itself, where this etcd leaves out deletes.
        begins = compact_revision + 1 <= revision and random.random() < 0.5
        start_revision = random.randint(compact_revision + 1, revision) if begins else 0
        first, *others = ranges
        watch_id = self.ours.watch(
            first.key,
            first.range_end if first.range_end != b"\0" else None,
            from_key=first.range_end == b"\0",
            ranges=[said_by_us(other) for other in others],
            start_revision=start_revision,
            keys_only=keys_only,
            prev_kv=prev_kv,
        )
        union = self.by_our_id[watch_id] = Union(keys_only)
        for each in ranges:
            told = self.by_their_id[len(self.by_their_id)] = Told()
            union.theirs.append(told)
            self.theirs.create(
                each.key,
                each.range_end or b"",
                start_revision=start_revision,
                watch_id=0,
                prev_kv=prev_kv,
                no_put=False,
                no_delete=False,
            )
            while not self.read_theirs():
                pass
        self.counts["watchers of several ranges"] += len(ranges) > 1

    def settle(self, seconds: float) -> None:
        """Reads both streams to their end; the same was told then."""
        for response in responses(self.ours):
            if not response.created:
                self.by_our_id[response.watch_id].ours.take(response, may_divide=False)
        deadline = time.monotonic() + seconds
        for union in self.by_our_id.values():
            while len(union.expected()) < len(union.ours.events) and time.monotonic() < deadline:
                self.read_theirs()
            ours = by_place(union.ours.events)
            assert len(ours) == len(union.ours.events), "an event came twice"
            assert ours == union.expected()
        self.count()

    def read_theirs(self) -> bool:
        """Takes what etcd says next; whether that is that a watcher was created."""
        response = self.theirs.poll(0.05)
        if response is None:
            return False
        if response.created:
            assert response.watch_id in self.by_their_id and not response.canceled, response
        else:
            self.by_their_id[response.watch_id].take(response, may_divide=False)
        return response.created

    def count(self) -> None:
        for name, keys_only in (
            ("events without values", True),
            ("events of several ranges", False),
        ):
            unions = self.by_our_id.values()
            told = (len(each.ours.events) for each in unions if each.keys_only == keys_only)
            self.counts[name] = sum(told)


def some_range(random: Random) -> KeyRange:
    """One in which there can be keys, as etcd says it."""
    while True:
        key, range_end = random.choice(KEYS), random.choice(RANGE_ENDS)
        if range_end in (b"", b"\0") or key < range_end:
            return KeyRange(key, range_end)


def said_by_us(asked: KeyRange) -> KeyRange:
    """The same range where its end says by itself what it means."""
    if asked.range_end == b"\0":
        return KeyRange(asked.key, from_key=True)
    return asked


def by_place(events: Iterable[Event]) -> dict[Place, Event]:
    return {(event.kv.mod_revision, event.type, event.kv.key): event for event in events}
