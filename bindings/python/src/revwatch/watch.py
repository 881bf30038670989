"""Watching: every change from a revision on, once, in order, whole transactions at a time.

>>> import revwatch
>>> with revwatch.open() as store, store.watch(b"/task/", prefix=True) as watch:
...     for number in (b"1", b"2"):
...         revision = store.put(b"/task/" + number, b"")
...     for response in watch:
...         print(response.revision, [event.kv.key for event in response.events])
...         if response.revision == 3:
...             break
1 []
2 [b'/task/1']
3 [b'/task/2']
"""

from __future__ import annotations

from typing import Any

from . import _decode
from ._bell import Bell
from ._bytes import BytesLike
from ._native import check, ffi, lib
from ._poll import Poller
from ._range import key_range
from ._request import options, resume_token, whole
from .types import ResumeToken, WatchResponse

CREATED, CANCELED, COMPACTED, REWOUND = (
    lib.REVWATCH_RESPONSE_CREATED,
    lib.REVWATCH_RESPONSE_CANCELED,
    lib.REVWATCH_RESPONSE_COMPACTED,
    lib.REVWATCH_RESPONSE_REWOUND,
)


class WatchStream(Poller[WatchResponse]):
    """Many watchers through one bounded queue; made by ``Store.watch_stream``.

    >>> import revwatch
    >>> with revwatch.open() as store, store.watch_stream() as stream:
    ...     stream.watch(b"a"), stream.watch(b"b")
    ...     store.put(b"b", b"1").revision
    ...     [stream.poll().watch_id for _ in range(3)]
    (0, 1)
    2
    [0, 1, 1]
    """

    _out_type = "revwatch_watch_responses **"
    _poll_function = lib.revwatch_stream_poll
    _free_function = lib.revwatch_watch_responses_free

    def __init__(self, store: Any, bell: Bell) -> None:
        out = ffi.new("revwatch_stream **")
        check(lib.revwatch_stream_new(store, out))
        super().__init__(out[0], lib.revwatch_stream_free, bell)

    def watch(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        start_revision: int = 0,
        watch_id: int = 0,
        prev_kv: bool = False,
        no_put: bool = False,
        no_delete: bool = False,
        resume: ResumeToken | None = None,
    ) -> int:
        """Adds a watcher and answers its id within the stream: ``watch_id``, or a free one for 0.
        It is told every change from ``start_revision`` on (0: from now on), or after ``resume``."""
        start, end = key_range(key, range_end, prefix, from_key)
        if resume is not None and start_revision:
            raise ValueError("give one of start_revision and resume, which exclude each other")
        token = None if resume is None else resume_token(resume)
        asked = options(
            "watch",
            start_revision=token.revision + 1 if token else start_revision,
            epoch=token.epoch if token else 0,
            watch_id=watch_id,
            prev_kv=bool(prev_kv),
            no_put=bool(no_put),
            no_delete=bool(no_delete),
        )
        out = ffi.new("int64_t *")
        check(lib.revwatch_stream_watch(self._handle, start, len(start), end, len(end), asked, out))
        return int(out[0])

    def cancel(self, watch_id: int) -> None:
        """Ends a watcher. What was queued for it may still come, its last response is
        ``canceled``. An unknown id is no error and has no response."""
        check(lib.revwatch_stream_cancel(self._handle, whole("watch_id", watch_id)))

    def _decode(self, response: Any) -> WatchResponse:
        events = _decode.events(response.events, response.events_len)
        kind, watch_id, revision = response.type, response.watch_id, response.revision
        if kind == CREATED:
            return WatchResponse(watch_id, revision, events, created=True)
        if kind == CANCELED:
            reason = "the watcher was canceled"
            return WatchResponse(watch_id, revision, events, canceled=True, cancel_reason=reason)
        if kind == COMPACTED:
            compacted = response.compact_revision
            return WatchResponse(
                watch_id,
                revision,
                events,
                canceled=True,
                compact_revision=compacted,
                cancel_reason=f"history before revision {compacted} was compacted: read the "
                "current state and watch on from its revision",
            )
        if kind == REWOUND:
            return WatchResponse(
                watch_id,
                revision,
                events,
                canceled=True,
                rewound=True,
                cancel_reason=f"revisions after {revision} were lost in a crash: read the current "
                "state and watch on from its revision",
            )
        return WatchResponse(watch_id, revision, events)


class Watch(WatchStream):
    """One watcher with a stream of its own; made by ``Store.watch``. Iterating ends after the
    response that says that the watcher has ended."""

    watch_id: int = 0

    def _seen(self, response: WatchResponse) -> None:
        self._ended = self._ended or response.canceled
