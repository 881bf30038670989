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

from collections.abc import Iterable
from typing import Any, Literal

from . import _decode
from ._bell import Bell
from ._bytes import BytesLike
from ._native import IDLE, check, ffi, lib
from ._poll import Poller
from ._range import key_range
from ._request import options, resume_token, whole
from .types import KeyRange, ResumeToken, WatcherReport, WatchResponse

CREATED, PROGRESS, CANCELED, COMPACTED, REWOUND = (
    lib.REVWATCH_RESPONSE_CREATED,
    lib.REVWATCH_RESPONSE_PROGRESS,
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
    _fd_function = lib.revwatch_stream_fd
    _next_poll_function = lib.revwatch_stream_next_poll_ms

    def __init__(self, store: Any, bell: Bell, *, early: bool = False) -> None:
        out = ffi.new("revwatch_stream **")
        check(lib.revwatch_stream_new(store, options("stream", early=bool(early)), out))
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
        ranges: Iterable[KeyRange] = (),
        keys_only: bool = False,
        fragment: bool = False,
        progress_notify: bool = False,
        conflate: bool = False,
        resume: ResumeToken | None = None,
    ) -> int:
        """Adds a watcher and answers its id within the stream: ``watch_id``, or a free one for 0.
        It is told every change from ``start_revision`` on (0: from now on), or after ``resume``.

        ``ranges`` are watched too; a change of a key in several of them comes once. ``keys_only``
        leaves values out, also those that keys had before. With ``fragment`` a revision too large
        for the limits of a poll, or for the store's ``fragment_bytes``, may come in several
        responses, all but the last marked. With ``progress_notify`` the watcher is told how far it
        is when nothing else was told for the store's ``progress_notify_ms``. Who is behind and asks
        to ``conflate`` is told only the newest state of each key.

        >>> import revwatch
        >>> from revwatch import KeyRange
        >>> with revwatch.open() as store, store.watch_stream() as stream:
        ...     stream.watch(b"/leader", ranges=[KeyRange(b"/task/", prefix=True)], keys_only=True)
        ...     store.put(b"/task/7", b"a long text").revision
        ...     created, told = stream.poll(), stream.poll()
        ...     told.events[0].kv.key, told.events[0].kv.value
        0
        2
        (b'/task/7', b'')
        """
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
            keys_only=bool(keys_only),
            fragment=bool(fragment),
            progress_notify=bool(progress_notify),
            conflate=bool(conflate),
        )
        # Kept until the call: the structures only point to it.
        kept = _structures(ranges)
        if kept:
            asked.ranges = array = ffi.new("revwatch_key_range[]", [made for made, *_ in kept])
            asked.ranges_len = len(array)
        out = ffi.new("int64_t *")
        check(lib.revwatch_stream_watch(self._handle, start, len(start), end, len(end), asked, out))
        return int(out[0])

    def cancel(self, watch_id: int) -> None:
        """Ends a watcher. What was queued for it may still come, its last response is
        ``canceled``. An unknown id is no error and has no response."""
        check(lib.revwatch_stream_cancel(self._handle, whole("watch_id", watch_id)))

    def request_progress(self) -> bool:
        """Asks to be told how far the stream is: once all that waits now was polled, it says
        ``progress`` with the ``watch_id`` -1, and nothing that is not newer comes after that.
        False, and nothing is said, while one of its watchers is behind or starts in the future.

        >>> import revwatch
        >>> with revwatch.open() as store, store.watch_stream() as stream:
        ...     store.put(b"key", b"").revision, stream.request_progress()
        ...     response = stream.poll()
        ...     response.progress, response.revision
        (2, True)
        (True, 2)
        """
        return check(lib.revwatch_stream_request_progress(self._handle)) != IDLE

    @property
    def stream_id(self) -> int:
        """What ``Store.watchers`` calls this stream."""
        out = ffi.new("uint64_t *")
        check(lib.revwatch_stream_id(self._handle, out))
        return int(out[0])

    def _decode(self, response: Any) -> WatchResponse:
        events = _decode.events(response.events, response.events_len)
        kind, watch_id, revision = response.type, response.watch_id, response.revision
        if kind == CREATED:
            return WatchResponse(watch_id, revision, events, created=True)
        if kind == PROGRESS:
            return WatchResponse(watch_id, revision, events, progress=True)
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
                cancel_reason=f"revisions after {revision} were lost in a crash or a failed sync: "
                "read the current state and watch on from its revision",
            )
        return WatchResponse(watch_id, revision, events, fragment=bool(response.fragment))


class Watch(WatchStream):
    """One watcher with a stream of its own; made by ``Store.watch``. Iterating ends after the
    response that says that the watcher has ended."""

    watch_id: int = 0

    def _seen(self, response: WatchResponse) -> None:
        self._ended = self._ended or response.canceled


def _structures(ranges: Iterable[KeyRange]) -> list[tuple[dict[str, Any], Any, Any]]:
    """Structures for the library, each with the bytes that it points to."""
    made = []
    for given in ranges:
        if not isinstance(given, KeyRange):
            kind = type(given).__name__
            raise TypeError(f"ranges has a {kind} in it: give KeyRange(key, …) for each range")
        start, end = key_range(*given)
        key, range_end = ffi.from_buffer(start), ffi.from_buffer(end)
        fields = {"key_len": len(start), "range_end_len": len(end)}
        made.append(({**fields, "key": key, "range_end": range_end}, key, range_end))
    return made


STATES: dict[int, Literal["synced", "unsynced", "victim"]] = {
    lib.REVWATCH_WATCHER_SYNCED: "synced",
    lib.REVWATCH_WATCHER_UNSYNCED: "unsynced",
    lib.REVWATCH_WATCHER_VICTIM: "victim",
}


def watchers(store: Any) -> list[WatcherReport]:
    """All watchers of a store, by stream and id."""
    out = ffi.new("revwatch_watchers_result **")
    check(lib.revwatch_store_watchers(store, out))
    try:
        return [
            WatcherReport(
                report.stream_id,
                report.watch_id,
                STATES[report.state],
                [_key_range(given) for given in ffi.unpack(report.ranges, report.ranges_len)],
                report.next_revision,
                report.queued_responses,
                report.queued_bytes,
                report.lag,
            )
            for report in ffi.unpack(out[0].watchers, out[0].watchers_len)
        ]
    finally:
        lib.revwatch_watchers_result_free(out[0])


def _key_range(given: Any) -> KeyRange:
    return KeyRange(
        bytes(ffi.buffer(given.key, given.key_len)),
        bytes(ffi.buffer(given.range_end, given.range_end_len)),
    )
