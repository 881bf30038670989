"""An agent's record: the tasks that it has done, and the point in history to go on from.

Both are one file that is only ever replaced as a whole, and this makes it *exactly once*. A token
without its task, or a task without its token, is never on disk: whoever was killed finds either the
record before the task, and is given the task again, or the record with it, and is not. So the work
of the last task may be seen twice, by the world, but the record has it once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from revwatch import ResumeToken


class Record:
    """Line by line: "epoch E revision R", then each task as "KEY TEXT"."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.token: ResumeToken | None = None
        self.tasks: list[str] = []
        if path.exists():
            first, *self.tasks = path.read_text().splitlines()
            _, epoch, _, revision = first.split()
            self.token = ResumeToken(int(epoch), int(revision))

    def add(self, tasks: Sequence[str], token: ResumeToken) -> None:
        """Records what was done, and with it that history after `token` is still to come."""
        self.token = token
        self.tasks += tasks
        lines = [f"epoch {token.epoch} revision {token.revision}", *self.tasks]
        new = self._path.with_suffix(".new")
        with new.open("w") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            # On disk before it takes the old one's place, or a loss of power could leave neither.
            os.fsync(file.fileno())
        new.replace(self._path)
