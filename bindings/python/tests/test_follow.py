"""A follower gets the state and then every change, with nothing in between lost or told twice."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
import revwatch
from revwatch import FollowEvents, FollowReset, FollowResponse, FollowState, FollowSynced, Put


def drain(follow: revwatch.Follow) -> list[FollowResponse]:
    """All that is there now."""
    responses = []
    while (response := follow.poll()) is not None:
        responses.append(response)
    return responses


def apply(state: dict[bytes, bytes], responses: list[FollowResponse]) -> None:
    """What a program that mirrors the keys does."""
    for response in responses:
        match response:
            case FollowReset():
                state.clear()
            case FollowState(kvs):
                state.update((kv.key, kv.value) for kv in kvs)
            case FollowEvents(_, events):
                for event in events:
                    if event.type == "PUT":
                        state[event.kv.key] = event.kv.value
                    else:
                        state.pop(event.kv.key, None)


def test_the_state_comes_first_then_the_mark_then_changes(store: revwatch.Store) -> None:
    store.put(b"b", b"2")
    store.put(b"a", b"1")
    with store.follow(b"", prefix=True) as follow:
        before = drain(follow)
        store.put(b"c", b"3")
        store.delete_range(b"a")
        after = drain(follow)
    states = [kv.key for r in before if isinstance(r, FollowState) for kv in r.kvs]
    assert states == [b"a", b"b"]
    assert before[-1] == FollowSynced(3)
    changes = [(e.type, e.kv.key) for r in after if isinstance(r, FollowEvents) for e in r.events]
    assert changes == [("PUT", b"c"), ("DELETE", b"a")]


def test_a_mirror_equals_the_store_whatever_happens_meanwhile(store: revwatch.Store) -> None:
    for number in range(5000):
        store.put(b"%d" % (number % 300), b"%d" % number)
    mirror: dict[bytes, bytes] = {}
    with store.follow(b"", prefix=True) as follow:
        for number in range(2000):
            response = follow.poll()
            if response is not None:
                apply(mirror, [response])
            if number % 5 == 4:
                store.delete_range(b"%d" % (number % 300))
            else:
                store.put(b"%d" % (number % 310), b"new%d" % number)
            if number == 1000:
                store.compact(store.status().revision)
        apply(mirror, drain(follow))
    assert mirror == {kv.key: kv.value for kv in store.range(b"", prefix=True).kvs}


def test_a_resumed_follower_skips_the_state(path: Path) -> None:
    with revwatch.open(path) as store:
        store.put(b"old", b"")
        token = store.resume_token()
    with revwatch.open(path) as store:
        store.put(b"new", b"")
        with store.follow(b"", prefix=True, resume=token) as follow:
            responses = drain(follow)
    assert not any(isinstance(response, FollowState) for response in responses)
    events = [e.kv.key for r in responses if isinstance(r, FollowEvents) for e in r.events]
    assert events == [b"new"]


def events_of(responses: list[FollowResponse]) -> list[tuple[int, bytes]]:
    """Each change that was told."""
    events = [e for r in responses if isinstance(r, FollowEvents) for e in r.events]
    return [(event.kv.mod_revision, event.kv.key) for event in events]


def write_some(store: revwatch.Store) -> list[tuple[int, bytes]]:
    """Revisions of one to three changes each, a fifth of them of keys that nobody follows."""
    written = []
    for number in range(60):
        keys = [b"k%d" % at for at in range(number % 3 + 1)] if number % 5 else [b"other"]
        revision = store.txn([], [Put(key, b"%d" % number) for key in keys], []).revision
        written += [(revision, key) for key in keys if key != b"other"]
    return written


@pytest.mark.parametrize("limits", [{}, {"max_events": 1}, {"max_events": 7}, {"max_bytes": 20}])
def test_another_follower_goes_on_after_each_part_that_was_given(
    store: revwatch.Store, limits: dict[str, int]
) -> None:
    store.put(b"k0", b"before")
    with store.follow(b"k", prefix=True) as follow:
        assert [type(next(follow)) for _ in range(2)] == [FollowState, FollowSynced]
        written = write_some(store)
        given: list[FollowResponse] = []
        while (response := follow.poll(**limits)) is not None:
            given.append(response)
            token = follow.resume_token()
            assert token is not None and isinstance(response, FollowEvents)
            assert token.revision == response.revision == response.events[-1].kv.mod_revision
            with store.follow(b"k", prefix=True, resume=token) as other:
                assert events_of(given) + events_of(drain(other)) == written
                assert other.resume_token() == (token.epoch, written[-1][0])
    assert len(given) > 1, "all came in one part: this has shown nothing"


def test_there_is_no_token_before_all_of_the_state_was_given(store: revwatch.Store) -> None:
    for number in range(5):
        store.put(b"%d" % number, b"")
    with store.follow(b"", prefix=True) as follow:
        for _ in range(5):
            assert isinstance(follow.poll(max_events=1), FollowState)
            assert follow.resume_token() is None
        assert follow.poll(max_events=1) == FollowSynced(6)
        assert follow.resume_token() == store.resume_token() == (1, 6)
        with store.follow(b"", prefix=True, resume=follow.resume_token()) as other:
            assert drain(other) == []


def test_there_is_no_token_while_the_next_response_is_a_reset(store: revwatch.Store) -> None:
    with store.follow(b"k") as follow:
        assert next(follow) == FollowSynced(1)
        for number in range(500):
            store.put(b"k", b"%d" % number)
        store.compact(501)
        # What was queued is told before the reset, and the library tells both in one poll.
        kinds = []
        while (response := follow.poll()) is not None and follow.resume_token() is None:
            kinds.append(type(response))
        assert kinds[0] is FollowEvents
        assert [*kinds[-2:], type(response)] == [FollowReset, FollowState, FollowSynced]
        assert follow.resume_token() == (1, 501)


def test_a_follower_that_compaction_overtook_starts_over(store: revwatch.Store) -> None:
    store.put(b"a", b"1")
    token = store.resume_token()
    for number in range(5):
        store.put(b"a", b"%d" % number)
    store.compact(store.status().revision)
    mirror = {b"stale": b""}
    with store.follow(b"", prefix=True, resume=token) as follow:
        responses = drain(follow)
        apply(mirror, responses)
    assert any(isinstance(response, FollowReset) for response in responses)
    assert mirror == {b"a": b"4"}


def test_a_plain_for_waits_for_the_next_change(store: revwatch.Store) -> None:
    store.put(b"a", b"1")
    writer: threading.Thread | None = None
    with store.follow(b"a") as follow:
        for response in follow:
            if isinstance(response, FollowSynced):
                writer = threading.Thread(target=store.put, args=(b"a", b"2"))
                writer.start()
            if isinstance(response, FollowEvents):
                assert [event.kv.value for event in response.events] == [b"2"]
                break
    assert writer is not None
    writer.join()


def test_async_for_follows(store: revwatch.Store) -> None:
    async def main() -> list[type]:
        kinds: list[type] = []
        with store.follow(b"a") as follow:
            async for response in follow:
                kinds.append(type(response))
                if isinstance(response, FollowSynced):
                    store.put(b"a", b"2")
                if isinstance(response, FollowEvents):
                    break
        return kinds

    store.put(b"a", b"1")
    kinds = asyncio.run(asyncio.wait_for(main(), timeout=60))
    assert kinds == [FollowState, FollowSynced, FollowEvents]
