"""The C header translated for cffi, written when the package is built. What its structures and
functions are is known to the header, which type checkers do not read."""

from typing import Any

ffi: Any
