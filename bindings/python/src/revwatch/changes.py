"""Changes between two revisions: to look at, or to carry to another store.

>>> import revwatch
>>> with revwatch.open() as source, revwatch.open() as copy:
...     revision = source.put(b"key", b"value")
...     for chunk in source.changes(copy.status().revision).chunks():
...         revision = copy.apply_changes(chunk)
...     copy.hash_kv() == source.hash_kv()
True
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from . import _decode
from ._bytes import BytesLike, to_bytes
from ._native import IDLE, Handle, check, ffi, lib
from ._request import SIZE, whole
from .types import Event


class Changes(Handle):
    """A walk over every change of a store after one revision, up to another; made by
    ``Store.changes``. It is its own iterator, over events; ``chunks`` gives bytes instead. Either
    raises ``Compacted`` once compaction has overtaken it."""

    def __init__(self, store: Any, from_revision: int, to_revision: int) -> None:
        out = ffi.new("revwatch_changes **")
        first = whole("from_revision", from_revision)
        last = whole("to_revision", to_revision)
        check(lib.revwatch_changes_new(store, first, last, out))
        super().__init__(out[0], lib.revwatch_changes_free)
        self._events = self._all_events()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def _all_events(self) -> Iterator[Event]:
        out = ffi.new("revwatch_changes_result **")
        while check(lib.revwatch_changes_next(self._handle, 0, 0, out)) != IDLE:
            try:
                events = _decode.events(out[0].events, out[0].events_len)
            finally:
                lib.revwatch_changes_result_free(out[0])
            yield from events

    def chunks(self, max_bytes: int = 0) -> Iterator[bytes]:
        """What is left of the walk, as bytes for ``Store.apply_changes``: whole revisions, about
        ``max_bytes`` (0: 4 MiB) at a time. They may be put one behind the other."""
        at_most = whole("max_bytes", max_bytes, SIZE)
        out = ffi.new("revwatch_chunk_result **")
        while check(lib.revwatch_changes_next_chunk(self._handle, at_most, out)) != IDLE:
            try:
                chunk = bytes(ffi.buffer(out[0].data, out[0].len))
            finally:
                lib.revwatch_chunk_result_free(out[0])
            yield chunk

    def close(self) -> None:
        """Ends the walk, as the end of a ``with`` and of its life do."""
        self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def apply_changes(store: Any, data: BytesLike) -> int:
    """Applies chunks to a store; answers its revision then."""
    chunks = to_bytes(data, "data")
    revision = ffi.new("int64_t *")
    check(lib.revwatch_store_apply_changes(store, chunks, len(chunks), revision))
    return int(revision[0])
