"""Writes src/revwatch/errors.py from the one numbered table of errors, which is in the core.

Run it after a change of that table; a test fails as long as the two disagree.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import fill

HERE = Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "core/src/error.rs"
MODULE = HERE / "src/revwatch/errors.py"

HEAD = '''\
"""One exception for each row of the numbered table of errors that all languages share.

Written by make_errors.py from that table: change the table, not this file.

Numbers are banded by layer: 1xx what was asked, 2xx revisions, 3xx leases, 4xx watches, 5xx the
log, 6xx the page store, 7xx the boundaries. Nothing that fails changes the revision or the data.

>>> try:
...     raise error_of(201, "revision 3 was compacted")
... except Compacted as error:
...     print(error.code, error.name, error)
201 Compacted revision 3 was compacted
"""

from __future__ import annotations


class RevwatchError(Exception):
    """What every operation raises that was refused or failed.

    The message says what was asked, what was wrong and what to do.
    """

    code: int = 0
    """The number of the error, the same in every language and never reused."""

    revision: int = 0
    """For ``Compacted`` the compact revision, for ``FutureRevision`` the current one, for
    ``Rewound`` the last that was not lost; otherwise 0."""

    @property
    def name(self) -> str:
        """The name of the error, the same in every language."""
        return type(self).__name__

'''

TAIL = '''
BY_CODE: dict[int, type[RevwatchError]] = {
    error.code: error for error in RevwatchError.__subclasses__()
}
"""Every exception by its number."""


def error_of(code: int, message: str) -> RevwatchError:
    """The exception for a number; the common base class if the number is newer than this table."""
    found = BY_CODE.get(code)
    if found is not None:
        return found(message)
    error = RevwatchError(message)
    error.code = code
    return error
'''


def rows(table: str) -> list[tuple[str, int, str]]:
    """Name, number and meaning of each error, read from the macro that declares them."""
    body = table[table.index("\nerror_codes! {") :]
    body = body[: body.index("\n}")]
    found = re.findall(r"((?:    /// .*\n)+)    (\w+) = (\d+),", body)
    return [
        (name, int(number), " ".join(line.strip("/ ") for line in doc.splitlines()))
        for doc, name, number in found
    ]


def module() -> str:
    """The text of errors.py."""
    classes = []
    for name, number, meaning in rows(TABLE.read_text(encoding="utf-8")):
        meaning = re.sub(r"`(\w+)`", r"``\1``", meaning)
        doc = fill(f'"""{meaning}', 100, initial_indent="    ", subsequent_indent="    ")
        close = '"""' if len(doc.splitlines()[-1]) <= 97 and "\n" not in doc else '\n    """'
        classes.append(f"\nclass {name}(RevwatchError):\n{doc}{close}\n\n    code = {number}\n")
    return HEAD + "\n".join(classes) + "\n" + TAIL


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8")
