"""A large range comes in parts, all as of one revision."""

from __future__ import annotations

import gc
import itertools

import pytest
import revwatch
from revwatch._native import lib


def fill(store: revwatch.Store, keys: int) -> None:
    for number in range(keys):
        store.put(b"/%05d" % number, b"%d" % number)


def test_a_walk_sees_one_revision_whatever_is_written_meanwhile(store: revwatch.Store) -> None:
    fill(store, 2500)
    expected = store.range(b"/", prefix=True).kvs
    stream = store.range_stream(b"/", prefix=True)
    assert stream.revision == 2501
    seen = []
    for number, kv in enumerate(stream):
        seen.append(kv)
        store.put(b"/%05d" % (2499 - number), b"changed")
        store.delete_range(b"/%05d" % number)
    assert seen == expected
    assert list(stream) == [], "a walk has one end"


def test_a_walk_may_be_over_the_past_and_over_any_range(store: revwatch.Store) -> None:
    fill(store, 10)
    store.delete_range(b"/", prefix=True)
    past = store.range_stream(b"/00002", b"/00005", revision=5)
    assert [kv.key for kv in past] == [b"/00002", b"/00003"]
    assert past.revision == 5
    assert list(store.range_stream(b"/00002", from_key=True)) == []
    assert [kv.key for kv in store.range_stream(b"/00002", revision=11)] == [b"/00002"]
    assert list(store.range_stream(b"z", b"a")) == []


def test_parts_are_as_large_as_was_asked_for(store: revwatch.Store) -> None:
    for key in (b"a", b"b", b"c", b"d", b"e", b"f"):
        store.put(key, bytes(99))
    with store.range_stream(b"", prefix=True) as stream:
        assert len(stream.next_kvs(2)) == 2
        assert len(stream.next_kvs(max_bytes=150)) == 2
        assert len(stream.next_kvs(max_bytes=1)) == 1
        assert [kv.key for kv in stream.next_kvs()] == [b"f"]
        assert stream.next_kvs() == []


def test_iterating_and_asking_for_parts_may_alternate(store: revwatch.Store) -> None:
    fill(store, 1500)
    stream = store.range_stream(b"", prefix=True)
    keys = [kv.key for kv in itertools.islice(stream, 10)]
    keys += [kv.key for kv in stream.next_kvs(5)]
    keys += [next(stream).key]
    keys += [kv.key for kv in stream.next_kvs()]
    keys += [kv.key for kv in stream]
    assert keys == [b"/%05d" % number for number in range(1500)]


def test_a_walk_that_compaction_overtook_says_so(store: revwatch.Store) -> None:
    fill(store, 2000)
    stream = store.range_stream(b"", prefix=True, revision=1900)
    next(stream)
    store.compact(1900)
    assert len(stream.next_kvs()) == 999
    store.compact(1901)
    with pytest.raises(revwatch.Compacted) as caught:
        list(stream)
    assert caught.value.revision == 1901
    with pytest.raises(revwatch.Compacted):
        store.range_stream(b"", prefix=True, revision=1900)
    with pytest.raises(revwatch.FutureRevision):
        store.range_stream(b"", prefix=True, revision=2002)
    with pytest.raises(revwatch.EmptyKey):
        store.range_stream(b"")


def test_a_walk_that_is_left_holds_nothing(store: revwatch.Store) -> None:
    fill(store, 10)
    gc.collect()
    handles = lib.revwatch_handle_count()
    for _ in range(100):
        next(store.range_stream(b"", prefix=True))
    gc.collect()
    assert lib.revwatch_handle_count() == handles
