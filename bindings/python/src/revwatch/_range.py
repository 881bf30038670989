"""Which keys: etcd's pair of ``key`` and ``range_end``, and the two ways to have it made."""

from __future__ import annotations

from ._bytes import BytesLike, to_bytes

EVERYTHING_AFTER = b"\0"
"""As a ``range_end``: no end."""


def key_range(
    key: BytesLike, range_end: BytesLike | None, prefix: bool, from_key: bool
) -> tuple[bytes, bytes]:
    """The range in etcd's convention, in which an empty end means exactly one key.

    >>> key_range(b"/task/", None, prefix=True, from_key=False)
    (b'/task/', b'/task0')
    >>> key_range(b"", None, prefix=True, from_key=False)
    (b'\\x00', b'\\x00')
    """
    start = to_bytes(key, "key")
    if (range_end is not None) + prefix + from_key > 1:
        raise ValueError("give one of range_end, prefix and from_key, which exclude each other")
    if prefix:
        return (start, prefix_end(start)) if start else (b"\0", EVERYTHING_AFTER)
    if from_key:
        return start or b"\0", EVERYTHING_AFTER
    return start, b"" if range_end is None else to_bytes(range_end, "range_end")


def prefix_end(prefix: bytes) -> bytes:
    """The least key after all that begin with ``prefix``, or the mark for "no end".

    >>> prefix_end(b"a\\xff"), prefix_end(b"\\xff\\xff")
    (b'b', b'\\x00')
    """
    kept = prefix.rstrip(b"\xff")
    if not kept:
        return EVERYTHING_AFTER
    return kept[:-1] + bytes([kept[-1] + 1])
