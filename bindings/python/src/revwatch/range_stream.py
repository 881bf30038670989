"""Walking over a range that is too large for one answer.

>>> import revwatch
>>> with revwatch.open() as store:
...     for key in (b"a", b"b", b"c"):
...         _ = store.put(key, b"")
...     keys = []
...     for kv in store.range_stream(b"", prefix=True):
...         keys.append(kv.key)
...         _ = store.put(b"later", b"")
>>> keys
[b'a', b'b', b'c']
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Self

from . import _decode
from ._bytes import BytesLike
from ._native import NOT_FOUND, Handle, check, ffi, lib
from ._range import key_range
from ._request import options
from .types import KeyValue


class RangeStream(Handle):
    """The keys of a range in key order, all as of one revision; made by ``Store.range_stream``.

    Whatever is written meanwhile is not seen. When compaction overtakes the revision, going on
    raises ``Compacted``. One call to the library fetches up to 1000 keys or a mebibyte, so that a
    million keys neither cost a million calls nor are in memory together."""

    def __init__(
        self,
        store: Any,
        key: BytesLike,
        range_end: BytesLike | None = None,
        *,
        prefix: bool = False,
        from_key: bool = False,
        revision: int = 0,
    ) -> None:
        start, end = key_range(key, range_end, prefix, from_key)
        asked = options("range_stream", revision=revision)
        out, pinned = ffi.new("revwatch_range_stream **"), ffi.new("int64_t *")
        check(
            lib.revwatch_range_stream_new(
                store, start, len(start), end, len(end), asked, out, pinned
            )
        )
        super().__init__(out[0], lib.revwatch_range_stream_free)
        self.revision = int(pinned[0])
        """The revision that all keys are as of."""
        self._fetched: deque[KeyValue] = deque()
        self._fetching = threading.Lock()

    def next_kvs(self, max_keys: int = 0, max_bytes: int = 0) -> list[KeyValue]:
        """The next keys: at most ``max_keys`` (0: 1000), no further one once there are
        ``max_bytes`` (0: a mebibyte) of keys and values, and at least one; none at the end. What a
        ``for`` has fetched and not given yet comes first."""
        with self._fetching:
            kvs = [*self._fetched] or self._fetch(max_keys, max_bytes)
            self._fetched.clear()
            self._fetched.extend(kvs[max_keys:] if max_keys else ())
            return kvs[:max_keys] if max_keys else kvs

    def _fetch(self, max_keys: int = 0, max_bytes: int = 0) -> list[KeyValue]:
        asked = options("next", max_keys=max_keys, max_bytes=max_bytes)
        out = ffi.new("revwatch_kvs_result **")
        if check(lib.revwatch_range_stream_next(self._handle, asked, out)) == NOT_FOUND:
            return []
        try:
            return _decode.key_values(out[0].kvs, out[0].kvs_len)
        finally:
            lib.revwatch_kvs_result_free(out[0])

    def close(self) -> None:
        """Ends it, which costs nothing to leave undone: it holds no more of the store than a
        key."""
        self._free()
        self._fetched.clear()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> KeyValue:
        with self._fetching:
            if not self._fetched:
                self._fetched.extend(self._fetch())
            if not self._fetched:
                raise StopIteration
            return self._fetched.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
