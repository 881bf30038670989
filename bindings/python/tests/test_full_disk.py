"""A disk that is really full: a small file system of its own, or a limit on the size of files."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import revwatch

SIZE = 512 * 1024


@pytest.fixture(params=["file system", "limit"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder that holds little."""
    if request.param == "limit":
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, before[1]))
        yield tmp_path
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def fill(store: revwatch.Store) -> dict[bytes, bytes]:
    """Puts until there is no space; answers what was acknowledged."""
    acknowledged: dict[bytes, bytes] = {}
    for turn in range(10_000):
        key, value = b"key %d" % (turn % 50), os.urandom(300)
        try:
            store.put(key, value)
        except revwatch.NoSpace:
            return acknowledged
        acknowledged[key] = value
    raise AssertionError("the disk never was full")


def contents(store: revwatch.Store) -> dict[bytes, bytes]:
    return {kv.key: kv.value for kv in store.range(b"\0", from_key=True).kvs}


def test_a_full_disk_loses_nothing_and_has_room_again_after_a_compaction(small_disk: Path) -> None:
    path = small_disk / "store"
    store = revwatch.open(path, clock="manual")
    acknowledged = fill(store)
    assert contents(store) == acknowledged
    store.check()
    # A full store can be closed and opened, and read by others.
    store.close()
    with revwatch.open(path, read_only=True) as reader:
        assert contents(reader) == acknowledged
    store = revwatch.open(path, clock="manual")
    assert contents(store) == acknowledged
    store.delete_range(b"key 1", prefix=True)
    store.compact(store.status().revision)
    for now_ms in range(200):
        store.step(now_ms, 1 << 16)
    for key in [key for key in acknowledged if key.startswith(b"key 1")]:
        del acknowledged[key]
    for turn in range(50):
        key = b"again %d" % turn
        store.put(key, b"there is room")
        acknowledged[key] = b"there is room"
    assert contents(store) == acknowledged
    store.check()
    store.close()
    with revwatch.open(path) as store:
        assert contents(store) == acknowledged


@pytest.mark.parametrize("small_disk", ["file system"], indirect=True)
def test_a_disk_that_others_fill_takes_no_acknowledged_write_with_it(small_disk: Path) -> None:
    path = small_disk / "store"
    store = revwatch.open(path, clock="manual")
    store.put(b"key", b"before")
    with (
        (small_disk / "ballast").open("wb", buffering=0) as ballast,
        pytest.raises(OSError, match="No space left"),
    ):
        while True:
            ballast.write(bytes(4096))
    acknowledged = {b"key": b"before"} | fill(store)
    assert contents(store) == acknowledged
    (small_disk / "ballast").unlink()
    store.put(b"key", b"after")
    acknowledged[b"key"] = b"after"
    store.close()
    with revwatch.open(path) as store:
        assert contents(store) == acknowledged
        store.check()
