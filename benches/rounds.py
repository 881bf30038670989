"""Runs the programs in turn, round after round, so that a change of the machine's mood meets all of
them alike, and collects what they print.

The first line of the output describes the machine. Each further line is a measurement as the
program printed it, with `others`: how many cores other processes used while that program ran.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MEMORY, FILE = "revwatch-memory", "revwatch-file"
ETCD, SERVER = "etcd", "etcd-server"
MAP, CRATE = "btreemap", "iset"
STORES = (ETCD, MEMORY, FILE)
ALL = (*STORES, MAP)
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

Measurement = dict[str, str | int | float]


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    rounds: int
    largest: int  # keys, revisions and watchers, as far as growth is measured
    backlog: int  # revisions that a watcher which never reads is behind
    long: bool = True  # whether long groups are run


SCALES = {
    "smoke": Scale(rounds=1, largest=30_000, backlog=100_000, long=False),
    "quick": Scale(rounds=3, largest=300_000, backlog=1_000_000),
    "bench": Scale(rounds=5, largest=1_000_000, backlog=1_000_000),
    "full": Scale(rounds=5, largest=10_000_000, backlog=10_000_000),
}


@dataclass(frozen=True)
class Group:
    """Workloads that one process runs, so that a round is short for everybody and heaps start
    fresh. Long ones come in the first round and then in every third."""

    workloads: str
    subjects: tuple[str, ...]
    long: bool = False


GROUPS = (
    Group("put,put-txn", ALL),
    Group("get,put-get,compact", ALL),
    Group("latency", ALL),
    Group("watch,watch-prefix,catch-up", STORES),
    Group("durable,clients", (SERVER, FILE)),
    Group("datasets", ALL, long=True),
    Group("watch-many,catch-up-far", STORES, long=True),
    Group("growth", ALL, long=True),
    Group("writer-latency", (MEMORY, FILE), long=True),
    Group("open", (ETCD, FILE), long=True),
    # Without a store, so one subject does it for both.
    Group("match", (ETCD, CRATE, MEMORY), long=True),
    # In which a store is compared with itself.
    Group("crowd", (MEMORY,), long=True),
)
LONG_EVERY = 3
# What is counted is the same in every round. Each is a process of its own.
COUNTED = ("key", "prefix", "span", "stream", "backlog", "index")


def output_of(command: list[str]) -> str:
    """What a program says of itself, or that it is absent."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "absent"
    return done.stdout.strip()


def first_match(pattern: str, file: str, otherwise: str) -> str:
    """The pattern's first group in a file that not every system has."""
    try:
        found = re.search(pattern, Path(file).read_text())
    except OSError:
        return otherwise
    return found[1] if found else otherwise


def machine(etcd_bin: str | None) -> dict[str, str | int]:
    """What the figures belong to."""
    return {
        "cpu": first_match(r"model name\s*:\s*(.+)", "/proc/cpuinfo", platform.processor()),
        "cores": os.cpu_count() or 0,
        "memory_mib": int(first_match(r"MemTotal:\s*(\d+)", "/proc/meminfo", "0")) // 1024,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "rustc": output_of(["rustc", "--version"]),
        "go": output_of(["go", "version"]).removeprefix("go version "),
        "etcd": output_of([etcd_bin, "-version"]) if etcd_bin else "absent",
        "server": output_of(["etcd", "--version"])
        .partition("\n")[0]
        .removeprefix("etcd Version: "),
    }


def busy_seconds() -> float:
    """Processor time that the whole machine has spent so far, other guests' included."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def children_seconds() -> float:
    """Processor time of the programs that this one ran."""
    times = os.times()
    return times.children_user + times.children_system


def measure(command: list[str]) -> Iterator[Measurement]:
    """Runs one program to its end and reads its lines."""
    start, busy, own = time.monotonic(), busy_seconds(), children_seconds()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    took = time.monotonic() - start
    others = (busy_seconds() - busy - (children_seconds() - own)) / took
    for line in done.stdout.splitlines():
        yield {**json.loads(line), "others": round(max(others, 0.0), 2)}


def run_all(commands: list[list[str]], out: TextIO) -> None:
    """Runs programs one after the other, and keeps what they print."""
    for command in commands:
        for measurement in measure(command):
            print(json.dumps(measurement), file=out, flush=True)


@dataclass(frozen=True)
class Programs:
    """Where the programs are; without etcd's, its subjects are left out."""

    bench: str
    memory: str
    etcd: str | None
    server: bool
    folder: str
    scale: Scale

    def command(self, subject: str, workloads: str, number: int) -> list[list[str]]:
        """The one that runs these workloads on a subject, if it is there."""
        options = ["--round", str(number), "--dir", self.folder]
        options += ["--largest", str(self.scale.largest), "--workloads", workloads]
        if subject not in (ETCD, SERVER):
            return [[self.bench, "--subject", subject, *options]]
        if self.etcd and (subject == ETCD or self.server):
            return [[self.etcd, *options]]
        return []

    def counted(self) -> list[list[str]]:
        """What is counted, not timed."""
        backlog = ["--backlog", str(self.scale.backlog), "--dir", self.folder]
        own = [[self.memory, "--of", what, *backlog] for what in COUNTED]
        return own + self.command(ETCD, "memory", 0)


def run_round(programs: Programs, number: int, out: TextIO) -> None:
    """Every group of this round, on each subject in turn."""
    for group in GROUPS:
        if group.long and (number % LONG_EVERY or not programs.scale.long):
            continue
        start = time.monotonic()
        for subject in group.subjects:
            run_all(programs.command(subject, group.workloads, number), out)
        took = time.monotonic() - start
        print(f"  {group.workloads}: {took:.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", choices=SCALES, required=True)
    parser.add_argument("--bin", required=True, help="revwatch-bench")
    parser.add_argument("--memory-bin", required=True, help="revwatch-memory")
    parser.add_argument("--etcd", choices=("present", "absent"), required=True)
    parser.add_argument("--server", choices=("present", "absent"), required=True)
    parser.add_argument("--etcd-bin", required=True, help="etcd_mvcc")
    parser.add_argument("--dir", required=True, help="folder for the files of the stores")
    parser.add_argument("--out", required=True, help="where the lines go")
    args = parser.parse_args()
    scale = SCALES[args.scale]
    programs = Programs(
        bench=args.bin,
        memory=args.memory_bin,
        etcd=args.etcd_bin if args.etcd == "present" else None,
        server=args.server == "present",
        folder=args.dir,
        scale=scale,
    )
    with Path(args.out).open("w") as out:
        print(json.dumps({**machine(programs.etcd), "scale": args.scale}), file=out)
        for number in range(scale.rounds):
            print(f"round {number + 1} of {scale.rounds}", file=sys.stderr, flush=True)
            run_round(programs, number, out)
        run_all(programs.counted(), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
