"""Reading and writing keys: what goes in comes out, under etcd's names."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import revwatch
from revwatch import KeyValue
from revwatch._native import lib


def test_a_put_answers_its_revision_and_what_was_before(store: revwatch.Store) -> None:
    assert store.put(b"key", b"old") == (2, None)
    response = store.put(b"key", b"new", prev_kv=True)
    assert response.revision == 3
    assert response.prev_kv == KeyValue(b"key", b"old", 2, 2, 1, 0)
    assert store.get(b"key") == KeyValue(b"key", b"new", 2, 3, 2, 0)


def test_a_missing_key_is_none(store: revwatch.Store) -> None:
    assert store.get(b"nothing") is None
    assert store.put(b"nothing", b"", prev_kv=True).prev_kv is None


def test_an_empty_value_is_a_value(store: revwatch.Store) -> None:
    store.put(b"key", b"")
    kv = store.get(b"key")
    assert kv is not None and kv.value == b""


@pytest.mark.parametrize("convert", [bytes, bytearray, memoryview])
def test_anything_with_a_buffer_is_taken_and_bytes_come_back(
    store: revwatch.Store, convert: type
) -> None:
    raw = bytes(range(256))
    store.put(convert(b"\x00" + raw), convert(raw))
    kv = store.get(convert(b"\x00" + raw))
    assert kv is not None
    assert type(kv.key) is bytes and type(kv.value) is bytes
    assert (kv.key, kv.value) == (b"\x00" + raw, raw)


def test_a_strided_view_is_taken_as_the_bytes_that_it_shows(store: revwatch.Store) -> None:
    store.put(b"key", memoryview(b"a-b-c")[::2])
    kv = store.get(b"key")
    assert kv is not None and kv.value == b"abc"


def test_ranges_are_etcds(store: revwatch.Store) -> None:
    for key in (b"a", b"a\xff", b"b", b"c", b"\xff\xff"):
        store.put(key, key.upper())

    def keys(*args: bytes, prefix: bool = False, from_key: bool = False) -> list[bytes]:
        return [kv.key for kv in store.range(*args, prefix=prefix, from_key=from_key).kvs]

    assert keys(b"a") == [b"a"]
    assert keys(b"a", b"c") == [b"a", b"a\xff", b"b"]
    assert keys(b"a", prefix=True) == [b"a", b"a\xff"]
    assert keys(b"a\xff", prefix=True) == [b"a\xff"]
    assert keys(b"\xff", prefix=True) == [b"\xff\xff"]
    assert keys(b"b", from_key=True) == [b"b", b"c", b"\xff\xff"]
    assert keys(b"b", b"\0") == [b"b", b"c", b"\xff\xff"]
    assert keys(b"c", b"a") == []
    assert keys(b"", prefix=True) == keys(b"", from_key=True) == keys(b"\0", b"\0")
    assert len(keys(b"", prefix=True)) == 5


def test_range_options_reach_the_engine(store: revwatch.Store) -> None:
    store.put(b"a", b"3")
    store.put(b"b", b"1")
    store.put(b"c", b"2")
    store.put(b"a", b"4")
    everything = {"key": b"", "prefix": True}

    limited = store.range(b"", prefix=True, limit=2)
    assert (len(limited.kvs), limited.more, limited.count) == (2, True, 3)
    assert limited.revision == 5
    assert [kv.value for kv in store.range(b"", prefix=True, revision=4).kvs] == [b"3", b"1", b"2"]
    assert store.range(b"", prefix=True, count_only=True) == (5, [], False, 3)
    assert [kv.value for kv in store.range(b"", prefix=True, keys_only=True).kvs] == [b""] * 3
    by_value = store.range(b"", prefix=True, sort_target="value", sort_order="descend")
    assert [kv.key for kv in by_value.kvs] == [b"a", b"c", b"b"]
    by_mod = store.range(b"", prefix=True, sort_target="mod", sort_order="ascend")
    assert [kv.key for kv in by_mod.kvs] == [b"b", b"c", b"a"]
    by_create = store.range(b"", prefix=True, sort_target="create", sort_order="descend")
    assert [kv.key for kv in by_create.kvs] == [b"c", b"b", b"a"]
    by_version = store.range(b"", prefix=True, sort_target="version", sort_order="descend")
    assert by_version.kvs[0].key == b"a"
    for bound, kept in (
        ({"min_mod_revision": 5}, [b"a"]),
        ({"max_mod_revision": 3}, [b"b"]),
        ({"min_create_revision": 4}, [b"c"]),
        ({"max_create_revision": 2}, [b"a"]),
    ):
        found = store.range(**everything, **bound)  # type: ignore[arg-type]
        assert [kv.key for kv in found.kvs] == kept, bound


def test_a_delete_answers_what_it_deleted(store: revwatch.Store) -> None:
    store.put(b"a", b"1")
    store.put(b"b", b"2")
    response = store.delete_range(b"", prefix=True, prev_kv=True)
    assert (response.revision, response.deleted) == (4, 2)
    assert [kv.value for kv in response.prev_kvs] == [b"1", b"2"]
    assert store.delete_range(b"a") == (4, 0, [])


def test_history_is_every_kept_change_in_order(store: revwatch.Store) -> None:
    for number in range(2500):
        store.put(b"%d" % (number % 10), b"%d" % number)
    store.delete_range(b"3")
    events = list(store.history(b"", prefix=True))
    assert [event.kv.mod_revision for event in events] == list(range(2, 2503))
    assert events[-1].type == "DELETE"
    assert events[-1].kv == KeyValue(b"3", b"", 0, 2502, 0, 0)
    assert [e.kv.value for e in store.history(b"7", start_revision=2480)] == [b"2487", b"2497"]


def test_compaction_is_reported_and_ends_the_past(store: revwatch.Store) -> None:
    for number in range(5):
        store.put(b"key", b"%d" % number)
    assert store.status().compact_revision == -1
    assert store.compact(4) == 6
    assert store.status().compact_revision == 4
    assert store.get(b"key", revision=4) is not None
    with pytest.raises(revwatch.Compacted, match="3"):
        store.get(b"key", revision=3)
    with pytest.raises(revwatch.Compacted):
        store.compact(4)
    with pytest.raises(revwatch.FutureRevision):
        store.compact(99)
    assert store.compact(6, physical=True) == 6


def test_a_store_in_a_file_is_there_after_it_was_closed(path: Path) -> None:
    with revwatch.open(path) as store:
        store.put(b"key", b"value", prev_kv=True)
        before = store.status()
    for given in (path, str(path), bytes(path)):
        with revwatch.open(given) as store:
            assert store.get(b"key") == KeyValue(b"key", b"value", 2, 2, 1, 0)
            assert store.status().epoch == before.epoch, "a clean close starts no new epoch"
            store.check()


@pytest.mark.parametrize("durability", ["commit", "batch", "never"])
def test_a_clean_close_keeps_everything_at_every_durability(
    path: Path, durability: revwatch.Durability
) -> None:
    with revwatch.open(path, durability=durability) as store:
        for number in range(300):
            store.put(b"%d" % number, b"x" * 100)
        store.flush()
    with revwatch.open(path) as store:
        assert store.range(b"", prefix=True, count_only=True).count == 300


def test_a_store_that_is_dropped_frees_its_file(path: Path) -> None:
    store = revwatch.open(path)
    store.put(b"key", b"value")
    del store
    gc.collect()
    with revwatch.open(path, lock_timeout=0) as again:
        assert again.get(b"key") is not None


def test_whatever_is_opened_is_freed_when_nobody_holds_it() -> None:
    gc.collect()
    before = lib.revwatch_handle_count()
    store = revwatch.open()
    watch, follow, stream = store.watch(b"k"), store.follow(b"k"), store.watch_stream()
    store.txn([], [revwatch.Put(b"k", b"v"), revwatch.Txn(success=[revwatch.Range(b"k")])], [])
    with pytest.raises(TypeError):
        store.txn([], [revwatch.Put(b"k", 5)], [])  # type: ignore[arg-type]
    with pytest.raises(revwatch.EmptyWatchRange):
        store.watch(b"k", b"a")
    assert lib.revwatch_handle_count() == before + 4
    watch.close()
    follow.close()
    assert lib.revwatch_handle_count() == before + 2
    del store, watch, follow, stream
    gc.collect()
    assert lib.revwatch_handle_count() == before


def test_status_counts(store: revwatch.Store) -> None:
    store.put(b"a", b"1")
    store.put(b"b", b"1")
    store.lease_grant(10_000)
    with store.watch(b"a"):
        status = store.status()
        assert (status.revision, status.keys, status.leases) == (3, 2, 1)
        assert (status.watchers, status.watch_streams) == (1, 1)
        assert status.read_only is False and status.poisoned is False
        assert store.resume_token() == (status.epoch, 3)
    assert store.status().watchers == 0


def test_the_version_is_the_librarys() -> None:
    assert revwatch.__version__.count(".") == 2


def test_a_write_may_have_a_durability_of_its_own(path: Path) -> None:
    with revwatch.open(path, durability="batch", clock="manual") as store:
        store.put(b"key", b"1")
        assert store.status().published_revision == 1
        store.put(b"key", b"2", durability="commit")
        assert store.status().published_revision == 3
        store.put(b"key", b"3", durability="never")
        assert store.status().published_revision == 3
        store.delete_range(b"key", durability="commit")
        assert store.status().published_revision == 5
        store.txn([], [revwatch.Put(b"key", b"4")], [])
        store.txn([], [revwatch.Put(b"other", b"5")], [], durability="commit")
        assert store.status().published_revision == 7
        with pytest.raises(ValueError, match=r"'always'.*'commit', 'batch', 'never'"):
            store.put(b"key", b"6", durability="always")  # type: ignore[arg-type]
        assert store.status().revision == 7
