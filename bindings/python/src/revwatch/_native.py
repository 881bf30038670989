"""The shared library: where it is, how its answers become exceptions, and who frees its handles.

A handle of the library is a checked name, not an address, and may be used from several threads also
while another thread closes it. So nothing here needs a lock, and a handle that was closed is
recognised by the library itself.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ._cdef import ffi as ffi
from .errors import Closed, NullPointer, RevwatchError, error_of

FOLDER = Path(__file__).parent
NAMES = ("librevwatch.so", "librevwatch.dylib", "revwatch.dll")
LIBRARY = str(
    next((FOLDER / name for name in NAMES if (FOLDER / name).exists()), FOLDER / NAMES[0])
)

lib: Any = ffi.dlopen(LIBRARY)

NULL: Any = ffi.NULL
OK, NOT_FOUND, IDLE = 0, 1, 2


def text(pointer: Any) -> str:
    """A string of the library."""
    return str(ffi.string(pointer), errors="replace")


VERSION = text(lib.revwatch_version())


def check(status: int) -> int:
    """Answers a status that is not an error, and raises one that is."""
    if status < 0:
        raise failure(status)
    return status


def failure(status: int) -> RevwatchError:
    """The exception for this thread's last error."""
    if status == -NullPointer.code:
        # Only a handle can be NULL here, and only after a fork: see forget_handles.
        return Closed(
            "the store was opened by the parent of this process and is closed here: open it anew"
        )
    error = error_of(-status, text(lib.revwatch_last_error_message()))
    error.revision = int(lib.revwatch_last_error_revision())
    return error


class Handle:
    """What owns a handle of the library: it is freed when the owner goes, at the latest when the
    interpreter ends."""

    __slots__ = ("__weakref__", "_finalizer", "_handle")

    def __init__(self, handle: Any, free: Callable[[Any], object]) -> None:
        self._handle = handle
        self._finalizer = weakref.finalize(self, free, handle)
        _owners.add(self)

    def _free(self) -> None:
        """Frees the handle if that was not done; every later use of it raises ``Closed``."""
        self._finalizer()


_owners: weakref.WeakSet[Handle] = weakref.WeakSet()


def forget_handles() -> None:
    """A forked child has a copy of the memory, but the file and its lock are the parent's, and a
    lock of another thread may have been copied in the locked state. So the child must neither use
    what it has inherited nor free it."""
    for owner in _owners:
        owner._finalizer.detach()
        owner._handle = NULL
    _owners.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_handles)
