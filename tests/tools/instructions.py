#!/usr/bin/env python3
"""The guard of the core paths: how many instructions each takes, against the record in
benches/instructions.json.

valgrind counts, so the machine's load and speed do not matter; the compiler, the target, the C
library and what the processor lets it choose do. Where they are others than those of the record,
nothing is compared, and one skip says so. A path that grew by more than 5 % fails; `--record`
writes the record anew (`make bench-record`).
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "benches" / "instructions.json"
PROGRAM = "revwatch-instructions"
MEASURED = "revwatch_instructions::count_instructions"
TOLERANCE = 0.05

# The heap must look alike every time: where blocks lie decides how much a reallocation copies.
HEAP = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
    "MALLOC_TOP_PAD_": str(1 << 26),
}


@dataclass(frozen=True)
class Environment:
    """Everything outside of the source that decides how many instructions there are."""

    compiler: str
    target: str
    libc: str
    processor: str
    valgrind: str


@dataclass(frozen=True)
class Verdict:
    """What became of one path."""

    path: str
    failed: bool
    text: str


def output_of(*command: str) -> str:
    """What a program prints, or nothing where it cannot be run."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def environment() -> Environment:
    """That of this machine."""
    rustc = output_of("rustc", "-vV")
    host = re.search(r"^host: (.+)$", rustc, re.M)
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        flags = ""
    # The C library copies memory in the widest words that the processor has and valgrind knows.
    wide = "with AVX2" if re.search(r"^flags\s*:.*\bavx2\b", flags, re.M) else "without AVX2"
    return Environment(
        compiler=rustc.partition("\n")[0],
        target=host[1] if host else "",
        libc=" ".join(platform.libc_ver()),
        processor=f"{platform.machine()} {wide}",
        valgrind=output_of("valgrind", "--version"),
    )


def totals_of(folder: Path, paths: list[tuple[str, int]]) -> dict[str, float]:
    """Instructions each time: valgrind leaves a numbered file for each path, in order."""
    found: dict[str, float] = {}
    for number, (path, count) in enumerate(paths, 1):
        text = (folder / f"counts.{number}").read_text()
        total = re.search(r"^totals: (\d+)$", text, re.M)
        if not total:
            raise ValueError(f"valgrind counted nothing for: {path}")
        found[path] = round(int(total[1]) / count, 1)
    return found


def measure() -> dict[str, float]:
    """Builds the program and has its paths counted."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
    build = ["cargo", "build", "--quiet", "--release", "-p", "revwatch-benches", "--bin", PROGRAM]
    subprocess.run(build, check=True, cwd=ROOT)
    (target / "bench").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target / "bench") as name:
        folder = Path(name)
        (folder / "program").hardlink_to(target / "release" / PROGRAM)
        # The same names everywhere, however long those of the machine's folders are.
        command = [
            "valgrind",
            "--tool=callgrind",
            f"--toggle-collect={MEASURED}",
            f"--dump-after={MEASURED}",
            "--callgrind-out-file=counts",
            "./program",
            ".",
        ]
        done = subprocess.run(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], **HEAP},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise ValueError(f"{PROGRAM} failed:\n{done.stdout}{done.stderr}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return totals_of(folder, [(line["path"], line["count"]) for line in lines])


def compare(recorded: dict[str, float], counted: dict[str, float]) -> list[Verdict]:
    """One verdict for each path of either."""
    verdicts: list[Verdict] = []
    for path in dict.fromkeys([*recorded, *counted]):
        if path not in counted:
            verdicts.append(Verdict(path, True, "recorded, but no longer measured"))
        elif path not in recorded:
            verdicts.append(Verdict(path, True, f"{counted[path]}, not recorded"))
        else:
            change = counted[path] / recorded[path] - 1
            text = f"{counted[path]} instructions, {change:+.1%} of {recorded[path]}"
            if change < -TOLERANCE:
                text += " (make bench-record keeps that)"
            verdicts.append(Verdict(path, change > TOLERANCE, text))
    return verdicts


def differences(recorded: dict[str, str], here: Environment) -> list[str]:
    """What of the environment is another here."""
    return [
        f"{name}: {there!r} recorded, {own!r} here"
        for name, own in asdict(here).items()
        if (there := recorded.get(name, "")) != own
    ]


def check() -> int:
    """Compares, in the words that run.py reads."""
    record = json.loads(RECORD.read_text())
    if unlike := differences(record["environment"], environment()):
        print(f"SKIP instruction counts: {'; '.join(unlike)}")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    verdicts = compare(record["instructions"], measure())
    for verdict in verdicts:
        print(f"{'FAILED' if verdict.failed else 'ok'} {verdict.path}: {verdict.text}")
    failed = sum(verdict.failed for verdict in verdicts)
    if failed:
        print("If that is on purpose: make bench-record, and say in the commit what it buys.")
    print(f"{len(verdicts) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write benches/instructions.json")
    options = parser.parse_args()
    installed = subprocess.run([Path(__file__).with_name("ensure-valgrind.sh")]).returncode == 0
    if not options.record:
        return check()
    if not installed:
        return 1
    record = {"environment": asdict(environment()), "instructions": measure()}
    RECORD.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    print(f"written: {RECORD.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
