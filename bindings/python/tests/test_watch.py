"""Whoever watches sees every change once, in order, whole transactions at a time."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest
import revwatch
from revwatch import DeleteRange, Event, KeyValue, Put, WatchResponse


def test_a_watcher_is_told_that_it_was_created_and_then_every_change(
    store: revwatch.Store,
) -> None:
    store.put(b"a", b"0")
    with store.watch(b"a", prev_kv=True) as watch:
        created = watch.poll()
        assert created is not None and created.created and created.revision == 2
        assert watch.poll() is None
        store.put(b"a", b"1")
        store.put(b"b", b"1")
        store.delete_range(b"a")
        put, delete = watch.poll(), watch.poll()
    old, new = KeyValue(b"a", b"0", 2, 2, 1, 0), KeyValue(b"a", b"1", 2, 3, 2, 0)
    assert put == WatchResponse(watch.watch_id, 3, [Event("PUT", new, old)])
    deleted = KeyValue(b"a", b"", 0, 5, 0, 0)
    assert delete == WatchResponse(watch.watch_id, 5, [Event("DELETE", deleted, new)])


def test_history_comes_first_and_then_what_happens(store: revwatch.Store) -> None:
    for number in range(3000):
        store.put(b"k%d" % (number % 7), b"%d" % number)
    seen: list[int] = []
    with store.watch(b"", prefix=True, start_revision=2) as watch:
        for number in range(3000, 3100):
            store.put(b"k%d" % (number % 7), b"%d" % number)
        for response in watch:
            seen += [int(event.kv.value) for event in response.events]
            if seen and seen[-1] == 3099:
                break
    assert seen == list(range(3100))


def test_a_transaction_is_one_response(store: revwatch.Store) -> None:
    store.put(b"gone", b"")
    with store.watch(b"", prefix=True) as watch:
        watch.poll()
        store.txn([], [Put(b"b"), Put(b"a"), DeleteRange(b"gone")], [])
        response = watch.poll()
    assert response is not None
    assert [(event.type, event.kv.key) for event in response.events] == [
        ("PUT", b"b"),
        ("PUT", b"a"),
        ("DELETE", b"gone"),
    ]
    assert {event.kv.mod_revision for event in response.events} == {3}


def test_filters_leave_events_out(store: revwatch.Store) -> None:
    with (
        store.watch(b"k", no_put=True) as deletes,
        store.watch(b"k", no_delete=True) as puts,
    ):
        deletes.poll(), puts.poll()
        store.put(b"k", b"1")
        store.delete_range(b"k")
        only_delete, only_put = deletes.poll(), puts.poll()
        assert only_delete is not None and [e.type for e in only_delete.events] == ["DELETE"]
        assert only_put is not None and [e.type for e in only_put.events] == ["PUT"]
        assert deletes.poll() is None and puts.poll() is None


def test_a_watcher_whose_stream_is_full_is_counted_as_a_victim_until_it_is_told(
    store: revwatch.Store,
) -> None:
    with store.watch_stream() as stream, store.watch(b"k") as empty:
        stream.watch(b"k")
        empty.poll()
        for number in range(1000):
            store.put(b"k", b"%d" % number)
            while empty.poll() is not None:
                pass
        status = store.status()
        assert (status.watchers, status.watch_streams) == (2, 2)
        assert status.victim_watchers == 1
        told: list[bytes] = []
        while (response := stream.poll()) is not None:
            told += [event.kv.value for event in response.events]
        assert told == [b"%d" % number for number in range(1000)]
        status = store.status()
        assert (status.victim_watchers, status.unsynced_watchers) == (0, 0)


def test_a_watcher_of_the_past_is_counted_as_unsynced_until_it_has_caught_up() -> None:
    with revwatch.open(clock="manual") as store:
        for number in range(3000):
            store.put(b"k", b"%d" % number)
        with store.watch(b"k", start_revision=2) as watch:
            assert store.status().unsynced_watchers == 1
            seen = 0
            while seen < 3000:
                response = watch.poll()
                assert response is not None
                seen += len(response.events)
            assert store.status().unsynced_watchers == 0


def test_a_compacted_watcher_is_told_once_and_ends(store: revwatch.Store) -> None:
    for number in range(10):
        store.put(b"k", b"%d" % number)
    store.compact(8)
    with store.watch(b"k", start_revision=3) as watch:
        responses = list(watch)
        assert [response.compact_revision for response in responses] == [0, 8]
        assert responses[-1].canceled
        assert "8" in responses[-1].cancel_reason
        assert watch.poll() is None


def test_a_resumed_watch_goes_on_after_the_last_seen_revision(path: Path) -> None:
    with revwatch.open(path) as store:
        store.put(b"k", b"seen")
        token = store.resume_token()
        store.put(b"k", b"missed")
    with revwatch.open(path) as store, store.watch(b"k", resume=token) as watch:
        events = [event for _ in range(4) for event in (watch.poll() or ([],) * 3)[2]]
        assert [event.kv.value for event in events] == [b"missed"]


def test_a_stream_carries_many_watchers(store: revwatch.Store) -> None:
    with store.watch_stream() as stream:
        first = stream.watch(b"a")
        second = stream.watch(b"b", watch_id=7)
        assert (first, second) == (0, 7)
        with pytest.raises(revwatch.DuplicateWatchId):
            stream.watch(b"c", watch_id=7)
        store.put(b"a", b"1")
        store.put(b"b", b"1")
        stream.cancel(first)
        store.put(b"a", b"2")
        store.put(b"b", b"2")
        told: list[WatchResponse] = []
        while (response := stream.poll()) is not None:
            told.append(response)
    assert [(r.watch_id, r.revision) for r in told if r.events] == [(0, 2), (7, 3), (7, 5)]
    assert [r.watch_id for r in told if r.created] == [0, 7]
    assert [r.watch_id for r in told if r.canceled] == [0]


def test_a_poll_keeps_whole_revisions_together(store: revwatch.Store) -> None:
    for _ in range(5):
        store.txn([], [Put(b"%d" % key, b"v" * 100) for key in range(4)], [])
    with store.watch_stream() as stream:
        stream.watch(b"", prefix=True, start_revision=2)
        sizes = []
        for _ in range(20):
            response = stream.poll(max_events=1, max_bytes=1)
            if response is not None and response.events:
                sizes.append(len(response.events))
    assert sum(sizes) == 20
    assert all(size % 4 == 0 for size in sizes)


def test_a_blocked_poll_wakes_for_a_write_of_another_thread(store: revwatch.Store) -> None:
    with store.watch(b"k") as watch:
        watch.poll()
        writer = threading.Thread(target=store.put, args=(b"k", b"1"))
        writer.start()
        response = watch.poll(timeout=60)
        writer.join()
    assert response is not None and response.events[0].kv.value == b"1"


def test_a_poll_without_change_ends_at_its_timeout(store: revwatch.Store) -> None:
    with store.watch(b"k") as watch:
        watch.poll()
        assert watch.poll(timeout=0.15) is None


def test_waiting_leaves_the_interpreter_to_other_threads(store: revwatch.Store) -> None:
    ended = threading.Event()

    def wait() -> None:
        with store.watch(b"k") as watch:
            for response in watch:
                if response.events:
                    break
        ended.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    counted = sum(1 for _ in range(1_000_000))
    assert counted == 1_000_000 and not ended.is_set()
    store.put(b"k", b"1")
    waiter.join(timeout=60)
    assert ended.is_set()


def test_waiting_can_be_interrupted(store: revwatch.Store, request: pytest.FixtureRequest) -> None:
    # A process that a shell started in its background ignores the signal from birth.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with store.watch(b"k") as watch:
        watch.poll()
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            watch.poll(timeout=120)
        timer.join()


def test_closing_the_store_ends_a_wait_of_another_thread() -> None:
    store = revwatch.open()
    watch = store.watch(b"k")
    watch.poll()
    outcome: list[object] = []

    def wait() -> None:
        try:
            outcome.append(watch.poll(timeout=120))
        except revwatch.Closed as error:
            outcome.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    store.close()
    waiter.join(timeout=60)
    assert len(outcome) == 1
    assert isinstance(outcome[0], revwatch.Closed)


def test_async_for_lets_other_tasks_run(store: revwatch.Store) -> None:
    async def reader() -> list[bytes]:
        values = []
        with store.watch(b"k") as watch:
            async for response in watch:
                values += [event.kv.value for event in response.events]
                if len(values) == 3:
                    break
        return values

    async def main() -> list[bytes]:
        task = asyncio.create_task(reader())
        for number in range(3):
            await asyncio.sleep(0.02)
            store.put(b"k", b"%d" % number)
        return await asyncio.wait_for(task, timeout=60)

    assert asyncio.run(main()) == [b"0", b"1", b"2"]


def test_an_awaiting_watch_can_be_cancelled(store: revwatch.Store) -> None:
    async def main() -> None:
        with store.watch(b"k") as watch:
            watch.poll()
            with pytest.raises(asyncio.TimeoutError):
                async with asyncio.timeout(0.1):
                    async for _ in watch:
                        raise AssertionError("nothing was written")
            store.put(b"k", b"after")
            async for response in watch:
                assert response.events[0].kv.value == b"after"
                break

    asyncio.run(main())


def test_many_awaiting_watches_share_one_loop(store: revwatch.Store) -> None:
    async def one(number: int) -> int:
        with store.watch(b"%d" % number) as watch:
            async for response in watch:
                if response.events:
                    return response.revision
        raise AssertionError("ended without an event")

    async def main() -> list[int]:
        tasks = [asyncio.create_task(one(number)) for number in range(50)]
        await asyncio.sleep(0.05)
        for number in range(50):
            store.put(b"%d" % number, b"")
        return await asyncio.wait_for(asyncio.gather(*tasks), timeout=60)

    assert asyncio.run(main()) == list(range(2, 52))


def test_threads_write_and_watch_at_once_and_nothing_is_lost(store: revwatch.Store) -> None:
    writes_each, writers = 300, 4
    seen: list[tuple[int, bytes]] = []

    def write(name: int) -> None:
        for number in range(writes_each):
            store.put(b"%d/%d" % (name, number), b"")

    def read() -> None:
        with store.watch(b"", prefix=True, start_revision=2) as watch:
            for response in watch:
                seen.extend((e.kv.mod_revision, e.kv.key) for e in response.events)
                if len(seen) == writes_each * writers:
                    return

    reader = threading.Thread(target=read)
    threads = [threading.Thread(target=write, args=(name,)) for name in range(writers)]
    for thread in [reader, *threads]:
        thread.start()
    for thread in [*threads, reader]:
        thread.join(timeout=120)
    assert [revision for revision, _ in seen] == list(range(2, 2 + writes_each * writers))
    for name in range(writers):
        own = [key for _, key in seen if key.startswith(b"%d/" % name)]
        assert own == [b"%d/%d" % (name, number) for number in range(writes_each)]
