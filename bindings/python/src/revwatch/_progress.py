"""Openings and checks in steps: between them Ctrl-C is heard and progress is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ._native import IDLE, Handle, check, ffi, lib
from .types import Progress

OnProgress: TypeAlias = Callable[[Progress], object]
"""What is told how far something has come, every now and then and at its end."""


class _Opening(Handle):
    def __init__(self, encoded_path: Any, options: Any) -> None:
        out = ffi.new("revwatch_opening **")
        check(lib.revwatch_opening_new(encoded_path, options, out))
        super().__init__(out[0], lib.revwatch_opening_free)

    def finish(self, progress: OnProgress | None) -> Any:
        """The handle of the store."""
        _run(lib.revwatch_opening_step, self._handle, progress)
        out = ffi.new("revwatch_store **")
        check(lib.revwatch_opening_finish(self._handle, out))
        return out[0]


class _Check(Handle):
    def __init__(self, store: Any) -> None:
        out = ffi.new("revwatch_check **")
        check(lib.revwatch_check_new(store, out))
        super().__init__(out[0], lib.revwatch_check_free)

    def run(self, progress: OnProgress | None) -> None:
        _run(lib.revwatch_check_step, self._handle, progress)


def opened(encoded_path: Any, options: Any, progress: OnProgress | None) -> Any:
    """Opens a store; answers its handle."""
    opening = _Opening(encoded_path, options)
    try:
        return opening.finish(progress)
    finally:
        opening._free()


def checked(store: Any, progress: OnProgress | None) -> None:
    """Checks a store."""
    running = _Check(store)
    try:
        running.run(progress)
    finally:
        running._free()


def _run(step: Callable[[Any, int, Any], int], handle: Any, progress: OnProgress | None) -> None:
    out = ffi.new("revwatch_progress *")
    is_more = True
    while is_more:
        is_more = check(step(handle, 0, out)) == IDLE
        if progress is not None:
            progress(Progress(out.done, out.total))
