"""put, get, del, txn and compaction."""

from __future__ import annotations

from dataclasses import asdict

from ..txn import Compare, Op, Range
from .call import Call, Verb
from .exits import CommandError, Exit, UsageError
from .flags import Flag
from .go_syntax import parse_int
from .printers.base import emit
from .requests import (
    DEL_FLAGS,
    GET_FLAGS,
    PUT_FLAGS,
    delete_request,
    put_request,
    range_request,
    read_stdin,
    read_stdin_line,
)
from .txn_parser import parse_compare, parse_request, read_lines


def _put(call: Call) -> None:
    put = put_request(call.arguments, call.flags, read_stdin)
    with call.writing() as store:
        answer = store.put(**asdict(put))
    call.printer.put(answer)


def _get(call: Call) -> None:
    asked = range_request(call.arguments, call.flags)
    if call.flags.on("print-value-only") and call.flags.text("write-out") != "simple":
        raise UsageError("get: --print-value-only is only for -w simple; leave out one of them")
    with call.reading_or_creating() as store:
        answer = store.range(**asdict(asked))
    call.printer.range(answer)


def _del(call: Call) -> None:
    asked = delete_request(call.arguments, call.flags)
    with call.writing() as store:
        answer = store.delete_range(**asdict(asked))
    call.printer.delete_range(answer)


def _txn(call: Call) -> None:
    if call.arguments:
        raise UsageError("txn: takes no arguments; comparisons and requests come from stdin")

    def lines(prompt: str) -> list[str]:
        if call.flags.on("interactive"):
            emit(f"{prompt}\n")
        return read_lines(read_stdin_line)

    compare: list[Compare] = [parse_compare(line) for line in lines("compares:")]
    success: list[Op] = [parse_request(line) for line in lines(_PROMPT.format("success"))]
    failure: list[Op] = [parse_request(line) for line in lines(_PROMPT.format("failure"))]
    only_reads = all(isinstance(op, Range) for op in [*success, *failure])
    with call.reading_or_creating() if only_reads else call.writing() as store:
        answer = store.txn(compare, success, failure)
    call.printer.txn(answer)


_PROMPT = "{} requests (get, put, del):"


def _compaction(call: Call) -> None:
    if len(call.arguments) != 1:
        raise UsageError("compaction: write compaction REVISION")
    try:
        revision = parse_int(call.arguments[0], 10)
    except ValueError as error:
        raise CommandError(Exit.ERROR, f"compaction: the revision {error}") from None
    with call.writing() as store:
        store.compact(revision, physical=call.flags.on("physical"))
    emit(f"compacted revision {revision}\n")


VERBS = {
    "put": Verb("put KEY [VALUE]", "Sets a key; the value may come from stdin", _put, PUT_FLAGS),
    "get": Verb("get KEY [RANGE_END]", "Prints a key, or the keys of a range", _get, GET_FLAGS),
    "del": Verb("del KEY [RANGE_END]", "Deletes a key, or the keys of a range", _del, DEL_FLAGS),
    "txn": Verb(
        "txn",
        "Comparisons, requests if they hold, requests if not, from stdin",
        _txn,
        [Flag("interactive", "switch", "print what to type", short="i")],
    ),
    "compaction": Verb(
        "compaction REVISION",
        "Forgets what was overwritten or deleted before REVISION",
        _compaction,
        [Flag("physical", "switch", "return only when the space is reclaimed")],
    ),
}
