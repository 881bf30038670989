"""An agent as the demo sees it: a process, or a second one after it, and the files they leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tasks
from children import Child, Children
from promise import BrokenPromise
from record import Record

STORE = "app.rw"

# What the last line that an agent prints begins with, instead of a task.
REPORT = "looked "


class AgentProcess:
    """One agent; `start` starts it, for the second time after its own record."""

    def __init__(
        self,
        children: Children,
        folder: Path,
        name: str,
        program: Sequence[str | Path],
        options: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.expected = [task.line for task in tasks.read() if task.agent == name]
        self._children = children
        self._record = folder / f"{name}.record"
        self._command = [*program, STORE, name, self._record, *options]
        self._child: Child | None = None

    def start(self) -> None:
        """Starts its process."""
        self._child = self._children.start(self.name, self._command)

    def kill(self) -> None:
        """Ends its process in the middle of whatever it does."""
        self._children.kill(self._running())

    def has_gone_home(self) -> bool:
        """Whether its process has ended, as it does after its last task."""
        return self._running().has_ended()

    def recorded(self) -> list[str]:
        """The tasks in its record."""
        return Record(self._record).tasks

    def done(self) -> int:
        """How many there are."""
        return len(self.recorded())

    def place(self) -> str:
        """The point in history where its record ends."""
        token = Record(self._record).token
        if token is None:
            raise BrokenPromise(f"{self.name} has not recorded anything")
        return f"task {self.done()}, revision {token.revision} of epoch {token.epoch}"

    def tasks_until(self, line: int) -> int:
        """How many of its tasks are among the first lines of the file."""
        return sum(task.agent == self.name for task in tasks.read()[:line])

    def worked(self) -> list[str]:
        """The tasks that it printed as it worked on them, whether it then recorded them or not."""
        return [line for line in self._running().lines() if not line.startswith(REPORT)]

    def seen(self) -> dict[str, int]:
        """How often it looked at its store, and what it saw of itself."""
        words = self._running().lines()[-1].split()
        return dict(zip(words[::2], map(int, words[1::2]), strict=True))

    def _running(self) -> Child:
        if self._child is None:
            raise BrokenPromise(f"{self.name} was not started")
        return self._child
