"""A writer that is killed at any moment loses nothing that it acknowledged, and halves nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import revwatch

SEED, ROUNDS = 20_240_607, 24

# Every transaction writes the same text to four keys, so that a half-applied one shows. It is
# acknowledged by a line that leaves the process only after the write has returned.
WRITER = """
import os, random, sys
import revwatch
from revwatch import Put

path, seed = sys.argv[1], int(sys.argv[2])
rng = random.Random(seed)
store = revwatch.open(path, durability="commit")
number = 0
while True:
    text = b"%d/%d/" % (seed, number) + b"x" * rng.choice((1, 50, 900, 9000))
    if number % 3 == 0:
        revision = store.put(b"single", text).revision
    else:
        slot = rng.randrange(5)
        ops = [Put(b"%d/%d" % (slot, part), text) for part in range(4)]
        revision = store.txn([], ops, []).revision
    if number % 40 == 39:
        store.compact(revision - 5)
    os.write(1, b"%d %s\\n" % (revision, text[:32]))
    number += 1
"""


def acknowledged(output: bytes) -> dict[int, bytes]:
    """Revision and beginning of the text of each whole line."""
    lines = output.decode().split("\n")[:-1]
    return {int(r): text.encode() for r, text in (line.split(" ", 1) for line in lines)}


def run_and_kill(path: Path, seed: int, after_s: float) -> dict[int, bytes]:
    """What the writer acknowledged until it was killed."""
    command = [sys.executable, "-c", WRITER, str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        # Reading goes on in the pipe's buffer and here, so that a full pipe never stops the writer.
        collected = [first]
        end = time.monotonic() + after_s
        while time.monotonic() < end:
            collected.append(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        collected.append(writer.stdout.read())
        assert writer.wait() == -signal.SIGKILL
    return acknowledged(b"".join(collected))


def verify(store: revwatch.Store, acknowledged: dict[int, bytes]) -> None:
    """Acknowledged writes are there, and the four keys of each slot are of one transaction."""
    store.check()
    last = max(acknowledged)
    status = store.status()
    assert status.revision in (last, last + 1), "one write at most was under way"
    compacted = status.compact_revision
    for revision, text in acknowledged.items():
        if revision < compacted:
            continue
        changed = store.range(b"", prefix=True, revision=revision, min_mod_revision=revision).kvs
        assert len(changed) in (1, 4), revision
        assert all(kv.value.startswith(text) and kv.mod_revision == revision for kv in changed)
    for slot in range(5):
        kvs = store.range(b"%d/" % slot, prefix=True).kvs
        assert len(kvs) in (0, 4)
        assert len({(kv.value, kv.mod_revision) for kv in kvs}) <= 1


@pytest.mark.parametrize("seed", [SEED])
def test_a_killed_writer_loses_nothing_that_it_acknowledged(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    epochs = []
    total = 0
    for round_ in range(ROUNDS):
        told = run_and_kill(path, seed + round_, rng.uniform(0.0, 0.15))
        assert told
        total += len(told)
        with revwatch.open(path, lock_timeout=0) as store:
            verify(store, told)
            epochs.append(store.status().epoch)
            before = store.status().revision
            assert store.put(b"after", b"%d" % round_).revision == before + 1
    assert epochs == sorted(set(epochs)), "every unclean opening starts a new epoch"
    assert total > ROUNDS
    with revwatch.open(path) as store:
        kv = store.get(b"after")
        assert kv is not None and (kv.value, kv.version) == (b"%d" % (ROUNDS - 1), ROUNDS)
        assert store.status().epoch == epochs[-1], "a clean close starts none"
