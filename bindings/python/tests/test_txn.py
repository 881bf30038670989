"""Transactions: comparisons and operations cross the boundary whole, however nested."""

from __future__ import annotations

import pytest
import revwatch
from revwatch import Compare, DeleteRange, KeyValue, Put, Range, Txn


def test_a_lock_is_taken_once(store: revwatch.Store) -> None:
    free = [Compare(b"lock", "version", "=", 0)]
    first = store.txn(free, [Put(b"lock", b"me")], [Range(b"lock")])
    assert first.succeeded and first.revision == 2
    assert first.responses == [revwatch.PutResponse(2)]
    second = store.txn(free, [Put(b"lock", b"you")], [Range(b"lock")])
    assert not second.succeeded and second.revision == 2
    (found,) = second.responses
    assert isinstance(found, revwatch.RangeResponse)
    assert found.kvs == [KeyValue(b"lock", b"me", 2, 2, 1, 0)]


def test_operations_see_what_earlier_ones_did(store: revwatch.Store) -> None:
    store.put(b"a", b"1")
    response = store.txn(
        [],
        [
            Put(b"b", b"2", prev_kv=True),
            Range(b"", prefix=True, sort_order="descend", sort_target="key"),
            DeleteRange(b"a", prev_kv=True),
            Txn(success=[Range(b"", prefix=True, keys_only=True), Put(b"c", b"3")]),
        ],
        [],
    )
    put, ranged, deleted, nested = response.responses
    assert put == revwatch.PutResponse(3, None)
    assert isinstance(ranged, revwatch.RangeResponse)
    assert [kv.key for kv in ranged.kvs] == [b"b", b"a"]
    assert deleted == revwatch.DeleteRangeResponse(3, 1, [KeyValue(b"a", b"1", 2, 2, 1, 0)])
    assert isinstance(nested, revwatch.TxnResponse)
    assert nested.succeeded and nested.revision == 0
    assert isinstance(nested.responses[0], revwatch.RangeResponse)
    assert [kv.key for kv in nested.responses[0].kvs] == [b"b"]
    assert response.revision == 3


@pytest.mark.parametrize(
    ("target", "smaller", "same", "larger"),
    [
        ("value", b"A", b"B", b"C"),
        ("version", 1, 2, 3),
        ("create", 1, 2, 3),
        ("mod", 2, 3, 4),
        ("lease", 76, 77, 78),
    ],
)
def test_every_target_compares_with_every_operator(
    store: revwatch.Store,
    target: revwatch.CompareTarget,
    smaller: bytes | int,
    same: bytes | int,
    larger: bytes | int,
) -> None:
    store.lease_grant(60_000, id=77)
    store.put(b"key", b"A")
    store.put(b"key", b"B", lease=77)

    def holds(op: revwatch.CompareOp, operand: bytes | int) -> bool:
        return store.txn([Compare(b"key", target, op, operand)], [], []).succeeded

    assert holds("=", same) and not holds("=", larger)
    assert holds("!=", larger) and not holds("!=", same)
    assert holds("<", larger) and not holds("<", same) and not holds("<", smaller)
    assert holds(">", smaller) and not holds(">", same) and not holds(">", larger)


def test_a_comparison_of_a_range_must_hold_for_every_key(store: revwatch.Store) -> None:
    store.put(b"a", b"1")
    store.put(b"b", b"2")
    whole = Compare(b"a", "version", "=", 1, b"c")
    assert store.txn([whole], [], []).succeeded
    store.put(b"b", b"3")
    assert not store.txn([whole], [], []).succeeded


def test_a_failed_transaction_changes_nothing(store: revwatch.Store) -> None:
    with pytest.raises(revwatch.DuplicateKey, match="twin"):
        store.txn([], [Put(b"twin", b"1"), Put(b"twin", b"2")], [])
    with pytest.raises(revwatch.LeaseNotFound):
        store.txn([], [Put(b"a", b"1"), Put(b"b", b"2", lease=5)], [])
    with pytest.raises(revwatch.TooManyOps):
        store.txn([], [Put(b"%d" % number) for number in range(129)], [])
    assert store.status().revision == 1


def test_what_cannot_be_compared_is_refused(store: revwatch.Store) -> None:
    with pytest.raises(TypeError, match="bytes"):
        store.txn([Compare(b"k", "value", "=", 1)], [], [])
    with pytest.raises(TypeError, match="int"):
        store.txn([Compare(b"k", "version", "=", b"1")], [], [])
    with pytest.raises(ValueError, match="target"):
        store.txn([Compare(b"k", "size", "=", 1)], [], [])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="op"):
        store.txn([Compare(b"k", "mod", "==", 1)], [], [])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="operation"):
        store.txn([], [b"put"], [])  # type: ignore[list-item]
    assert store.status().revision == 1


def test_nesting_without_end_is_refused_not_overflowed(store: revwatch.Store) -> None:
    nested = Txn()
    for _ in range(100_000):
        nested = Txn(success=[nested])
    with pytest.raises((revwatch.RevwatchError, RecursionError)):
        store.txn([], [nested], [])
    assert store.put(b"still", b"there").revision == 2
