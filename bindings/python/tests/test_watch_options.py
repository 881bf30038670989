"""What a watcher may ask for beside a range, and the report on all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import revwatch
from revwatch import FollowEvents, KeyRange, Put


def events_of(watch: revwatch.WatchStream) -> list[tuple[bytes, bytes, int]]:
    events = []
    while (response := watch.poll()) is not None:
        events += [(e.kv.key, e.kv.value, e.kv.mod_revision) for e in response.events]
    return events


def test_a_watcher_of_several_ranges_sees_each_change_once(store: revwatch.Store) -> None:
    ranges = [
        KeyRange(b"x", prefix=True),
        KeyRange(b"b", b"d"),
        KeyRange(b"k"),
        KeyRange(b"zz", from_key=True),
    ]
    with store.watch(b"k", ranges=ranges) as watch:
        for key in (b"a", b"b", b"c", b"d", b"k", b"ka", b"x", b"xyz", b"z", b"zzz"):
            store.put(key, b"")
        assert [key for key, *_ in events_of(watch)] == [b"b", b"c", b"k", b"x", b"xyz", b"zzz"]


def test_what_is_no_range_is_refused_by_name(store: revwatch.Store) -> None:
    with pytest.raises(TypeError, match="give KeyRange"):
        store.watch(b"k", ranges=[(b"a", b"b")])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="exclude each other"):
        store.watch(b"k", ranges=[KeyRange(b"a", b"b", prefix=True)])
    with pytest.raises(revwatch.EmptyWatchRange):
        store.watch(b"k", ranges=[KeyRange(b"b", b"a")])
    assert store.status().watchers == 0


def test_keys_only_leaves_out_values_also_the_previous(store: revwatch.Store) -> None:
    store.put(b"k", b"1")
    with store.watch(b"k", keys_only=True, prev_kv=True) as watch:
        watch.poll()
        store.put(b"k", b"2")
        response = watch.poll()
    assert response is not None
    [event] = response.events
    assert event.kv.value == b"" and event.kv.version == 2
    assert event.prev_kv is not None and event.prev_kv.value == b""


def test_a_revision_comes_in_marked_fragments_to_who_asked() -> None:
    with (
        revwatch.open(fragment_bytes=250) as store,
        store.watch(b"", prefix=True, fragment=True) as parts,
        store.watch(b"", prefix=True) as whole,
    ):
        parts.poll()
        whole.poll()
        store.txn([], [Put(b"%d" % key, b"v" * 100) for key in range(5)], [])
        told = [parts.poll() for _ in range(3)]
        sizes = [(len(each.events), each.fragment) for each in told if each is not None]
        assert sizes == [(2, True), (2, True), (1, False)]
        response = whole.poll()
        assert response is not None and len(response.events) == 5 and not response.fragment


def test_progress_is_told_by_interval_and_when_asked_for() -> None:
    with revwatch.open(clock="manual", progress_notify_ms=1000) as store:
        store.step(0)
        with store.watch(b"k", progress_notify=True) as watch:
            watch.poll()
            store.step(1)
            store.put(b"other", b"")
            store.step(1000)
            assert watch.poll() is None
            store.step(1001)
            response = watch.poll()
            assert response == revwatch.WatchResponse(0, 2, [], progress=True)
            assert watch.request_progress()
            assert watch.poll() == revwatch.WatchResponse(-1, 2, [], progress=True)
            watch.watch(b"k", start_revision=9)
            assert not watch.request_progress()


def test_who_conflates_sees_only_the_newest_of_each_key_when_behind(store: revwatch.Store) -> None:
    for number in range(20):
        store.put(b"ab"[number % 2 : number % 2 + 1], b"%d" % number)
    with store.watch(b"", prefix=True, start_revision=2, conflate=True) as watch:
        assert events_of(watch) == [(b"a", b"18", 20), (b"b", b"19", 21)]


def test_a_stream_holds_no_more_bytes_than_it_may_and_loses_nothing() -> None:
    with (
        revwatch.open(stream_queue_bytes=1000) as store,
        store.watch(b"k") as watch,
    ):
        for _ in range(50):
            store.put(b"k", b"v" * 100)
        [report] = store.watchers()
        assert report.state == "unsynced" and report.lag > 30
        assert 0 < report.queued_bytes <= 1101
        assert len(events_of(watch)) == 50


def test_the_report_tells_where_each_watcher_stands(store: revwatch.Store) -> None:
    assert store.watchers() == []
    store.put(b"a", b"1")
    with store.watch_stream() as stream, store.watch(b"a", start_revision=1) as past:
        stream.watch(b"a", watch_id=9, ranges=[KeyRange(b"b", prefix=True)])
        store.put(b"a", b"22")
        reports = {(each.stream_id, each.watch_id): each for each in store.watchers()}
        synced, behind = reports[stream.stream_id, 9], reports[past.stream_id, 0]
        assert synced.state == "synced"
        assert synced.ranges == [KeyRange(b"a", b""), KeyRange(b"b", b"c")]
        assert synced[4:] == (4, 1, 3, 0)
        assert behind.state == "unsynced"
        assert (behind.next_revision, behind.lag) == (1, 3)
        with store.follow(b"a") as follow:
            while follow.poll() is not None:
                pass
            assert len(store.watchers()) == 3


def test_who_asks_for_it_is_told_early_what_is_not_durable_yet(path: Path) -> None:
    with (
        revwatch.open(path, durability="batch", clock="manual") as store,
        store.watch_stream(early=True) as stream,
        store.watch(b"k", early=True) as watch,
        store.follow(b"k", early=True) as follow,
        store.watch(b"k") as other,
    ):
        stream.watch(b"k")
        assert next(follow) == revwatch.FollowSynced(1)
        assert store.put(b"k", b"v").revision == 2
        told = [(b"k", b"v", 2)]
        assert events_of(stream) == events_of(watch) == told
        followed = follow.poll()
        assert isinstance(followed, FollowEvents) and followed.revision == 2
        assert events_of(other) == []
        store.flush()
        assert events_of(other) == told
        assert events_of(watch) == []
