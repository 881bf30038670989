"""Being told that there is something to poll: by a file descriptor, and in asyncio."""

from __future__ import annotations

import asyncio
import select
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import revwatch
from revwatch import _poll

pytestmark = pytest.mark.skipif(not _poll.DESCRIPTORS, reason="a system without descriptors")


Pollable = revwatch.Watch | revwatch.Follow | revwatch.Cursor


def is_readable(pollable: Pollable | int) -> bool:
    return bool(select.select([pollable], [], [], 0)[0])


def test_a_descriptor_is_readable_until_all_was_polled(store: revwatch.Store) -> None:
    with store.watch(b"k") as watch:
        assert is_readable(watch)
        watch.poll()
        assert not is_readable(watch)
        store.put(b"other", b"")
        assert not is_readable(watch)
        for number in range(3):
            store.put(b"k", b"%d" % number)
        for _ in range(3):
            assert is_readable(watch)
            assert watch.poll() is not None
        assert not is_readable(watch)
        assert watch.poll() is None


def test_follows_and_cursors_have_descriptors_too(store: revwatch.Store) -> None:
    with store.follow(b"k") as follow, store.cursor(b"c", b"k") as cursor:
        pollables: list[revwatch.Follow | revwatch.Cursor] = [follow, cursor]
        for pollable in pollables:
            while is_readable(pollable):
                pollable.poll()
        store.put(b"k", b"")
        assert is_readable(follow) and is_readable(cursor)


def test_a_descriptor_is_readable_when_the_store_is_closed() -> None:
    store = revwatch.open()
    watch = store.watch(b"k")
    fd = watch.fileno()
    watch.poll()
    assert not is_readable(fd)
    store.close()
    assert is_readable(fd)
    with pytest.raises(revwatch.Closed):
        watch.poll()
    with pytest.raises(revwatch.Closed):
        watch.fileno()
    watch.close()


def test_waiting_as_long_as_said_misses_nothing(path: Path) -> None:
    with revwatch.open(path, durability="batch") as store, store.watch(b"k") as watch:
        watch.poll()
        assert watch.next_poll() != 0
        store.put(b"k", b"")
        while watch.poll() is None:
            select.select([watch], [], [], watch.next_poll())


def test_time_that_only_steps_move_is_not_waited_for() -> None:
    with revwatch.open(clock="manual") as store, store.watch(b"k") as watch:
        store.step(0)
        store.lease_grant(60_000)
        assert watch.next_poll() == 0
        watch.poll()
        assert watch.next_poll() is None


WAYS = pytest.mark.parametrize("descriptors", [True, False], ids=["descriptor", "bell"])


def never_pause(monkeypatch: pytest.MonkeyPatch, descriptors: bool) -> None:
    monkeypatch.setattr(_poll, "DESCRIPTORS", descriptors)
    monkeypatch.setattr(_poll, "LONGEST_PAUSE_S", 1_000)


@WAYS
def test_a_write_wakes_a_task(
    store: revwatch.Store, monkeypatch: pytest.MonkeyPatch, descriptors: bool
) -> None:
    never_pause(monkeypatch, descriptors)

    async def main() -> None:
        with store.watch(b"k") as watch:
            watch.poll()
            task = asyncio.create_task(anext(watch))
            await asyncio.sleep(0.01)
            store.put(b"k", b"")
            assert (await asyncio.wait_for(task, timeout=60)).events

    for _ in range(3):
        asyncio.run(main())
        # The thread that wakes ends when nobody waits; the next time needs a new one.
        for thread in threading.enumerate():
            if thread.name == "revwatch bell":
                assert not descriptors
                thread.join()


async def told(next_response: Callable[[], Awaitable[object]], act: Callable[[], object]) -> object:
    """What a task that waits is told because of what is done meanwhile."""

    async def wait() -> object:
        return await next_response()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    act()
    return await asyncio.wait_for(task, timeout=60)


