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
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from remaining import Remaining

MEMORY, FILE = "revwatch-memory", "revwatch-file"
ETCD, SERVER = "etcd", "etcd-server"
MAP, CRATE = "btreemap", "iset"
STORES = (ETCD, MEMORY, FILE)
ALL = (*STORES, MAP)
GROWTH = "growth"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

Measurement = dict[str, str | int | float]


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    rounds: int
    largest: int  # keys, revisions and watchers, as far as growth is measured
    backlog: int  # revisions that a watcher which never reads is behind
    peers_seconds: float  # what peers_rounds.py takes afterwards, on a quiet machine
    long: bool = True  # whether long groups are run


SCALES = {
    "smoke": Scale(rounds=1, largest=30_000, backlog=100_000, peers_seconds=5, long=False),
    "quick": Scale(rounds=3, largest=300_000, backlog=1_000_000, peers_seconds=100),
    "bench": Scale(rounds=5, largest=1_000_000, backlog=1_000_000, peers_seconds=1_000),
    "full": Scale(rounds=5, largest=10_000_000, backlog=10_000_000, peers_seconds=1_000),
}


@dataclass(frozen=True)
class Group:
    """Workloads that one process runs, so that a round is short for everybody and heaps start
    fresh. Long ones come in the first round and then in every third."""

    workloads: str
    subjects: tuple[str, ...]
    seconds: float  # of all subjects on a quiet machine; of growth, to a million
    long: bool = False

    def is_due(self, number: int, scale: Scale) -> bool:
        """Whether this round has it."""
        return not self.long or (scale.long and number % LONG_EVERY == 0)

    def seconds_at(self, scale: Scale) -> float:
        """What it takes on a quiet machine."""
        return self.seconds * scale.largest / 1e6 if self.workloads == GROWTH else self.seconds


GROUPS = (
    Group("put,put-txn", ALL, 2.5),
    Group("get,put-get,compact", ALL, 7),
    Group("latency", ALL, 2.5),
    Group("watch,watch-prefix,catch-up", STORES, 5.5),
    Group("durable,clients", (SERVER, FILE), 10),
    Group("datasets", ALL, 7, long=True),
    Group("watch-many,catch-up-far", STORES, 40, long=True),
    Group(GROWTH, ALL, 40, long=True),
    Group("writer-latency", (MEMORY, FILE), 40, long=True),
    Group("open", (ETCD, FILE), 15, long=True),
    # Without a store, so one subject does it for both.
    Group("match", (ETCD, CRATE, MEMORY), 130, long=True),
    # In which a store is compared with itself.
    Group("crowd", (MEMORY,), 3, long=True),
)
LONG_EVERY = 3
# What is counted is the same in every round. Each is a process of its own.
COUNTED_SECONDS = 15
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


def measure(command: list[str], may_fail: bool = False) -> Iterator[Measurement]:
    """Runs one program to its end and reads its lines. If the system kills it, as it does where
    memory does not suffice, what it has not measured is absent, and a last line says so. A program
    that is not ours to repair may fail likewise."""
    start, busy, own = time.monotonic(), busy_seconds(), children_seconds()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    be_killed_first(process.pid)
    printed, _ = process.communicate()
    took = time.monotonic() - start
    others = (busy_seconds() - busy - (children_seconds() - own)) / took
    for line in printed.splitlines():
        yield {**json.loads(line), "others": round(max(others, 0.0), 2)}
    if process.returncode < 0:
        killer = signal.Signals(-process.returncode).name
        yield {"absent": f"{without_folder(command)}: {killer}"}
    elif process.returncode and may_fail:
        yield {"absent": f"{without_folder(command)}: exit status {process.returncode}"}
    elif process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def without_folder(command: list[str]) -> str:
    """What is shown of a command on a page that names no folders."""
    program, *words = command
    at = words.index("--dir") if "--dir" in words else len(words)
    return " ".join([Path(program).name, *words[:at], *words[at + 2 :]])


def be_killed_first(process: int) -> None:
    """Where memory runs short, the system is to kill what is measured and nothing else."""
    with suppress(OSError):
        Path(f"/proc/{process}/oom_score_adj").write_text("1000")


def run_all(commands: list[list[str]], out: TextIO, may_fail: bool = False) -> None:
    """Runs programs one after the other, and keeps what they print."""
    for command in commands:
        for measurement in measure(command, may_fail):
            if "absent" in measurement:
                print(f"  ended, and absent: {measurement['absent']}", file=sys.stderr, flush=True)
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


def run_rounds(programs: Programs, out: TextIO) -> None:
    """All groups of all rounds, on each subject in turn."""
    scale = programs.scale
    plan = [(n, group) for n in range(scale.rounds) for group in GROUPS if group.is_due(n, scale)]
    parts = [group.seconds_at(scale) for _, group in plan]
    remaining = Remaining(parts, COUNTED_SECONDS + scale.peers_seconds)
    print(f"{remaining}, if the machine is quiet", file=sys.stderr, flush=True)
    for (number, group), seconds in zip(plan, parts, strict=True):
        start = time.monotonic()
        for subject in group.subjects:
            run_all(programs.command(subject, group.workloads, number), out)
        took = time.monotonic() - start
        remaining.finished(seconds, took)
        of = f"round {number + 1} of {scale.rounds}, {group.workloads}"
        print(f"  {of}: {took:.0f} s, {remaining}", file=sys.stderr, flush=True)


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
        run_rounds(programs, out)
        run_all(programs.counted(), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
