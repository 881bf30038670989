"""The requests put, get and del: from words and flags, on the command line and in txn alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TypedDict, cast

from ..txn import DeleteRange, Put, Range
from ..types import SortOrder, SortTarget
from .exits import CommandError, Exit, UsageError
from .flags import Flag, Values
from .go_syntax import parse_int, to_bytes

RANGE_FLAGS = [
    Flag("prefix", "switch", "all keys that begin with KEY"),
    Flag("from-key", "switch", "all keys from KEY on"),
]
PUT_FLAGS = [
    Flag("lease", "text", "lease to attach the key to, hexadecimal", default="0"),
    Flag("prev-kv", "switch", "print what the key was before"),
    Flag("ignore-value", "switch", "keep the value that the key has"),
    Flag("ignore-lease", "switch", "keep the lease that the key has"),
]
GET_FLAGS = [
    *RANGE_FLAGS,
    Flag("limit", "number", "at most so many results; 0 for all"),
    Flag("order", "text", "ASCEND or DESCEND"),
    Flag("sort-by", "text", "CREATE, KEY, MODIFY, VALUE or VERSION"),
    Flag("rev", "number", "as of which revision; 0 for the current one"),
    Flag("keys-only", "switch", "no values"),
    Flag("print-value-only", "switch", "no keys; only with -w simple"),
    Flag("consistency", "text", "accepted for etcdctl's sake: l or s", default="l"),
]
DEL_FLAGS = [*RANGE_FLAGS, Flag("prev-kv", "switch", "print what was deleted")]

_ORDERS = {"": "none", "ASCEND": "ascend", "DESCEND": "descend"}
_TARGETS = {
    "": "key", "KEY": "key", "CREATE": "create", "MODIFY": "mod", "VALUE": "value",
    "VERSION": "version",
}  # fmt: skip


def put_request(
    words: Sequence[str], flags: Values, read_stdin: Callable[[], bytes] | None = None
) -> Put:
    """put KEY [VALUE]; without a value it is read from stdin."""
    if not words:
        raise UsageError("put: no key; write put KEY VALUE, or put KEY with the value on stdin")
    ignore_value = flags.on("ignore-value")
    if ignore_value and len(words) > 1:
        raise UsageError("put: a value with --ignore-value; leave out one of them")
    value = b""
    if not ignore_value:
        value = to_bytes(words[1]) if len(words) > 1 else _stdin_value(read_stdin)
    return Put(
        to_bytes(words[0]),
        value,
        lease=parse_lease(flags.text("lease")),
        prev_kv=flags.on("prev-kv"),
        ignore_value=ignore_value,
        ignore_lease=flags.on("ignore-lease"),
    )


def read_stdin() -> bytes:
    """All of stdin; nothing if it is closed."""
    return sys.stdin.buffer.read() if sys.stdin is not None else b""


def read_stdin_line() -> bytes:
    """A line of stdin with its end; nothing where it ends."""
    return sys.stdin.buffer.readline() if sys.stdin is not None else b""


def _stdin_value(read: Callable[[], bytes] | None) -> bytes:
    value = read() if read else b""
    if not value:
        raise UsageError('put: no value; write put KEY VALUE (VALUE may be "") or give it on stdin')
    return value


def range_request(words: Sequence[str], flags: Values) -> Range:
    """get KEY [RANGE_END]."""
    if not words:
        raise UsageError("get: no key; write get KEY [RANGE_END]")
    extent = parse_extent("get", words, flags)
    if flags.text("consistency") not in ("l", "s"):
        raise CommandError(
            Exit.BAD_FEATURE,
            f"get: --consistency={flags.text('consistency')} is neither l nor s; leave it out",
        )
    order = _choose("order", flags.text("order"), _ORDERS)
    target = _choose("sort-by", flags.text("sort-by"), _TARGETS)
    return Range(
        **extent,
        limit=max(flags.number("limit"), 0),
        revision=max(flags.number("rev"), 0),
        sort_order=cast(SortOrder, order),
        sort_target=cast(SortTarget, target),
        keys_only=flags.on("keys-only"),
    )


def delete_request(words: Sequence[str], flags: Values) -> DeleteRange:
    """del KEY [RANGE_END]."""
    if not 1 <= len(words) <= 2:
        raise UsageError(f"del: {len(words)} arguments; write del KEY [RANGE_END]")
    return DeleteRange(**parse_extent("del", words, flags), prev_kv=flags.on("prev-kv"))


class Extent(TypedDict):
    """Which keys: what operations on a range have in common."""

    key: bytes
    range_end: bytes | None
    prefix: bool
    from_key: bool


def parse_extent(verb: str, words: Sequence[str], flags: Values) -> Extent:
    """KEY [RANGE_END]; a range end, --prefix and --from-key exclude each other."""
    given = [name for name in ("prefix", "from-key") if flags.on(name)]
    if len(given) > 1:
        raise UsageError(f"{verb}: --prefix with --from-key; choose one")
    if given and len(words) > 1:
        raise UsageError(f"{verb}: a range end with --{given[0]}; choose one")
    return {
        "key": to_bytes(words[0]),
        "range_end": to_bytes(words[1]) if len(words) > 1 else None,
        "prefix": flags.on("prefix"),
        "from_key": flags.on("from-key"),
    }


def parse_lease(text: str) -> int:
    """A lease id, which is hexadecimal on the command line."""
    try:
        return parse_int(text, 16)
    except ValueError as error:
        raise UsageError(f"lease id {error}; write it as lease list does") from None


def _choose(flag: str, text: str, choices: dict[str, str]) -> str:
    if (choice := choices.get(text.upper())) is None:
        known = ", ".join(filter(None, choices))
        raise CommandError(Exit.BAD_FEATURE, f"get: --{flag}={text}: choose one of {known}")
    return choice
