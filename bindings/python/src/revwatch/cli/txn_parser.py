"""The language of txn: a comparison or a request on each line.

    mod("key") > "0"
    put key "a value"

A part (comparisons, requests if they hold, requests if not) ends with an empty line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from ..txn import Compare, Op
from ..types import CompareOp, CompareTarget
from .exits import CommandError, Exit
from .flags import Flag, FlagError, Values, parse
from .go_syntax import parse_int, scan_quoted
from .requests import (
    DEL_FLAGS,
    GET_FLAGS,
    PUT_FLAGS,
    delete_request,
    put_request,
    range_request,
)

_TARGETS = {
    "ver": "version", "version": "version", "c": "create", "create": "create", "m": "mod",
    "mod": "mod", "val": "value", "value": "value", "lease": "lease",
}  # fmt: skip
_OPERATORS = ("=", "!=", "<", ">")
_SPACE = " \t\n\v\f\r\x85\xa0"
_REQUESTS: dict[str, tuple[list[Flag], Callable[[list[str], Values], Op]]] = {
    "put": (PUT_FLAGS, put_request),
    "get": (GET_FLAGS, range_request),
    "del": (DEL_FLAGS, delete_request),
}


class InvalidLine(CommandError):
    """A line that cannot be understood."""

    def __init__(self, line: str, problem: str) -> None:
        """Shows the line."""
        super().__init__(Exit.INVALID_INPUT, f"txn: in the line {line!r}: {problem}")


def read_lines(read_line: Callable[[], bytes]) -> list[str]:
    """The lines of one part, up to the empty line that ends it."""
    lines: list[str] = []
    while True:
        raw = read_line()
        if not raw.endswith(b"\n"):
            raise CommandError(
                Exit.INVALID_INPUT,
                "txn: stdin ended too early; comparisons, then requests if they hold, then "
                "requests if not, each end with an empty line",
            )
        line = raw.decode("utf-8", "surrogateescape").strip(_SPACE)
        if not line:
            return lines
        lines.append(line)


def parse_compare(line: str) -> Compare:
    """A comparison, like `value("key") = "x"`."""
    word, opened, rest = line.partition("(")
    if not opened:
        raise InvalidLine(line, 'no comparison; write one like value("key") = "x"')
    try:
        key, at = scan_quoted(rest, _skip_space(rest, 0))
        found = re.compile(r"\)[ \t]+(\S+)[ \t]+").match(rest, at)
        if found is None:
            raise ValueError(f'write {word}("key"), space, operator, space, "operand"')
        operand, _ = scan_quoted(rest, found.end())
    except ValueError as error:
        raise InvalidLine(line, str(error)) from None
    target, operator = _TARGETS.get(word), found[1]
    if target is None:
        raise InvalidLine(line, f"there is no {word!r} to compare; try {', '.join(_TARGETS)}")
    if operator not in _OPERATORS:
        raise InvalidLine(line, f"there is no {operator!r}; compare with {' '.join(_OPERATORS)}")
    return Compare(
        key,
        cast(CompareTarget, target),
        cast(CompareOp, operator),
        operand if target == "value" else _number(line, target, operand),
    )


def parse_request(line: str) -> Op:
    """A request, like `put key value --prev-kv`."""
    words = split_words(line)
    if len(words) < 2:
        raise InvalidLine(line, "no request; write put KEY VALUE, get KEY or del KEY")
    verb, *rest = words
    if verb not in _REQUESTS:
        raise InvalidLine(line, f"there is no {verb!r} in a txn; only put, get and del")
    flags, request = _REQUESTS[verb]
    try:
        values, arguments = parse(rest, flags)
    except FlagError as error:
        raise InvalidLine(line, str(error)) from None
    return request(arguments, values)


def split_words(line: str) -> list[str]:
    r"""Words between spaces; "double quotes" know escapes, 'single quotes' take all as it is.

    >>> split_words(r'''put "a\tb" 'c "d"' e"f''')
    ['put', 'a\tb', 'c "d"', 'e"f']
    """
    words: list[str] = []
    token = re.compile(r"""(?s)("(?:[^"\\]|\\.)*")|'([^']*)'|([^'"\t\n\f\r ][^\t\n\f\r ]*)""")
    for found in token.finditer(line):
        quoted, single, bare = found.groups()
        if quoted is not None:
            try:
                data, _ = scan_quoted(quoted, 0)
            except ValueError as error:
                raise InvalidLine(line, str(error)) from None
            words.append(data.decode("utf-8", "surrogateescape"))
        else:
            words.append(bare if single is None else single)
    return words


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t"):
        at += 1
    return at


def _number(line: str, target: str, operand: bytes) -> int:
    text = operand.decode("utf-8", "surrogateescape")
    try:
        return parse_int(text, 16 if target == "lease" else 10)
    except ValueError as error:
        raise InvalidLine(line, str(error)) from None
