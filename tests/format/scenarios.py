"""What was done to the stores in ``golden/``: the same again gives the same contents.

``python -m tests.format.scenarios NAME`` adds its images to the folder. Those that are there are
never made anew: they stand for the stores that users have.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import revwatch
from revwatch import DeleteRange, Put, Store
from revwatch.types import Durability

GOLDEN = Path(__file__).parent / "golden"
Scenario = Callable[[Store], None]


def first_steps(store: Store) -> None:
    """A little of everything."""
    store.put(b"a", b"1")
    store.put(b"b", b"")
    store.put(b"\xff\x00", bytes(range(256)))
    store.lease_grant(60_000, 7)
    store.lease_grant(90_000, -8)
    store.put(b"a", b"2", lease=7)
    store.txn([], [Put(b"c", b"3"), DeleteRange(b"b"), Put(b"d", b"4", lease=-8)], [])
    store.lease_grant(90_000, 9)
    store.lease_revoke(9)
    store.delete_range(b"a", prefix=True)
    store.put(b"a", b"again")


def long_values(store: Store) -> None:
    """Records that continue over several pages, and a transaction of many pages."""
    for size in (1, 4_000, 4_096, 30_000, 0, 5_000):
        store.put(b"long", bytes([size % 251]) * size)
    store.txn([], [Put(bytes([key]), bytes([key]) * 700) for key in range(60)], [])
    store.put(b"k" * 10_000, b"a long key")


def compacted(store: Store) -> None:
    """Pages that were thinned out: overwriting, compaction, and the space reclaimed."""
    for turn in range(400):
        store.put(b"key %d" % (turn * 7 % 30), b"value %d " % turn * 20)
        if turn % 50 == 49:
            store.delete_range(b"key 1", prefix=True)
    store.compact(350)
    for now_ms in range(0, 100_000, 100):
        store.step(now_ms, 1 << 20)
    store.put(b"key 1", b"after the compaction")


def cursors(store: Store) -> None:
    """Durable cursors, one with a hold, one moved on, one deleted."""
    for name in (b"mailer", b"\xff", b"gone"):
        with store.cursor(name, b"task/", prefix=True, hold=name == b"mailer") as cursor:
            for turn in range(3):
                store.put(b"task/%d" % turn, name)
            cursor.poll()
            if name == b"mailer":
                cursor.ack()
    store.delete_cursor(b"gone")


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario for scenario in (first_steps, long_values, compacted, cursors)
}


def killed(scenario: Scenario, path: Path, durability: Durability = "commit") -> None:
    """Carries out a scenario in a process that then ends without closing the store."""
    child = os.fork()
    if child == 0:
        store = revwatch.open(path, clock="manual", durability=durability)
        try:
            scenario(store)
        finally:
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)


def main() -> None:
    name = sys.argv[1]
    for suffix, crash in (("", False), (".killed", True)):
        path = GOLDEN / f"{name}{suffix}.revwatch"
        if path.exists():
            raise SystemExit(f"{path} is there already, and must stay as it is")
        if crash:
            killed(SCENARIOS[name], path)
            continue
        with revwatch.open(path, clock="manual") as store:
            SCENARIOS[name](store)


if __name__ == "__main__":
    main()
