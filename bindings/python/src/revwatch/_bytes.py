"""Bytes in: anything that has a buffer, and never text, whose encoding would be a guess."""

from __future__ import annotations

from typing import TypeAlias

BytesLike: TypeAlias = bytes | bytearray | memoryview
"""What is taken where bytes are asked for. Answers are always ``bytes``."""


def to_bytes(given: BytesLike, what: str) -> bytes:
    """The bytes of ``given``. Bytes themselves are not copied; other buffers are, because their
    owner could change them while an operation that has released the interpreter reads them.

    >>> to_bytes(bytearray(b"key"), "key")
    b'key'
    >>> to_bytes("key", "key")
    Traceback (most recent call last):
        ...
    TypeError: the key is a str: encode it first, for example with .encode()
    """
    if type(given) is bytes:
        return given
    if isinstance(given, str):
        raise TypeError(f"the {what} is a str: encode it first, for example with .encode()")
    try:
        view = memoryview(given)
    except TypeError:
        raise TypeError(
            f"the {what} is a {type(given).__name__}: give bytes, a bytearray or a memoryview"
        ) from None
    return view.tobytes()