def test_what_makes_no_revision_wakes_a_task_too(store: revwatch.Store) -> None:
    async def main() -> None:
        with store.watch_stream() as stream:
            created = await told(stream.__anext__, lambda: stream.watch(b"k"))
            assert isinstance(created, revwatch.WatchResponse) and created.created
            progress = await told(stream.__anext__, stream.request_progress)
            assert isinstance(progress, revwatch.WatchResponse) and progress.progress
            canceled = await told(stream.__anext__, lambda: stream.cancel(0))
            assert isinstance(canceled, revwatch.WatchResponse) and canceled.canceled

    asyncio.run(main())


def test_a_batch_becomes_durable_though_its_program_only_waits(path: Path) -> None:
    async def main() -> None:
        with revwatch.open(path, durability="batch") as store, store.watch(b"k") as watch:
            watch.poll()
            response = await told(watch.__anext__, lambda: store.put(b"k", b""))
            assert isinstance(response, revwatch.WatchResponse) and response.revision == 2

    asyncio.run(main())


def test_closing_wakes_the_tasks_that_wait() -> None:
    async def main() -> None:
        store = revwatch.open()
        closed, orphaned = store.watch(b"k"), store.watch(b"k")
        closed.poll()
        orphaned.poll()
        with pytest.raises(revwatch.Closed):
            await told(closed.__anext__, closed.close)
        with pytest.raises(revwatch.Closed):
            await told(orphaned.__anext__, store.close)
        orphaned.close()

    asyncio.run(main())


def test_tasks_that_share_a_watch_are_all_answered(store: revwatch.Store) -> None:
    async def main() -> None:
        with store.watch(b"k") as watch:
            watch.poll()
            tasks = [asyncio.create_task(anext(watch)) for _ in range(5)]
            await asyncio.sleep(0.01)
            for _ in range(5):
                store.put(b"k", b"")
            responses = await asyncio.wait_for(asyncio.gather(*tasks), timeout=60)
            assert sorted(each.revision for each in responses) == [2, 3, 4, 5, 6]

    asyncio.run(main())


def test_what_another_thread_took_but_did_not_want_wakes_a_task() -> None:
    async def main(store: revwatch.Store) -> None:
        with store.watch(b"k") as watch:
            watch.poll()
            task = asyncio.create_task(anext(watch))
            await asyncio.sleep(0.01)
            # Whichever of the two comes first may take both; the other then has its own from it.
            polled: list[revwatch.WatchResponse | None] = []
            thread = threading.Thread(target=lambda: polled.append(watch.poll(timeout=60)))
            thread.start()
            store.put(b"k", b"")
            store.put(b"k", b"")
            response = await asyncio.wait_for(task, timeout=60)
            await asyncio.to_thread(thread.join)
            assert polled[0] is not None
            assert sorted([response.revision, polled[0].revision]) == [2, 3]

    for _ in range(20):
        with revwatch.open() as store:
            asyncio.run(main(store))


def test_a_loop_in_each_of_several_threads_waits_for_one_watch(store: revwatch.Store) -> None:
    revisions: list[int] = []
    waiting = threading.Barrier(4)

    async def one(watch: revwatch.Watch) -> None:
        task = asyncio.create_task(anext(watch))
        await asyncio.sleep(0.01)
        waiting.wait()
        revisions.append((await asyncio.wait_for(task, timeout=60)).revision)

    with store.watch(b"k") as watch:
        watch.poll()
        threads = [threading.Thread(target=lambda: asyncio.run(one(watch))) for _ in range(3)]
        for thread in threads:
            thread.start()
        waiting.wait()
        for _ in range(3):
            store.put(b"k", b"")
        for thread in threads:
            thread.join(timeout=60)
    assert sorted(revisions) == [2, 3, 4]


def test_a_watch_that_was_waited_for_leaves_no_descriptor_open(store: revwatch.Store) -> None:
    async def main() -> None:
        with store.watch(b"k") as watch:
            watch.poll()
            await told(watch.__anext__, lambda: store.put(b"k", b""))

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("the system does not list the descriptors of a process")
    asyncio.run(main())
    before = descriptors()
    for _ in range(10):
        asyncio.run(main())
    assert descriptors() == before
