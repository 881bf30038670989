"""Verbs that etcdctl does not have: status, check, history, follow."""

from __future__ import annotations

from itertools import groupby

import revwatch

from .call import Call, Verb
from .endless import POLL_SECONDS, check_stdout
from .exits import CommandError, Exit, UsageError
from .flags import Flag
from .printers.base import emit
from .requests import RANGE_FLAGS, Extent, parse_extent


def _status(call: Call) -> None:
    _no_arguments(call, "status")
    with call.reading() as store:
        status = store.status()
    call.printer.status(status)


def _check(call: Call) -> None:
    _no_arguments(call, "check")
    try:
        with call.reading() as store:
            store.check()
    except revwatch.RevwatchError as error:
        call.printer.checked(str(error))
        raise
    call.printer.checked("")


def _history(call: Call) -> None:
    extent = _extent(call, "history")
    start = max(call.flags.number("rev"), 0)
    with call.reading() as store:
        events = store.history(**extent, start_revision=start)
        for revision, changes in groupby(events, lambda event: event.kv.mod_revision):
            call.printer.history(revision, list(changes))


def _follow(call: Call) -> None:
    extent = _extent(call, "follow")
    with call.reading_or_creating() as store, store.follow(**extent) as follow:
        while True:
            if (answer := follow.poll(timeout=POLL_SECONDS)) is None:
                check_stdout()
            else:
                call.printer.follow(answer)


def _version(call: Call) -> None:
    emit(f"revwatch version: {revwatch.__version__}\nAPI version: 3.4\n")


def _extent(call: Call, verb: str) -> Extent:
    words = call.arguments
    if not 1 <= len(words) <= 2:
        raise UsageError(f"{verb}: {len(words)} arguments; write {verb} KEY [RANGE_END]")
    return parse_extent(verb, words, call.flags)


def _no_arguments(call: Call, verb: str) -> None:
    if call.arguments:
        raise UsageError(f"{verb}: takes no arguments; it is about the whole store")
    if call.flags.text("write-out") == "fields":
        raise CommandError(Exit.BAD_FEATURE, f"{verb}: has no -w fields; choose simple or json")


VERBS = {
    "status": Verb("status", "Prints revisions, number of keys and sizes", _status),
    "check": Verb("check", "Verifies the whole file", _check),
    "history": Verb(
        "history KEY [RANGE_END]",
        "Prints every change that is kept, oldest first",
        _history,
        [*RANGE_FLAGS, Flag("rev", "number", "from which revision on")],
    ),
    "follow": Verb(
        "follow KEY [RANGE_END]",
        "Prints the keys, then every change of them",
        _follow,
        RANGE_FLAGS,
    ),
    "version": Verb("version", "Prints the version of revwatch", _version),
}
