"""Puts tasks: writer.py STORE FIRST LAST puts the tasks of these lines of tasks.txt."""

from __future__ import annotations

import sys

import revwatch
import tasks


def main() -> None:
    store_path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with revwatch.open(store_path) as store:
        for task in tasks.read()[first - 1 : last]:
            # Back from here the task is on disk, and whoever follows its agent's keys will see it.
            store.put(task.key.encode(), task.text.encode())


if __name__ == "__main__":
    main()
