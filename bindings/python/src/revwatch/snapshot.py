"""Snapshots: a store, or what became of it since a revision, as bytes; and repair.

>>> import revwatch, tempfile, os
>>> with tempfile.TemporaryDirectory() as folder, revwatch.open() as store:
...     file = os.path.join(folder, "tasks.snapshot")
...     _ = store.put(b"key", b"value")
...     with store.snapshot() as snapshot:
...         snapshot.save(file)
...     with revwatch.restore(file) as copy:
...         copy.get(b"key").value, copy.hash_kv() == store.hash_kv()
(b'value', True)
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeAlias

from ._bytes import BytesLike, to_bytes
from ._native import IDLE, NULL, Handle, check, ffi, lib
from ._request import SIZE, whole
from .errors import InvalidSnapshot
from .types import Lost, Progress, RepairReport, SnapshotHead, SnapshotStatus

READ_BYTES = 1 << 20

SnapshotSource: TypeAlias = str | os.PathLike[str] | BytesLike | Iterable[BytesLike]
"""A snapshot: the path of its file, its bytes, or its bytes in parts."""


class Snapshot(Handle):
    """A snapshot that is being taken; made by ``Store.snapshot``. It is its own iterator, over
    chunks of bytes, while writing goes on. Until it is closed or read to its end, the store keeps
    what it has yet to read; ``SnapshotOvertaken`` says that it could not."""

    def __init__(self, store: Any, since: int, max_bytes: int) -> None:
        self._max_bytes = whole("max_bytes", max_bytes, SIZE)
        out = ffi.new("revwatch_snapshot **")
        check(lib.revwatch_snapshot_new(store, whole("since", since), out))
        super().__init__(out[0], lib.revwatch_snapshot_free)

    @property
    def head(self) -> SnapshotHead:
        """What it is of."""
        head = ffi.new("revwatch_snapshot_head *")
        check(lib.revwatch_snapshot_status(self._handle, head, NULL))
        return _head(head)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        progress = ffi.new("revwatch_progress *")
        check(lib.revwatch_snapshot_status(self._handle, NULL, progress))
        return Progress(progress.done, progress.total)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        out = ffi.new("revwatch_chunk_result **")
        if check(lib.revwatch_snapshot_next_chunk(self._handle, self._max_bytes, out)) == IDLE:
            raise StopIteration
        try:
            return bytes(ffi.buffer(out[0].data, out[0].len))
        finally:
            lib.revwatch_chunk_result_free(out[0])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes what is left of it to a file, all or nothing: the file is there, and durable, once
        it is whole; one that was there before is replaced then."""
        target = Path(path)
        folder = target.parent
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in self:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(folder)

    def close(self) -> None:
        """Lets go of what it holds, as the end of a ``with`` and of its life do."""
        self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Verifier(Handle):
    def __init__(self) -> None:
        out = ffi.new("revwatch_snapshot_verifier **")
        check(lib.revwatch_snapshot_verifier_new(out))
        super().__init__(out[0], lib.revwatch_snapshot_verifier_free)

    def feed(self, part: bytes) -> bool:
        fed = lib.revwatch_snapshot_verifier_feed(self._handle, part, len(part))
        return check(fed) != IDLE

    def status(self) -> tuple[SnapshotHead, int]:
        head, changes = ffi.new("revwatch_snapshot_head *"), ffi.new("uint64_t *")
        check(lib.revwatch_snapshot_verifier_status(self._handle, head, changes))
        return _head(head), int(changes[0])


class _Update(Handle):
    def __init__(self, store: Any) -> None:
        out = ffi.new("revwatch_snapshot_update **")
        check(lib.revwatch_snapshot_update_new(store, out))
        super().__init__(out[0], lib.revwatch_snapshot_update_free)

    def feed(self, part: bytes) -> bool:
        return check(lib.revwatch_snapshot_update_feed(self._handle, part, len(part))) != IDLE


