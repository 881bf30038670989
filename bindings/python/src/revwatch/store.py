"""The store: keys with their past, transactions, leases, and whoever watches them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from . import _decode, _request
from ._bell import Bell
from ._bytes import BytesLike, to_bytes
from ._lease import Leases
from ._native import NOT_FOUND, Handle, check, ffi, lib
from ._progress import OnProgress, checked
from ._range import key_range
from ._txn import run_txn
from .changes import Changes, apply_changes
from .cursor import Cursor, cursors
from .follow import Follow
from .range_stream import RangeStream
from .snapshot import Snapshot, SnapshotSource, apply_snapshot
from .txn import Compare, DeleteRange, Op, Put, Range, Txn
from .types import (
    CursorReport,
    DeleteRangeResponse,
    Durability,
    Event,
    HashKv,
    HistoryPage,
    KeyRange,
    KeyValue,
    PutResponse,
    RangeResponse,
    ResumeToken,
    SortOrder,
    SortTarget,
    Status,
    TxnResponse,
    WatcherReport,
)
from .watch import Watch, WatchStream, watchers

# What a physical compaction does at most before it returns: enough for a store of a gibibyte.
PHYSICAL_STEPS, PHYSICAL_STEP_BYTES = 1024, 1 << 20

# Instead of a time: the system's.
SYSTEM_CLOCK = -1


class Store(Leases, Handle):
    """A store, opened by ``revwatch.open``. It may be used from several threads.

    >>> import revwatch
    >>> with revwatch.open() as store:
    ...     store.put(b"hello", b"world1").revision
    ...     store.put(b"hello", b"world2").revision
    ...     store.get(b"hello")
    2
    3
    KeyValue(key=b'hello', value=b'world2', create_revision=2, mod_revision=3, version=2, lease=0)
    """

    def __init__(self, handle: Any, manual_clock: bool) -> None:
        super().__init__(handle, lib.revwatch_store_free)
        self._bell = Bell(handle, manual_clock)
        self._manual_clock = manual_clock

    # Reading and writing.

    def put(
        self,
        key: BytesLike,
        value: BytesLike,
        *,
        lease: int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
        durability: Durability | None = None,
    ) -> PutResponse:
        """Creates or changes a key, and attaches it to ``lease`` (0: to none).

        ``prev_kv`` answers with what the key was before; ``ignore_value`` and ``ignore_lease`` keep
        the value or the lease that it has. ``durability`` is for this put (``None``: the store's
        own): after ``"commit"`` it, and all before it, survives a loss of power."""
        key, value = to_bytes(key, "key"), to_bytes(value, "value")
        if not (lease or prev_kv or ignore_value or ignore_lease or durability is not None):
            revision = ffi.new("int64_t *")
            check(lib.revwatch_store_put(self._handle, key, len(key), value, len(value), revision))
            return PutResponse(revision[0], None)
        put = Put(key, value, lease, prev_kv, ignore_value, ignore_lease)
        options = _request.put_options(put, durability)
        out = ffi.new("revwatch_put_result **")
        check(
            lib.revwatch_store_put_with(
                self._handle, key, len(key), value, len(value), options, out
            )
        )
        try:
            return _decode.put_response(out[0])
        finally:
            lib.revwatch_put_result_free(out[0])

    def get(self, key: BytesLike, *, revision: int = 0) -> KeyValue | None:
        """A key, as of ``revision`` (0: now); ``None`` if it did not exist then."""
        if revision:
            kvs = self.range(key, revision=revision).kvs
            return kvs[0] if kvs else None
        key = to_bytes(key, "key")
        out = ffi.new("revwatch_get_result **")
        if check(lib.revwatch_store_get(self._handle, key, len(key), out)) == NOT_FOUND:
            return None
        try:
            return _decode.key_value(out[0].kv)
        finally:
            lib.revwatch_get_result_free(out[0])

    def range(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        limit: int = 0,
        revision: int = 0,
        sort_order: SortOrder = "none",
        sort_target: SortTarget = "key",
        keys_only: bool = False,
        count_only: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
    ) -> RangeResponse:
        """The keys of a range, as of ``revision`` (0: now).

        The range is one key, or from ``key`` up to, but without, ``range_end``, or all keys that
        begin with ``key`` (``prefix``), or all from ``key`` on (``from_key``). The bounds of
        revisions filter first, then comes the sort, then the limit."""
        start, end, options = _request.range_arguments(
            Range(
                key,
                range_end,
                prefix=prefix,
                from_key=from_key,
                limit=limit,
                revision=revision,
                sort_order=sort_order,
                sort_target=sort_target,
                keys_only=keys_only,
                count_only=count_only,
                min_mod_revision=min_mod_revision,
                max_mod_revision=max_mod_revision,
                min_create_revision=min_create_revision,
                max_create_revision=max_create_revision,
            )
        )
        out = ffi.new("revwatch_range_result **")
        check(
            lib.revwatch_store_range(self._handle, start, len(start), end, len(end), options, out)
        )
        try:
            return _decode.range_response(out[0])
        finally:
            lib.revwatch_range_result_free(out[0])

    def range_stream(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        revision: int = 0,
    ) -> RangeStream:
        """Walks over a range of any size as of ``revision`` (0: now), in key order, with a bounded
        part of it in memory."""
        return RangeStream(
            self._handle,
            key,
            range_end,
            prefix=prefix,
            from_key=from_key,
            revision=revision,
        )

    def delete_range(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        prev_kv: bool = False,
        durability: Durability | None = None,
    ) -> DeleteRangeResponse:
        """Deletes the keys of a range, all at one revision; ``prev_kv`` answers what they were.
        ``durability`` is as for ``put``."""
        start, end, options = _request.delete_range_arguments(
            DeleteRange(key, range_end, prefix=prefix, from_key=from_key, prev_kv=prev_kv),
            durability,
        )
        out = ffi.new("revwatch_delete_range_result **")
        check(
            lib.revwatch_store_delete_range(
                self._handle, start, len(start), end, len(end), options, out
            )
        )
        try:
            return _decode.delete_range_response(out[0])
        finally:
            lib.revwatch_delete_range_result_free(out[0])

    def txn(
        self,
        compare: Sequence[Compare],
        success: Sequence[Op],
        failure: Sequence[Op],
        *,
        durability: Durability | None = None,
    ) -> TxnResponse:
        """If all comparisons hold, does ``success``, else ``failure``: atomically, at one
        revision. Later operations see what earlier ones did. ``durability`` is as for ``put``."""
        return run_txn(self._handle, Txn(compare, success, failure), durability)

    def compact(self, revision: int, *, physical: bool = False) -> int:
        """Forgets what was superseded before ``revision``; answers the store's revision.

        The space comes free little by little, in background work; ``physical`` does all of that
        which is due, unless the clock is manual."""
        current = ffi.new("int64_t *")
        revision = _request.whole("revision", revision)
        check(lib.revwatch_store_compact(self._handle, revision, current))
        steps = PHYSICAL_STEPS if physical and not self._manual_clock else 0
        while steps and self.step(budget_bytes=PHYSICAL_STEP_BYTES) == 0:
            steps -= 1
        return int(current[0])

    # History, watches and follows.

    def history(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        start_revision: int = 0,
    ) -> Iterator[Event]:
        """Every kept change of a range from ``start_revision`` (0: the oldest kept) until now."""
        start, end = key_range(key, range_end, prefix, from_key)
        return self._events(start, end, start_revision)

    def _events(self, start: bytes, end: bytes, revision: int) -> Iterator[Event]:
        next_revision: int | None = revision
        while next_revision is not None:
            page = self.history_page(start, end, start_revision=next_revision, max_events=0)
            yield from page.events
            next_revision = page.next_revision

    def history_page(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        start_revision: int = 0,
        max_events: int = 0,
    ) -> HistoryPage:
        """About ``max_events`` (0: 1000) of what ``history`` iterates over."""
        start, end = key_range(key, range_end, prefix, from_key)
        options = _request.options("history", start_revision=start_revision, max_events=max_events)
        out = ffi.new("revwatch_history_result **")
        check(
            lib.revwatch_store_history(self._handle, start, len(start), end, len(end), options, out)
        )
        try:
            events = _decode.events(out[0].events, out[0].events_len)
            return HistoryPage(events, out[0].next_revision or None)
        finally:
            lib.revwatch_history_result_free(out[0])

    def watch(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        start_revision: int = 0,
        prev_kv: bool = False,
        no_put: bool = False,
        no_delete: bool = False,
        ranges: Iterable[KeyRange] = (),
        keys_only: bool = False,
        fragment: bool = False,
        progress_notify: bool = False,
        conflate: bool = False,
        early: bool = False,
        resume: ResumeToken | None = None,
    ) -> Watch:
        """Watches a range from ``start_revision`` on (0: from now on), or after ``resume``. What
        may be asked for besides stands at ``WatchStream.watch``, and ``early`` at
        ``watch_stream``."""
        watch = Watch(self._handle, self._bell, early=early)
        try:
            watch.watch_id = watch.watch(
                key,
                range_end,
                prefix=prefix,
                from_key=from_key,
                start_revision=start_revision,
                prev_kv=prev_kv,
                no_put=no_put,
                no_delete=no_delete,
                ranges=ranges,
                keys_only=keys_only,
                fragment=fragment,
                progress_notify=progress_notify,
                conflate=conflate,
                resume=resume,
            )
        except BaseException:
            watch.close()
            raise
        return watch

    def watch_stream(self, *, early: bool = False) -> WatchStream:
        """A stream that many watchers share.

        With ``early`` it is told of changes when they are applied, as ``get`` sees them, before
        they are durable. A watcher that may have been told what a failed sync then takes back is
        told ``rewound``, as is one that resumes after what a crash took. Without meaning where
        changes are shown at once anyway: in memory, with ``durability="never"`` and in a store
        opened read-only.
        """
        return WatchStream(self._handle, self._bell, early=early)

    def watchers(self) -> list[WatcherReport]:
        """Where every watcher stands, those of followers and cursors too. Costs by the watchers and
        by what is queued for them.

        >>> import revwatch
        >>> with revwatch.open() as store, store.watch(b"key") as watch:
        ...     store.put(b"key", b"value").revision
        ...     [report] = store.watchers()
        ...     report.stream_id == watch.stream_id, report.state, report.queued_responses
        2
        (True, 'synced', 1)
        """
        return watchers(self._handle)

    def follow(
        self,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        early: bool = False,
        resume: ResumeToken | None = None,
    ) -> Follow:
        """Follows a range: its state, a mark, then every change; with ``resume`` the changes after
        that point only. With ``early`` as soon as they are applied: see ``watch_stream``."""
        return Follow(
            self._handle,
            self._bell,
            key,
            range_end,
            prefix=prefix,
            from_key=from_key,
            early=early,
            resume=resume,
        )

    # Durable cursors, and other stores.

    def cursor(
        self,
        name: BytesLike,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        start_revision: int = 0,
        hold: bool = False,
        prev_kv: bool = False,
        seen: ResumeToken | None = None,
    ) -> Cursor:
        """Opens the cursor of a name, and makes it if there is none: then it begins with
        ``start_revision`` (0: the next one). One that is there goes on after what was acknowledged,
        and must have the same range.

        With ``hold`` compaction is refused that would take what the cursor has yet to see, within
        the newest ``max_hold_revisions`` of the store. ``seen`` is the last that the consumer has
        seen by its own account: if a crash took that, the first response is ``CursorRewound``."""
        return Cursor(
            self._handle,
            self._bell,
            name,
            key,
            range_end,
            prefix=prefix,
            from_key=from_key,
            start_revision=start_revision,
            hold=hold,
            prev_kv=prev_kv,
            seen=seen,
        )

    def cursors(self) -> list[CursorReport]:
        """All cursors, in the order of their names."""
        return cursors(self._handle)

    def delete_cursor(self, name: BytesLike) -> None:
        """Deletes the cursor of a name, open or not."""
        name = to_bytes(name, "name")
        check(lib.revwatch_store_delete_cursor(self._handle, name, len(name)))

    def changes(self, from_revision: int, to_revision: int = 0) -> Changes:
        """Every change after ``from_revision``, up to and including ``to_revision`` (0: the newest
        that is published), of all keys."""
        return Changes(self._handle, from_revision, to_revision)

    def apply_changes(self, data: BytesLike) -> int:
        """Applies chunks of another store's changes; answers this store's revision then. This store
        must stand where they begin; afterwards it has the same revisions, keys and hash.

        Each transaction is applied whole or not at all, and nothing is if the bytes are damaged or
        cut short. Keys carry the number of their lease, but no lease is granted here."""
        return apply_changes(self._handle, data)

    def snapshot(self, since: int = 0, *, max_bytes: int = 0) -> Snapshot:
        """Begins a snapshot of the store as it is now: of all of it, or with ``since`` of what
        happened after that revision. It gives chunks of at most ``max_bytes`` (0: 1 MiB), and
        saves itself to a file; writing goes on meanwhile and is not in it."""
        return Snapshot(self._handle, since, max_bytes)

    def apply_snapshot(self, source: SnapshotSource) -> int:
        """Applies a snapshot of what happened in another store since the revision that this one is
        at; answers the revision then. ``source`` is the path of the snapshot, its bytes, or its
        bytes in parts. This store then has the keys, history, leases and cursors of the other.

        ``SnapshotOutOfPlace`` says that it does not stand where the snapshot begins. What was
        applied before an error stays, in whole transactions. A lease that runs out here deletes its
        keys here, and then this is no copy any more: open one that waits for its next snapshot with
        ``clock="manual"``."""
        apply_snapshot(self._handle, source)
        return self.status().revision

    def resume_token(self) -> ResumeToken:
        """The point from which a watch or follow goes on after all that has happened until now."""
        token = ffi.new("revwatch_resume_token *")
        check(lib.revwatch_store_resume_token(self._handle, token))
        return ResumeToken(token.epoch, token.revision)

    # Upkeep.

    def status(self) -> Status:
        """How the store stands."""
        out = ffi.new("revwatch_status_result **")
        check(lib.revwatch_store_status(self._handle, out))
        try:
            status = Status._make(getattr(out[0], field) for field in Status._fields)
        finally:
            lib.revwatch_status_result_free(out[0])
        return status._replace(
            compacting=bool(status.compacting),
            read_only=bool(status.read_only),
            poisoned=bool(status.poisoned),
        )

    def hash_kv(self, revision: int = 0) -> HashKv:
        """Hashes all that is kept up to ``revision`` (0: the current one): bit for bit what etcd's
        HashKV answers for the same history. Reads the whole history.

        >>> import revwatch
        >>> with revwatch.open() as one, revwatch.open() as other:
        ...     _ = one.put(b"key", b"value"), other.put(b"key", b"value")
        ...     one.hash_kv() == other.hash_kv()
        True
        """
        out = ffi.new("revwatch_hash_kv *")
        revision = _request.whole("revision", revision)
        check(lib.revwatch_store_hash_kv(self._handle, revision, out))
        return HashKv._make(getattr(out, field) for field in HashKv._fields)

    def check(self, progress: OnProgress | None = None) -> None:
        """Verifies all that is stored; raises ``Corrupt``, which names what is broken. Others use
        the store meanwhile. ``progress`` is called with a ``Progress`` after each mebibyte."""
        checked(self._handle, progress)

    def flush(self) -> None:
        """Makes all that was written until now durable."""
        check(lib.revwatch_store_flush(self._handle))

    def step(self, now_ms: int | None = None, budget_bytes: int = 0) -> int | None:
        """Does a slice of background work, as every operation and wait does by itself. Answers in
        how many milliseconds the next is due; ``None`` if none is.

        A store with ``clock="manual"`` is told the time by ``now_ms``, in milliseconds that do not
        go back, the first of which says where time begins; it answers when the next slice is due
        by the same clock."""
        next_ms = ffi.new("int64_t *")
        now = SYSTEM_CLOCK if now_ms is None else _request.whole("now_ms", now_ms)
        if now < 0 and now_ms is not None:
            raise ValueError(f"now_ms is {now_ms}: give milliseconds from 0 on")
        budget_bytes = _request.whole("budget_bytes", budget_bytes, _request.SIZE)
        if check(lib.revwatch_store_step(self._handle, now, budget_bytes, next_ms)):
            return None
        return int(next_ms[0])

    def close(self) -> None:
        """Makes all durable, releases the file, and ends all watches and follows: they and the
        store raise ``Closed`` from now on. Closing again does nothing."""
        self._bell.store_closed = True
        if self._finalizer.detach() is not None:
            check(lib.revwatch_store_close(self._handle))

    def __enter__(self) -> Self:
        self.resume_token()  # raises Closed where that is so
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
