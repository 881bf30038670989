"""The same random watches on a real etcd and on revwatch: every watcher is told the same.

One stream on each side carries all watchers. Writes go to both; from time to time both streams are
read to their end, and every watcher must have been told the same events in the same order, whole
revisions at a time. In which order the watchers of one stream are told is free.

``REVWATCH_SEED`` replays a history that failed.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial

import pytest
import revwatch
from revwatch import DeleteRange, Put, Txn
from revwatch.types import WatchResponse

from .differences import (
    expected_by_watcher,
    id_is_kept_by_etcd_alone,
    progress_is_told_by_etcd_alone,
)
from .gateway import Gateway
from .histories import Compact, HashKv, Histories, LeaseKeys, Leases, Step
from .server import running_etcd
from .test_histories import ask_etcd, ask_revwatch
from .unions import Unions
from .watch_stream import WatchStream
from .watches import Watch, Watcher, responses, some_watch

SEED = int(os.environ.get("REVWATCH_SEED", "1"))
HISTORIES = 8
STEPS = 500
# More than etcd takes for anything: it looks every tenth of a second for watchers that are behind.
SECONDS = 20.0
PROGRESS_NOTIFY_MS = 100
# Three of these fit into a request. With what keys were before, an answer is above the size from
# which both sides divide it for those who asked for fragments.
LARGE = 360 * 1024
PROGRESS_OF_STREAM = -1
# What etcd says where it refuses a watcher, and the names of the same errors in the numbered table.
REFUSALS = {
    "mvcc: duplicate watch ID provided on the WatchStream": "DuplicateWatchId",
    "mvcc: watcher range is empty": "EmptyWatchRange",
}
WANTED = [
    "watches",
    "refused: DuplicateWatchId",
    "refused: EmptyWatchRange",
    "told of compaction",
    "canceled",
    "cancels of nobody",
    "id used again",
    "deletes at the compact revision",
    "with prev_kv",
    "without puts",
    "without deletes",
    "start in the past",
    "start in the future",
    "progress of the stream",
    "progress withheld for a start in the future",
    "progress by interval",
    "fragments of ours",
    "fragments of etcd's",
    "large revisions in one piece",
    "watchers of several ranges",
    "events of several ranges",
    "events without values",
]


class Both:
    """A store of ours and one of etcd's with a stream of watchers on each."""

    def __init__(self, port: int, store: revwatch.Store, seed: int) -> None:
        self.gateway = Gateway(port)
        self.store = store
        self.ours = store.watch_stream()
        self.theirs = WatchStream(port)
        self.histories = Histories(seed)
        self.random = self.histories.random
        self.watchers: dict[int, Watcher] = {}
        # What the streams said last of how far they are.
        self.ours_progress = self.theirs_progress = 0
        self.counts: Counter[str] = Counter()
        self.unions = Unions(port, store, self.counts)

    def close(self) -> None:
        self.unions.close()
        self.theirs.close()
        self.ours.close()

    def act(self) -> None:
        draw = self.random.random()
        if draw < 0.10:
            revision, compacted = self.histories.revision, self.histories.compact_revision
            self.watch(some_watch(self.random, revision, compacted))
        elif draw < 0.105:
            self.watch_from_a_delete()
        elif draw < 0.14:
            self.cancel()
        elif draw < 0.18:
            self.settle()
        elif draw < 0.19:
            self.ask_progress()
        elif draw < 0.195:
            self.wait_for_progress()
        elif draw < 0.215:
            revision, compacted = self.histories.revision, self.histories.compact_revision
            self.unions.watch(self.random, revision, compacted)
        else:
            self.write()

    def write(self) -> None:
        """Anything that changes something, and nothing else."""
        while isinstance(step := self.histories.step(), HashKv | LeaseKeys | Leases):
            pass
        self.do(step)

    def do(self, step: Step) -> None:
        if isinstance(step, Compact):
            self.wait_until_nobody_is_behind()
        theirs = ask_etcd(self.gateway, step)
        ours = ask_revwatch(self.store, step)
        assert ours == theirs, step
        status = self.store.status()
        self.histories.revision = status.revision
        self.histories.compact_revision = max(status.compact_revision, 0)

    def wait_until_nobody_is_behind(self) -> None:
        """Who is behind reads history in its own time, and what it finds is to be the same. etcd
        reads for all who are behind at once: when one more has been told, so have the others."""
        self.do(Put(b"probe", b""))
        self.gateway.events(self.histories.revision, self.histories.revision)
        self.settle()

    def watch_from_a_delete(self) -> None:
        """History begins with a delete, and somebody watches from there."""
        self.do(Put(b"a", b""))
        self.do(DeleteRange(b"a"))
        revision = self.histories.revision
        self.do(Compact(revision))
        self.watch(Watch(b"", b"\0", revision, 0, True, False, False))

    def write_much(self) -> None:
        """Revisions so large that they are divided, for who wants that and who does not."""
        for fragment in (True, False):
            self.watch(Watch(b"big", b"bih", 0, 0, True, False, False, fragment=fragment))
        whole, *_ = reversed(self.watchers.values())
        for letter in (b"x", b"y"):
            puts = [Put(b"big%d" % number, letter * LARGE) for number in range(3)]
            self.do(Txn(success=puts))
        self.settle()
        self.do(DeleteRange(b"big", b"bih"))
        self.settle()
        told = self.watchers.values()
        self.counts["fragments of ours"] += sum(watcher.ours.fragments for watcher in told)
        self.counts["fragments of etcd's"] += sum(watcher.theirs.fragments for watcher in told)
        self.counts["large revisions in one piece"] += len(whole.ours.events) == 9

    def ask_progress(self) -> None:
        """Asks both streams how far they are when all is told."""
        revision = self.histories.revision
        if self.random.random() < 0.25:
            self.watch(Watch(b"a", b"", revision + 3, 0, False, False, False))
        self.settle()
        is_told = self.ours.request_progress()
        self.theirs.request_progress()
        self.read_theirs(lambda: self.theirs_progress == revision)
        assert self.theirs_progress == revision
        withheld = progress_is_told_by_etcd_alone(self.watchers.values(), revision)
        assert is_told != withheld
        self.read_ours()
        if withheld:
            self.counts["progress withheld for a start in the future"] += 1
        else:
            assert self.ours_progress == revision
            self.counts["progress of the stream"] += 1

    def wait_for_progress(self) -> None:
        """Nothing happens, until all who asked for it are told so."""
        self.settle()
        revision = self.histories.revision
        asked = [
            watcher
            for watcher in self.watchers.values()
            if watcher.watch.progress_notify
            and watcher.watch.start_revision <= revision
            and not watcher.ours.ended
        ]
        deadline = time.monotonic() + SECONDS
        while any(watcher.ours.progress < revision for watcher in asked):
            assert time.monotonic() < deadline, "revwatch did not tell its progress"
            time.sleep(PROGRESS_NOTIFY_MS / 1000)
            self.read_ours()
        self.read_theirs(lambda: all(watcher.theirs.progress >= revision for watcher in asked))
        for watcher in asked:
            told = (watcher.ours.progress, watcher.theirs.progress)
            assert told == (revision, revision), watcher.watch
        self.counts["progress by interval"] += len(asked)

    def watch(self, watch: Watch) -> None:
        if self.is_kept(watch.watch_id):
            watch = replace(watch, watch_id=0)
        ours = self.watch_ours(watch)
        self.theirs.create(**asdict(watch))
        created = self.read_theirs_until_created()
        self.counts["watches"] += 1
        if created.canceled:
            assert created.watch_id == -1, watch
            assert ours == REFUSALS[created.cancel_reason], watch
            self.counts[f"refused: {ours}"] += 1
            return
        assert ours == created.watch_id, watch
        assert created.revision == self.histories.revision, watch
        self.counts["id used again"] += created.watch_id in self.watchers
        self.counts["told of compaction"] += (
            0 < watch.start_revision < self.histories.compact_revision
        )
        self.counts["with prev_kv"] += watch.prev_kv
        self.counts["without puts"] += watch.no_put
        self.counts["without deletes"] += watch.no_delete
        revision = self.histories.revision
        self.counts["start in the past"] += 0 < watch.start_revision < revision
        self.counts["start in the future"] += watch.start_revision > revision
        self.watchers[created.watch_id] = Watcher(watch, self.histories.compact_revision)

    def is_kept(self, watch_id: int) -> bool:
        before = self.watchers.get(watch_id)
        return before is not None and id_is_kept_by_etcd_alone(before)

    def watch_ours(self, watch: Watch) -> int | str:
        """Registers a watcher with us; answers its id, or the name of the error."""
        try:
            return self.ours.watch(
                watch.key,
                watch.range_end if watch.range_end != b"\0" else None,
                from_key=watch.range_end == b"\0",
                start_revision=watch.start_revision,
                watch_id=watch.watch_id,
                prev_kv=watch.prev_kv,
                no_put=watch.no_put,
                no_delete=watch.no_delete,
                progress_notify=watch.progress_notify,
                fragment=watch.fragment,
            )
        except revwatch.RevwatchError as error:
            return error.name

    def cancel(self) -> None:
        self.settle()
        alive = [watch_id for watch_id, watcher in self.watchers.items() if not watcher.ours.ended]
        watch_id = self.random.choice([*alive, 999])
        self.ours.cancel(watch_id)
        self.theirs.cancel(watch_id)
        if watch_id == 999:
            self.counts["cancels of nobody"] += 1
            return
        self.counts["canceled"] += 1
        watcher = self.watchers[watch_id]
        self.read_ours()
        assert watcher.ours.ended, watcher.watch
        self.read_theirs(lambda: watcher.theirs.ended)

    def settle(self) -> None:
        """Reads both streams to their end; everybody has been told the same then."""
        self.read_ours()
        for watcher in self.watchers.values():
            expected = expected_by_watcher(watcher)
            self.read_theirs(partial(is_told, watcher, expected))
            theirs, ours = watcher.theirs, watcher.ours
            assert theirs.events == expected, watcher.watch
            assert (theirs.ended, theirs.compact_revision) == (
                ours.ended,
                ours.compact_revision,
            ), watcher.watch
            self.counts["deletes at the compact revision"] += len(expected) < len(ours.events)
        self.unions.settle(SECONDS)

    def read_ours(self) -> None:
        for response in responses(self.ours):
            if response.progress and response.watch_id == PROGRESS_OF_STREAM:
                self.ours_progress = response.revision
            elif not response.created:
                watcher = self.watchers[response.watch_id]
                watcher.ours.take(response, may_divide=watcher.watch.fragment)

    def read_theirs(self, is_enough: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not is_enough() and time.monotonic() < deadline:
            if (response := self.theirs.poll(0.05)) is not None:
                self.take_theirs(response)

    def read_theirs_until_created(self) -> WatchResponse:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            response = self.theirs.poll(0.05)
            if response is not None and response.created:
                return response
            if response is not None:
                self.take_theirs(response)
        raise AssertionError("etcd did not answer a watch")

    def take_theirs(self, response: WatchResponse) -> None:
        assert not response.created, response
        if response.progress and response.watch_id == PROGRESS_OF_STREAM:
            self.theirs_progress = response.revision
            return
        watcher = self.watchers[response.watch_id]
        watcher.theirs.take(response, may_divide=watcher.watch.fragment)


def is_told(watcher: Watcher, expected: list[revwatch.Event]) -> bool:
    told = watcher.theirs
    return len(told.events) >= len(expected) and told.ended == watcher.ours.ended


@pytest.fixture(scope="module")
def counts() -> Iterator[Counter[str]]:
    counts: Counter[str] = Counter()
    yield counts
    print(dict(counts))
    missing = [name for name in WANTED if not counts[name]]
    assert not missing, f"these never happened: {missing}"


@pytest.mark.parametrize("number", range(HISTORIES))
def test_random_watchers_are_told_what_the_real_etcd_tells_them(
    counts: Counter[str], number: int
) -> None:
    seed = SEED + number
    print(f"seed {seed}")
    with (
        running_etcd(PROGRESS_NOTIFY_MS) as port,
        revwatch.open(progress_notify_ms=PROGRESS_NOTIFY_MS) as store,
    ):
        both = Both(port, store, seed)
        try:
            for step in range(STEPS):
                both.act()
                if step == STEPS // 2:
                    both.write_much()
            both.gateway.do(Put(b"last", b""))
            store.put(b"last", b"")
            both.settle()
            # Whatever else etcd may have to say would be too much, but how far it is.
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                late = both.theirs.poll(0.1)
                assert late is None or late.progress, late
        finally:
            both.close()
        counts.update(both.counts)
        counts["events"] += sum(len(watcher.ours.events) for watcher in both.watchers.values())
