"""A store that was given bounds keeps them: of its size, and of its history."""

from __future__ import annotations

from pathlib import Path

import pytest
import revwatch
from revwatch import Compare, DeleteRange, Put, Range

QUOTA_BYTES = 256 * 1024


def fill(store: revwatch.Store) -> int:
    """Puts until the store refuses; how many it took."""
    for number in range(10_000):
        try:
            store.put(b"k%d" % number, bytes(1000))
        except revwatch.NoSpace:
            return number
    raise AssertionError("a quota that never refuses is none")


def test_beyond_its_quota_a_store_refuses_puts_and_lets_deletes_through(path: Path) -> None:
    with revwatch.open(path, quota_bytes=QUOTA_BYTES) as store:
        taken = fill(store)
        status = store.status()
        assert QUOTA_BYTES <= status.size_in_use < 2 * QUOTA_BYTES
        assert (status.keys, status.revision) == (taken, taken + 1)

        with pytest.raises(revwatch.NoSpace):
            store.put(b"k0", b"")
        with pytest.raises(revwatch.NoSpace):
            store.txn([], [DeleteRange(b"k0"), Put(b"k1", b"")], [])
        assert store.status().revision == taken + 1
        assert store.get(b"k0") is not None
        missing = [Compare(b"missing", "version", "=", 0)]
        assert store.txn(missing, [Range(b"k0")], [Put(b"k0", b"")]).succeeded
        assert store.txn([], [DeleteRange(b"k0")], []).revision == taken + 2
        assert store.delete_range(b"k", prefix=True).deleted == taken - 1
        assert store.compact(taken + 3, physical=True) == taken + 3
        assert store.status().keys == 0


def test_a_quota_is_of_the_opening_and_not_of_the_file(path: Path) -> None:
    with revwatch.open(path, quota_bytes=QUOTA_BYTES) as store:
        taken = fill(store)
    with revwatch.open(path) as store:
        assert store.put(b"k", b"").revision == taken + 2


def test_with_retain_revisions_a_store_keeps_its_last_revisions(path: Path) -> None:
    with revwatch.open(path, retain_revisions=100, clock="manual") as store:
        for number in range(1000):
            store.put(b"k", b"%d" % number)
        store.step(now_ms=0)
        status = store.status()
        assert (status.revision, status.compact_revision) == (1001, 901)
        kept = [event.kv.mod_revision for event in store.history(b"k")]
        assert kept == list(range(901, 1002))
        with pytest.raises(revwatch.Compacted):
            store.get(b"k", revision=900)


def test_with_retain_ms_a_store_keeps_what_is_younger() -> None:
    with revwatch.open(retain_ms=1000, clock="manual") as store:
        for now_ms in range(0, 5000, 100):
            store.step(now_ms=now_ms)
            store.put(b"k", b"%d" % now_ms)
            for event in store.history(b"k"):
                oldest = int(event.kv.value)
                break
            assert now_ms - 1300 <= oldest <= max(now_ms - 900, 0), "about a second, not less"


def test_without_bounds_a_store_keeps_everything() -> None:
    with revwatch.open(clock="manual") as store:
        for number in range(1000):
            store.put(b"k", b"%d" % number)
            store.step(now_ms=number * 1000)
        assert store.status().compact_revision == -1
        assert len(list(store.history(b"k"))) == 1000


def test_a_watcher_that_retention_overtook_is_told_so() -> None:
    with revwatch.open(retain_revisions=10, clock="manual") as store:
        for number in range(100):
            store.put(b"k", b"%d" % number)
        store.step(now_ms=0)
        with store.watch(b"k", start_revision=2) as watch:
            told = [watch.poll() for _ in range(2)]
            assert [response and response.compact_revision for response in told] == [0, 91]


def write(store: revwatch.Store) -> None:
    for number in range(200):
        store.put(b"k%d" % (number % 7), b"%d" % number)
    store.delete_range(b"k1", b"k4")


def test_the_same_history_has_the_same_hash_wherever_it_is_kept(path: Path) -> None:
    with revwatch.open(path) as store, revwatch.open() as other:
        write(store)
        write(other)
        assert store.hash_kv() == other.hash_kv()
        assert store.hash_kv(100) == other.hash_kv(100)
        assert store.hash_kv(100).hash != store.hash_kv().hash
        store.compact(150)
        assert store.hash_kv().hash != other.hash_kv().hash
        other.compact(150)
        before = store.hash_kv()
        assert before == other.hash_kv()
        assert (before.revision, before.hash_revision, before.compact_revision) == (202, 202, 150)
    with revwatch.open(path) as store:
        assert store.hash_kv() == before
        with pytest.raises(revwatch.Compacted):
            store.hash_kv(149)
        with pytest.raises(revwatch.FutureRevision):
            store.hash_kv(203)


def test_another_history_has_another_hash() -> None:
    with revwatch.open() as store, revwatch.open() as other:
        write(store)
        write(other)
        store.put(b"k", b"one")
        other.put(b"k", b"other")
        assert store.hash_kv().hash != other.hash_kv().hash
        assert store.hash_kv(202).hash == other.hash_kv(202).hash
