"""The processes that the demo starts, none of which outlives it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from promise import BrokenPromise

# Far more than anything takes, also on a machine that is busy with other work.
PATIENCE_S = 120
LOOK_EVERY_S = 0.02


class Child:
    """A process whose output goes to files: what it says to one, its complaints to another. A
    second process with the same name goes on in the same files."""

    def __init__(self, name: str, command: Sequence[str | Path], folder: Path) -> None:
        self.name = name
        self.output = folder / f"{name}.out"
        self.complaints = folder / f"{name}.err"
        with self.output.open("ab") as stdout, self.complaints.open("ab") as stderr:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
            )

    def lines(self) -> list[str]:
        """What it has said so far, in whole lines."""
        return self.output.read_text().rpartition("\n")[0].splitlines()

    def has_ended(self) -> bool:
        """Whether it is done; an end in failure is a broken promise."""
        code = self.process.poll()
        if code:
            said = self.complaints.read_text().strip() or "it did not say why"
            raise BrokenPromise(f"{self.name} ended with status {code}: {said}")
        return code is not None

    def kill(self) -> None:
        """Ends it with SIGKILL, which leaves it no time for anything."""
        self.process.kill()
        self.process.wait()


class Children:
    """All of them, killed at the end of a `with` whatever happens in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all: list[Child] = []

    def start(self, name: str, command: Sequence[str | Path]) -> Child:
        """Starts a process."""
        child = Child(name, command, self._folder)
        self._all.append(child)
        return child

    def kill(self, child: Child) -> None:
        """Ends one that nobody is to wait for any more."""
        child.kill()
        self._all.remove(child)

    def wait_until(self, what: str, holds: Callable[[], bool]) -> None:
        """Waits for something that the children bring about."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            for child in self._all:
                child.has_ended()
            if time.monotonic() > deadline:
                raise BrokenPromise(f"waited {PATIENCE_S} s in vain until {what}")
            time.sleep(LOOK_EVERY_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._all:
            child.kill()
