"""One exception for each row of the numbered table of errors that all languages share.

Written by make_errors.py from that table: change the table, not this file.

Numbers are banded by layer: 1xx what was asked, 2xx revisions, 3xx leases, 4xx watches, 5xx the
log, 6xx the page store, 7xx the boundaries. Nothing that fails changes the revision or the data.

>>> try:
...     raise error_of(201, "revision 3 was compacted")
... except Compacted as error:
...     print(error.code, error.name, error)
201 Compacted revision 3 was compacted
"""

from __future__ import annotations


class RevwatchError(Exception):
    """What every operation raises that was refused or failed.

    The message says what was asked, what was wrong and what to do.
    """

    code: int = 0
    """The number of the error, the same in every language and never reused."""

    revision: int = 0
    """For ``Compacted`` the compact revision, for ``FutureRevision`` the current one, for
    ``Rewound`` the last that was not lost; otherwise 0."""

    @property
    def name(self) -> str:
        """The name of the error, the same in every language."""
        return type(self).__name__


class EmptyKey(RevwatchError):
    """A key is empty; give at least one byte."""

    code = 100


class RequestTooLarge(RevwatchError):
    """The keys and values of a request together exceed the store's limit."""

    code = 101


class KeyNotFound(RevwatchError):
    """``ignore_value`` or ``ignore_lease`` was asked for a key that does not exist."""

    code = 102


class ValueProvided(RevwatchError):
    """A value was given together with ``ignore_value``."""

    code = 103


class LeaseProvided(RevwatchError):
    """A lease was given together with ``ignore_lease``."""

    code = 104


class DuplicateKey(RevwatchError):
    """A transaction would change the same key twice in one branch."""

    code = 105


class TooManyOps(RevwatchError):
    """A transaction has more comparisons or operations than the store's limit."""

    code = 106


class InvalidSortOption(RevwatchError):
    """A sort order or sort target is not one of those that exist."""

    code = 107


class InvalidOption(RevwatchError):
    """An option has a value that it cannot have."""

    code = 108


class FutureRevision(RevwatchError):
    """The revision asked for has not happened yet."""

    code = 200


class Compacted(RevwatchError):
    """The revision asked for was compacted away."""

    code = 201


class Rewound(RevwatchError):
    """The revision asked for was lost in a crash before it was durable."""

    code = 202


class InvalidChanges(RevwatchError):
    """The bytes are not whole chunks of changes, or are damaged."""

    code = 210


class ChangesOutOfPlace(RevwatchError):
    """The store does not stand at the revision that the changes begin after."""

    code = 211


class ChangesDiverge(RevwatchError):
    """The store came to where the changes begin by another history."""

    code = 212


class InvalidSnapshot(RevwatchError):
    """The bytes are not a snapshot, are damaged, or not all of one."""

    code = 220


class SnapshotOutOfPlace(RevwatchError):
    """The store does not stand at the revision that the snapshot begins after."""

    code = 221


class SnapshotOvertaken(RevwatchError):
    """What a snapshot had yet to read was reclaimed meanwhile."""

    code = 222


class LeaseNotFound(RevwatchError):
    """There is no lease with this id: never granted, revoked or expired."""

    code = 300


class LeaseExists(RevwatchError):
    """A lease with this id is there already."""

    code = 301


class LeaseTtlTooLarge(RevwatchError):
    """The time-to-live exceeds the store's limit."""

    code = 302


class EmptyWatchRange(RevwatchError):
    """The range to watch ends before it starts."""

    code = 400


class DuplicateWatchId(RevwatchError):
    """The stream has a watcher with this id already."""

    code = 401


class StreamNotFound(RevwatchError):
    """There is no such watch stream: never opened, or closed."""

    code = 402


class CursorNotFound(RevwatchError):
    """There is no such cursor: never made, deleted, closed, or opened anew since."""

    code = 410


class CursorExists(RevwatchError):
    """A cursor of this name is there already, for another range."""

    code = 411


class TooManyCursors(RevwatchError):
    """The store has as many cursors as its limit allows."""

    code = 412


class AckNotDelivered(RevwatchError):
    """The revision to acknowledge was not delivered yet."""

    code = 413


class HeldByCursor(RevwatchError):
    """A cursor with ``hold`` has yet to see what compaction would take."""

    code = 414


class Corrupt(RevwatchError):
    """The image is damaged; the message names the page."""

    code = 500


class NotAStore(RevwatchError):
    """The image was not written by revwatch."""

    code = 501


class UnsupportedFormat(RevwatchError):
    """The image was written in a format that this version cannot read."""

    code = 502


class Poisoned(RevwatchError):
    """An earlier write or sync failed; reading goes on, reopen the store to write again."""

    code = 503


class SyncPending(RevwatchError):
    """A sync that was begun is not finished yet; finish it, then try again."""

    code = 504


class ImportIncomplete(RevwatchError):
    """An import into this image was begun and is not complete."""

    code = 505


class Io(RevwatchError):
    """The page store failed; the message carries its own error."""

    code = 600


class NoSpace(RevwatchError):
    """The page store cannot grow; deletes and compaction still work."""

    code = 601


class Locked(RevwatchError):
    """Another process has the store open for writing."""

    code = 602


class ReadOnly(RevwatchError):
    """The store is open for reading only."""

    code = 603


class StoreNotFound(RevwatchError):
    """There is no store at this path."""

    code = 604


class PermissionDenied(RevwatchError):
    """The system does not permit access to the store's file or folder."""

    code = 605


class StoreExists(RevwatchError):
    """There is a store already where a new one is to be."""

    code = 606


class NullPointer(RevwatchError):
    """A pointer that must not be NULL was NULL."""

    code = 700


class Closed(RevwatchError):
    """The handle was closed, or never was one."""

    code = 701


class InvalidArgument(RevwatchError):
    """An argument has a length, encoding or value that the function cannot take."""

    code = 702


class Internal(RevwatchError):
    """A defect in revwatch itself; the store is left as the last committed operation made it."""

    code = 703


BY_CODE: dict[int, type[RevwatchError]] = {
    error.code: error for error in RevwatchError.__subclasses__()
}
"""Every exception by its number."""


def error_of(code: int, message: str) -> RevwatchError:
    """The exception for a number; the common base class if the number is newer than this table."""
    found = BY_CODE.get(code)
    if found is not None:
        return found(message)
    error = RevwatchError(message)
    error.code = code
    return error
