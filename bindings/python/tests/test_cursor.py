"""A cursor's consumer is told every change from where it has come, also after a crash."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import revwatch
from revwatch import CursorCompacted, CursorEvents, CursorRewound


def told(cursor: revwatch.Cursor) -> list[int]:
    """The revisions of the events that there are now."""
    revisions = []
    while (response := cursor.poll()) is not None:
        assert isinstance(response, CursorEvents)
        revisions += [event.kv.mod_revision for event in response.events]
    return revisions


def test_delivery_goes_on_after_the_last_acknowledgement(path: Path) -> None:
    with revwatch.open(path) as store:
        for number in range(5):
            store.put(b"k%d" % number, b"")
        with store.cursor(b"c", b"k", prefix=True, start_revision=1) as cursor:
            assert told(cursor) == [2, 3, 4, 5, 6]
            cursor.ack(4)
    with revwatch.open(path) as store, store.cursor(b"c", b"k", prefix=True) as cursor:
        assert told(cursor) == [5, 6]
        cursor.ack()
        assert store.cursors()[0].acked_revision == 6


def test_what_is_acknowledged_is_what_was_given_and_no_more(store: revwatch.Store) -> None:
    for _ in range(4):
        store.put(b"k", b"")
        store.put(b"other", b"")
    with store.cursor(b"c", b"k", start_revision=1) as cursor:
        assert cursor.revision == 0
        # One call takes all there is from the library, in a response that is given whole.
        first = cursor.poll(max_events=1)
        assert isinstance(first, CursorEvents)
        cursor.ack()
        assert store.cursors()[0].acked_revision == first.revision == 2
        assert told(cursor) == [4, 6, 8]
        # What is for nobody is passed over too.
        assert cursor.revision == 9
        cursor.ack()
        assert store.cursors()[0].lag_revisions == 0
        with pytest.raises(revwatch.AckNotDelivered) as caught:
            cursor.ack(10)
        assert caught.value.revision == 9
        with pytest.raises(ValueError, match="revision is"):
            cursor.ack(1 << 63)


def test_several_responses_are_given_one_by_one(store: revwatch.Store) -> None:
    store.put(b"k", b"")
    with store.cursor(b"c", b"k", start_revision=1) as cursor:
        store.put(b"k", b"")
        store.compact(3)
        response = cursor.poll()
        assert response == CursorCompacted(3)
        cursor.ack()
        assert store.cursors()[0].acked_revision == 2
        assert told(cursor) == [3]


def test_a_hold_keeps_history_from_compaction(store: revwatch.Store) -> None:
    with store.cursor(b"c", b"k", start_revision=1, hold=True) as cursor:
        for _ in range(3):
            store.put(b"k", b"")
        with pytest.raises(revwatch.HeldByCursor, match=r"cursor \"c\"") as caught:
            store.compact(3)
        assert caught.value.revision == 1
        assert told(cursor) == [2, 3, 4]
        cursor.ack()
        store.compact(4)


def test_a_hold_has_a_bound(path: Path) -> None:
    with revwatch.open(path, max_hold_revisions=2) as store:
        store.cursor(b"c", b"k", start_revision=1, hold=True).close()
        for _ in range(5):
            store.put(b"k", b"")
        with pytest.raises(revwatch.HeldByCursor):
            store.compact(5)
        store.compact(4)


def test_who_opens_a_cursor_takes_it_over(store: revwatch.Store) -> None:
    first = store.cursor(b"c", b"k")
    with store.cursor(b"c", b"k"):
        with pytest.raises(revwatch.CursorNotFound):
            first.poll()
        assert store.cursors()[0].open
    first.close()
    assert not store.cursors()[0].open
    with pytest.raises(revwatch.CursorExists):
        store.cursor(b"c", b"another")
    store.delete_cursor(b"c")
    assert store.cursors() == []
    with pytest.raises(revwatch.CursorNotFound):
        store.delete_cursor(b"c")


def test_a_cursor_can_be_moved(store: revwatch.Store) -> None:
    for _ in range(3):
        store.put(b"k", b"")
    with store.cursor(b"c", b"k", prefix=True, start_revision=1) as cursor:
        assert cursor.poll(max_events=1) is not None
        cursor.seek(4)
        assert (cursor.revision, told(cursor)) == (3, [4])
        cursor.seek()
        assert (cursor.revision, told(cursor)) == (4, [])
        cursor.seek(2)
        assert told(cursor) == [2, 3, 4]


def test_a_consumer_that_saw_what_is_lost_is_told(store: revwatch.Store) -> None:
    store.put(b"k", b"")
    lost = revwatch.ResumeToken(1, 9)
    with store.cursor(b"c", b"k", start_revision=1, seen=lost) as cursor:
        assert cursor.poll() == CursorRewound(2)
        assert told(cursor) == [2]


def test_cursors_are_for_tasks_and_threads_alike(store: revwatch.Store) -> None:
    async def consume() -> list[int]:
        revisions = []
        with store.cursor(b"c", b"k", start_revision=1) as cursor:
            async for response in cursor:
                assert isinstance(response, CursorEvents)
                revisions += [event.kv.mod_revision for event in response.events]
                cursor.ack()
                if revisions[-1] == 4:
                    break
        return revisions

    async def both() -> list[int]:
        consumer = asyncio.create_task(consume())
        for _ in range(3):
            await asyncio.sleep(0.01)
            store.put(b"k", b"")
        return await consumer

    assert asyncio.run(both()) == [2, 3, 4]
    assert store.cursors()[0].acked_revision == 4


def test_a_store_opened_read_only_lists_cursors(path: Path) -> None:
    with revwatch.open(path) as store:
        store.cursor(b"\x00c", b"k", prefix=True, hold=True).close()
        with revwatch.open(path, read_only=True) as reader:
            (report,) = reader.cursors()
            assert report == revwatch.CursorReport(b"\x00c", b"k", b"l", 1, 0, True, False)
            with pytest.raises(revwatch.ReadOnly):
                reader.cursor(b"c", b"k")


def test_names_and_ranges_are_bytes(store: revwatch.Store) -> None:
    with pytest.raises(TypeError, match="the name is a str"):
        store.cursor("c", b"k")  # type: ignore[arg-type]
    with pytest.raises(revwatch.InvalidOption):
        store.cursor(b"", b"k")
    with pytest.raises(TypeError, match="the name is a str"):
        store.delete_cursor("c")  # type: ignore[arg-type]
