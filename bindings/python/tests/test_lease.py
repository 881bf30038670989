"""Leases: keys that go when nobody keeps them, by a clock that the tests hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import revwatch


@pytest.fixture
def timed() -> Iterator[revwatch.Store]:
    with revwatch.open(clock="manual") as opened:
        opened.step(0)
        yield opened


def test_keys_go_with_their_lease_in_one_revision(timed: revwatch.Store) -> None:
    lease = timed.lease_grant(10_000)
    assert (lease.ttl_ms, lease.revision) == (10_000, 1)
    for key in (b"a", b"b", b"c"):
        timed.put(key, b"", lease=lease.id)
    with timed.watch(b"", prefix=True) as watch:
        watch.poll()
        timed.step(9_999)
        assert timed.range(b"", prefix=True, count_only=True).count == 3
        timed.step(10_000)
        response = watch.poll()
    assert response is not None
    assert [(e.type, e.kv.key) for e in response.events] == [
        ("DELETE", b"a"),
        ("DELETE", b"b"),
        ("DELETE", b"c"),
    ]
    assert timed.leases() == []


def test_a_kept_lease_lives_on(timed: revwatch.Store) -> None:
    lease = timed.lease_grant(10_000, id=7)
    assert lease.id == 7
    timed.step(9_000)
    assert timed.lease_keep_alive(7) == 10_000
    timed.step(18_000)
    assert timed.lease_time_to_live(7).ttl_ms == 1_000
    assert timed.lease_keep_alive(8) == 0


def test_time_to_live_lists_keys_only_if_asked(timed: revwatch.Store) -> None:
    timed.lease_grant(60_000, id=7)
    timed.put(b"b", b"", lease=7)
    timed.put(b"a", b"", lease=7)
    assert timed.lease_time_to_live(7).keys == []
    told = timed.lease_time_to_live(7, keys=True)
    assert sorted(told.keys) == [b"a", b"b"]
    assert (told.ttl_ms, told.granted_ttl_ms) == (60_000, 60_000)
    assert timed.lease_time_to_live(8).ttl_ms == -1


def test_a_revoked_lease_takes_its_keys(timed: revwatch.Store) -> None:
    timed.lease_grant(60_000, id=3)
    timed.lease_grant(60_000, id=2)
    assert timed.leases() == [2, 3]
    timed.put(b"a", b"", lease=3)
    assert timed.lease_revoke(3) == 3
    assert timed.get(b"a") is None
    with pytest.raises(revwatch.LeaseNotFound):
        timed.lease_revoke(3)


def test_a_lease_is_granted_once(timed: revwatch.Store) -> None:
    timed.lease_grant(60_000, id=3)
    with pytest.raises(revwatch.LeaseExists):
        timed.lease_grant(60_000, id=3)
    with pytest.raises(revwatch.LeaseTtlTooLarge):
        timed.lease_grant(2**62)


def test_a_put_can_keep_or_drop_the_lease(timed: revwatch.Store) -> None:
    timed.lease_grant(60_000, id=3)
    timed.put(b"a", b"1", lease=3)
    timed.put(b"a", b"2", ignore_lease=True)
    kv = timed.get(b"a")
    assert kv is not None and kv.lease == 3
    timed.put(b"a", b"", ignore_value=True)
    kv = timed.get(b"a")
    assert kv is not None and (kv.value, kv.lease) == (b"2", 0)


def test_the_systems_clock_drives_leases_during_every_wait() -> None:
    with revwatch.open() as store:
        lease = store.lease_grant(1)
        assert lease.ttl_ms == 2_000, "raised to the minimum"
        store.put(b"a", b"", lease=lease.id)
        with store.watch(b"a") as watch:
            for response in watch:
                if response.events:
                    assert response.events[0].type == "DELETE"
                    break
