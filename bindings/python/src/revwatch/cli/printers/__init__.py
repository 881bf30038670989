"""How answers are written to stdout: one file for each output format."""

from __future__ import annotations

from ..exits import CommandError, Exit
from .base import Printer
from .fields import FieldsPrinter
from .json import JsonPrinter
from .simple import SimplePrinter

__all__ = ["Printer", "printer"]


def printer(write_out: str, *, hexadecimal: bool, values_only: bool) -> Printer:
    """The printer of an output format."""
    if write_out == "simple":
        return SimplePrinter(hexadecimal=hexadecimal, values_only=values_only)
    if write_out == "json":
        return JsonPrinter()
    if write_out == "fields":
        return FieldsPrinter()
    raise CommandError(
        Exit.BAD_FEATURE,
        f"--write-out={write_out}: there is no such output format; choose simple, json or fields",
    )
