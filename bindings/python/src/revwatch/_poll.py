"""Waiting for responses, blocking or in asyncio; watch streams and follows share it.

One call to the library takes as many responses as there are, up to its default of 10,000 events,
and all are decoded at once, so that a million events do not cost a million calls. What was taken
and not yet asked for waits in a buffer here.
"""

from __future__ import annotations

import asyncio
import math
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Generic, Self, TypeVar

from ._bell import Bell
from ._native import IDLE, Handle, check, ffi
from ._ready import Readiness
from ._request import options

Response = TypeVar("Response")

# A call into the library cannot be interrupted, so a wait is made of short ones: between them the
# interpreter sees Ctrl-C.
SLICE_MS = 100

# Whether there are file descriptors that tasks of asyncio can wait for. Elsewhere the bell of the
# store wakes them for new revisions, and what comes without one, such as the end of a watcher, is
# looked for in pauses of this length, in seconds.
DESCRIPTORS = os.name == "posix"
LONGEST_PAUSE_S = 0.1


class Poller(Handle, Generic[Response]):
    """Something that responses come from. It is its own iterator, in both ways; from several
    threads, each response goes to one of them."""

    _out_type: ClassVar[str]
    _poll_function: ClassVar[Callable[..., int]]
    _free_function: ClassVar[Callable[[Any], None]]
    _fd_function: ClassVar[Callable[..., int]]
    _next_poll_function: ClassVar[Callable[..., int]]

    def __init__(
        self,
        handle: Any,
        free: Callable[[Any], object],
        bell: Bell,
    ) -> None:
        super().__init__(handle, free)
        self._bell = bell
        self._buffer: deque[Response] = deque()
        self._taking = threading.Lock()
        self._ready: Readiness | None = None
        self._takes_one = False
        self._ended = False

    def _decode(self, response: Any) -> Response:
        raise NotImplementedError

    def _seen(self, response: Response) -> None:
        """Called with each response before it is given away."""

    def poll(
        self, timeout: float | None = 0, *, max_events: int = 0, max_bytes: int = 0
    ) -> Response | None:
        """The next response, or ``None`` if none has come within ``timeout`` seconds (``None``:
        without end). With a limit exactly one response is taken from the store, of about so many
        events or bytes of keys and values; a revision is never split, so one that is larger comes
        whole."""
        takes_one = max_events or max_bytes or self._takes_one
        limits = (max_events, max_bytes, 1) if takes_one else (0, 0, 0)
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left_ms = 0.0 if self._ended else (deadline - time.monotonic()) * 1000
            slice_ms = math.ceil(min(max(left_ms, 0), SLICE_MS))
            # Whoever does not want to wait does not wait for another thread either.
            if self._taking.acquire(timeout=slice_ms / 1000):
                try:
                    response = self._take(slice_ms, limits)
                finally:
                    self._taking.release()
                    if self._buffer and self._ready is not None:
                        self._ready.ring()
                if response is not None:
                    return response
            if left_ms <= 0 or time.monotonic() >= deadline:
                return None

    def _take(self, slice_ms: int, limits: tuple[int, int, int]) -> Response | None:
        if self._bell.store_closed:
            self._buffer.clear()
        if not self._buffer:
            max_events, max_bytes, max_responses = limits
            asked = options(
                "poll",
                max_events=max_events,
                max_bytes=max_bytes,
                max_responses=max_responses,
                timeout_ms=slice_ms,
            )
            out = ffi.new(self._out_type)
            if check(type(self)._poll_function(self._handle, asked, out)) == IDLE:
                return None
            try:
                answer = out[0]
                responses = ffi.unpack(answer.responses, answer.responses_len)
                self._buffer.extend(map(self._decode, responses))
            finally:
                type(self)._free_function(out[0])
        response = self._buffer.popleft()
        self._seen(response)
        return response

    def fileno(self) -> int:
        """A file descriptor that is readable while there is something to poll, for ``select`` and
        event loops, which take the watch itself too. It may be readable when there is nothing: a
        ``poll`` answers ``None`` then. Wait no longer than ``next_poll`` says. Not on Windows.

        From then on ``poll`` takes no more from the store than it gives, so that the descriptor
        tells all: ask for it before the first poll, or poll until there is nothing.

        >>> import revwatch, select
        >>> with revwatch.open() as store, store.watch(b"key") as watch:
        ...     while select.select([watch], [], [], 0)[0]:
        ...         print(watch.poll().created)
        True
        """
        self._takes_one = True
        return self._readiness().fd

    def next_poll(self) -> float | None:
        """In how many seconds to poll again at the latest, if nothing is readable before; ``None``
        if never. A lease may expire then, a batch become durable, progress be due, or another
        process have written. With the clock ``"manual"`` only ``Store.step`` brings anything.

        >>> import revwatch
        >>> with revwatch.open() as store, store.watch(b"key") as watch:
        ...     watch.next_poll()
        0.0
        """
        out = ffi.new("int64_t *")
        check(type(self)._next_poll_function(self._handle, out))
        # By a clock of its own, a time of which nobody here knows when it is.
        never = out[0] < 0 or (self._bell.manual_clock and out[0] > 0)
        return None if never else out[0] / 1000

    def _readiness(self) -> Readiness:
        out = ffi.new("int32_t *")
        # Asked each time, as it is refused once this is closed.
        check(type(self)._fd_function(self._handle, out))
        with self._taking:
            if self._ready is None:
                self._ready = Readiness(out[0])
                weakref.finalize(self, self._ready.close)
            return self._ready

    def _listen(self) -> AbstractContextManager[asyncio.Future[None]]:
        return self._readiness().listen() if DESCRIPTORS else self._bell.listen()

    def _pause(self) -> float | None:
        pause = self.next_poll()
        if DESCRIPTORS:
            return pause
        return LONGEST_PAUSE_S if pause is None else min(pause, LONGEST_PAUSE_S)

    def close(self) -> None:
        """Ends it. Whoever waits for a response in another thread is told ``Closed``."""
        self._free()
        self._buffer.clear()
        if self._ready is not None:
            self._ready.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Response:
        response = self.poll(None)
        if response is None:
            raise StopIteration
        return response

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Response:
        if (response := self.poll()) is not None:
            return response
        while True:
            # Listened first and looked then: what comes in between wakes.
            with self._listen() as rung:
                if (response := self.poll()) is not None:
                    return response
                if self._ended:
                    raise StopAsyncIteration
                await asyncio.wait([rung], timeout=self._pause())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
