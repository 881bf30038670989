"""Snapshots and repair: `snapshot save|restore|status`, which etcdctl has, `snapshot apply` and
`repair`, which it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import revwatch

from .call import Call, Verb
from .exits import CommandError, Exit, UsageError
from .flags import Flag
from .printers.base import emit


def _save(call: Call) -> None:
    file = _file(call, "snapshot save")
    since = call.flags.number("since")
    with call.reading() as store, store.snapshot(since) as snapshot, _files():
        snapshot.save(file)
    emit(f"Snapshot saved at {file}\n")


def _restore(call: Call) -> None:
    file = _file(call, "snapshot restore")
    with _files(), revwatch.restore(file, _to(call, "snapshot restore")) as store:
        emit(f"revision {store.status().revision}\n")


def _apply(call: Call) -> None:
    file = _file(call, "snapshot apply")
    with call.writing() as store, _files():
        emit(f"revision {store.apply_snapshot(file)}\n")


def _status(call: Call) -> None:
    file = _file(call, "snapshot status")
    with _files():
        status = revwatch.snapshot_status(file)
    head = status.head
    call.printer.facts(
        {
            "since": head.since,
            "revision": head.revision,
            "compact_revision": head.compact_revision,
            "epoch": head.epoch,
            "changes": status.changes,
            "size": status.size,
        }
    )


def _repair(call: Call) -> None:
    file = _file(call, "repair")
    report = revwatch.repair(file, _to(call, "repair"), page_size=call.flags.number("page-size"))
    call.printer.facts(
        {
            "whole": int(report.is_whole),
            "revision": report.revision,
            "compact_revision": report.compact_revision,
            "saved_changes": report.saved_changes,
            "pages": report.pages,
            "valid_pages": report.valid_pages,
            "damaged_pages": report.damaged_pages,
            "lost_between": [f"{lost.after}..{lost.before}" for lost in report.lost_between],
            "lost_the_newest": int(report.lost_the_newest),
            "uncertain_keys": report.uncertain_keys,
            "affected_keys": report.affected_keys,
            "uncertain_leases": [f"{lease & (1 << 64) - 1:x}" for lease in report.uncertain_leases],
        }
    )


@contextmanager
def _files() -> Iterator[None]:
    """Says of a file what the system says of it."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename}: {error.strerror}"
        raise CommandError(Exit.ERROR, message) from None


def _file(call: Call, verb: str) -> Path:
    if len(call.arguments) != 1:
        raise UsageError(f"{verb}: {len(call.arguments)} arguments; write {verb} FILE")
    if call.flags.text("write-out") == "fields":
        raise CommandError(Exit.BAD_FEATURE, f"{verb}: has no -w fields; choose simple or json")
    return Path(call.arguments[0])


def _to(call: Call, verb: str) -> str:
    if to := call.flags.text("to"):
        return to
    raise UsageError(f"{verb}: no place was named for the new store; give --to PATH")


_TO = Flag("to", "text", "the file of the new store, which must not be there yet")

VERBS = {
    "snapshot save": Verb(
        "snapshot save FILE",
        "Saves the store to a file, or what happened since a revision",
        _save,
        [Flag("since", "number", "the revision that a copy is at; 0 for the whole store")],
    ),
    "snapshot restore": Verb(
        "snapshot restore FILE", "Makes a new store of a snapshot", _restore, [_TO]
    ),
    "snapshot apply": Verb(
        "snapshot apply FILE", "Brings a copy up to date with a snapshot since its revision", _apply
    ),
    "snapshot status": Verb(
        "snapshot status FILE", "Verifies a snapshot and prints what it is of", _status
    ),
    "repair": Verb(
        "repair FILE",
        "Saves what can be saved of a damaged store into a new one",
        _repair,
        [_TO, Flag("page-size", "number", "bytes in a page, if its first page is damaged")],
    ),
}
