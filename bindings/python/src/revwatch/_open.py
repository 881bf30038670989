"""Opening a store."""

from __future__ import annotations

import os
import time
from typing import Any, Literal

from . import _request
from ._native import NULL, ffi
from ._progress import OnProgress, opened
from .errors import Locked
from .snapshot import Import, SnapshotSource, parts_of, repaired
from .store import Store
from .types import Durability, RepairReport

CLOCKS = {"system": 0, "manual": 1}

# As for other waits: a call into the library cannot be interrupted by Ctrl-C, so it is short.
SLICE_S = 0.1

# To the library 0 means its default.
NO_WAIT = -1


def open(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
    *,
    read_only: bool = False,
    durability: Durability = "commit",
    lock_timeout: float = 5.0,
    quota_bytes: int = 0,
    retain_revisions: int = 0,
    retain_ms: int = 0,
    max_hold_revisions: int = 0,
    request_bytes: int = 0,
    txn_ops: int = 0,
    lease_min_ttl_ms: int = 0,
    lease_max_ttl_ms: int = 0,
    lease_expiries_per_step: int = 0,
    stream_queue_responses: int = 0,
    catch_up_revisions: int = 0,
    stream_queue_bytes: int = 0,
    watch_queue_bytes: int = 0,
    fragment_bytes: int = 0,
    progress_notify_ms: int = 0,
    seed: int = 0,
    snapshot_hold_bytes: int = 0,
    clock: Literal["system", "manual"] = "system",
    progress: OnProgress | None = None,
) -> Store:
    """Opens the store in the file ``path``, and creates it if there is none; without a path the
    store is in memory.

    One process at a time writes: another one waits for it ``lock_timeout`` seconds and is then told
    ``Locked``. Any number may read and watch meanwhile, with ``read_only``. ``durability`` says
    when a write has reached the disk: before it returns (``"commit"``), a tenth of a second later
    together with others (``"batch"``), or with ``flush`` and ``close`` only (``"never"``).

    Puts are refused as ``NoSpace`` once the pages in use hold ``quota_bytes``. History is compacted
    by itself but for its last ``retain_revisions``, or what is younger than ``retain_ms``; 0 means
    no such bound. Cursors with a hold keep at most ``max_hold_revisions`` (0: a million) from it.
    While a snapshot is being taken, ``snapshot_hold_bytes`` (0: 1 GiB) may be written before what
    it has yet to read is reclaimed.

    The other bounds are etcd's where they are 0: a request may hold ``request_bytes`` of keys and
    values (1.5 MiB), a transaction ``txn_ops`` comparisons and operations in each branch (128); a
    lease lives at least ``lease_min_ttl_ms`` (2 s) and at most ``lease_max_ttl_ms``, and one step
    expires ``lease_expiries_per_step`` of them (500); a watch stream holds
    ``stream_queue_responses`` (128) and ``stream_queue_bytes`` of events (8 MiB), and all together
    ``watch_queue_bytes`` (64 MiB), before watchers fall behind, and one response to a watcher that
    catches up ``catch_up_revisions`` (1000). For watchers who ask for that, a revision is divided
    into fragments of ``fragment_bytes`` (2 MiB), and progress is told when nothing else was for
    ``progress_notify_ms`` (10 minutes). Lease ids are chosen by ``seed`` (0: a random one).

    With the clock ``"manual"`` time passes, and background work is done, only in ``Store.step``.

    A store that was not closed is read whole. ``progress`` is called with a ``Progress`` after each
    mebibyte of that, and at the end.

    >>> with open() as store:
    ...     store.put(b"key", b"value")
    PutResponse(revision=2, prev_kv=None)
    """
    options = _request.options(
        "open",
        read_only=bool(read_only),
        durability=_request.durability(durability),
        quota_bytes=quota_bytes,
        retain_revisions=retain_revisions,
        retain_ms=retain_ms,
        max_hold_revisions=max_hold_revisions,
        request_bytes=request_bytes,
        txn_ops=txn_ops,
        lease_min_ttl_ms=lease_min_ttl_ms,
        lease_max_ttl_ms=lease_max_ttl_ms,
        lease_expiries_per_step=lease_expiries_per_step,
        stream_queue_responses=stream_queue_responses,
        catch_up_revisions=catch_up_revisions,
        stream_queue_bytes=stream_queue_bytes,
        watch_queue_bytes=watch_queue_bytes,
        fragment_bytes=fragment_bytes,
        progress_notify_ms=progress_notify_ms,
        seed=seed,
        snapshot_hold_bytes=snapshot_hold_bytes,
        manual_clock=_request.word(clock, CLOCKS, "clock"),
    )
    encoded = _encoded_or_none(path)
    deadline = time.monotonic() + lock_timeout
    while True:
        slice_s = min(max(deadline - time.monotonic(), 0), SLICE_S)
        options.lock_timeout_ms = int(slice_s * 1000) or NO_WAIT
        try:
            return Store(opened(encoded, options, progress), clock == "manual")
        except Locked:
            if time.monotonic() >= deadline:
                raise


def restore(
    source: SnapshotSource,
    to: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None = None,
    *,
    durability: Durability = "commit",
    progress: OnProgress | None = None,
) -> Store:
    """Makes a new store of a snapshot of a whole store, in the file ``to`` or in memory, and opens
    it. ``source`` is the path of the snapshot, its bytes, or its bytes in parts.

    All or nothing: until the last part is there and durable the file says that an import into it is
    not complete; opening it raises ``ImportIncomplete`` then, and restoring to it again begins
    anew. ``StoreExists`` says that there is a store at ``to``. The new store has its own id and
    begins a new epoch, in which all else goes on as in the old one. ``progress`` is called with a
    ``Progress`` after each part.
    """
    options = _request.options("open", durability=_request.durability(durability))
    importing = Import(_encoded_or_none(to), options)
    for part in parts_of(source):
        importing.feed(part)
        if progress is not None:
            progress(importing.progress)
    return Store(importing.finish(), manual_clock=False)


def repair(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    to: str | bytes | os.PathLike[str] | os.PathLike[bytes],
    *,
    page_size: int = 0,
) -> RepairReport:
    """Saves what can be saved of the damaged store in the file ``path`` into a new store in the
    file ``to``, and reports what it could not. The damaged file is only read.

    Every key that is saved was so; what nobody can know any more is not made up, but named.
    ``page_size`` is needed if the first page of the file is damaged and it was not made by this
    library's default.
    """
    options = _request.options("open", page_size=page_size)
    return repaired(_encoded_or_none(path), _encoded_or_none(to), options)


def _encoded_or_none(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes] | None,
) -> Any:
    return NULL if path is None else ffi.new("char[]", _encoded(path))


def _encoded(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> bytes:
    encoded = os.fsencode(path)
    if not encoded:
        raise ValueError("the path is empty: name a file, or give None for a store in memory")
    if b"\0" in encoded:
        raise ValueError("the path has a zero byte in it: no file can have such a name")
    return encoded
