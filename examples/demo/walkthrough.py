"""The walkthrough that every etcd tutorial begins with, by the command line."""

from __future__ import annotations

import base64
import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import screen
from children import PATIENCE_S
from promise import BrokenPromise, expect

PROGRAM = Path(sys.executable).with_name("revwatch")
STORE = "app.rw"


def run(folder: Path) -> None:
    """Each command is a process of its own; all they share is one file."""
    screen.explain("Two changes of one key. There is no server to start: the file is the store.")
    _put(folder, "world1")
    _put(folder, "world2")
    screen.explain("A watch from revision 1 is told what happened before it began, in order.")
    with Watch(folder, terminal=2) as watch:
        events = watch.events(2)
        _expect(events[0], value="world1", mod_revision=2, version=1)
        _expect(events[1], value="world2", mod_revision=3, version=2)
        screen.proved("both changes, with the revision that made the key and their own")
        screen.explain("The same watch goes on: what another process writes now arrives there.")
        _put(folder, "world3")
        acknowledged = time.monotonic()
        [event] = watch.events(1)
        late_ms = 1000 * max(0.0, time.monotonic() - acknowledged)
        _expect(event, value="world3", mod_revision=4, version=3)
        screen.proved(f"live: it was there {late_ms:.0f} ms after that process had ended")


def _arguments(*words: str) -> list[str]:
    return ["--store", STORE, *words]


def _put(folder: Path, value: str) -> None:
    arguments = _arguments("put", "hello", value)
    screen.typed(" ".join(["revwatch", *arguments]), terminal=1)
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S
    )
    screen.printed(done.stdout + done.stderr)
    expect((done.returncode, done.stdout) == (0, "OK\n"), f"put said {done.stdout!r}, not OK")


def _expect(event: dict[str, Any], *, value: str, mod_revision: int, version: int) -> None:
    """Compares an event, in etcd's JSON, where keys and values are in base64."""
    kv = dict(event["kv"])
    kv["key"], kv["value"] = (base64.b64decode(kv[name]).decode() for name in ("key", "value"))
    expected = {
        "key": "hello",
        "create_revision": 2,
        "mod_revision": mod_revision,
        "version": version,
        "value": value,
    }
    expect(kv == expected, f"the event should be {expected}, but is {kv}")


class Watch:
    """`revwatch watch` in a process of its own, killed at the end of a `with`."""

    def __init__(self, folder: Path, terminal: int) -> None:
        arguments = _arguments("watch", "hello", "-w", "json", "--rev=1")
        screen.typed(" ".join(["revwatch", *arguments]), terminal)
        self._process = subprocess.Popen(
            [PROGRAM, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """In a thread, since waiting for a line of a pipe has no timeout."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next events, of which there are exactly so many."""
        events: list[dict[str, Any]] = []
        while len(events) < count:
            events += self._response()["Events"]
        expect(len(events) == count, f"watch told {len(events)} events, not {count}")
        return events

    def _response(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            raise BrokenPromise(f"watch said nothing for {PATIENCE_S} s") from None
        expect(line != b"", "watch ended by itself")
        screen.printed(line.decode())
        response: dict[str, Any] = json.loads(line)
        return response

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
