"""An agent: follows its tasks in the store that another process writes, and does each once.

    agent.py STORE NAME RECORD [--task-ms MS] [--busy-until TASKS]

It prints each task as it works on it, and at the end how often it saw its watcher as a victim.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import revwatch
from record import Record
from revwatch import Follow, KeyValue, ResumeToken, Store
from tasks import GO_HOME, prefix

LONGEST_WAIT_S = 60
LOOK_EVERY_S = 0.01


class Moment(NamedTuple):
    """What belongs into one record: all tasks up to a point in history, and that point."""

    tasks: list[KeyValue]
    token: ResumeToken


def moments(follow: Follow) -> Iterator[Moment]:
    """What the store tells: first the state, then every change, as soon as it can be recorded."""
    tasks: list[KeyValue] = []
    while True:
        # With a limit exactly one response is taken: of changes, one whole revision.
        match follow.poll(LONGEST_WAIT_S, max_events=1):
            case revwatch.FollowState(kvs):
                tasks += kvs
            case revwatch.FollowEvents(_, events):
                tasks += [event.kv for event in events]
            case revwatch.FollowReset():
                sys.exit("history was lost, but nobody compacted it and nobody crashed writing it")
            case None:
                sys.exit(f"no task in {LONGEST_WAIT_S} s: has the writer gone?")
        # The state comes in parts, and there is no token from which to go on in its middle. An
        # agent that is killed before the end of it follows anew, so nothing of it is recorded
        # until it is complete: it is one moment, however large.
        if (token := follow.resume_token()) is not None:
            yield Moment(tasks, token)
            tasks = []


class Worker:
    """Does the tasks, some of them slowly."""

    def __init__(self, store: Store, agent: str, task_ms: int, busy_until: int) -> None:
        self._store = store
        self._prefix = prefix(agent).encode()
        self._task_s = task_ms / 1000
        self._busy_until = busy_until
        self.times_looked = self.times_victim = 0

    def work(self, task: KeyValue) -> None:
        """Works on one task."""
        print(task_line(task), flush=True)
        time.sleep(self._task_s)
        self._look()

    def be_busy(self) -> None:
        """Works on one task for so long that many more come in meanwhile. The store takes them in,
        as in any program that uses its store while its follower waits: they fill the queue, and
        for what does not fit the watcher becomes a victim, to be told later from the log."""
        deadline = time.monotonic() + LONGEST_WAIT_S
        while self._tasks_put() < self._busy_until and time.monotonic() < deadline:
            self._look()
            time.sleep(LOOK_EVERY_S)
        self._look()

    def _tasks_put(self) -> int:
        return self._store.range(self._prefix, prefix=True, count_only=True).count

    def _look(self) -> None:
        status = self._store.status()
        self.times_looked += 1
        self.times_victim += status.victim_watchers > 0


def task_line(task: KeyValue) -> str:
    """A task in the record."""
    return f"{task.key.decode()} {task.value.decode()}"


def run(arguments: argparse.Namespace) -> None:
    """Follows until it is told to go home."""
    record = Record(arguments.record)
    with (
        revwatch.open(arguments.store, read_only=True) as store,
        store.follow(prefix(arguments.name).encode(), prefix=True, resume=record.token) as follow,
    ):
        worker = Worker(store, arguments.name, arguments.task_ms, arguments.busy_until)
        for moment in moments(follow):
            is_state = record.token is None
            for task in moment.tasks:
                worker.work(task)
            if not is_state:
                worker.be_busy()
            record.add([task_line(task) for task in moment.tasks], moment.token)
            if any(task.value.decode() == GO_HOME for task in moment.tasks):
                break
    print(f"looked {worker.times_looked} victim {worker.times_victim}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="follows its tasks and does each once")
    parser.add_argument("store", type=Path)
    parser.add_argument("name")
    parser.add_argument("record", type=Path)
    parser.add_argument("--task-ms", type=int, default=0, help="how long a task takes")
    parser.add_argument(
        "--busy-until", type=int, default=0, help="do not finish a task before so many are put"
    )
    run(parser.parse_args())


if __name__ == "__main__":
    main()
