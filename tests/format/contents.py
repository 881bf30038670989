"""From the bytes of the log to what the store holds: section 5 of FORMAT.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .log import Log, read_log
from .pages import Damaged

(
    PUT,
    DELETE,
    COMPACT,
    LEASE_GRANT,
    LEASE_REMAINING,
    LEASE_REVOKE,
    EPOCH,
    END,
    CURSOR,
    CURSOR_ACK,
    CURSOR_DELETE,
) = range(11)
LONGEST_BODY = (1 << 31) - 1


@dataclass(frozen=True)
class Change:
    """A put, or a delete if it has no value."""

    main: int
    sub: int
    key: bytes
    value: bytes | None = None
    create_revision: int = 0
    version: int = 0
    lease: int = 0


@dataclass(frozen=True)
class Cursor:
    name: bytes
    key: bytes
    range_end: bytes
    acked_revision: int
    hold: bool


@dataclass
class Contents:
    """What a store holds."""

    revision: int = 1
    compact_revision: int = -1
    changes: list[Change] = field(default_factory=list)
    leases: dict[int, int] = field(default_factory=dict)
    """Their times to live in milliseconds."""
    epochs: list[tuple[int, int]] = field(default_factory=list)
    """Number and cut of each that has a record."""
    cursors: dict[int, Cursor] = field(default_factory=dict)
    """By the number that the log gives them."""
    cursor_records: list[tuple[int, Cursor | int | None]] = field(default_factory=list)
    """Of a transaction: what was defined, acknowledged or deleted."""

    def history(self) -> list[Change]:
        """The changes that may be asked for."""
        return [change for change in self.changes if change.main >= self.compact_revision]

    def state(self, revision: int) -> dict[bytes, Change]:
        """The keys as of a revision."""
        state: dict[bytes, Change] = {}
        for change in self.changes:
            if change.main <= revision:
                if change.value is None:
                    state.pop(change.key, None)
                else:
                    state[change.key] = change
        return state


class CutOff(Exception):
    """A frame goes on behind the end of what there is."""


class Bytes:
    """Reads the wire format."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        if len(taken) < size:
            raise CutOff
        self.at += size
        return taken

    def varint(self) -> int:
        number = shift = 0
        while True:
            (byte,) = self.take(1)
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    def zigzag(self) -> int:
        number = self.varint()
        return -(number + 1) // 2 if number & 1 else number // 2

    def bytes(self) -> bytes:
        return self.take(self.varint())


def read_contents(image: bytes) -> Contents:
    """What an image holds; raises ``Damaged`` where a reader of the format has to."""
    found, waiting = Contents(), Contents()
    log = read_log(image)
    revisions = [(0, 0)]
    for body in frames(log):
        try:
            revision, is_last = take_in(waiting, body)
        except CutOff:
            raise Damaged("a frame is shorter than what it holds") from None
        if revision <= revisions[-1]:
            raise Damaged(f"revision {revision} stands behind {revisions[-1]}")
        revisions.append(revision)
        if is_last:
            commit(found, waiting, revision[0])
            waiting = Contents()
    return found


def frames(log: Log) -> Iterator[Bytes]:
    """The bodies of all frames that are whole."""
    for position, run in log.runs:
        reader = Bytes(run)
        while reader.at < len(run):
            try:
                length = reader.varint()
                if length > LONGEST_BODY:
                    raise Damaged(f"a frame of {length} bytes")
                yield Bytes(reader.take(length))
            except CutOff:
                if position + len(run) != log.end:
                    raise Damaged(f"a frame before position {position + len(run)} is cut") from None
                return


def take_in(waiting: Contents, body: Bytes) -> tuple[tuple[int, int], bool]:
    """Reads an entry; answers its revision, and whether it is the last of its transaction."""
    main, sub_and_last, variant = body.varint(), body.varint(), body.varint()
    sub = sub_and_last >> 1
    if variant == PUT:
        key, value, age, version = body.bytes(), body.bytes(), body.varint(), body.varint()
        lease = body.zigzag()
        waiting.changes.append(Change(main, sub, key, value, main - age, version, lease))
    elif variant == DELETE:
        waiting.changes.append(Change(main, sub, body.bytes()))
    elif variant == COMPACT:
        waiting.compact_revision = body.varint()
    elif variant == LEASE_GRANT:
        lease = body.zigzag()
        waiting.leases[lease] = body.varint()
    elif variant == LEASE_REMAINING:
        body.zigzag(), body.varint()
    elif variant == LEASE_REVOKE:
        waiting.leases[body.zigzag()] = 0
    elif variant == EPOCH:
        waiting.epochs.append((body.varint(), body.varint()))
    elif variant == CURSOR:
        number, name, key, end = body.varint(), body.bytes(), body.bytes(), body.bytes()
        waiting.cursor_records.append(
            (number, Cursor(name, key, end, main - body.varint(), body.take(1) == b"\1"))
        )
    elif variant == CURSOR_ACK:
        waiting.cursor_records.append((body.varint(), main - body.varint()))
    elif variant == CURSOR_DELETE:
        waiting.cursor_records.append((body.varint(), None))
    elif variant != END:
        raise Damaged(f"a record of kind {variant}, which format 1 does not have")
    if body.at != len(body.data):
        raise Damaged("a frame is longer than what it holds")
    return (main, sub), bool(sub_and_last & 1)


def commit(found: Contents, transaction: Contents, main: int) -> None:
    """Takes over a whole transaction."""
    found.revision = max(found.revision, main)
    found.compact_revision = max(found.compact_revision, transaction.compact_revision)
    found.changes += transaction.changes
    found.epochs += transaction.epochs
    for number, record in transaction.cursor_records:
        if isinstance(record, Cursor):
            found.cursors[number] = record
        elif record is None:
            found.cursors.pop(number, None)
        elif number in found.cursors:
            found.cursors[number] = replace(found.cursors[number], acked_revision=record)
    for lease, ttl_ms in transaction.leases.items():
        if ttl_ms:
            found.leases[lease] = ttl_ms
        else:
            found.leases.pop(lease, None)
