"""One process writes, others read and watch the same file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import revwatch


def python(program: str, *args: object) -> subprocess.Popen[str]:
    """Another process, which talks in lines."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


WRITER = """
import sys, revwatch
with revwatch.open(sys.argv[1]) as store:
    print("open", flush=True)
    for line in sys.stdin:
        key, value = line.split()
        print(store.put(key.encode(), value.encode()).revision, flush=True)
"""

WATCHER = """
import sys, revwatch
with revwatch.open(sys.argv[1], read_only=True) as store:
    with store.watch(b"", prefix=True, start_revision=2) as watch:
        print("open", flush=True)
        wanted = int(sys.argv[2])
        for response in watch:
            for event in response.events:
                print(event.kv.mod_revision, event.kv.value.decode(), flush=True)
                wanted -= 1
            if wanted <= 0:
                break
"""


def test_a_second_writer_is_told_which_process_has_the_store(path: Path) -> None:
    with python(WRITER, path) as writer:
        assert line(writer) == "open"
        with pytest.raises(revwatch.Locked, match=rf"\b{writer.pid}\b"):
            revwatch.open(path, lock_timeout=0)
        with pytest.raises(revwatch.Locked):
            revwatch.open(path, lock_timeout=0.1)
        assert writer.stdin is not None
        writer.stdin.close()
        # The writer is on its way out: waiting for the lock is enough.
        revwatch.open(path, lock_timeout=60).close()
        assert writer.wait() == 0


def test_a_writer_that_was_killed_leaves_no_lock(path: Path) -> None:
    with python(WRITER, path) as writer:
        assert line(writer) == "open"
        tell(writer, "k v")
        assert line(writer) == "2"
        writer.kill()
        writer.wait()
        with revwatch.open(path, lock_timeout=0) as store:
            kv = store.get(b"k")
            assert kv is not None and kv.value == b"v"


def test_a_reader_sees_each_commit_of_another_process(path: Path) -> None:
    with python(WRITER, path) as writer:
        assert line(writer) == "open"
        tell(writer, "k 0")
        line(writer)
        with revwatch.open(path, read_only=True) as reader:
            for number in range(1, 50):
                tell(writer, f"k {number}")
                revision = int(line(writer))
                kv = reader.get(b"k")
                assert kv is not None
                assert (kv.value, kv.mod_revision) == (b"%d" % number, revision)
        writer.communicate()


def test_watches_in_several_processes_are_told_everything(path: Path) -> None:
    revwatch.open(path).close()
    with revwatch.open(path) as store:
        watchers = [python(WATCHER, path, 200) for _ in range(2)]
        for watcher in watchers:
            assert line(watcher) == "open"
        for number in range(200):
            store.put(b"k%d" % (number % 5), b"%d" % number)
        for watcher in watchers:
            told, _ = watcher.communicate(timeout=120)
            assert told.split("\n")[:-1] == [f"{2 + number} {number}" for number in range(200)]


def test_a_read_only_watch_wakes_for_another_process(path: Path) -> None:
    with python(WRITER, path) as writer:
        assert line(writer) == "open"
        with (
            revwatch.open(path, read_only=True) as reader,
            reader.watch(b"k") as watch,
        ):
            watch.poll()
            tell(writer, "k v")
            response = watch.poll(timeout=60)
            assert response is not None and response.events[0].kv.value == b"v"
            assert watch.poll(timeout=0.05) is None
        writer.communicate()


def test_async_for_wakes_for_another_process(path: Path) -> None:
    async def main() -> bytes:
        with (
            revwatch.open(path, read_only=True) as reader,
            reader.watch(b"k") as watch,
        ):
            async for response in watch:
                if response.created:
                    tell(writer, "k v")
                if response.events:
                    return response.events[0].kv.value
        raise AssertionError("ended without an event")

    with python(WRITER, path) as writer:
        assert line(writer) == "open"
        assert asyncio.run(asyncio.wait_for(main(), timeout=60)) == b"v"
        writer.communicate()


def test_a_reader_stays_when_the_writer_goes_and_another_comes(path: Path) -> None:
    with revwatch.open(path) as store:
        store.put(b"k", b"1")
    with revwatch.open(path, read_only=True) as reader, reader.follow(b"k") as follow:
        seen: list[bytes] = []
        for value in (b"2", b"3", b"4"):
            with revwatch.open(path) as store:
                store.put(b"k", value)
        while not seen or seen[-1] != b"4":
            response = follow.poll(timeout=60)
            assert response is not None
            if isinstance(response, revwatch.FollowState):
                seen += [kv.value for kv in response.kvs]
            elif isinstance(response, revwatch.FollowEvents):
                seen += [event.kv.value for event in response.events]
        assert seen == sorted(seen), "the past does not come after the present"
