"""Snapshots and repair from Python: iterators, files, and what becomes of a file half-way."""

from __future__ import annotations

from pathlib import Path

import pytest
import revwatch


def filled(store: revwatch.Store, count: int = 50) -> None:
    for i in range(count):
        store.put(b"key %d" % (i % 20), b"value %d" % i)


def test_a_snapshot_is_an_iterator_of_chunks_that_restore_takes(store: revwatch.Store) -> None:
    filled(store)
    lease = store.lease_grant(60_000)
    store.put(b"alive", b"", lease=lease.id)
    with store.snapshot(max_bytes=600) as snapshot:
        chunks = []
        for chunk in snapshot:
            assert 0 < len(chunk) <= 600
            chunks.append(chunk)
            store.put(b"later", b"")
        progress = snapshot.progress
        assert progress.done == progress.total == sum(map(len, chunks))
        revision = snapshot.head.revision
    for source in (chunks, b"".join(chunks), iter(chunks)):
        with revwatch.restore(source) as copy:
            assert copy.status().revision == revision
            assert copy.hash_kv() == store.hash_kv(revision)._replace(revision=revision)
            assert copy.lease_time_to_live(lease.id, keys=True).keys == [b"alive"]
            assert copy.get(b"later") is None
            copy.put(b"goes on", b"")


def test_a_snapshot_is_saved_whole_and_restored_to_a_new_file(
    store: revwatch.Store, path: Path, tmp_path: Path
) -> None:
    filled(store)
    file = tmp_path / "tasks.snapshot"
    file.write_bytes(b"an older one")
    with store.snapshot() as snapshot:
        snapshot.save(file)
    assert [entry.name for entry in tmp_path.iterdir()] == ["tasks.snapshot"]
    status = revwatch.snapshot_status(file)
    assert (status.head.since, status.head.revision, status.changes) == (0, 51, 50)
    assert status.size == file.stat().st_size and len(status.head.store_id) == 16
    with revwatch.restore(file, path) as copy:
        assert copy.hash_kv() == store.hash_kv()
    with revwatch.open(path) as copy:
        assert copy.hash_kv() == store.hash_kv()
    with pytest.raises(revwatch.StoreExists):
        revwatch.restore(file, path)


def test_a_file_that_holds_half_an_import_is_no_store_and_takes_another(
    store: revwatch.Store, path: Path
) -> None:
    filled(store)
    with store.snapshot() as snapshot:
        (chunk,) = snapshot
    for wrong in (chunk[:-1], chunk[:200] + b"x" + chunk[201:], b"", chunk + b"more"):
        with pytest.raises(revwatch.InvalidSnapshot):
            revwatch.restore(wrong, path)
        with pytest.raises(revwatch.ImportIncomplete):
            revwatch.open(path)
        with pytest.raises(revwatch.InvalidSnapshot):
            revwatch.snapshot_status(wrong)
    with revwatch.restore(chunk, path) as copy:
        assert copy.hash_kv() == store.hash_kv()


def test_a_copy_is_kept_up_to_date_by_increments(store: revwatch.Store) -> None:
    filled(store)
    with revwatch.restore(store.snapshot()) as copy:
        for _ in range(3):
            filled(store, 7)
            store.cursor(b"reader", b"key", prefix=True).close()
            assert copy.apply_snapshot(store.snapshot(copy.status().revision)) == (
                store.status().revision
            )
            assert copy.hash_kv() == store.hash_kv()
            assert [cursor.name for cursor in copy.cursors()] == [b"reader"]
        with pytest.raises(revwatch.SnapshotOutOfPlace):
            copy.apply_snapshot(store.snapshot(3))
        with pytest.raises(revwatch.SnapshotOutOfPlace):
            copy.apply_snapshot(store.snapshot())
    with pytest.raises(revwatch.SnapshotOutOfPlace):
        revwatch.restore(store.snapshot(3))
    with pytest.raises(revwatch.FutureRevision):
        store.snapshot(1000)


def test_openings_checks_and_imports_say_how_far_they_have_come(path: Path) -> None:
    def assert_rises(told: list[revwatch.Progress]) -> None:
        done = [progress.done for progress in told]
        assert len(told) > 2 and done == sorted(done)
        assert all(progress.done <= progress.total for progress in told)
        assert told[-1].done == told[-1].total > 0

    told: list[revwatch.Progress] = []
    with revwatch.open(path, durability="never") as store:
        for i in range(600):
            store.put(b"key %d" % i, bytes([i % 256]) * 5_000)
        store.flush()
        store.check(told.append)
        assert_rises(told)
        # Not closed: all of it is read.
        told.clear()
        with revwatch.open(path, read_only=True, progress=told.append) as reader:
            assert reader.status().revision == 601
        assert_rises(told)
        told.clear()
        with revwatch.restore(store.snapshot(), progress=told.append) as copy:
            assert copy.hash_kv() == store.hash_kv()
        assert_rises(told)


def test_what_a_callback_of_progress_raises_ends_the_work(path: Path) -> None:
    class StopHereError(Exception):
        pass

    def stop(_: revwatch.Progress) -> None:
        raise StopHereError

    with revwatch.open(path) as store:
        store.put(b"key", b"value")
        with pytest.raises(StopHereError):
            store.check(stop)
    with pytest.raises(StopHereError):
        revwatch.open(path, progress=stop)
    # Nothing holds the file.
    with revwatch.open(path, lock_timeout=0) as store:
        assert store.get(b"key") is not None


def test_a_snapshot_ends_with_its_store() -> None:
    store = revwatch.open()
    snapshot = store.snapshot()
    store.close()
    with pytest.raises(revwatch.Closed):
        next(snapshot)
    snapshot.close()
    with pytest.raises(revwatch.Closed):
        next(snapshot)


def test_repair_saves_what_is_left_and_says_what_is_not(path: Path, tmp_path: Path) -> None:
    with revwatch.open(path, durability="never") as store:
        for i in range(600):
            store.put(b"key %04d" % i, b"%d" % i * 20)
    image = bytearray(path.read_bytes())
    image[7 * 4096 + 2000] ^= 1
    path.write_bytes(image)
    # It was closed, so it opens without reading that page.
    with revwatch.open(path, read_only=True) as damaged, pytest.raises(revwatch.Corrupt):
        damaged.check()
    to = tmp_path / "saved.revwatch"
    report = revwatch.repair(path, to)
    assert path.read_bytes() == image
    assert report.damaged_pages == [7] and not report.is_whole and not report.lost_the_newest
    ((after, before),) = report.lost_between
    with revwatch.open(to) as saved:
        saved.check()
        assert saved.status().revision == report.revision == 601
        lost = {b"key %04d" % (revision - 2) for revision in range(after + 1, before)}
        there = {kv.key for kv in saved.range(b"", prefix=True).kvs}
        assert there == {b"key %04d" % i for i in range(600)} - lost
    with pytest.raises(revwatch.StoreExists):
        revwatch.repair(path, to)
