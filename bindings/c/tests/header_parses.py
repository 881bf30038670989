"""header_parses.py HEADER: cffi reads the header once its preprocessor lines are dropped.

Whoever binds the library with cffi can read the header in this way and never copies a declaration.
Ends with 77 where there is no cffi.
"""

import re
import sys
from pathlib import Path

try:
    from cffi import FFI
except ImportError:
    sys.exit(77)


def declarations(header: str) -> str:
    """The header without what is for C++ only, and without preprocessor lines."""
    for_c = re.sub(r"^#ifdef __cplusplus$.*?^#endif.*?$", "", header, flags=re.M | re.S)
    return re.sub(r"^#.*$", "", for_c, flags=re.M)


header = Path(sys.argv[1]).read_text()
ffi = FFI()
ffi.cdef(declarations(header))
assert ffi.sizeof("revwatch_event") == 8 + 2 * ffi.sizeof("revwatch_key_value")
functions = set(re.findall(r"\b(revwatch_\w+)\(", declarations(re.sub(r"//.*", "", header))))
library = ffi.dlopen(sys.argv[2])
missing = sorted(name for name in functions if not hasattr(library, name))
assert functions and not missing, missing
