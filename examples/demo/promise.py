"""Holding the demo to what it says."""

from __future__ import annotations


class BrokenPromise(Exception):
    """Something is not as the demo says; the message is for whoever runs it."""


def expect(holds: bool, what: str) -> None:
    """Ends the demo if something does not hold; `what` says what was found instead."""
    if not holds:
        raise BrokenPromise(what)
