"""Changes make another store the same store."""

from __future__ import annotations

from pathlib import Path

import pytest
import revwatch


def fill(store: revwatch.Store) -> None:
    for number in range(20):
        store.put(b"k%d" % (number % 7), b"%d" % number)
        if number % 5 == 4:
            store.delete_range(b"k", prefix=True)


@pytest.mark.parametrize("max_bytes", [0, 1, 100])
def test_a_store_that_applied_all_changes_is_the_same(
    store: revwatch.Store, max_bytes: int
) -> None:
    fill(store)
    with revwatch.open() as copy:
        for chunk in store.changes(1).chunks(max_bytes):
            revision = copy.apply_changes(chunk)
        assert revision == copy.status().revision == store.status().revision
        assert copy.hash_kv() == store.hash_kv()
        assert list(copy.history(b"", prefix=True)) == list(store.history(b"", prefix=True))


def test_a_walk_gives_every_event_once(store: revwatch.Store) -> None:
    fill(store)
    everything = list(store.history(b"", prefix=True))
    assert list(store.changes(1)) == everything
    part = [event for event in everything if 5 < event.kv.mod_revision <= 9]
    assert list(store.changes(5, 9)) == part
    with store.changes(5, 5) as none:
        assert list(none) == []
        assert list(none.chunks()) == []


def test_chunks_may_be_put_together_in_a_file(path: Path, tmp_path: Path) -> None:
    with revwatch.open(path) as store:
        fill(store)
        file = tmp_path / "changes"
        file.write_bytes(b"".join(store.changes(1).chunks(1)))
        with revwatch.open() as copy:
            copy.apply_changes(memoryview(file.read_bytes()))
            assert copy.hash_kv() == store.hash_kv()


def test_what_does_not_fit_is_refused(store: revwatch.Store) -> None:
    fill(store)
    chunk = next(store.changes(1).chunks())
    with revwatch.open() as copy:
        for cut in (0, 1, 48, len(chunk) - 1):
            with pytest.raises(revwatch.InvalidChanges):
                copy.apply_changes(chunk[:cut])
        copy.put(b"own", b"")
        with pytest.raises(revwatch.ChangesOutOfPlace) as caught:
            copy.apply_changes(chunk)
        assert caught.value.revision == 2
        with pytest.raises(revwatch.ChangesDiverge):
            copy.apply_changes(next(store.changes(2).chunks()))
        assert copy.status().revision == 2


def test_changes_that_are_not_there_are_refused(store: revwatch.Store) -> None:
    fill(store)
    store.compact(9)
    with pytest.raises(revwatch.Compacted):
        store.changes(8)
    with pytest.raises(revwatch.FutureRevision):
        store.changes(9, 1000)
    with pytest.raises(revwatch.InvalidOption):
        store.changes(0)
    with pytest.raises(ValueError, match="from_revision is"):
        store.changes(1 << 64)
    with pytest.raises(ValueError, match="max_bytes is"):
        next(store.changes(9).chunks(-1))
    overtaken = store.changes(9)
    store.compact(12)
    with pytest.raises(revwatch.Compacted):
        next(overtaken)
