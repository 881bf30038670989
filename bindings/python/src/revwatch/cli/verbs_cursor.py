"""Durable cursors, and changes for other stores: `cursor create|poll|ack|list|delete`, `changes`,
`apply`. etcdctl has none of them."""

from __future__ import annotations

import sys
from itertools import groupby

import revwatch

from .call import Call, Verb
from .exits import CommandError, Exit, UsageError
from .flags import Flag
from .go_syntax import parse_int, to_bytes
from .printers.base import emit
from .requests import RANGE_FLAGS, parse_extent, read_stdin


def _create(call: Call) -> None:
    name, *words = _words(call, "cursor create", 2, 3, "NAME KEY [RANGE_END]")
    extent = parse_extent("cursor create", words, call.flags)
    start = call.flags.number("rev")
    hold = call.flags.on("hold")
    with (
        call.writing() as store,
        store.cursor(to_bytes(name), **extent, start_revision=start, hold=hold),
    ):
        call.printer.cursors(_reports(store, name))


def _list(call: Call) -> None:
    _words(call, "cursor list", 0, 0, "")
    with call.reading() as store:
        call.printer.cursors(store.cursors())


def _delete(call: Call) -> None:
    (name,) = _words(call, "cursor delete", 1, 1, "NAME")
    with call.writing() as store:
        store.delete_cursor(to_bytes(name))


def _poll(call: Call) -> None:
    (name,) = _words(call, "cursor poll", 1, 1, "NAME")
    limit = call.flags.number("limit")
    with call.writing() as store, _open(store, name) as cursor:
        seen = 0
        while not limit or seen < limit:
            response = cursor.poll(max_events=1)
            if response is None:
                break
            seen += 1
            _print(call, response)
        if call.flags.on("ack"):
            cursor.ack()


def _ack(call: Call) -> None:
    name, text = _words(call, "cursor ack", 2, 2, "NAME REVISION")
    try:
        revision = parse_int(text, 10)
    except ValueError as error:
        raise UsageError(f"cursor ack: the revision: {error}") from None
    with call.writing() as store, _open(store, name) as cursor:
        # Only what was delivered can be acknowledged, and another process has printed it.
        while cursor.revision < revision and cursor.poll(max_events=1) is not None:
            pass
        cursor.ack(revision)


def _changes(call: Call) -> None:
    words = _words(call, "changes", 1, 2, "FROM [TO]")
    try:
        revisions = [parse_int(word, 10) for word in words]
    except ValueError as error:
        raise UsageError(f"changes: a revision: {error}") from None
    if sys.stdout is None or sys.stdout.isatty():
        raise CommandError(Exit.ERROR, "changes: prints bytes; redirect them into a file")
    with call.reading() as store, store.changes(*revisions) as changes:
        for chunk in changes.chunks():
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


def _apply(call: Call) -> None:
    _words(call, "apply", 0, 0, "")
    chunks = read_stdin()
    with call.writing() as store:
        emit(f"revision {store.apply_changes(chunks)}\n")


def _open(store: revwatch.Store, name: str) -> revwatch.Cursor:
    """The cursor as it is there; one that is not there is not made."""
    reports = _reports(store, name)
    if not reports:
        raise CommandError(Exit.ERROR, f"there is no cursor {name!r}; see revwatch cursor list")
    (found,) = reports
    return store.cursor(found.name, found.key, found.range_end, hold=found.hold)


def _reports(store: revwatch.Store, name: str) -> list[revwatch.CursorReport]:
    wanted = to_bytes(name)
    return [report for report in store.cursors() if report.name == wanted]


def _print(call: Call, response: revwatch.CursorResponse) -> None:
    if isinstance(response, revwatch.CursorEvents):
        for revision, events in groupby(response.events, lambda event: event.kv.mod_revision):
            call.printer.history(revision, list(events))
    elif isinstance(response, revwatch.CursorCompacted):
        print(
            f"revwatch: history before revision {response.compact_revision} was compacted "
            "and is not delivered",
            file=sys.stderr,
        )


def _words(call: Call, verb: str, least: int, most: int, usage: str) -> list[str]:
    if not least <= len(call.arguments) <= most:
        wanted = f"write {verb} {usage}" if usage else "takes none"
        raise UsageError(f"{verb}: {len(call.arguments)} arguments; {wanted}")
    if call.flags.text("write-out") == "fields":
        raise CommandError(Exit.BAD_FEATURE, f"{verb}: has no -w fields; choose simple or json")
    return list(call.arguments)


VERBS = {
    "cursor create": Verb(
        "cursor create NAME KEY [RANGE_END]",
        "Makes a durable cursor, or changes its hold",
        _create,
        [
            *RANGE_FLAGS,
            Flag("rev", "number", "where a new one begins; 0 for the next revision"),
            Flag("hold", "switch", "refuse compaction of what it has yet to see"),
        ],
    ),
    "cursor poll": Verb(
        "cursor poll NAME",
        "Prints what the cursor has yet to acknowledge",
        _poll,
        [
            Flag("limit", "number", "at most so many revisions; 0 for all"),
            Flag("ack", "switch", "acknowledge what was printed"),
        ],
    ),
    "cursor ack": Verb("cursor ack NAME REVISION", "Acknowledges up to a revision", _ack),
    "cursor list": Verb("cursor list", "Prints all cursors and how far they have come", _list),
    "cursor delete": Verb("cursor delete NAME", "Deletes a cursor", _delete),
    "changes": Verb(
        "changes FROM [TO]",
        "Writes all changes after a revision as bytes for apply",
        _changes,
    ),
    "apply": Verb("apply", "Applies another store's changes from stdin", _apply),
}
