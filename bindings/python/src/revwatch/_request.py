"""Requests become what the library takes: bytes, and structures of options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._bytes import to_bytes
from ._native import NULL, ffi, lib
from ._range import key_range
from .txn import DeleteRange, Put, Range
from .types import ResumeToken

SORT_ORDERS: Mapping[str, int] = {
    "none": lib.REVWATCH_SORT_NONE,
    "ascend": lib.REVWATCH_SORT_ASCEND,
    "descend": lib.REVWATCH_SORT_DESCEND,
}
SORT_TARGETS: Mapping[str, int] = {
    "key": lib.REVWATCH_SORT_BY_KEY,
    "version": lib.REVWATCH_SORT_BY_VERSION,
    "create": lib.REVWATCH_SORT_BY_CREATE,
    "mod": lib.REVWATCH_SORT_BY_MOD,
    "value": lib.REVWATCH_SORT_BY_VALUE,
}


class RangeArguments(NamedTuple):
    """A range of keys with the options of what is done to it."""

    start: bytes
    end: bytes
    options: Any


def word(given: str, words: Mapping[str, int], what: str) -> int:
    """The number that a word stands for.

    >>> word("up", {"ascend": 1, "descend": 2}, "sort_order")
    Traceback (most recent call last):
        ...
    ValueError: sort_order is 'up': give one of 'ascend', 'descend'
    """
    try:
        return words[given]
    except (KeyError, TypeError):
        choices = ", ".join(map(repr, words))
        raise ValueError(f"{what} is {given!r}: give one of {choices}") from None


def options(name: str, **members: Any) -> Any:
    """A structure of options of this name, all of which are zero but the given ones."""
    made = structure(f"revwatch_{name}_options", members)
    made.struct_size = ffi.sizeof(made[0])
    return made


def structure(name: str, members: Mapping[str, Any]) -> Any:
    """A structure of the library; a member that it cannot hold is refused by its name.

    >>> structure("revwatch_open_options", {"quota_bytes": -5})
    Traceback (most recent call last):
        ...
    ValueError: quota_bytes is -5: give a number from 0 to 18446744073709551615
    """
    try:
        return ffi.new(f"{name} *", members)
    except (OverflowError, TypeError):
        kinds = dict(ffi.typeof(name).fields)
        for member, value in members.items():
            if kinds[member].type.kind == "primitive":
                check_fits(member, value, kinds[member].type)
        raise


def check_fits(member: str, value: Any, kind: Any) -> None:
    """Refuses what is not a number of this kind."""
    try:
        ffi.new(ffi.getctype(kind, "*"), value)
    except TypeError:
        given = type(value).__name__
        raise TypeError(f"{member} is a {given}: give a whole number") from None
    except OverflowError:
        most = int(ffi.cast(kind, -1))
        least = 0
        if most < 0:
            most = (1 << 8 * ffi.sizeof(kind) - 1) - 1
            least = -most - 1
        message = f"{member} is {value}: give a number from {least} to {most}"
        raise ValueError(message) from None


INT64, SIZE = ffi.typeof("int64_t"), ffi.typeof("size_t")


def whole(name: str, value: int, kind: Any = INT64) -> int:
    """A number that is an argument by itself; what the library cannot take is refused by name.

    >>> whole("revision", 2**63)
    Traceback (most recent call last):
        ...
    ValueError: revision is 9223372036854775808: give a number from -9223372036854775808 to \
9223372036854775807
    """
    check_fits(name, value, kind)
    return value


def resume_token(given: ResumeToken) -> Any:
    """The structure for a token. A mere pair is refused, as nothing tells which number is which.

    >>> resume_token((7, 1))
    Traceback (most recent call last):
        ...
    TypeError: resume is a tuple: give a ResumeToken, or make one: ResumeToken(epoch=…, revision=…)
    """
    if not isinstance(given, ResumeToken):
        kind = type(given).__name__
        raise TypeError(
            f"resume is a {kind}: give a ResumeToken, or make one: ResumeToken(epoch=…, revision=…)"
        )
    return structure("revwatch_resume_token", given._asdict())


def put_options(put: Put) -> Any:
    """How a key is put."""
    return options(
        "put",
        lease=put.lease,
        prev_kv=bool(put.prev_kv),
        ignore_value=bool(put.ignore_value),
        ignore_lease=bool(put.ignore_lease),
    )


def range_arguments(asked: Range) -> RangeArguments:
    """How keys are asked for."""
    start, end = key_range(asked.key, asked.range_end, asked.prefix, asked.from_key)
    made = options(
        "range",
        revision=asked.revision,
        limit=asked.limit,
        sort_order=word(asked.sort_order, SORT_ORDERS, "sort_order"),
        sort_target=word(asked.sort_target, SORT_TARGETS, "sort_target"),
        keys_only=bool(asked.keys_only),
        count_only=bool(asked.count_only),
        min_mod_revision=asked.min_mod_revision,
        max_mod_revision=asked.max_mod_revision,
        min_create_revision=asked.min_create_revision,
        max_create_revision=asked.max_create_revision,
    )
    return RangeArguments(start, end, made)


def delete_range_arguments(asked: DeleteRange) -> RangeArguments:
    """How keys are deleted."""
    start, end = key_range(asked.key, asked.range_end, asked.prefix, asked.from_key)
    made = options("delete_range", prev_kv=1) if asked.prev_kv else NULL
    return RangeArguments(start, end, made)


def key_and_value(put: Put) -> tuple[bytes, bytes]:
    """The two as bytes."""
    return to_bytes(put.key, "key"), to_bytes(put.value, "value")
