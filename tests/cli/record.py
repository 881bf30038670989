#!/usr/bin/env python3
"""Records `golden/*.json`: what etcdctl 3.4.23 answers to every scenario.

Needs `etcd` and `etcdctl` (Debian: apt-get install etcd-server etcd-client). Each scenario gets an
etcd of its own with a fresh data folder, on loopback.

Usage: record.py [--check] [SCENARIO...]; with --check nothing is written, and the exit code is 1 if
etcdctl answers otherwise than `golden/` says.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scenario import Outcome, Program, Session, hear_interrupts
from scenarios import SCENARIOS, Scenario

GOLDEN = Path(__file__).parent / "golden"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def fresh_etcd() -> Iterator[str]:
    """An etcd with an empty store; yields its address."""
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    folder = tempfile.mkdtemp(prefix="revwatch-etcd-")
    flags = {
        "data-dir": folder,
        "log-level": "error",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
    }
    server = subprocess.Popen(
        ["etcd", *(f"--{name}={value}" for name, value in flags.items())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            if (
                subprocess.run(
                    ["etcdctl", f"--endpoints={client}", "endpoint", "health"],
                    env={**os.environ, "ETCDCTL_API": "3"},
                    capture_output=True,
                    check=False,
                ).returncode
                == 0
            ):
                break
            time.sleep(0.1)
        yield client
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def as_json(outcome: Outcome) -> dict[str, Any]:
    remark = [line for line in outcome.stderr.splitlines() if not line.startswith('{"level"')]
    plain: dict[str, Any] = {
        "args": list(outcome.args),
        "stdin": outcome.stdin,
        "stdout": outcome.stdout,
        "exit": outcome.exit,
        "stderr_remark": remark[0] if remark else "",
    }
    if outcome.then:
        plain["then"] = [as_json(one) for one in outcome.then]
    return plain


def record(scenario: Scenario) -> str:
    with fresh_etcd() as endpoint:
        env = {"ETCDCTL_API": "3", "ETCDCTL_ENDPOINTS": endpoint}
        session = Session(Program(["etcdctl"], env, settle_seconds=0.7))
        outcomes = [session.step(step) for step in scenario.steps]
    document = {
        "about": scenario.about,
        "recorded_with": "etcdctl 3.4.23",
        "steps": [as_json(one) for one in outcomes],
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def main() -> int:
    if not shutil.which("etcd") or not shutil.which("etcdctl"):
        print("record.py: needs etcd and etcdctl 3.4.23; on Debian: etcd-server etcd-client")
        return 1
    version = subprocess.run(
        ["etcdctl", "version"],
        env={**os.environ, "ETCDCTL_API": "3"},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    if "3.4.23" not in version:
        print(f"record.py: the golden files are etcdctl 3.4.23's; this is {version!r}")
        return 1
    hear_interrupts()
    names = [name for name in sys.argv[1:] if name != "--check"]
    changed = False
    for name in names or sorted(SCENARIOS):
        file, text = GOLDEN / f"{name}.json", record(SCENARIOS[name])
        same = file.exists() and file.read_text(encoding="ascii") == text
        changed |= not same
        print(f"{name}: {'as it was' if same else 'changed'}", flush=True)
        if "--check" not in sys.argv:
            file.write_text(text, encoding="ascii")
    return int(changed and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