class Import(Handle):
    """A store that is being made of a snapshot, part by part; made by ``revwatch.restore``."""

    def __init__(self, encoded_path: Any, options: Any) -> None:
        out = ffi.new("revwatch_import **")
        check(lib.revwatch_import_new(encoded_path, options, out))
        super().__init__(out[0], lib.revwatch_import_free)

    def feed(self, part: bytes) -> bool:
        """Takes in the next bytes; answers whether those were the last."""
        return check(lib.revwatch_import_feed(self._handle, part, len(part))) != IDLE

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        progress = ffi.new("revwatch_progress *")
        check(lib.revwatch_import_status(self._handle, NULL, progress))
        return Progress(progress.done, progress.total)

    def finish(self) -> Any:
        """The handle of the store."""
        out = ffi.new("revwatch_store **")
        check(lib.revwatch_import_finish(self._handle, out))
        return out[0]


def snapshot_status(source: SnapshotSource) -> SnapshotStatus:
    """What a snapshot is of; reads it through and raises ``InvalidSnapshot`` unless all of it is
    there and whole.

    >>> import revwatch
    >>> with revwatch.open() as store:
    ...     _ = store.put(b"key", b"value")
    ...     with store.snapshot() as snapshot:
    ...         status = revwatch.snapshot_status(snapshot)
    >>> status.head.revision, status.changes
    (2, 1)
    """
    verifier = _Verifier()
    total, is_complete = 0, False
    for part in parts_of(source):
        total += len(part)
        is_complete = verifier.feed(part)
    if not is_complete:
        raise _incomplete()
    head, changes = verifier.status()
    return SnapshotStatus(head, changes, total)


def apply_snapshot(store: Any, source: SnapshotSource) -> None:
    """Applies a snapshot to a store."""
    update = _Update(store)
    is_complete = False
    for part in parts_of(source):
        is_complete = update.feed(part)
    if not is_complete:
        raise _incomplete()


def repaired(encoded_path: Any, encoded_to: Any, options: Any) -> RepairReport:
    """Saves what can be saved of one file into another."""
    out = ffi.new("revwatch_repair_result **")
    check(lib.revwatch_repair(encoded_path, encoded_to, options, out))
    result = out[0]
    try:
        lost = result.lost_between
        return RepairReport(
            revision=result.revision,
            compact_revision=result.compact_revision,
            saved_changes=result.saved_changes,
            pages=result.pages,
            valid_pages=result.valid_pages,
            damaged_pages=[result.damaged_pages[i] for i in range(result.damaged_pages_len)],
            lost_between=[
                Lost(lost[i].after, lost[i].before) for i in range(result.lost_between_len)
            ],
            lost_the_newest=bool(result.lost_the_newest),
            uncertain_keys=_keys(result.uncertain_keys, result.uncertain_keys_len),
            affected_keys=_keys(result.affected_keys, result.affected_keys_len),
            uncertain_leases=[
                result.uncertain_leases[i] for i in range(result.uncertain_leases_len)
            ],
        )
    finally:
        lib.revwatch_repair_result_free(result)


def parts_of(source: SnapshotSource) -> Iterator[bytes]:
    """The bytes of a snapshot, in parts."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            while part := file.read(READ_BYTES):
                yield part
    elif isinstance(source, (bytes, bytearray, memoryview)):
        yield to_bytes(source, "source")
    else:
        for given in source:
            yield to_bytes(given, "source")


def _incomplete() -> InvalidSnapshot:
    return InvalidSnapshot(
        "the snapshot cannot be taken in, its last chunk is missing; get it again from its store"
    )


def _head(head: Any) -> SnapshotHead:
    return SnapshotHead(
        since=head.since,
        revision=head.revision,
        compact_revision=head.compact_revision,
        epoch=head.epoch,
        store_id=bytes(ffi.buffer(head.store_id)),
    )


def _keys(keys: Any, count: int) -> list[bytes]:
    return [bytes(ffi.buffer(keys[i].data, keys[i].len)) for i in range(count)]


def _sync_folder(folder: Path) -> None:
    """Makes the name of a new file durable, where folders can be opened."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
