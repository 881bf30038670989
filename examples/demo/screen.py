"""What the demo looks like: headings, terminal sessions, check marks; colour on a terminal only."""

from __future__ import annotations

import os
import sys

IS_TERMINAL = sys.stdout.isatty()
COLOURED = IS_TERMINAL and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _styled(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOURED else text


def _line(text: str) -> None:
    """Takes the place of the progress line, if there is one. Flushed: a pipe sees it at once."""
    print("\r\033[K" + text if IS_TERMINAL else text, flush=True)


def heading(text: str) -> None:
    """A part of the demo begins."""
    _line("\n" + _styled(text, "1;36"))
    _line(_styled("─" * len(text), "36"))


def explain(text: str) -> None:
    """What the next step does, and why that matters."""
    _line("\n" + _styled(text, "2"))


def typed(command: str, terminal: int) -> None:
    """A command, as somebody would type it in one of two terminals."""
    _line(_styled(f"[{terminal}] $ ", "33") + _styled(command, "1"))


def printed(text: str) -> None:
    """What a command said."""
    for line in text.splitlines():
        _line("      " + line)


def step(text: str) -> None:
    """Something has happened."""
    _line("  · " + text)


def proved(text: str) -> None:
    """Something was checked and is as promised."""
    _line("  " + _styled("✓ ", "1;32") + text)


def failed(text: str) -> None:
    """Something is not as promised."""
    _line(_styled("✗ not as promised: ", "1;31") + text)


def progress(text: str) -> None:
    """Overwrites itself; on a terminal only, since a file would keep every version."""
    if IS_TERMINAL:
        print("\r\033[K    " + _styled(text, "2"), end="", flush=True)
