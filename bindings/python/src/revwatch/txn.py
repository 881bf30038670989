"""The words of a transaction: comparisons, and the operations that follow from them.

>>> take = Txn(
...     compare=[Compare(b"lock", "version", "=", 0)],
...     success=[Put(b"lock", b"me")],
...     failure=[Range(b"lock")],
... )
>>> take.compare[0].op
'='
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TypeAlias

from ._bytes import BytesLike
from .types import CompareOp, CompareTarget, SortOrder, SortTarget


@dataclass(frozen=True, slots=True)
class Compare:
    """A condition on a key, or on every key of a range, as it was before the transaction.

    A missing key has version, revisions and lease 0, and no value: a comparison of its value is
    false whatever the operator.
    """

    key: BytesLike
    target: CompareTarget
    op: CompareOp
    operand: BytesLike | int
    """Bytes for the target ``value``, a number for the others."""
    range_end: BytesLike | None = None


@dataclass(frozen=True, slots=True)
class Put:
    """Creates or changes a key."""

    key: BytesLike
    value: BytesLike = b""
    lease: int = 0
    """The lease to attach the key to; 0 detaches it from any."""
    prev_kv: bool = False
    """Answer with what the key was before."""
    ignore_value: bool = False
    """Keep the value that the key has; it must exist."""
    ignore_lease: bool = False
    """Keep the lease that the key has; it must exist."""


@dataclass(frozen=True, slots=True)
class Range:
    """Asks for keys: the revision bounds filter, then comes the sort, then the limit."""

    key: BytesLike
    range_end: BytesLike | None = None
    _: KW_ONLY
    prefix: bool = False
    from_key: bool = False
    limit: int = 0
    """At most so many; 0 for all."""
    revision: int = 0
    """As of which revision; 0 for the current one."""
    sort_order: SortOrder = "none"
    sort_target: SortTarget = "key"
    keys_only: bool = False
    count_only: bool = False
    min_mod_revision: int = 0
    max_mod_revision: int = 0
    min_create_revision: int = 0
    max_create_revision: int = 0


@dataclass(frozen=True, slots=True)
class DeleteRange:
    """Deletes keys."""

    key: BytesLike
    range_end: BytesLike | None = None
    _: KW_ONLY
    prefix: bool = False
    from_key: bool = False
    prev_kv: bool = False
    """Answer with what was deleted."""


@dataclass(frozen=True, slots=True)
class Txn:
    """If all comparisons hold, ``success``, else ``failure``: atomically, at one revision."""

    compare: Sequence[Compare] = ()
    success: Sequence[Op] = ()
    failure: Sequence[Op] = ()


Op: TypeAlias = Put | Range | DeleteRange | Txn
