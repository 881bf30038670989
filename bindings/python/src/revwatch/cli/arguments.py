"""From the words of a command line to a verb and what it was asked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from . import verbs_cursor, verbs_kv, verbs_lease, verbs_own, verbs_snapshot, verbs_watch
from .call import Call, Verb
from .exits import CommandError, Exit
from .flags import Flag, Values, parse
from .printers import printer

VERBS: Mapping[str, Verb] = {
    **verbs_kv.VERBS,
    **verbs_watch.VERBS,
    **verbs_lease.VERBS,
    **verbs_own.VERBS,
    **verbs_cursor.VERBS,
    **verbs_snapshot.VERBS,
}
GROUPS = {"cursor", "lease", "snapshot"}
"""Verbs of two words begin with one of these."""

_IGNORED = "accepted and ignored: there is no server"
GLOBAL_FLAGS = [
    Flag("store", "text", "the file; or set REVWATCH_STORE"),
    Flag("write-out", "text", "simple, json or fields", short="w", default="simple"),
    Flag("hex", "switch", "print bytes as \\x6b, with -w simple"),
    Flag("lock-timeout", "seconds", "how long to wait for another writer", default="5"),
    Flag("help", "switch", "print this", short="h"),
]
IGNORED_FLAGS = [
    *[
        Flag(name, "text", _IGNORED)
        for name in ("endpoints", "user", "password", "cacert", "cert", "key")
    ],
    Flag("discovery-srv", "text", _IGNORED, short="d"),
    Flag("discovery-srv-name", "text", _IGNORED),
    *[
        Flag(name, "duration", _IGNORED, default="0s")
        for name in ("command-timeout", "dial-timeout", "keepalive-time", "keepalive-timeout")
    ],
    *[
        Flag(name, "switch", _IGNORED)
        for name in ("insecure-transport", "insecure-skip-tls-verify", "insecure-discovery")
    ],
    Flag("debug", "switch", _IGNORED),
]
_EVERYWHERE = [*GLOBAL_FLAGS, *IGNORED_FLAGS]

_ENVIRONMENT = {
    "store": "REVWATCH_STORE",
    "write-out": "ETCDCTL_WRITE_OUT",
    "hex": "ETCDCTL_HEX",
}


class HelpWanted(Exception):
    """Not a command, but a wish for the help in `text`."""

    def __init__(self, text: str) -> None:
        """The help."""
        super().__init__(text)
        self.text = text


def parse_command_line(words: Sequence[str]) -> tuple[Verb, Call]:
    """The verb and its call; `HelpWanted` where there is none, `CommandError` if it is wrong."""
    values = Values(_EVERYWHERE)
    for flag, variable in _ENVIRONMENT.items():
        if text := os.environ.get(variable):
            values.set(flag, text)
    name, words = _verb(values, words)
    verb = VERBS[name]
    after: list[str] | None = None
    if verb.runs_command:
        words, after = verbs_watch.split_at_dashes(words)
    flags = [*_EVERYWHERE, *verb.flags]
    given, arguments = parse(words, flags, start=values)
    if given.on("help"):
        raise HelpWanted(verb_help(verb))
    chosen = printer(
        given.text("write-out"),
        hexadecimal=given.on("hex"),
        values_only=given.on("print-value-only"),
    )
    return verb, Call(arguments, given, chosen, after)


def _verb(values: Values, words: Sequence[str]) -> tuple[str, list[str]]:
    """The name of the verb, and the words after it."""
    given, rest = parse(words, _EVERYWHERE, to_first_argument=True, start=values)
    values.update(given)
    if not rest or rest == ["help"]:
        raise HelpWanted(full_help())
    name, *rest = rest
    if name == "help":
        name, *rest = [*rest, "--help"]
    if name in GROUPS:
        given, rest = parse(rest, _EVERYWHERE, to_first_argument=True, start=values)
        values.update(given)
        if not rest or f"{name} {rest[0]}" not in VERBS:
            raise HelpWanted(group_help(name))
        name = f"{name} {rest.pop(0)}"
    if name not in VERBS:
        raise CommandError(Exit.ERROR, f"there is no command {name!r}; see revwatch --help")
    return name, rest


def full_help() -> str:
    """All verbs and the global flags."""
    return "\n".join(
        [
            "revwatch: a store with etcd's data model in one file, as etcdctl would show it",
            "",
            "usage: revwatch [--store PATH] COMMAND",
            "",
            *_verb_lines(VERBS),
            "",
            "flags of every command:",
            *map(_flag_line, GLOBAL_FLAGS),
            "",
            f"{_IGNORED}:",
            "  " + " ".join(f"--{flag.name}" for flag in IGNORED_FLAGS),
        ]
    )


def group_help(group: str) -> str:
    """The verbs of a group."""
    verbs = {name: verb for name, verb in VERBS.items() if name.startswith(f"{group} ")}
    return "\n".join([f"usage: revwatch {group} COMMAND", "", *_verb_lines(verbs)])


def verb_help(verb: Verb) -> str:
    """A verb and its flags."""
    lines = [f"usage: revwatch {verb.usage}", "", verb.summary + "."]
    if verb.flags:
        lines += ["", "flags:", *map(_flag_line, verb.flags)]
    return "\n".join([*lines, "", "flags of every command:", *map(_flag_line, GLOBAL_FLAGS)])


def _verb_lines(verbs: Mapping[str, Verb]) -> list[str]:
    return [f"  {verb.usage:42}{verb.summary}" for verb in verbs.values()]


def _flag_line(flag: Flag) -> str:
    word = f"-{flag.short}, --{flag.name}" if flag.short else f"    --{flag.name}"
    if flag.kind != "switch":
        word += f" {flag.kind.upper()}"
    default = f" ({flag.default})" if flag.default not in ("", "0") else ""
    return f"  {word:30}{flag.help}{default}"
