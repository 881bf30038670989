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
from pathlib import Path
from typing import TextIO

# One process for each group, so that a round is short for everybody and heaps start fresh.
GROUPS = ("put,put-txn", "get,put-get,compact", "watch,watch-prefix,catch-up")
# Crowds of watchers and long histories take their time, etcd's most of all: they come in the first
# round and then in every third. In "crowd" a store in memory is compared with itself.
CROWDED_ROUNDS = 3
STORES = ("revwatch-memory", "revwatch-file")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

Measurement = dict[str, str | int | float]


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


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--bin", required=True, help="revwatch-bench")
    parser.add_argument("--memory-bin", required=True, help="revwatch-memory")
    parser.add_argument("--etcd", choices=("present", "absent"), required=True)
    parser.add_argument("--etcd-bin", required=True, help="etcd_mvcc")
    parser.add_argument("--dir", required=True, help="folder for the files of the stores")
    parser.add_argument("--out", required=True, help="where the lines go")
    args = parser.parse_args()
    etcd_bin: str | None = args.etcd_bin if args.etcd == "present" else None
    with Path(args.out).open("w") as out:
        print(json.dumps(machine(etcd_bin)), file=out)
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
            for group in GROUPS:
                common = ["--workloads", group, "--round", str(number), "--dir", args.dir]
                commands = [[args.bin, "--subject", name, *common] for name in STORES]
                if etcd_bin:
                    commands.insert(0, [etcd_bin, *common])
                if group != GROUPS[-1]:
                    commands.append([args.bin, "--subject", "btreemap", *common])
                run_all(commands, out)
            if number % CROWDED_ROUNDS == 0:
                common = ["--round", str(number), "--dir", args.dir, "--workloads"]
                far = "watch-many,catch-up-far"
                etcd = [[etcd_bin, *common, f"{far},match"]] if etcd_bin else []
                own = [args.bin, "--subject", STORES[0], *common, f"{far},crowd,match"]
                file = [args.bin, "--subject", STORES[1], *common, far]
                run_all([*etcd, own, file], out)
        run_all([[args.memory_bin]], out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
