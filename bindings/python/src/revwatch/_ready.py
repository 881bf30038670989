"""Wakes the tasks of asyncio that wait for a file descriptor of the library to be readable."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

Waiting = dict[asyncio.AbstractEventLoop, set[asyncio.Future[None]]]


class Readiness:
    """A descriptor with those who wait for it, from any number of loops: a loop knows only one
    reader of a descriptor.

    The descriptor is a duplicate: that of the library goes when its stream is freed, and a loop
    must not come to know another one that has its number by then.
    """

    def __init__(self, fd: int) -> None:
        self.fd = os.dup(fd)
        self._lock = threading.Lock()
        self._waiting: Waiting = {}
        self._closed = False

    @contextmanager
    def listen(self) -> Iterator[asyncio.Future[None]]:
        """A future of the running loop that is done when the descriptor is readable."""
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if not self._closed:
                waiting = self._waiting.setdefault(loop, set())
                if not waiting:
                    loop.add_reader(self.fd, self._wake, loop)
                waiting.add(ready)
        try:
            yield ready
        finally:
            with self._lock:
                self._forget(loop, ready)

    def ring(self) -> None:
        """Wakes all who wait: what is there is not in the library any more."""
        with self._lock:
            for loop in self._waiting:
                # A loop that was closed in the meantime has nobody left to wake.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._wake, loop)

    def close(self) -> None:
        """Wakes all who wait; the last of them closes the descriptor."""
        self.ring()
        with self._lock:
            self._closed = True
            self._close_if_unused()

    def _forget(self, loop: asyncio.AbstractEventLoop, ready: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(loop, set())
        waiting.discard(ready)
        if not waiting and self._waiting.pop(loop, None) is not None:
            loop.remove_reader(self.fd)
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closed and not self._waiting and self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        for ready in self._waiting.get(loop, ()):
            if not ready.done():
                ready.set_result(None)
