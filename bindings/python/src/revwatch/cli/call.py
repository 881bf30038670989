"""One command: what was asked, and where it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import revwatch

from .exits import UsageError
from .flags import Flag, Values
from .printers import Printer


@dataclass(frozen=True)
class Call:
    """A command line, parsed."""

    arguments: Sequence[str]
    """What is neither verb nor flag."""
    flags: Values
    printer: Printer
    after_dashes: Sequence[str] | None = None
    """For verbs that run a command: what stands after `--`, if that stands there."""

    def store_path(self) -> str:
        """Where the store is."""
        if path := self.flags.text("store"):
            return path
        raise UsageError("no store was named; give --store PATH or set REVWATCH_STORE")

    @contextmanager
    def writing(self) -> Iterator[revwatch.Store]:
        """The store, alone: waits for another writer as long as --lock-timeout says."""
        patience = self.flags.seconds("lock-timeout")
        with revwatch.open(self.store_path(), lock_timeout=patience) as store:
            yield store

    @contextmanager
    def reading(self) -> Iterator[revwatch.Store]:
        """The store beside its writer, if there is one."""
        with revwatch.open(self.store_path(), read_only=True) as store:
            yield store

    @contextmanager
    def reading_or_creating(self) -> Iterator[revwatch.Store]:
        """The same for the verbs of etcdctl, whose server has a store from the beginning, and for
        follow: what does not exist is made first."""
        path = self.store_path()
        try:
            store = revwatch.open(path, read_only=True)
        except revwatch.StoreNotFound:
            with self.writing():
                pass
            store = revwatch.open(path, read_only=True)
        with store:
            yield store


@dataclass(frozen=True)
class Verb:
    """A command that there is."""

    usage: str
    summary: str
    run: Callable[[Call], int | None]
    flags: Sequence[Flag] = ()
    runs_command: bool = False
    """Whether what stands after `--` is a command, not arguments."""
