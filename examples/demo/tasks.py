"""The tasks of tasks.txt, and the keys that they are put under."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("tasks.txt")

# The last task of each agent.
GO_HOME = "go home"


class Task(NamedTuple):
    """A line of the file."""

    agent: str
    number: int
    text: str

    @property
    def key(self) -> str:
        """Numbered by the line, with leading zeros: so the order of the keys, which is what a
        follower of existing keys is given them in, is the order of the tasks."""
        return f"{prefix(self.agent)}{self.number:04}"

    @property
    def line(self) -> str:
        """The task in an agent's record."""
        return f"{self.key} {self.text}"


def prefix(agent: str) -> str:
    """What the keys of all tasks of an agent begin with."""
    return f"/task/{agent}/"


def read() -> list[Task]:
    """All tasks, in order."""
    tasks = []
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        agent, text = line.split(maxsplit=1)
        tasks.append(Task(agent, number, text))
    return tasks
