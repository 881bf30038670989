"""Wakes the tasks of asyncio that wait for a store, where there are no file descriptors that they
could wait for: one thread per store, while anybody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ._native import OK, ffi, lib

# How long the thread may stay in the library after the last task has gone, and how late it may
# notice that a store which nobody uses was closed.
SLICE_MS = 100

BEFORE_EVERY_REVISION = -1


class Bell:
    """Rings for each newly published revision of a store, and when the store is closed."""

    def __init__(self, store: Any, manual_clock: bool) -> None:
        self.store_closed = False
        self.manual_clock = manual_clock
        self._store = store
        self._lock = threading.Lock()
        self._listeners: set[asyncio.Future[None]] = set()
        self._ringing = False

    @contextmanager
    def listen(self) -> Iterator[asyncio.Future[None]]:
        """A future of the running loop that is done when something was published after now."""
        rung: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._listeners.add(rung)
            if not self._ringing:
                self._ringing = True
                seen = self._published(BEFORE_EVERY_REVISION, 0)
                threading.Thread(
                    target=self._ring, args=(seen,), name="revwatch bell", daemon=True
                ).start()
        try:
            yield rung
        finally:
            with self._lock:
                self._listeners.discard(rung)

    def _published(self, seen: int, timeout_ms: int) -> int | None:
        """The newest published revision if it is after ``seen``, ``seen`` if none has come, and
        ``None`` if the store is closed."""
        out = ffi.new("int64_t *", seen)
        status = lib.revwatch_store_wait(self._store, seen, timeout_ms, out)
        return out[0] if status >= OK else None

    def _ring(self, seen: int | None) -> None:
        """Runs in the thread. Tasks that are woken listen again before they look, and the thread
        only ends under the lock with no listener left, so none is ever left asleep."""
        while seen is not None:
            published = self._published(seen, SLICE_MS)
            with self._lock:
                if not self._listeners:
                    self._ringing = False
                    return
                if published != seen:
                    self._wake()
            seen = published
        with self._lock:
            self._ringing = False
            self._wake()

    def _wake(self) -> None:
        for rung in self._listeners:
            # A loop that was closed in the meantime has nobody left to wake.
            with suppress(RuntimeError):
                rung.get_loop().call_soon_threadsafe(_finish, rung)


def _finish(rung: asyncio.Future[None]) -> None:
    if not rung.done():
        rung.set_result(None)
