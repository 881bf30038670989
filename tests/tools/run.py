#!/usr/bin/env python3
"""Run the suites of suites.py in order, count their tests, and say what they told.

The very last line of output is `N passed, N failed, N skipped`; the exit code is 0 only if nothing
failed. With CI=true a skipped test that allowed-skips.txt does not list is a failure.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import tally
from suites import BUDGETS, LANGUAGES, SUITES, Suite, select
from tally import Skip, Tally

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "target" / "test-logs"
ALLOWED = Path(__file__).with_name("allowed-skips.txt")


@dataclass
class Result:
    suite: Suite
    tally: Tally
    seconds: float
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.tally.failed == 0


def say(line: str = "") -> None:
    print(line, flush=True)


def environment() -> dict[str, str]:
    """Every suite builds into the repository's own target directory and finds the tools there."""
    path = f"{ROOT / 'target' / 'tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target"), "PATH": path}


def execute(suite: Suite, log: Path) -> int | None:
    """The exit code, or None if the suite had to be stopped."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", suite.command],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(timeout=suite.minutes * 60)
        except subprocess.TimeoutExpired:
            return None
        finally:  # whatever it left running belongs to it
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def allowed_skips(text: str) -> set[tuple[str, str]]:
    """(suite, test) of every line `suite: test name: reason`."""
    lines = (line.strip() for line in text.splitlines())
    entries = [line.split(": ", 2) for line in lines if line and not line.startswith("#")]
    for entry in entries:
        if len(entry) != 3:
            raise ValueError(f"{ALLOWED.name}: not 'suite: test name: reason': {': '.join(entry)}")
    return {(suite, name) for suite, name, _ in entries}


def forbidden(suite: str, found: Tally, allowed: set[tuple[str, str]]) -> list[str]:
    """What skips of this suite are not on the list: one text for each."""
    bad = [skip.name for skip in found.skips if (suite, skip.name) not in allowed]
    nameless = max(0, found.skipped - len(found.skips))
    return [f"skipped, but not in {ALLOWED.name}: {name}" for name in bad] + [
        "skipped without a name"
    ] * nameless


def run(suite: Suite, broken: set[str], allowed: set[tuple[str, str]] | None) -> Result:
    missing = [name for name in suite.needs if name in broken]
    if missing:
        return Result(suite, Tally(failed=1), 0.0, [f"not run: {', '.join(missing)} failed"])
    log = LOGS / f"{suite.name}.log"
    started = time.monotonic()
    code = execute(suite, log)
    seconds = time.monotonic() - started
    text = log.read_text(errors="replace")
    found = tally.read(suite.parser, text, 1 if code is None else code)
    problems = []
    if code is None:
        problems.append(f"stopped after {suite.minutes} minutes")
    elif found.problem:
        problems.append(found.problem)
    if allowed is not None:
        unlisted = forbidden(suite.name, found, allowed)
        found.failed += len(unlisted)
        problems += unlisted
    if found.failed:
        say(f"--- {suite.command.strip()}")
        say(text.rstrip())
        say(f"--- again: tests/tools/run.py --only {suite.name}")
    return Result(suite, found, seconds, problems)


def outcome(result: Result) -> str:
    """What the line says that ends a suite."""
    counts = str(result.tally)
    if result.suite.parser in ("check", "step"):
        counts = "done" if result.ok else "failed"
    return f"{counts}, {result.seconds:.1f} s" + "".join(f"; {p}" for p in result.problems)


def reasons(results: list[Result]) -> list[str]:
    """Every skipped test with its reason; tests of one reason and suite together."""
    found: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], list[str]] = {}
    for result in results:
        skips = result.tally.skips or [Skip("?", "")] * result.tally.skipped
        for skip in skips:
            key = (result.suite.name, skip.reason or "no reason given")
            found[key] += 1
            names.setdefault(key, []).append(skip.name)
    return [
        f"    skipped in {suite}: {', '.join(names[suite, why][:5])}"
        f"{' and more' if count > 5 else ''} ({count}): {why}"
        for (suite, why), count in found.items()
    ]


def report(results: list[Result]) -> Tally:
    say("\nBy language")
    for language in LANGUAGES:
        own = [result for result in results if result.suite.language == language]
        if not own:
            continue
        total = sum((result.tally for result in own), Tally())
        seconds = sum(result.seconds for result in own)
        names = " ".join(result.suite.name for result in own)
        counts = f"{total.failed} of {len(own)} steps failed" if language == "setup" else str(total)
        say(f"  {language:<7} {counts}, {seconds:.1f} s  ({names})")
        for line in reasons(own):
            say(line)
        for result in own:
            if not result.ok:
                say(f"    FAILED {result.suite.name}: {outcome(result)}")
    say("\nBy share of the work")
    for share, (title, minutes) in BUDGETS.items():
        seconds = sum(result.seconds for result in results if result.suite.share == share)
        over = "  WARNING: over budget" if seconds > minutes * 60 else ""
        say(f"  {title:<20} {seconds:7.1f} s of {minutes * 60:5d} s{over}")
    return sum((result.tally for result in results), Tally())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="LANGUAGE|SUITE")
    parser.add_argument("--list", action="store_true", help="say what there is, and stop")
    options = parser.parse_args()
    if options.list:
        width = max(len(suite.name) for suite in SUITES)
        for suite in SUITES:
            say(f"{suite.language:<7} {suite.name:<{width}} {suite.what}")
        return 0
    try:
        chosen = select(options.only)
        allowed = allowed_skips(ALLOWED.read_text()) if os.environ.get("CI") == "true" else None
    except ValueError as error:
        parser.error(str(error))

    LOGS.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    broken: set[str] = set()
    for number, suite in enumerate(chosen, 1):
        say(f"[{number:2}/{len(chosen)}] {suite.name}: {suite.what}")
        result = run(suite, broken, allowed)
        results.append(result)
        if not result.ok:
            broken.add(suite.name)
        say(f"        {'ok' if result.ok else 'FAILED'}: {outcome(result)}")
    total = report(results)
    say(f"\n{total}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
