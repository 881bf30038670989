"""Numbers and quoted texts as Go writes and reads them, and so etcdctl."""

from __future__ import annotations

import re

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
_SINGLE = {escape[1]: char for char, escape in _ESCAPES.items()}
_NUMERIC = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})")
_DIGITS = {2: "[01]+", 8: "[0-7]+", 10: "[0-9]+", 16: "[0-9a-fA-F]+"}
_PREFIXES = {"0x": 16, "0b": 2, "0o": 8}


def parse_int(text: str, base: int) -> int:
    """A 64-bit number; with base 0 its prefix says the base.

    >>> parse_int("-12", 10), parse_int("ff", 16), parse_int("0x10", 0), parse_int("010", 0)
    (-12, 255, 16, 8)
    >>> parse_int("0x10", 10)
    Traceback (most recent call last):
    ValueError: '0x10' is not a number
    """
    sign, digits = re.match(r"([+-]?)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    if base == 0:
        base, digits = _with_prefix(digits)
    if not re.fullmatch(_DIGITS[base], digits):
        kind = "hexadecimal number" if base == 16 else "number"
        raise ValueError(f"{text!r} is not a {kind}")
    number = int(sign + digits, base)
    if not _INT64_MIN <= number <= _INT64_MAX:
        raise ValueError(f"{text!r} does not fit into 64 bits")
    return number


def _with_prefix(digits: str) -> tuple[int, str]:
    if base := _PREFIXES.get(digits[:2].lower()):
        return base, digits[2:].replace("_", "")
    if len(digits) > 1 and digits.startswith("0"):
        return 8, digits[1:]
    return 10, digits


def quote(data: bytes) -> str:
    r"""A text between double quotes: what cannot be printed and what is no UTF-8 is escaped.

    >>> print(quote(b'a"\n\xff\xc3\xa9\xc2\xad'))
    "a\"\n\xffé\u00ad"
    """
    return '"' + "".join(map(_quoted, data.decode("utf-8", "surrogateescape"))) + '"'


def _quoted(char: str) -> str:
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def scan_quoted(text: str, start: int) -> tuple[bytes, int]:
    r"""The bytes of the quoted text at `start`, and where it ends; `ValueError` if there is none.

    >>> scan_quoted(r'("k\x41\u00e9") = 1', 1)
    (b'kA\xc3\xa9', 14)
    >>> scan_quoted("`raw`", 0)
    (b'raw', 5)
    """
    if text[start : start + 1] == "`":
        end = text.find("`", start + 1)
        if end < 0:
            raise ValueError("a closing ` is missing")
        return to_bytes(text[start + 1 : end]), end + 1
    if text[start : start + 1] != '"':
        raise ValueError('a text in double quotes is missing, like "key"')
    data, at = bytearray(), start + 1
    while at < len(text):
        char = text[at]
        if char == '"':
            return bytes(data), at + 1
        at += 1
        if char == "\\":
            piece, at = _scan_escape(text, at)
            data += piece
        else:
            data += to_bytes(char)
    raise ValueError('a closing " is missing')


def _scan_escape(text: str, at: int) -> tuple[bytes, int]:
    if (single := _SINGLE.get(text[at : at + 1])) is not None:
        return single.encode(), at + 1
    found = _NUMERIC.match(text, at)
    if found is None:
        raise ValueError(f"there is no escape \\{text[at : at + 1]}; write a backslash as \\\\")
    byte, short, long, octal = found.groups()
    code = int(octal, 8) if octal else int(byte or short or long, 16)
    if byte or octal:
        if code > 0xFF:
            raise ValueError(f"\\{found[0]} is more than a byte")
        return bytes([code]), found.end()
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"\\{found[0]} is no character")
    return chr(code).encode(), found.end()


def to_bytes(text: str) -> bytes:
    """The bytes that a word of the command line or a line of stdin was made from."""
    return text.encode("utf-8", "surrogateescape")
