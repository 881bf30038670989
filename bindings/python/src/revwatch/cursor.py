"""Durable cursors: every change of a range, from where its consumer has come, at least once.

>>> import revwatch
>>> with revwatch.open() as store:
...     revision = store.put(b"/mail/1", b"hello")
...     with store.cursor(b"mailer", b"/mail/", prefix=True, start_revision=1) as cursor:
...         for response in cursor:
...             print([event.kv.key for event in response.events])
...             cursor.ack(response.revision)
...             break
...     store.cursors()[0].acked_revision
[b'/mail/1']
2

The store remembers what was acknowledged: whoever opens the cursor next, in this process or after
a crash, goes on from there.
"""

from __future__ import annotations

from typing import Any

from . import _decode
from ._bell import Bell
from ._bytes import BytesLike, to_bytes
from ._native import NULL, check, ffi, lib
from ._poll import Poller
from ._range import key_range
from ._request import options, resume_token, whole
from .types import (
    CursorCompacted,
    CursorEvents,
    CursorReport,
    CursorResponse,
    CursorRewound,
    ResumeToken,
)

COMPACTED, REWOUND = lib.REVWATCH_CURSOR_COMPACTED, lib.REVWATCH_CURSOR_REWOUND


class Cursor(Poller[CursorResponse]):
    """An opening of a durable cursor; made by ``Store.cursor``. It never ends by itself. Who opens
    the cursor anew takes it over: this one then raises ``CursorNotFound``. ``close`` ends the
    opening; the cursor stays in the store until ``Store.delete_cursor``."""

    _out_type = "revwatch_cursor_responses **"
    _poll_function = lib.revwatch_cursor_poll
    _free_function = lib.revwatch_cursor_responses_free
    _fd_function = lib.revwatch_cursor_fd
    _next_poll_function = lib.revwatch_cursor_next_poll_ms

    def __init__(
        self,
        store: Any,
        bell: Bell,
        name: BytesLike,
        key: BytesLike,
        range_end: BytesLike | None,
        *,
        prefix: bool,
        from_key: bool,
        start_revision: int,
        hold: bool,
        prev_kv: bool,
        seen: ResumeToken | None,
    ) -> None:
        name = to_bytes(name, "name")
        start, end = key_range(key, range_end, prefix, from_key)
        token = NULL if seen is None else resume_token(seen)
        asked = options(
            "cursor",
            start_revision=start_revision,
            hold=bool(hold),
            prev_kv=bool(prev_kv),
            seen=token,
        )
        out = ffi.new("revwatch_cursor **")
        check(
            lib.revwatch_cursor_open(
                store, name, len(name), start, len(start), end, len(end), asked, out
            )
        )
        super().__init__(out[0], lib.revwatch_cursor_free, bell)
        self._given = self._delivered()

    @property
    def revision(self) -> int:
        """Everything up to this revision was given from here, and can be acknowledged, also where
        nothing in it was for this cursor."""
        with self._taking:
            # The library may have told more than was taken from here.
            return self._given if self._buffer else self._delivered()

    def ack(self, revision: int | None = None) -> None:
        """Takes note that everything up to ``revision`` was dealt with (``None``: all that was
        given). Nothing happens if that much was acknowledged before.

        Waits for no disk: it becomes durable with the next write, ``flush`` or ``close``, or about
        a tenth of a second later. A crash before means that what it covered comes again."""
        upto = self.revision if revision is None else whole("revision", revision)
        check(lib.revwatch_cursor_ack(self._handle, upto))

    def seek(self, start_revision: int = 0) -> None:
        """Goes on with ``start_revision`` (0: the next one), forward or back, also after the next
        opening."""
        with self._taking:
            check(lib.revwatch_cursor_seek(self._handle, whole("start_revision", start_revision)))
            self._buffer.clear()
            self._given = self._delivered()

    def _delivered(self) -> int:
        out = ffi.new("int64_t *")
        check(lib.revwatch_cursor_revision(self._handle, out))
        return int(out[0])

    def _seen(self, response: CursorResponse) -> None:
        match response:
            case CursorEvents(revision, _):
                self._given = revision
            case CursorCompacted(compact_revision):
                self._given = max(self._given, compact_revision - 1)

    def _decode(self, response: Any) -> CursorResponse:
        if response.type == COMPACTED:
            return CursorCompacted(response.revision)
        if response.type == REWOUND:
            return CursorRewound(response.revision)
        events = _decode.events(response.events, response.events_len)
        return CursorEvents(response.revision, events)


def cursors(store: Any) -> list[CursorReport]:
    """All cursors of a store, in the order of their names."""
    out = ffi.new("revwatch_cursors_result **")
    check(lib.revwatch_store_cursors(store, out))
    try:
        return [
            CursorReport(
                bytes(ffi.buffer(report.name, report.name_len)),
                bytes(ffi.buffer(report.key, report.key_len)),
                bytes(ffi.buffer(report.range_end, report.range_end_len)),
                report.acked_revision,
                report.lag_revisions,
                bool(report.hold),
                bool(report.open),
            )
            for report in ffi.unpack(out[0].cursors, out[0].cursors_len)
        ]
    finally:
        lib.revwatch_cursors_result_free(out[0])
