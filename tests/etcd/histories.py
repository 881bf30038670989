"""Random histories: few keys, so that they collide, and every option."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from revwatch import Compare, DeleteRange, Put, Range, Txn
from revwatch.txn import Op
from revwatch.types import CompareOp, CompareTarget, SortOrder, SortTarget

# Fewer than twelve: for so few Go's sort keeps the order of equals, which otherwise is anybody's.
KEYS = [b"\0", b"a", b"a\0", b"ab", b"abc", b"b", b"b\xff", b"b\xff\xff", b"c/1", b"c/2", b"\xff"]
VALUES = [b"", b"1", b"2", b"20", b"\x00\xff", b"a longer value, of some words"]
LEASES = [101, 102, 103]
SORT_ORDERS: list[SortOrder] = ["none", "ascend", "descend"]
SORT_TARGETS: list[SortTarget] = ["key", "version", "create", "mod", "value"]
COMPARE_OPS: list[CompareOp] = ["=", "!=", "<", ">"]
COMPARE_TARGETS: list[CompareTarget] = ["value", "version", "create", "mod", "lease"]


@dataclass(frozen=True)
class Compact:
    revision: int


@dataclass(frozen=True)
class HashKv:
    revision: int


@dataclass(frozen=True)
class LeaseGrant:
    lease: int
    ttl_ms: int


@dataclass(frozen=True)
class LeaseRevoke:
    lease: int


@dataclass(frozen=True)
class LeaseKeys:
    lease: int


@dataclass(frozen=True)
class Leases:
    pass


Step: TypeAlias = Op | Compact | HashKv | LeaseGrant | LeaseRevoke | LeaseKeys | Leases


def operations(txn: Txn) -> Iterator[Op]:
    """All operations of a transaction, of both branches and of those nested in it."""
    for op in (*txn.success, *txn.failure):
        yield op
        if isinstance(op, Txn):
            yield from operations(op)


def may_be_fatal(txn: Txn) -> bool:
    """This etcd ends in a panic when a put is to keep the value or lease of a key that the same
    transaction has deleted before."""
    ops = list(operations(txn))
    keeps = any(isinstance(op, Put) and (op.ignore_value or op.ignore_lease) for op in ops)
    return keeps and any(isinstance(op, DeleteRange) for op in ops)


class Histories:
    """Draws steps that make sense around the present revision, and some that do not."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.revision = 1
        self.compact_revision = 0

    def step(self) -> Step:
        draw = self.random.random()
        if draw < 0.35:
            return self.put()
        if draw < 0.55:
            return self.range()
        if draw < 0.65:
            return self.delete()
        if draw < 0.88:
            return self.transaction()
        if draw < 0.90:
            return Compact(self.some_revision())
        if draw < 0.92:
            return HashKv(self.some_revision())
        if draw < 0.95:
            # Long enough that none runs out while the test runs.
            return LeaseGrant(self.random.choice(LEASES), self.random.choice([600_000, 3_600_000]))
        if draw < 0.97:
            return LeaseRevoke(self.lease())
        return LeaseKeys(self.lease()) if self.chance(0.5) else Leases()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def key(self) -> bytes:
        return b"" if self.chance(0.01) else self.random.choice(KEYS)

    def range_end(self) -> bytes | None:
        if self.chance(0.4):
            return None
        return self.random.choice([b"\0", b"\0\0", b"b", b"c", b"c0", b"a\x01", b"\xff\xff"])

    def lease(self) -> int:
        return 999 if self.chance(0.05) else self.random.choice(LEASES)

    def some_revision(self) -> int:
        """Around what is readable: compacted, present, old, future, and none."""
        if self.chance(0.3):
            return self.random.choice([0, 0, 0, -1, -7])
        first = max(self.compact_revision - 2, 1)
        return self.random.randint(first, self.revision + 1)

    def put(self) -> Put:
        ignore_value, ignore_lease = self.chance(0.1), self.chance(0.1)
        keeps_value = ignore_value and not self.chance(0.05)
        keeps_lease = ignore_lease and not self.chance(0.05)
        return Put(
            self.key(),
            b"" if keeps_value else self.random.choice(VALUES),
            lease=self.lease() if self.chance(0.25) and not keeps_lease else 0,
            prev_kv=self.chance(0.3),
            ignore_value=ignore_value,
            ignore_lease=ignore_lease,
        )

    def range(self) -> Range:
        def bound() -> int:
            return self.random.randint(-1, self.revision + 1) if self.chance(0.15) else 0

        return Range(
            self.key(),
            self.range_end(),
            limit=self.random.randint(1, 5) if self.chance(0.4) else 0,
            revision=self.some_revision() if self.chance(0.5) else 0,
            sort_order=self.random.choice(SORT_ORDERS),
            sort_target=self.random.choice(SORT_TARGETS),
            keys_only=self.chance(0.15),
            count_only=self.chance(0.1),
            min_mod_revision=bound(),
            max_mod_revision=bound(),
            min_create_revision=bound(),
            max_create_revision=bound(),
        )

    def delete(self) -> DeleteRange:
        return DeleteRange(self.key(), self.range_end(), prev_kv=self.chance(0.3))

    def compare(self) -> Compare:
        target = self.random.choice(COMPARE_TARGETS)
        operand: bytes | int
        match target:
            case "value":
                operand = self.random.choice(VALUES)
            case "version":
                operand = self.random.randint(0, 3)
            case "lease":
                operand = self.random.choice([0, *LEASES])
            case _:
                operand = self.random.randint(0, self.revision + 1)
        op = self.random.choice(COMPARE_OPS)
        return Compare(self.key(), target, op, operand, self.range_end())

    def transaction(self) -> Txn:
        while True:
            txn = self.txn(depth=2)
            if not may_be_fatal(txn):
                return txn

    def txn(self, depth: int) -> Txn:
        compares = [self.compare() for _ in range(self.random.choice([0, 1, 1, 2]))]
        return Txn(compares, self.branch(depth), self.branch(depth))

    def branch(self, depth: int) -> list[Op]:
        return [self.op(depth) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]

    def op(self, depth: int) -> Op:
        draw = self.random.random()
        if draw < 0.45:
            return self.put()
        if draw < 0.65:
            return self.range()
        if draw < 0.85 or depth == 0:
            return self.delete()
        return self.txn(depth - 1)
