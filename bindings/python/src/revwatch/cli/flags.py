"""Flags as etcdctl's library (pflag) reads them.

That is GNU's way, which `getopt` reads (before, between and after arguments, `-w json`, `-wjson`,
`--rev 1`, `--rev=1`, `--` ends them), with these additions: `-w=json`, switches with a value
(`--hex=false`), and no abbreviations.
"""

from __future__ import annotations

import getopt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .exits import CommandError, Exit
from .go_syntax import parse_int

Kind = Literal["switch", "number", "text", "duration", "seconds"]

_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_FALSE = {"0", "f", "F", "FALSE", "false", "False"}
_DURATION = r"0|[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+"


@dataclass(frozen=True)
class Flag:
    """One flag: how it is written and what it takes."""

    name: str
    kind: Kind
    help: str
    short: str = ""
    default: str = ""


class FlagError(CommandError):
    """An unknown flag, or one with a value that it cannot have."""

    def __init__(self, message: str) -> None:
        """Ends the command as etcdctl ends at a wrong flag."""
        super().__init__(Exit.ERROR, message)


class Values:
    """The values of flags, checked; what was not given has its default."""

    def __init__(self, flags: Iterable[Flag]) -> None:
        """All defaults."""
        self._kinds = {flag.name: flag.kind for flag in flags}
        self._texts = {flag.name: flag.default for flag in flags}

    def set(self, name: str, text: str) -> None:
        """Sets a flag from its text; a wrong one is a `FlagError`."""
        kind = self._kinds[name]
        try:
            if kind == "switch":
                parse_switch(text)
            elif kind == "number":
                parse_int(text, base=0)
            elif kind == "duration":
                check_duration(text)
            elif kind == "seconds":
                parse_seconds(text)
        except ValueError as error:
            raise FlagError(f"--{name}: {error}") from None
        self._texts[name] = text

    def update(self, other: Values) -> None:
        """Takes over what the other has."""
        self._texts.update(other._texts)

    def on(self, name: str) -> bool:
        """A switch."""
        return name in self._texts and parse_switch(self._texts[name] or "false")

    def number(self, name: str) -> int:
        """A number; 0 by default."""
        return parse_int(self._texts[name] or "0", base=0)

    def text(self, name: str) -> str:
        """A text, as given."""
        return self._texts[name]

    def seconds(self, name: str) -> float:
        """A number of seconds."""
        return parse_seconds(self._texts[name])


def parse(
    words: Sequence[str],
    flags: Sequence[Flag],
    *,
    to_first_argument: bool = False,
    start: Values | None = None,
) -> tuple[Values, list[str]]:
    """The flags' values and the arguments.

    With `to_first_argument` nothing after it is read; `start` has values that were set before.
    """
    values = Values(flags)
    if start is not None:
        values.update(start)
    by_word = {f"--{flag.name}": flag for flag in flags}
    by_word |= {f"-{flag.short}": flag for flag in flags if flag.short}
    words = list(_spell_switches(words, by_word))
    scan = getopt.getopt if to_first_argument else getopt.gnu_getopt
    try:
        found, arguments = scan(words, _short(flags), _long(flags))
    except getopt.GetoptError as error:
        raise FlagError(f"{error.msg}; see --help for the flags") from None
    for word, text in found:
        name, _, switch = word.partition(":")
        if word.startswith("--") and not any(
            given == word or given.startswith(f"{word}=") for given in words
        ):
            raise FlagError(f"a flag is an abbreviation of {name}; write it out")
        flag = by_word[name]
        if flag.kind == "switch":
            text = switch or "true"
        elif not word.startswith("--"):
            text = text.removeprefix("=")
        values.set(flag.name, text)
    return values, arguments


def parse_switch(text: str) -> bool:
    """True or false, in the spellings that etcdctl takes.

    >>> parse_switch("T"), parse_switch("0")
    (True, False)
    """
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"{text!r} is neither true nor false")


def parse_seconds(text: str) -> float:
    """Seconds, without a unit.

    >>> parse_seconds("0.5"), parse_seconds("60")
    (0.5, 60.0)
    """
    if not re.fullmatch(r"[0-9]+\.?[0-9]*|\.[0-9]+", text):
        raise ValueError(f"{text!r} is not a number of seconds; write one like 5 or 0.5")
    return float(text)


def check_duration(text: str) -> None:
    """Refuses what is no duration with units. All flags that take one are ignored beyond that."""
    if not re.fullmatch(_DURATION, text):
        raise ValueError(f"{text!r} is not a duration; write one like 5s, 1m30s or 100ms")


def _spell_switches(words: Sequence[str], by_word: dict[str, Flag]) -> Iterable[str]:
    """Rewrites `--hex=false` to `--hex:false`, which is a flag of its own to getopt."""
    end = words.index("--") if "--" in words else len(words)
    for word in words[:end]:
        name, given, text = word.partition("=")
        flag = by_word.get(name)
        if given and flag and flag.kind == "switch":
            try:
                yield f"--{flag.name}:{str(parse_switch(text)).lower()}"
            except ValueError as error:
                raise FlagError(f"{name}: {error}") from None
        else:
            yield word
    yield from words[end:]


def _short(flags: Sequence[Flag]) -> str:
    return "".join(
        flag.short + ("" if flag.kind == "switch" else ":") for flag in flags if flag.short
    )


def _long(flags: Sequence[Flag]) -> list[str]:
    names = [flag.name if flag.kind == "switch" else f"{flag.name}=" for flag in flags]
    switches = [flag.name for flag in flags if flag.kind == "switch"]
    return names + [f"{name}:{word}" for name in switches for word in ("true", "false")]
